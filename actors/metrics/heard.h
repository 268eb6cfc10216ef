/* SPDX-License-Identifier: MPL-2.0
 *
 * heard - a span as another part has told it on the topic `trace` (proto/spans.h says its fields)
 *
 * Anybody who may publish the topic may send anything: what is not well-formed is not read, and
 * what looks like a secret is hidden.
 */
#ifndef SIGNALBOX_METRICS_HEARD_H
#define SIGNALBOX_METRICS_HEARD_H

#include "proto/pack.h"
#include "proto/trace.h"
#include "proto/value.h"

#define HEARD_SPANS_MAX      1000 /* of an event */
#define HEARD_ATTRIBUTES_MAX 32
#define HEARD_TEXT_BYTES     256 /* of a name or an attribute */
#define HEARD_KINDS          6

/* What a batch is of; borrowed from the event's tree. */
typedef struct {
    const value_t *part, *instance;
    const value_t *spans; /* an array, of what is to be read one by one */
} heard_batch_t;

/* Texts are borrowed from the event's tree or the arena, not NUL-terminated. */
typedef struct {
    uint8_t trace[TRACE_ID_BYTES];
    const value_t *trace_id, *id, *parent_id; /* hex; no parent: NULL */
    const value_t *name;
    uint8_t kind; /* OTLP's number */
    bool is_failed;
    int64_t start_us, duration_us;
    const value_t *attributes; /* a map of texts and whole numbers */
} heard_t;

extern const char *const heard_kinds[HEARD_KINDS]; /* by their number; "unspecified" is the first */

/* False when it is none. */
bool heard_read_batch(heard_batch_t *self, const value_t *body) MUST_CHECK;
bool heard_read(heard_t *self, arena_t *arena, const value_t *span) MUST_CHECK;

static inline void heard_pack_text(pack_t *out, const char *key, const value_t *text)
{
    pack_text(out, key);
    if (text)
        pack_string(out, text->text, text->count);
    else
        pack_nil(out);
}

#endif
