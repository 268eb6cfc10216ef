/* SPDX-License-Identifier: MPL-2.0
 *
 * kinds - which methods there are to be called, by whom, and how many calls their services take
 *
 * Learnt from what the brokers publish about live services. Any thread asks.
 */
#ifndef SIGNALBOX_JOBS_KINDS_H
#define SIGNALBOX_JOBS_KINDS_H

#include "proto/client.h"
#include "proto/principal.h"

typedef struct kinds kinds_t;

kinds_t *kinds_new(void);
void kinds_destroy(kinds_t **self_p);

/* Listens on this client from now on; it must end before the kinds do. */
void kinds_follow(kinds_t *self, client_t *client);

typedef enum {
    KIND_OPEN,
    KIND_UNKNOWN, /* no service of that name has been seen, or it has no such method */
    KIND_CLOSED,  /* the caller may not call it */
} kind_verdict_t;

/* Whether `who` may call "service.method". */
kind_verdict_t kinds_may(kinds_t *self, const char *kind, const principal_t *who);

/* How many calls the live instances of a service take at once; 0 when none is known of. */
uint32_t kinds_credit(kinds_t *self, const char *service);

#endif
