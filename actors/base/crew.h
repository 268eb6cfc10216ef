/* SPDX-License-Identifier: MPL-2.0
 *
 * crew - threads that work off a bounded queue
 */
#ifndef SIGNALBOX_CREW_H
#define SIGNALBOX_CREW_H

#include "actors/base/queue.h"

typedef struct {
    const char *part;    /* that its threads log as: a literal */
    void (*begin)(void); /* on each thread, before its first item; NULL: nothing to do */
    void (*work)(void *arg, queue_item_t *item);
    void (*drop)(void *arg, queue_item_t *item); /* what still waits when the crew is stopped */
    void *arg;
} crew_job_t;

typedef struct {
    crew_job_t job;
    queue_t waiting;
    pthread_t *threads;
    size_t count;
} crew_t;

/* Starts `threads` threads; at most `waiting` items wait for one. */
void crew_start(crew_t *self, const crew_job_t *job, size_t threads, size_t waiting);

/* False when too many wait: the caller still owns the item. */
bool crew_push(crew_t *self, queue_item_t *item) MUST_CHECK;

/* Drops what waits, finishes what is under way, and frees. */
void crew_stop(crew_t *self);

#endif
