/* SPDX-License-Identifier: MPL-2.0
 *
 * flags - feature flags, and for whom they are on
 *
 * Auth publishes them all on the retained topic `auth.flags`; each edge decides by itself. A flag
 * that is enabled is on for the tiers and the accounts it names, and for a share of all other
 * accounts: an account's place among them is a hash of flag and account, the same on every edge and
 * at any time, so that whoever has it at 10 % has it at 20 % too, and each flag begins with others.
 */
#ifndef SIGNALBOX_EDGE_FLAGS_H
#define SIGNALBOX_EDGE_FLAGS_H

#include <pthread.h>

#include "edge/exchange.h"

/* A set as it was published; immutable. */
typedef struct flag_set flag_set_t;

/* NULL when the bytes are no such event. */
flag_set_t *flag_set_read(const void *bytes, size_t size);
void flag_set_destroy(flag_set_t **self_p);

/* Whether a flag is on for an account of a tier; one that is not in the set is off. */
bool flag_set_is_on(const flag_set_t *self, const char *name, const char *account,
                    const char *tier);

/* Where the account stands among all others, 0 to 99: below the percentage it is on. */
unsigned flag_place(const char *name, const char *account);

/* ---- of an edge ------------------------------------------------------------------------------ */

typedef struct {
    pthread_mutex_t mutex;
    flag_set_t *set; /* NULL: not heard of yet */
} flags_t;

void flags_init(flags_t *self);
void flags_free(flags_t *self);

/* Before the first request: the bus on which auth is. */
void flags_connect(flags_t *self, client_t *bus);

/* The step of serve.c: false with NOT_FOUND set when the method has a flag that is off for the
 * caller. */
bool flags_permit(exchange_t *exchange) MUST_CHECK;

/* GET /v1/flags: the caller's. */
void flags_serve(exchange_t *exchange);

#endif
