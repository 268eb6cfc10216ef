/* SPDX-License-Identifier: MPL-2.0
 *
 * buf - bytes that grow at the end
 *
 * A zeroed buf_t is a valid empty one. The bytes are not NUL-terminated unless `buf_text` is asked.
 */
#ifndef SIGNALBOX_BUF_H
#define SIGNALBOX_BUF_H

#include <string.h>

#include "actors/base/base.h"

typedef struct {
    uint8_t *bytes;  /* NULL while capacity is 0 */
    size_t size;     /* bytes in use */
    size_t capacity; /* bytes allocated */
} buf_t;

/* Frees the bytes and leaves a valid empty buffer. */
void buf_free(buf_t *self);

/* Makes room for `more` bytes beyond the present size; capacity at least doubles. */
void buf_grow(buf_t *self, size_t more);

/* Room for `more` bytes at the end, to be written by the caller, who then adds to `size`. */
static inline uint8_t *buf_reserve(buf_t *self, size_t more)
{
    if (__builtin_expect(self->capacity - self->size < more, 0))
        buf_grow(self, more);
    return self->bytes + self->size;
}

static inline void buf_add(buf_t *self, const void *bytes, size_t size)
{
    uint8_t *at = buf_reserve(self, size);
    if (size)
        memcpy(at, bytes, size);
    self->size += size;
}

static inline void buf_add_byte(buf_t *self, uint8_t byte)
{
    *buf_reserve(self, 1) = byte;
    self->size++;
}

static inline void buf_add_text(buf_t *self, const char *text)
{
    buf_add(self, text, strlen(text));
}

/* Appends formatted text. */
void buf_printf(buf_t *self, const char *format, ...) PRINTF_LIKE(2, 3);

/* Appends a number in decimal. */
void buf_add_int(buf_t *self, int64_t number);

/* The content as a C string: a NUL is kept behind the last byte and not counted. Borrowed until the
 * next change of the buffer. */
const char *buf_text(buf_t *self);

/* Gives the bytes away: the caller frees them with `mem_free`, the buffer is empty again. */
uint8_t *buf_take(buf_t *self, size_t *size);

#endif
