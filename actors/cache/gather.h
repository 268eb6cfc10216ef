/* SPDX-License-Identifier: MPL-2.0
 *
 * gather - asks all instances of the cache, this one too, and hands over their answers together
 */
#ifndef SIGNALBOX_CACHE_GATHER_H
#define SIGNALBOX_CACHE_GATHER_H

#include "actors/cache/cache.h"

#define GATHER_PARTS_MAX 64 /* instances whose answers are kept */

typedef struct {
    buf_t parts;      /* msgpack, one value behind the other */
    size_t count;     /* of them */
    size_t instances; /* that were asked */
    error_code_t code;
} gather_t;

/* Runs on the I/O thread; the answers are borrowed for the call. */
typedef void (*gathered_fn)(call_t *call, void *arg, const gather_t *gather);

/* Broadcasts; the body is given away. `on_gathered` runs exactly once. */
void gather_send(call_t *call, const method_t *method, buf_t *body, gathered_fn on_gathered,
                 void *arg);

#endif
