/* SPDX-License-Identifier: MPL-2.0
 *
 * base - assertions that stay in release builds, and allocation that does not fail
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/base/base.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#    error "put_u16 and friends swap bytes: a big-endian port changes base.h first"
#endif

#define SENTENCE_BYTES 512

static void (*s_tell_end)(const char *sentence, bool is_broken);

void base_tell_end(void (*tell)(const char *sentence, bool is_broken))
{
    s_tell_end = tell;
}

static void s_say(const char *sentence, bool is_broken)
{
    if (s_tell_end)
        s_tell_end(sentence, is_broken);
    else
        fprintf(stderr, "signalbox: %s\n", sentence);
}

void base_broken(const char *condition, const char *file, int line, const char *function)
{
    char sentence[SENTENCE_BYTES];
    snprintf(sentence, sizeof sentence, "broken promise in %s (%s:%d): %s", function, file, line,
             condition);
    s_say(sentence, true);
    abort();
}

void die(const char *format, ...)
{
    char sentence[SENTENCE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    s_say(sentence, false);
    exit(2);
}

static void *s_or_stop(void *memory, size_t size)
{
    if (!memory)
        die("out of memory asking for %zu bytes", size);
    return memory;
}

void *mem_alloc(size_t size)
{
    return s_or_stop(malloc(size ? size : 1), size);
}

void *mem_zeroed(size_t size)
{
    return s_or_stop(calloc(1, size ? size : 1), size);
}

void *mem_array(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        bytes = SIZE_MAX;
    return s_or_stop(calloc(count ? count : 1, size ? size : 1), bytes);
}

void *mem_resize(void *memory, size_t size)
{
    return s_or_stop(realloc(memory, size ? size : 1), size);
}

void mem_free(void *memory)
{
    free(memory);
}

char *mem_strdup(const char *text)
{
    return mem_text(text, strlen(text));
}

char *mem_text(const void *bytes, size_t size)
{
    char *copy = mem_alloc(size + 1);
    if (size)
        memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}

char *mem_format(const char *format, ...)
{
    va_list args;
    char *text = NULL;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    insist(length >= 0);
    return text;
}

void mem_wipe(void *memory, size_t size)
{
    explicit_bzero(memory, size);
}
