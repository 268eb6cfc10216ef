/* SPDX-License-Identifier: MPL-2.0
 *
 * gzip - packs bodies, with compressors that are used again
 *
 * Setting a compressor up costs more than packing a small body with it, and it holds a quarter of a
 * megabyte: a few are kept and shared by all threads.
 */
#ifndef SIGNALBOX_EDGE_GZIP_H
#define SIGNALBOX_EDGE_GZIP_H

#include <pthread.h>
#include <zlib.h>

#include "actors/base/buf.h"

#define GZIP_KEPT 4

typedef struct {
    pthread_mutex_t mutex;
    z_stream *kept[GZIP_KEPT];
    size_t count;
    int level; /* 1 to 9 */
} gzip_t;

void gzip_init(gzip_t *self, int level);
void gzip_free(gzip_t *self);

/* Appends the bytes in gzip format (RFC 1952) to `out`. */
void gzip_pack(gzip_t *self, const void *bytes, size_t size, buf_t *out);

#endif
