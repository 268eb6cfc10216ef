/* SPDX-License-Identifier: MPL-2.0
 *
 * dispatcher - begins jobs that are due and writes down how they ended
 *
 * One thread. Each of its rounds writes down what has ended, claims as many jobs as there is room
 * for, and calls their methods through the broker without waiting for the answers: a job under way
 * costs some hundred bytes and no thread. Services get no more at once than they have credit for.
 *
 * Of several instances on one database each claims for itself. Each has a lease that it renews; the
 * runs of one whose lease has ended are taken over by whoever sees it first.
 */
#ifndef SIGNALBOX_JOBS_DISPATCHER_H
#define SIGNALBOX_JOBS_DISPATCHER_H

#include "actors/jobs/kinds.h"
#include "actors/jobs/store.h"
#include "actors/runtime/actor.h"

typedef struct dispatcher dispatcher_t;

/* `client` may say on whose behalf it asks. Nothing is begun before the start. */
typedef struct {
    actor_t *actor;
    kinds_t *kinds;
    wishes_t *wishes;
    client_t *client;
} dispatcher_config_t;
dispatcher_t *dispatcher_new(const dispatcher_config_t *config);
void dispatcher_start(dispatcher_t *self);

/* Ends the work in order: what runs is waited for a while, the rest is given back as it was. */
void dispatcher_leave(dispatcher_t *self);

/* The client has ended before. */
void dispatcher_destroy(dispatcher_t **self_p);

/* Something was added to a queue, at `at` (NULL: anywhere). Any thread. */
void dispatcher_hint(dispatcher_t *self, const char *queue, const job_mark_t *at);

/* Something was added somewhere. Any thread. */
void dispatcher_look(dispatcher_t *self);

/* The table of queues has changed. Any thread. */
void dispatcher_reload(dispatcher_t *self);

/* A job that may run here is to be cancelled. Any thread. */
void dispatcher_cancel(dispatcher_t *self, int64_t id);

/* Whether there is a queue of that name, as far as is known here. Any thread. */
bool dispatcher_has_queue(dispatcher_t *self, const char *queue);

/* Whether it is known, or there may be another one. */
bool dispatcher_may_have_queue(dispatcher_t *self, const char *queue);

#endif
