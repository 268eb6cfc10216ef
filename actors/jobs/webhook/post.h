/* SPDX-License-Identifier: MPL-2.0
 *
 * post - a message as Standard Webhooks sends it, and what its receiver's answer means
 */
#ifndef SIGNALBOX_WEBHOOK_POST_H
#define SIGNALBOX_WEBHOOK_POST_H

#include "actors/base/arena.h"
#include "actors/jobs/outbound/outbound.h"
#include "actors/jobs/outbound/signature.h"

/* Appends the body: {type, timestamp, data} in JSON, as `data` is. */
void post_write_body(buf_t *out, const char *type, int64_t at_ms, const char *data);

/* The headers of an attempt made now, in the arena; ends with NULL. */
const char *const *post_headers(arena_t *arena, const char *id, int64_t now_s,
                                const signature_key_t *keys, size_t count, const buf_t *body);

typedef enum {
    POST_TAKEN, /* 2xx */
    POST_LATER, /* it may be taken another time: 408, 425, 429, 5xx */
    POST_GONE,  /* 410: nobody wants to hear any more */
    POST_NEVER, /* anything else, redirects too */
} post_verdict_t;

post_verdict_t post_judge(uint32_t status);

#endif
