/* SPDX-License-Identifier: MPL-2.0
 *
 * flight - one transfer under way, and libcurl's handle for it; private to actors/jobs/outbound/
 *
 * Touched by the thread that carries transfers alone, once it has been taken out of the queue.
 */
#ifndef SIGNALBOX_OUTBOUND_FLIGHT_H
#define SIGNALBOX_OUTBOUND_FLIGHT_H

#include <sys/queue.h>

#include <curl/curl.h>

#include "actors/base/arena.h"
#include "actors/base/wheel.h"
#include "actors/jobs/outbound/fence.h"
#include "actors/jobs/outbound/outbound.h"

typedef struct flight flight_t;

struct flight {
    queue_item_t item;
    TAILQ_ENTRY(flight) entry; /* of those that wait, or those under way */
    wheel_timer_t timer;       /* until it has taken too long */
    arena_t arena;             /* holds everything that `what` points to */
    transfer_t what;
    url_t url; /* of the present hop */
    const fence_t *fence;
    uint64_t sent_us, hop_us; /* monotonic: handed over; the present hop begun */
    uint32_t total_ms, hops;
    bool has_entered; /* counted at its host */
    lookup_t *lookup; /* under way; it finds its way back by itself */
    CURL *easy;       /* NULL: not connected yet */
    struct curl_slist *headers, *pinned, *recipients;
    const char *fenced; /* what the address is that was refused at the last moment */
    size_t read;        /* bytes of the body that libcurl has taken */
    buf_t received;
    size_t received_max;
    transferred_t result;
    char error[CURL_ERROR_SIZE];
};

/* Copies a transfer. */
flight_t *flight_new(const transfer_t *what);
void flight_free(flight_t *self);

/* Makes the handle for the present hop, with the addresses that may be called. */
void flight_prepare(flight_t *self, const addresses_t *addresses);

/* Reads off the handle how the hop went, into `result`. */
void flight_read(flight_t *self, CURLcode code);

/* Where an answer leads to, if it is a redirect that is to be followed: then `url` is that, and
 * true. What it leads to and is not to be called ends the flight: `result` says so. */
bool flight_turn(flight_t *self);

/* Drops the handle, before the next hop or the end. */
void flight_drop_handle(flight_t *self);

#endif
