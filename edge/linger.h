/* SPDX-License-Identifier: MPL-2.0
 *
 * linger - sockets that are kept for a moment after the last answer
 *
 * A close with bytes unread would reset the connection, and the answer with it. So a socket that
 * has been answered is shut for writing, what still arrives is thrown away, and it is closed when
 * its peer has closed, or LINGER_MS later. The oldest goes when there are too many.
 */
#ifndef SIGNALBOX_EDGE_LINGER_H
#define SIGNALBOX_EDGE_LINGER_H

#include <pthread.h>

#include "actors/base/base.h"

#define LINGER_MAX 128
#define LINGER_MS  1000

typedef struct {
    int fd;
    uint64_t due_ms;
} lingering_t;

typedef struct {
    pthread_mutex_t mutex;
    lingering_t list[LINGER_MAX];
    uint32_t count;
} linger_t;

void linger_init(linger_t *self);
void linger_free(linger_t *self);

/* Takes over `fd`, which has been written to. */
void linger_add(linger_t *self, int fd);

/* The same for a socket that its owner is about to close. */
void linger_add_copy(linger_t *self, int fd);

/* The periodic work: closes what lingered long enough. */
void linger_tick(linger_t *self, uint64_t now_ms);

#endif
