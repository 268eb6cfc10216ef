/* SPDX-License-Identifier: MPL-2.0
 *
 * resolver - the addresses of a name, looked up on threads of its own
 *
 * The system's way of looking up blocks, for as long as somebody else's name server likes. So that
 * nobody else waits, a few threads do it, each with short patience; and the answer is an address
 * that can be judged and then be called, rather than a name that may mean another one by then.
 */
#ifndef SIGNALBOX_OUTBOUND_RESOLVER_H
#define SIGNALBOX_OUTBOUND_RESOLVER_H

#include "actors/base/address.h"
#include "actors/base/queue.h"
#include "actors/jobs/outbound/url.h"

#define RESOLVER_ADDRESSES_MAX 16
#define RESOLVER_WHY_SIZE      80

typedef struct {
    address_t list[RESOLVER_ADDRESSES_MAX]; /* the first ones */
    size_t count;                           /* 0: there is none, or it cannot be found out: `why` */
    char why[RESOLVER_WHY_SIZE];
} addresses_t;

/* Blocks until it is known. Another one than the system's is for tests. */
typedef void (*resolve_fn)(const char *host, addresses_t *found);
void resolver_ask_system(const char *host, addresses_t *found);

/* A look-up. Whoever asks makes it with `mem_zeroed`, fills the first part, and gets it back. */
typedef struct lookup {
    queue_item_t item;
    char host[URL_HOST_SIZE];
    void *owner; /* not touched here */
    addresses_t found;
} lookup_t;

typedef struct resolver resolver_t;

/* `found` runs on one of the threads with a look-up that is done. */
resolver_t *resolver_new(size_t threads, size_t waiting, resolve_fn resolve,
                         void (*found)(void *arg, lookup_t *lookup), void *arg);

/* Waits for look-ups under way, hands all back that are left, and frees. */
void resolver_destroy(resolver_t **self_p);

/* Takes the look-up over; false when too many wait: it is still the caller's. */
bool resolver_ask(resolver_t *self, lookup_t *lookup) MUST_CHECK;

#endif
