/* SPDX-License-Identifier: MPL-2.0
 *
 * writer - writes a JSON document member by member, and puts the commas
 *
 * A key is a text of ours, or NULL inside arrays and for the document itself.
 */
#ifndef SIGNALBOX_EDGE_WRITER_H
#define SIGNALBOX_EDGE_WRITER_H

#include "actors/base/buf.h"

typedef struct {
    buf_t *out;
    bool needs_comma;
} writer_t;

void writer_open(writer_t *self, const char *key); /* { */
void writer_close(writer_t *self);                 /* } */
void writer_list(writer_t *self, const char *key); /* [ */
void writer_close_list(writer_t *self);            /* ] */
void writer_text(writer_t *self, const char *key, const char *text);
void writer_sized(writer_t *self, const char *key, const char *text, size_t size);
void writer_flag(writer_t *self, const char *key, bool value);
void writer_raw(writer_t *self, const char *key, const char *json);

/* The key alone, its value to be appended to `out` by the caller. The key need not be ours. */
void writer_key(writer_t *self, const char *key, size_t size);

#endif
