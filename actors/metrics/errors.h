/* SPDX-License-Identifier: MPL-2.0
 *
 * errors - failures of ours, grouped by what they are
 *
 * A group is what has the same code, part, method and likeness of the message (likeness.h); its
 * fingerprint is a hash of these four, so every instance of the service has the same groups. It
 * keeps how often, since when, until when and on which instances it was met, and the last one
 * whole.
 *
 * One failure is often told of twice: a service fails, its caller passes the failure on. What is
 * said by another publisher about the same request with the same code and message within
 * ERRORS_ECHO_MS is the same failure; the first who tells, which is who failed, is counted.
 *
 * All of it is bounded: whoever has not been met for longest goes when there are too many. Time is
 * passed in, our own, never the publisher's. Not for several threads.
 */
#ifndef SIGNALBOX_METRICS_ERRORS_H
#define SIGNALBOX_METRICS_ERRORS_H

#include <uthash.h>

#include "actors/base/id.h"
#include "proto/fault.h"

#define ERRORS_MAX           1000
#define ERRORS_BYTES_MAX     (8u << 20)
#define ERRORS_INSTANCES_MAX 16   /* of a group, by name */
#define ERRORS_RECENT        1024 /* requests whose failures are known to have been counted */
#define ERRORS_ECHO_MS       60000
#define ERRORS_NEW_MS        300000 /* so long a group counts as new */
#define ERRORS_NEW_MAX       20     /* of them, those in the summary */

typedef struct error_group error_group_t;

struct error_group {
    UT_hash_handle hh;
    error_group_t *prev, *next; /* the one that was met last is the first */
    char fingerprint[ID_UUID_SIZE];
    char code[FAULT_CODE_BYTES + 1], part[FAULT_CODE_BYTES + 1], method[FAULT_NAME_BYTES + 1];
    char *message; /* without what differs */
    uint64_t count;
    int64_t first_ms, last_ms;
    char instances[ERRORS_INSTANCES_MAX][ID_INSTANCE_SIZE];
    size_t instance_count;
    char last_instance[ID_INSTANCE_SIZE];
    buf_t sample; /* the last one, as fault_write packs it */
    size_t bytes; /* of all this */
};

typedef struct {
    uint64_t request, publisher; /* hashes */
    int64_t wall_ms;
} error_mark_t;

typedef struct {
    error_group_t *groups, *newest;
    size_t bytes;
    int64_t keep_ms;
    error_mark_t marks[ERRORS_RECENT];
    size_t mark;
} errors_t;

typedef enum {
    ERRORS_MET,  /* another one of a group */
    ERRORS_NEW,  /* the first of its group */
    ERRORS_ECHO, /* counted already */
} errors_verdict_t;

void errors_init(errors_t *self, int64_t keep_ms);
void errors_free(errors_t *self);

/* Takes a failure that `publisher` has told of. `*group` (NULL for an echo) is the one it belongs
 * to, until the next change; `*evicted` how many had to go. */
errors_verdict_t errors_take(errors_t *self, const fault_t *fault, const char *publisher,
                             int64_t wall_ms, const error_group_t **group, size_t *evicted);

/* Forgets groups that have not been met for longer than is kept. */
void errors_tick(errors_t *self, int64_t wall_ms);

/* Forgets a group: it is new when it is met again. False: there is no such group. */
bool errors_forget(errors_t *self, const char *fingerprint);

const error_group_t *errors_find(const errors_t *self, const char *fingerprint);

/* Whether it is so young that it counts as new. */
static inline bool errors_is_new(const error_group_t *group, int64_t wall_ms)
{
    return wall_ms - group->first_ms < ERRORS_NEW_MS;
}

/* Packs {fingerprint, code, part, method, message, count, first_seen, last_seen, instances} as
 * pairs of a map. */
#define ERRORS_MEMBERS 9
void errors_write_group(const error_group_t *group, pack_t *out);

/* Packs the list of those that are new, the youngest first, ERRORS_NEW_MAX at most. That order does
 * not change when one is met again: what has left the list does not come back, so whoever is
 * alarmed by it is alarmed once. */
void errors_write_new(const errors_t *self, int64_t wall_ms, pack_t *out);

#endif
