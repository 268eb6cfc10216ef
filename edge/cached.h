/* SPDX-License-Identifier: MPL-2.0
 *
 * cached - the steps of a request whose answer may be given again
 *
 * A method's cache rule decides. The answer to a GET is looked for among this edge's own copies
 * (shelf.h), by the address as it was sent; then at the service `cache`, by the request as it was
 * understood: there one caller is given a lease to compute what many ask for, and the others wait
 * for it. Keys hold the account or the user, if the rule says that answers vary by them.
 *
 * A POST has a rule only if it is idempotent by content: the service answers 200, and not 201, when
 * it has done the same before. That answer, and no other, is copied, under the hash of the body:
 * the same body from the same account then needs neither be parsed nor cross the bus.
 *
 * A method with tags but no time to live makes void what has these tags, once it has succeeded.
 *
 * Nothing here is needed: without the service `cache`, or when it is slow, the request's own
 * service is asked. Answers tell in X-Cache whether that was so (MISS) or not (HIT, STALE), and in
 * Age.
 */
#ifndef SIGNALBOX_EDGE_CACHED_H
#define SIGNALBOX_EDGE_CACHED_H

#include "edge/shelf.h"
#include "edge/inquiry.h"
#include "proto/descriptor.h"

typedef struct exchange exchange_t;

typedef struct {
    inquiry_t cache;
    shelf_t shelf;
    client_t *bus;
    int64_t brokers_lost; /* so far */
} cached_t;

/* What is known of one request. */
typedef struct {
    bool applies; /* the method's rule, to this verb */
    uint8_t key[SHELF_KEY_BYTES];
    uint64_t epoch;   /* of the copies, before anybody was asked */
    const char *name; /* at the service `cache`; "" when it is not there */
    const char *tags;
    int64_t lease;         /* to compute the answer; 0: none */
    uint64_t age_ms;       /* of the answer */
    uint64_t fresh_for_ms; /* from now on */
} caching_t;

void cached_init(cached_t *self, size_t bytes_max);
void cached_free(cached_t *self);

/* Before the first request: the bus on which the service is. */
void cached_connect(cached_t *self, client_t *bus);

/* The periodic work: after a change of broker everything may have been missed. */
void cached_tick(cached_t *self);

/* ---- the steps, in their order -------------------------------------------------------------- */

/* Answers with a copy; false: there is none. */
bool cached_answer(exchange_t *exchange);

/* Fetches the service's reply from the service `cache`; false: it must be computed. The request has
 * been translated. */
bool cached_fetch(exchange_t *exchange);

/* Before a success is answered: keeps the answer `bytes` of type `media`, made of the exchange's
 * reply, if it may be given again; or makes void what the request has changed. */
void cached_keep(exchange_t *exchange, unsigned status, const char *media, const void *bytes,
                 size_t size, const value_t *reply);

/* Once the request is over: gives back a lease that was not used. */
void cached_settle(exchange_t *exchange);

#endif
