/* SPDX-License-Identifier: MPL-2.0
 *
 * sentry - failures as Sentry and what is compatible with it take them
 *
 * Written from the public specification (develop.sentry.dev/sdk): a DSN names the project and its
 * key, an event travels as an envelope of one item, and a receiver that is asked too often says how
 * long it wants to rest.
 */
#ifndef SIGNALBOX_METRICS_SENTRY_H
#define SIGNALBOX_METRICS_SENTRY_H

#include "proto/fault.h"

#define SENTRY_MEDIA    "application/x-sentry-envelope"
#define SENTRY_REST_MS  60000    /* when a receiver does not say for how long */
#define SENTRY_REST_MAX 86400000 /* and at most */

/* The header of an answer that says who is to rest. */
#define SENTRY_LIMITS "X-Sentry-Rate-Limits"

typedef struct {
    char *url;  /* to which envelopes go */
    char *auth; /* the header that says who sends them */
} sentry_dsn_t;

/* Reads `https://KEY@HOST/PROJECT`, with what may stand between: a secret behind the key, a port, a
 * path before the project. False with a sentence in `why`, which does not repeat the key. */
bool sentry_dsn_read(sentry_dsn_t *self, const char *text, char *why, size_t why_size) MUST_CHECK;
void sentry_dsn_free(sentry_dsn_t *self);

/* What is sent beside the failure itself. */
typedef struct {
    const char *fingerprint; /* of its group: Sentry groups likewise */
    const char *instance;
    const char *environment;
    int64_t wall_ms;
} sentry_about_t;

/* Appends an envelope with one event. */
void sentry_write(const fault_t *fault, const sentry_about_t *about, buf_t *out);

/* How long nothing is to be sent after this answer, in milliseconds: as its header SENTRY_LIMITS
 * says, or, when it has none (""), as its Retry-After does (0: it has none either). */
uint32_t sentry_rest_ms(uint32_t status, uint32_t retry_after_ms, const char *limits);

#endif
