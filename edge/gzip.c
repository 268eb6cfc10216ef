/* SPDX-License-Identifier: MPL-2.0
 *
 * gzip - packs bodies, with compressors that are used again
 */
#include "config.h"

#include "edge/gzip.h"

#define WINDOW_BITS_GZIP (15 + 16) /* zlib: 16 more asks for gzip's header instead of zlib's */
#define MEMORY_LEVEL     8

void gzip_init(gzip_t *self, int level)
{
    *self = (gzip_t){ .level = level };
    pthread_mutex_init(&self->mutex, NULL);
}

static void s_free(z_stream *stream)
{
    deflateEnd(stream);
    mem_free(stream);
}

void gzip_free(gzip_t *self)
{
    while (self->count)
        s_free(self->kept[--self->count]);
    pthread_mutex_destroy(&self->mutex);
}

static z_stream *s_take(gzip_t *self)
{
    z_stream *stream = NULL;
    pthread_mutex_lock(&self->mutex);
    if (self->count)
        stream = self->kept[--self->count];
    pthread_mutex_unlock(&self->mutex);
    if (stream) {
        insist(deflateReset(stream) == Z_OK);
        return stream;
    }
    stream = mem_zeroed(sizeof *stream);
    insist(deflateInit2(stream, self->level, Z_DEFLATED, WINDOW_BITS_GZIP, MEMORY_LEVEL,
                        Z_DEFAULT_STRATEGY) == Z_OK);
    return stream;
}

static void s_give_back(gzip_t *self, z_stream *stream)
{
    pthread_mutex_lock(&self->mutex);
    if (self->count < GZIP_KEPT) {
        self->kept[self->count++] = stream;
        stream = NULL;
    }
    pthread_mutex_unlock(&self->mutex);
    if (stream)
        s_free(stream);
}

void gzip_pack(gzip_t *self, const void *bytes, size_t size, buf_t *out)
{
    insist(size <= UINT32_MAX / 2);
    z_stream *stream = s_take(self);
    uLong bound = deflateBound(stream, size);
    stream->next_in = (Bytef *)(uintptr_t)bytes; /* zlib reads only, its type does not say so */
    stream->avail_in = (uInt)size;
    stream->next_out = buf_reserve(out, bound);
    stream->avail_out = (uInt)bound;
    insist(deflate(stream, Z_FINISH) == Z_STREAM_END);
    out->size += bound - stream->avail_out;
    s_give_back(self, stream);
}
