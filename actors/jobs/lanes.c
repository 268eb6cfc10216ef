/* SPDX-License-Identifier: MPL-2.0
 *
 * lanes - the queues as the dispatcher sees them
 */
#include "config.h"

#include <string.h>

#include "actors/jobs/lanes.h"

#define ABSENCE_FAILURES 1
#define ABSENCE_MS       1000

#define NOWHERE INT64_MAX

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
    for (size_t i = 0; i < COUNT_OF(lane->steps); i++)
        lane->steps[i] = (step_t){ .from = NOWHERE, .hinted = NOWHERE };
    breaker_init(&lane->absence, ABSENCE_FAILURES, ABSENCE_MS);
    HASH_ADD(hh, self->table, name, (unsigned)size, lane);
    return lane;
}

void lanes_put_last(lanes_t *self, lane_t *lane)
{
    HASH_DEL(self->table, lane);
    HASH_ADD(hh, self->table, name, (unsigned)strlen(lane->name), lane);
}

void lanes_hint(lanes_t *self, const char *queue, const job_mark_t *at)
{
    lane_t *lane = lanes_find(self, queue);
    if (!lane)
        return; /* found by looking at the table of queues, if it is there */
    if (!at || at->priority < 0 || at->priority >= JOBS_PRIORITIES) {
        lane->sweep_ms = 0;
        return;
    }
    step_t *step = &lane->steps[at->priority];
    if (at->run_at < step->hinted)
        step->hinted = at->run_at;
}

bool lanes_set(lanes_t *self, const job_queues_t *queues)
{
    bool is_closed = false;
    for (size_t i = 0; i < queues->count; i++) {
        const job_queue_t *queue = &queues->list[i];
        lane_t *lane = lanes_find(self, queue->name);
        if (!lane)
            break;
        is_closed |=
            (queue->is_paused && !lane->is_paused) || (queue->is_pulled && !lane->is_pulled);
        lane->is_paused = queue->is_paused;
        lane->is_pulled = queue->is_pulled;
        lane->has_rate = queue->rate_limit > 0;
        lane->is_limited = queue->max_running || lane->has_rate;
    }
    return is_closed;
}

bool lane_has(const lane_t *self)
{
    bool has = self->is_sweeping || self->sweep_ms == 0;
    for (size_t i = 0; !has && i < COUNT_OF(self->steps); i++)
        has = self->steps[i].may_have || self->steps[i].hinted != NOWHERE;
    return has;
}

/* The first step that may have something; COUNT_OF(steps) when none has. */
static size_t s_first_step(lane_t *self)
{
    size_t first = COUNT_OF(self->steps);
    for (size_t i = COUNT_OF(self->steps); i-- > 0;) {
        step_t *step = &self->steps[i];
        if (step->hinted < step->from)
            step->from = step->hinted;
        step->may_have |= step->hinted != NOWHERE;
        step->hinted = NOWHERE;
        if (step->may_have)
            first = i;
    }
    return first;
}

/* Where the next claim begins: what was told of goes before what the sweep has yet to come to. */
static bool s_next(lane_t *self, uint64_t now_ms, job_wish_t *wish)
{
    size_t first = s_first_step(self);
    if (now_ms >= self->sweep_ms) {
        self->is_sweeping = true;
        self->swept = (job_mark_t){ 0, 0 };
        self->sweep_ms = now_ms + LANES_SWEEP_MS;
    }
    const job_mark_t told = { (int64_t)first,
                              first < COUNT_OF(self->steps) ? self->steps[first].from : NOWHERE };
    wish->is_step = first < COUNT_OF(self->steps) &&
                    (!self->is_sweeping || told.priority < self->swept.priority ||
                     (told.priority == self->swept.priority && told.run_at < self->swept.run_at));
    wish->from = wish->is_step ? told : self->swept;
    return wish->is_step || self->is_sweeping;
}

bool lane_wish(lane_t *self, size_t room, uint64_t now_ms, job_wish_t *wish)
{
    if (self->is_paused || self->is_pulled || room == 0 ||
        !(lane_has(self) || now_ms >= self->sweep_ms) || !breaker_allows(&self->absence, now_ms))
        return false;
    *wish = (job_wish_t){ .queue = self->name,
                          .most = self->absence.state == BREAKER_CLOSED ? room : 1 };
    self->asked_ms = now_ms;
    return s_next(self, now_ms, wish);
}

/* A sweep costs more the more remains of what was claimed lie before what is there. */
static void s_plan_sweep(lane_t *self, uint64_t now_ms)
{
    uint64_t rest_ms = (now_ms - self->asked_ms) * LANES_SWEEP_SHARE;
    if (rest_ms > LANES_SWEEP_MOST_MS)
        rest_ms = LANES_SWEEP_MOST_MS;
    if (self->sweep_ms != 0 && self->sweep_ms < now_ms + rest_ms)
        self->sweep_ms = now_ms + rest_ms;
}

/* All that was there when it began has been claimed; what was told of since is hinted. */
static void s_end_sweep(lane_t *self)
{
    self->is_sweeping = false;
    for (size_t i = 0; i < COUNT_OF(self->steps); i++) {
        self->steps[i].may_have = false;
        self->steps[i].from = NOWHERE;
    }
}

void lane_claimed(lane_t *self, const job_wish_t *wish, size_t count, const job_mark_t *last,
                  uint64_t now_ms)
{
    const bool has_more = count > 0 && count == wish->most;
    if (wish->is_step) {
        step_t *step = &self->steps[wish->from.priority];
        step->may_have = has_more;
        step->from = has_more ? last->run_at : NOWHERE;
    } else {
        s_plan_sweep(self, now_ms);
        self->swept = *last;
        if (!has_more)
            s_end_sweep(self);
    }
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
