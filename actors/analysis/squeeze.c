/* SPDX-License-Identifier: MPL-2.0
 *
 * squeeze - bytes as they are stored: compressed by zlib when it pays
 *
 * A result repeats the names of its fields and the texts of its rules at short distances, so a
 * small window finds almost all there is to find.
 *
 * Each thread keeps a compressor, since its tables take longer to make than the usual result takes
 * to compress.
 */
#include "config.h"

#include <pthread.h>

#include <zlib.h>

#include "actors/analysis/squeeze.h"

#define SQUEEZE_LEAST  2048 /* smaller ones stay as they are: what is saved costs too much */
#define SQUEEZE_LEVEL  1
#define SQUEEZE_WINDOW 13 /* 8 KiB */
#define SQUEEZE_MEMORY 6

/* ---- the thread's compressor ----------------------------------------------------------------- */

static pthread_key_t s_mine;

static void s_end(void *stream)
{
    deflateEnd(stream);
    mem_free(stream);
}

static void s_set_up(void)
{
    if (pthread_key_create(&s_mine, s_end) != 0)
        die("too many parts of this process keep something for each thread");
}

static z_stream *s_stream(void)
{
    static pthread_once_t set_up = PTHREAD_ONCE_INIT;
    insist(pthread_once(&set_up, s_set_up) == 0);
    z_stream *stream = pthread_getspecific(s_mine);
    if (stream)
        return stream;
    stream = mem_zeroed(sizeof *stream);
    if (deflateInit2(stream, SQUEEZE_LEVEL, Z_DEFLATED, SQUEEZE_WINDOW, SQUEEZE_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        die("no memory to compress with");
    insist(pthread_setspecific(s_mine, stream) == 0);
    return stream;
}

/* ---- there and back -------------------------------------------------------------------------- */

squeezed_t squeeze(arena_t *arena, const void *bytes, size_t size)
{
    squeezed_t same = { .bytes = bytes, .size = size, .full = size };
    size_t room = size - size / 8; /* what saves less than an eighth is not worth unpacking */
    if (size < SQUEEZE_LEAST || size > UINT32_MAX)
        return same;
    z_stream *stream = s_stream();
    insist(deflateReset(stream) == Z_OK);
    uint8_t *packed = arena_alloc(arena, room);
    stream->next_in = (z_const Bytef *)(uintptr_t)bytes;
    stream->avail_in = (uInt)size;
    stream->next_out = packed;
    stream->avail_out = (uInt)room;
    bool pays = deflate(stream, Z_FINISH) == Z_STREAM_END;
    return pays ? (squeezed_t){ .bytes = packed, .size = stream->total_out, .full = size } : same;
}

static voidpf s_alloc(voidpf arena, uInt items, uInt size)
{
    return arena_array(arena, items, size);
}

static void s_free(voidpf arena, voidpf memory)
{
    (void)arena;
    (void)memory;
}

const uint8_t *unsqueeze(arena_t *arena, const squeezed_t *self, size_t limit)
{
    if (self->full == self->size)
        return self->bytes;
    if (self->full > limit || self->full > UINT32_MAX || self->size > UINT32_MAX)
        return NULL;
    uint8_t *bytes = arena_alloc(arena, self->full);
    z_stream stream = { .zalloc = s_alloc,
                        .zfree = s_free,
                        .opaque = arena,
                        .next_in = (z_const Bytef *)(uintptr_t)self->bytes,
                        .avail_in = (uInt)self->size,
                        .next_out = bytes,
                        .avail_out = (uInt)self->full };
    insist(inflateInit(&stream) == Z_OK);
    bool is_whole = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.total_out == self->full;
    inflateEnd(&stream);
    return is_whole ? bytes : NULL;
}
