/* SPDX-License-Identifier: MPL-2.0
 *
 * buf - bytes that grow at the end
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>

#include "actors/base/buf.h"
#include "actors/base/text.h"

#define BUF_FIRST_BYTES 256

void buf_free(buf_t *self)
{
    mem_free(self->bytes);
    *self = (buf_t){ 0 };
}

void buf_grow(buf_t *self, size_t more)
{
    size_t capacity = self->capacity ? self->capacity : BUF_FIRST_BYTES;
    insist(more <= SIZE_MAX / 4 - self->size);
    while (capacity - self->size < more)
        capacity *= 2;
    self->bytes = mem_resize(self->bytes, capacity);
    self->capacity = capacity;
}

void buf_printf(buf_t *self, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    insist(length >= 0);
    uint8_t *at = buf_reserve(self, (size_t)length + 1);
    vsnprintf((char *)at, (size_t)length + 1, format, again);
    va_end(again);
    self->size += (size_t)length;
}

void buf_add_int(buf_t *self, int64_t number)
{
    self->size += text_of_int(number, (char *)buf_reserve(self, TEXT_INT_SIZE));
}

const char *buf_text(buf_t *self)
{
    *buf_reserve(self, 1) = '\0';
    return (const char *)self->bytes;
}

uint8_t *buf_take(buf_t *self, size_t *size)
{
    uint8_t *bytes = self->bytes;
    *size = self->size;
    *self = (buf_t){ 0 };
    return bytes;
}
