/* SPDX-License-Identifier: MPL-2.0
 *
 * queue - hands items from threads to threads
 */
#include "config.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "actors/base/queue.h"

void queue_init(queue_t *self, size_t limit, bool with_fd)
{
    *self = (queue_t){ .limit = limit, .fd = -1 };
    self->tail = &self->head;
    insist(pthread_mutex_init(&self->mutex, NULL) == 0);
    insist(pthread_cond_init(&self->ready, NULL) == 0);
    if (with_fd) {
        self->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (self->fd < 0)
            die("cannot create an event descriptor: raise the limit of open files (ulimit -n)");
    }
}

void queue_free(queue_t *self)
{
    insist(!self->head);
    if (self->fd >= 0)
        close(self->fd);
    pthread_cond_destroy(&self->ready);
    pthread_mutex_destroy(&self->mutex);
}

static void s_ring(const queue_t *self)
{
    const uint64_t one = 1;
    while (write(self->fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

static bool s_push(queue_t *self, queue_item_t *item, size_t limit)
{
    item->next = NULL;
    pthread_mutex_lock(&self->mutex);
    bool accepted = !self->closed && self->count < limit;
    bool was_empty = self->count == 0;
    bool wake = self->sleepers > 0;
    if (accepted) {
        *self->tail = item;
        self->tail = &item->next;
        self->count++;
    }
    pthread_mutex_unlock(&self->mutex);
    if (accepted && wake)
        pthread_cond_signal(&self->ready);
    if (accepted && was_empty && self->fd >= 0)
        s_ring(self);
    return accepted;
}

bool queue_push(queue_t *self, queue_item_t *item)
{
    return s_push(self, item, self->limit);
}

bool queue_push_beyond(queue_t *self, queue_item_t *item)
{
    return s_push(self, item, SIZE_MAX);
}

queue_item_t *queue_pop(queue_t *self)
{
    pthread_mutex_lock(&self->mutex);
    while (!self->head && !self->closed) {
        self->sleepers++;
        pthread_cond_wait(&self->ready, &self->mutex);
        self->sleepers--;
    }
    queue_item_t *item = self->head;
    if (item) {
        self->head = item->next;
        if (!self->head)
            self->tail = &self->head;
        self->count--;
    }
    pthread_mutex_unlock(&self->mutex);
    return item;
}

queue_item_t *queue_take_all(queue_t *self)
{
    uint64_t rings;
    /* silenced before the list is taken: a push in between rings again and is seen next time */
    if (self->fd >= 0)
        while (read(self->fd, &rings, sizeof rings) < 0 && errno == EINTR)
            ;
    pthread_mutex_lock(&self->mutex);
    queue_item_t *items = self->head;
    self->head = NULL;
    self->tail = &self->head;
    self->count = 0;
    pthread_mutex_unlock(&self->mutex);
    return items;
}

size_t queue_count(queue_t *self)
{
    pthread_mutex_lock(&self->mutex);
    size_t count = self->count;
    pthread_mutex_unlock(&self->mutex);
    return count;
}

void queue_close(queue_t *self)
{
    pthread_mutex_lock(&self->mutex);
    self->closed = true;
    pthread_cond_broadcast(&self->ready);
    pthread_mutex_unlock(&self->mutex);
    if (self->fd >= 0)
        s_ring(self);
}
