/* SPDX-License-Identifier: MPL-2.0
 *
 * check - whether an answer is what was expected
 *
 * Pure: what came back goes in, what it means comes out.
 */
#ifndef SIGNALBOX_MONITOR_CHECK_H
#define SIGNALBOX_MONITOR_CHECK_H

#include "actors/jobs/outbound/outbound.h"

#define CHECK_STATUSES_MAX 20

typedef struct {
    int64_t statuses[CHECK_STATUSES_MAX]; /* one of these; any 2xx when there are none */
    size_t status_count;
    const char *contains;     /* NULL: anything */
    int64_t max_ms;           /* 0: as long as it takes */
    int64_t certificate_days; /* -1: whenever it ends */
} expectation_t;

/* Reads the map `expect`, which may be NULL; texts are in the arena. */
void check_read_expectation(arena_t *arena, const value_t *expect, expectation_t *expectation);

/* What came out, in the words of http_result_fields. */
typedef struct {
    bool is_up;
    const char *reason;                                           /* NULL when it is up */
    char detail[200];                                             /* "" when it is up */
    uint32_t status;                                              /* 0: no answer */
    uint64_t dns_us, connect_us, tls_us, first_byte_us, total_us; /* 0: not reached */
    int64_t size;
    uint32_t redirects;
    char address[ADDRESS_TEXT_SIZE];
    int64_t certificate_expires_ms; /* 0: none, or unknown */
} check_result_t;

/* Judges; `now_ms` is the wall clock. */
void check_judge(const transferred_t *transferred, const expectation_t *expectation, int64_t now_ms,
                 check_result_t *result);

/* Packs it as one map. */
void check_write(const check_result_t *result, pack_t *out);

#endif
