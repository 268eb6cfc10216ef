/* SPDX-License-Identifier: MPL-2.0
 *
 * lanes - the queues as the dispatcher sees them
 */
#include "config.h"

#include <string.h>

#include "actors/jobs/lanes.h"

#define ABSENCE_FAILURES 1
#define ABSENCE_MS       1000

static const job_mark_t s_nowhere = { INT64_MAX, INT64_MAX };

static bool s_is_before(const job_mark_t *a, const job_mark_t *b)
{
    return a->priority < b->priority || (a->priority == b->priority && a->run_at < b->run_at);
}

void lanes_free(lanes_t *self)
{
    lane_t *lane, *next;
    HASH_ITER(hh, self->table, lane, next)
    {
        HASH_DEL(self->table, lane);
        mem_free(lane);
    }
}

lane_t *lanes_find(lanes_t *self, const char *queue)
{
    lane_t *lane;
    size_t size = strlen(queue);
    HASH_FIND(hh, self->table, queue, size, lane);
    if (lane || HASH_COUNT(self->table) >= JOBS_QUEUES_MAX)
        return lane;
    lane = mem_zeroed(sizeof *lane + size + 1);
    memcpy(lane->name, queue, size);
    lane->hinted = s_nowhere;
    lane->may_have = true;
    breaker_init(&lane->absence, ABSENCE_FAILURES, ABSENCE_MS);
    HASH_ADD(hh, self->table, name, (unsigned)size, lane);
    return lane;
}

void lanes_hint(lanes_t *self, const char *queue, const job_mark_t *at)
{
    static const job_mark_t beginning = { 0, 0 };
    lane_t *lane = lanes_find(self, queue);
    if (!lane)
        return; /* found by looking at the table of queues, if it is there */
    lane->may_have = true;
    if (!at)
        at = &beginning;
    if (s_is_before(at, &lane->hinted))
        lane->hinted = *at;
}

void lanes_set(lanes_t *self, const job_queues_t *queues)
{
    for (size_t i = 0; i < queues->count; i++) {
        const job_queue_t *queue = &queues->list[i];
        lane_t *lane = lanes_find(self, queue->name);
        if (!lane)
            return;
        lane->is_paused = queue->is_paused;
        lane->is_pulled = queue->is_pulled;
        lane->is_limited = queue->max_running || queue->rate_limit;
    }
}

bool lane_wish(lane_t *self, size_t room, uint64_t now_ms, job_wish_t *wish)
{
    bool is_sweep = now_ms >= self->sweep_ms;
    if (self->is_paused || self->is_pulled || room == 0 || !(self->may_have || is_sweep) ||
        !breaker_allows(&self->absence, now_ms))
        return false;
    if (s_is_before(&self->hinted, &self->from))
        self->from = self->hinted;
    self->hinted = s_nowhere;
    self->may_have = false;
    self->is_asked = true;
    *wish = (job_wish_t){ .queue = self->name,
                          .most = self->absence.state == BREAKER_CLOSED ? room : 1,
                          .from = is_sweep ? (job_mark_t){ 0, 0 } : self->from };
    if (is_sweep)
        self->sweep_ms = now_ms + LANES_SWEEP_MS;
    return true;
}

void lane_claimed(lane_t *self, const job_wish_t *wish, size_t count, const job_mark_t *last,
                  uint64_t now_ms)
{
    self->is_asked = false;
    if (count == wish->most)
        self->may_have = true;
    if (count > 0 && (count == wish->most || s_is_before(&self->from, last)))
        self->from = *last;
    if (count == 0 && self->absence.state == BREAKER_HALF_OPEN)
        breaker_report(&self->absence, true, now_ms); /* nobody was there to be asked for */
}

uint64_t lanes_next_ms(const lanes_t *self)
{
    uint64_t next_ms = UINT64_MAX;
    for (const lane_t *lane = self->table; lane; lane = lane->hh.next)
        if (!lane->is_paused && !lane->is_pulled && lane->sweep_ms < next_ms)
            next_ms = lane->sweep_ms;
    return next_ms;
}
