/* SPDX-License-Identifier: MPL-2.0
 *
 * queue - hands items from threads to threads
 *
 * Items are linked through a queue_item_t inside them, so pushing allocates nothing. Threads wait
 * with `queue_pop`; a loop that waits on descriptors waits on `queue_fd` and then takes everything
 * with `queue_take_all`. The descriptor is written only when the queue was empty: a burst costs the
 * reader one wake-up.
 */
#ifndef SIGNALBOX_QUEUE_H
#define SIGNALBOX_QUEUE_H

#include <pthread.h>

#include "actors/base/base.h"

typedef struct queue_item queue_item_t;

struct queue_item {
    queue_item_t *next;
};

typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t ready;
    queue_item_t *head, **tail;
    size_t count;    /* items waiting */
    size_t limit;    /* items that may wait */
    size_t sleepers; /* threads inside queue_pop */
    int fd;          /* eventfd, or -1 */
    bool closed;
} queue_t;

/* `with_fd`: for a reader that is a loop. */
void queue_init(queue_t *self, size_t limit, bool with_fd);

/* The queue must be empty: whoever closes it takes what is left first. */
void queue_free(queue_t *self);

/* False when the queue is full or closed: the caller still owns the item. */
bool queue_push(queue_t *self, queue_item_t *item) MUST_CHECK;

/* The same for what was let in before and comes back: no limit, only closing refuses it. */
bool queue_push_beyond(queue_t *self, queue_item_t *item) MUST_CHECK;

/* Waits for an item; NULL once the queue is closed and empty. */
queue_item_t *queue_pop(queue_t *self);

/* Everything that waits, oldest first, linked by `next`; NULL when nothing does. */
queue_item_t *queue_take_all(queue_t *self);

/* How many items wait, just now. */
size_t queue_count(queue_t *self);

/* From now on nothing is accepted, and waiting threads leave when the queue is empty. */
void queue_close(queue_t *self);

/* Readable while items wait. */
static inline int queue_fd(const queue_t *self)
{
    return self->fd;
}

#endif
