/* SPDX-License-Identifier: MPL-2.0
 *
 * hints - what other threads tell the dispatcher, and ask it: where something was added, what is to
 * be cancelled, which queues there are
 */
#include "config.h"

#include <string.h>

#include "actors/jobs/dispatcher_state.h"

void dispatcher_hint(dispatcher_t *self, const char *queue, const job_mark_t *at)
{
    monitor_lock(&self->monitor);
    lanes_hint(&self->lanes, queue, at);
    dispatcher_wake(self);
    monitor_unlock(&self->monitor);
}

void dispatcher_look(dispatcher_t *self)
{
    monitor_lock(&self->monitor);
    for (lane_t *lane = self->lanes.table; lane; lane = lane->hh.next)
        lanes_hint(&self->lanes, lane->name, NULL);
    dispatcher_wake(self);
    monitor_unlock(&self->monitor);
}

void dispatcher_reload(dispatcher_t *self)
{
    monitor_lock(&self->monitor);
    self->must_reload = true;
    dispatcher_wake(self);
    monitor_unlock(&self->monitor);
}

void dispatcher_cancel(dispatcher_t *self, int64_t id)
{
    monitor_lock(&self->monitor);
    for (run_t *run = self->runs; run; run = run->hh.next) {
        if (run->job.id != id)
            continue;
        run->is_cancelled = true;
        if (run->ticket)
            client_cancel(self->client, run->ticket);
        else
            self->must_take_back = true;
        dispatcher_wake(self);
    }
    monitor_unlock(&self->monitor);
}

bool dispatcher_may_have_queue(dispatcher_t *self, const char *queue)
{
    monitor_lock(&self->monitor);
    bool has_room = HASH_COUNT(self->lanes.table) < JOBS_QUEUES_MAX;
    monitor_unlock(&self->monitor);
    return has_room || dispatcher_has_queue(self, queue);
}

bool dispatcher_has_queue(dispatcher_t *self, const char *queue)
{
    lane_t *lane;
    monitor_lock(&self->monitor);
    HASH_FIND(hh, self->lanes.table, queue, strlen(queue), lane);
    monitor_unlock(&self->monitor);
    return lane != NULL;
}
