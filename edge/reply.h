/* SPDX-License-Identifier: MPL-2.0
 *
 * reply - a service's answer as the content of an HTTP answer
 */
#ifndef SIGNALBOX_EDGE_REPLY_H
#define SIGNALBOX_EDGE_REPLY_H

#include "proto/descriptor.h"

typedef struct {
    const char *media;
    const void *bytes; /* in `content`, or in the reply */
    size_t size;
} reply_t;

/* Reads a reply to `method`: JSON appended to `content`, or the reply's field `content` as the
 * media type the method names. The tree is made in `arena`, points into the reply, and is handed
 * out in `*tree`. False with a sentence in `*why` when the reply is not what it may be. */
bool reply_read(reply_t *self, const descriptor_method_t *method, const void *bytes, size_t size,
                arena_t *arena, buf_t *content, const value_t **tree, const char **why) MUST_CHECK;

/* Appends the template with the reply's fields in place of its braces, percent-encoded: "{id}", or
 * "{workflow.id}" for a field inside another. False when the reply lacks one of them. */
bool reply_location(const char *pattern, const value_t *tree, buf_t *out) MUST_CHECK;

#endif
