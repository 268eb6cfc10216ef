/* SPDX-License-Identifier: MPL-2.0
 *
 * wishes - which accounts want to be told of which kinds of events, as far as webhooks know
 *
 * Most accounts subscribe to nothing, and an event of theirs should cost nothing. So the webhook
 * service tells everybody, on the retained topic `webhook.wishes`, who wants what, at each change
 * and every few seconds; whoever makes events asks here, in memory, before it stores one.
 *
 * What is told is a set of hashes, so "yes" may be wrong, once in some billions, and costs an event
 * that nobody gets. "No" is only said on knowledge: while nothing has been heard, or nothing any
 * more for WISHES_SILENCE_MS, everything is wanted. A wish is known a moment after it was made.
 *
 * The body: {at: database's time of the webhook service, which newer ones exceed; all: bool, there
 * are too many to be told; wishes: bin, hashes of four bytes in ascending order}.
 */
#ifndef SIGNALBOX_RUNTIME_WISHES_H
#define SIGNALBOX_RUNTIME_WISHES_H

#include <pthread.h>

#include "proto/client.h"
#include "proto/pack.h"

#define WISHES_TELL_MS    5000  /* between two tellings */
#define WISHES_SILENCE_MS 20000 /* after which nothing is known any more */
#define WISHES_MAX        100000

/* ---- who tells ------------------------------------------------------------------------------- */

/* A set in the making; zeroed is empty. */
typedef struct {
    uint32_t *list;
    size_t count, room;
} wish_set_t;

/* A wish of an account: "analysis.finished", "analysis.*", or "*". */
void wish_set_add(wish_set_t *self, const char *account, const char *wish, size_t size);
void wish_set_free(wish_set_t *self);

/* Packs the body. */
void wish_set_write(wish_set_t *self, int64_t at, pack_t *pack);

/* ---- who asks -------------------------------------------------------------------------------- */

typedef struct {
    pthread_mutex_t mutex;
    uint32_t *list;
    size_t count;
    bool is_all;
    int64_t at;
    uint64_t heard_ms; /* monotonic; 0: never */
} wishes_t;

void wishes_init(wishes_t *self);
void wishes_free(wishes_t *self);

/* Listens on this client from now on; it must end before the wishes do. */
void wishes_follow(wishes_t *self, client_t *client);

/* Takes a body over; false when it is none, or older than what is known. */
bool wishes_hear(wishes_t *self, const void *body, size_t size, uint64_t now_ms);

/* Whether the account may want to be told of events of this kind. From any thread. */
bool wishes_want(wishes_t *self, const char *account, const char *kind, uint64_t now_ms);

#endif
