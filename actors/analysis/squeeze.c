/* SPDX-License-Identifier: MPL-2.0
 *
 * squeeze - bytes as they are stored: compressed by zlib when it pays
 *
 * A result repeats the names of its fields and the texts of its rules at short distances, so a
 * small window finds almost all there is to find; zlib's own 256 KB of tables would take longer to
 * clear than the usual result takes to compress.
 */
#include "config.h"

#include <zlib.h>

#include "actors/analysis/squeeze.h"

#define SQUEEZE_LEAST  512 /* smaller ones stay as they are */
#define SQUEEZE_LEVEL  1
#define SQUEEZE_WINDOW 13 /* 8 KiB */
#define SQUEEZE_MEMORY 6

static voidpf s_alloc(voidpf arena, uInt items, uInt size)
{
    return arena_array(arena, items, size);
}

static void s_free(voidpf arena, voidpf memory)
{
    (void)arena;
    (void)memory;
}

squeezed_t squeeze(arena_t *arena, const void *bytes, size_t size)
{
    squeezed_t same = { .bytes = bytes, .size = size, .full = size };
    z_stream stream = { .zalloc = s_alloc, .zfree = s_free, .opaque = arena };
    size_t room = size - size / 8; /* what saves less than an eighth is not worth unpacking */
    if (size < SQUEEZE_LEAST || size > UINT32_MAX)
        return same;
    insist(deflateInit2(&stream, SQUEEZE_LEVEL, Z_DEFLATED, SQUEEZE_WINDOW, SQUEEZE_MEMORY,
                        Z_DEFAULT_STRATEGY) == Z_OK);
    uint8_t *packed = arena_alloc(arena, room);
    stream.next_in = (z_const Bytef *)(uintptr_t)bytes;
    stream.avail_in = (uInt)size;
    stream.next_out = packed;
    stream.avail_out = (uInt)room;
    bool pays = deflate(&stream, Z_FINISH) == Z_STREAM_END;
    deflateEnd(&stream);
    return pays ? (squeezed_t){ .bytes = packed, .size = stream.total_out, .full = size } : same;
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
