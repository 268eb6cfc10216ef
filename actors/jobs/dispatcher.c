/* SPDX-License-Identifier: MPL-2.0
 *
 * dispatcher - its life and its rounds
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/jobs/dispatcher_state.h"

#define LANES_MAX     64  /* lanes of one claim */
#define PAUSE_MS      200 /* after the database has failed */
#define ROUND_REPORTS 512 /* successes written down at once */

bool dispatcher_is_good(dispatcher_t *self, db_status_t status)
{
    if (status == DB_OK)
        return true;
    self->pause_until = clock_ms() + PAUSE_MS;
    if (status != DB_CONFLICT)
        self->must_reconcile = true; /* the answer to a commit may have been lost */
    return false;
}

/* ---- a round --------------------------------------------------------------------------------- */

typedef struct {
    lane_t *lane;
    job_wish_t wish;
} asked_t;

/* Whether a lane with limits waits for its service; then a call of that is kept for it. */
static bool s_is_short(lane_t *lane)
{
    target_t *target = (target_t *)(uintptr_t)lane->short_of;
    if (!target)
        return false;
    target->is_wanted = lane->is_limited && !lane->is_paused && !lane->is_pulled;
    if (target->is_wanted && targets_is_full(target))
        return true;
    lane->short_of = NULL;
    lane->sweep_ms = 0; /* asked at once */
    return false;
}

/* Which lanes to claim from, and how much; those with limits or those without. */
static size_t s_choose(dispatcher_t *self, bool limited, asked_t asked[LANES_MAX])
{
    const int64_t window = jobs_settings.window - (int64_t)self->running;
    const uint64_t now_ms = clock_ms();
    size_t count = 0, left = window > 0 ? (size_t)window : 0;
    monitor_lock(&self->monitor);
    if (!self->leaves && self->worker_id && now_ms < self->lease_until_ms)
        for (lane_t *lane = self->lanes.table; lane && count < LANES_MAX && left;
             lane = lane->hh.next) {
            size_t room = targets_room(self, lane);
            if (room > left)
                room = left;
            if (lane->is_limited != limited || (limited && s_is_short(lane)) ||
                !lane_wish(lane, room, now_ms, &asked[count].wish))
                continue;
            left -= asked[count].wish.most;
            asked[count++].lane = lane;
        }
    for (size_t i = 0; i < count; i++)
        lanes_put_last(&self->lanes, asked[i].lane);
    monitor_unlock(&self->monitor);
    return count;
}

/* Tells a lane what came of its wish. */
static void s_report(dispatcher_t *self, const asked_t *asked, const job_begun_t *begun,
                     size_t count)
{
    job_mark_t last = { 0, 0 };
    size_t own = 0;
    for (size_t i = 0; i < count; i++)
        if (strcmp(begun[i].queue, asked->lane->name) == 0) {
            last = (job_mark_t){ begun[i].priority, begun[i].run_at };
            own++;
        }
    monitor_lock(&self->monitor);
    asked->lane->running += own;
    lane_claimed(asked->lane, &asked->wish, own, &last, clock_ms());
    monitor_unlock(&self->monitor);
}

/* Nothing came of it: the lane is asked again later. */
static void s_report_failure(dispatcher_t *self, const asked_t *asked)
{
    monitor_lock(&self->monitor);
    lane_claimed(asked->lane, &asked->wish, 0, &asked->wish.from, clock_ms());
    lanes_hint(&self->lanes, asked->lane->name, NULL);
    monitor_unlock(&self->monitor);
}

/* The successes of one statement, at most ROUND_REPORTS. */
static size_t s_report_successes(dispatcher_t *self, job_success_t **successes)
{
    size_t count = 0;
    run_t *run;
    *successes = arena_array(&self->arena, ROUND_REPORTS, sizeof **successes);
    TAILQ_FOREACH(run, &self->succeeded, entry)
    {
        if (count == ROUND_REPORTS)
            break;
        job_success_t *success = &(*successes)[count++];
        *success = (job_success_t){ .id = run->job.id, .fence = run->job.fence };
        if (zmq_msg_size(&run->result))
            success->result =
                (job_bytes_t){ zmq_msg_data(&run->result), zmq_msg_size(&run->result) };
    }
    return count;
}

/* Writes down what succeeded, and claims from the lanes without limits. */
static void s_turn(dispatcher_t *self)
{
    asked_t asked[LANES_MAX];
    job_wish_t wishes[LANES_MAX];
    job_success_t *successes;
    job_turned_t turned;
    job_turn_t turn = { .worker_id = self->worker_id, .wishes = wishes };
    turn.success_count = s_report_successes(self, &successes);
    turn.successes = successes;
    turn.wish_count = s_choose(self, false, asked);
    for (size_t i = 0; i < turn.wish_count; i++)
        wishes[i] = asked[i].wish;
    if (turn.success_count + turn.wish_count == 0)
        return;
    bool good = dispatcher_is_good(self, jobs_store_turn(self->db, &self->arena, &turn, &turned));
    for (size_t i = 0; i < turn.wish_count; i++) {
        if (good)
            s_report(self, &asked[i], turned.begun, turned.begun_count);
        else
            s_report_failure(self, &asked[i]);
    }
    if (!good)
        return;
    runs_succeeded(self, &turned);
    targets_begin(self, turned.begun, turned.begun_count);
}

typedef struct {
    dispatcher_t *dispatcher;
    job_wish_t wish;
    job_begun_t *begun;
    size_t count;
    uint64_t begun_ms;
    const target_t *short_of;
} claiming_t;

/* Jobs of queues with limits are not claimed to wait: a rate would be no rate of calls, and one
 * that waits would count as one that runs. */
static bool s_may_begin(void *arg, const char *kind)
{
    claiming_t *self = arg;
    const target_t *short_of = targets_reserve(self->dispatcher, kind);
    if (short_of)
        self->short_of = short_of;
    return !short_of;
}

static db_status_t s_claim_work(db_conn_t *conn, void *arg)
{
    claiming_t *self = arg;
    self->begun_ms = clock_ms();
    self->short_of = NULL;
    targets_release(self->dispatcher);
    return jobs_store_claim_limited(conn, &self->dispatcher->arena, self->dispatcher->worker_id,
                                    &self->wish, self->begun, &self->count);
}

static void s_claim_from(dispatcher_t *self, asked_t *asked)
{
    claiming_t claiming = { .dispatcher = self, .wish = asked->wish };
    claiming.begun = arena_array(&self->arena, asked->wish.most, sizeof *claiming.begun);
    claiming.wish.may = s_may_begin;
    claiming.wish.arg = &claiming;
    if (!dispatcher_is_good(self, db_write(self->db, s_claim_work, &claiming))) {
        s_report_failure(self, asked);
    } else {
        asked->lane->short_of = claiming.short_of;
        s_report(self, asked, claiming.begun, claiming.count);
        targets_begin_reserved(self, claiming.begun, claiming.count,
                               asked->lane->has_rate &&
                                   clock_ms() >= claiming.begun_ms + JOBS_RATE_SLACK_MS);
    }
    targets_release(self);
}

/* Claims from the lanes with limits, each in a transaction that others wait for. */
static void s_claim_limited(dispatcher_t *self)
{
    asked_t asked[LANES_MAX];
    for (target_t *target = self->targets; target; target = target->hh.next)
        target->is_wanted = false;
    size_t count = s_choose(self, true, asked);
    for (size_t i = 0; i < count; i++)
        s_claim_from(self, &asked[i]);
    targets_go_on(self);
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* Waits for news, at most until `until_ms`; false when everything is done and we leave. */
static bool s_wait(dispatcher_t *self, uint64_t until_ms)
{
    monitor_lock(&self->monitor);
    while (!self->has_news && monitor_wait_until(&self->monitor, until_ms))
        ;
    self->has_news = false;
    uint64_t now_ms = clock_ms();
    self->leaves = self->is_leaving;
    bool is_late = self->leaves && now_ms >= self->leave_by_ms;
    bool is_over = self->leaves && (!self->runs || now_ms >= self->leave_by_ms + PAUSE_MS * 5);
    monitor_unlock(&self->monitor);
    if (self->leaves)
        targets_take_back(self, true);
    if (is_late)
        targets_cancel_calls(self);
    return !is_over;
}

/* Whether a lane may have something for which there is room. */
static bool s_has_work(dispatcher_t *self)
{
    bool has = !TAILQ_EMPTY(&self->succeeded) || !TAILQ_EMPTY(&self->failed);
    monitor_lock(&self->monitor);
    has |= !TAILQ_EMPTY(&self->answered);
    for (lane_t *lane = self->lanes.table;
         lane && !has && !self->leaves && (int64_t)self->running < jobs_settings.window;
         lane = lane->hh.next)
        has = lane_has(lane) && !lane->is_paused && !lane->is_pulled && !lane->is_limited &&
              lane->absence.state == BREAKER_CLOSED && targets_room(self, lane) > 0;
    monitor_unlock(&self->monitor);
    return has;
}

static bool s_must_take_back(dispatcher_t *self)
{
    monitor_lock(&self->monitor);
    bool must = self->must_take_back;
    self->must_take_back = false;
    monitor_unlock(&self->monitor);
    return must;
}

static uint64_t s_round(dispatcher_t *self)
{
    uint64_t next_ms = keeping_work(self);
    if (s_must_take_back(self))
        targets_take_back(self, false);
    runs_collect(self);
    if (clock_ms() < self->pause_until)
        return self->pause_until;
    runs_settle(self);
    s_turn(self);
    s_claim_limited(self);
    arena_reset(&self->arena);
    if (clock_ms() < self->pause_until)
        return self->pause_until;
    if (self->leaves && next_ms > self->leave_by_ms)
        next_ms = self->leave_by_ms;
    return s_has_work(self) ? 0 : next_ms;
}

static void *s_run(void *arg)
{
    dispatcher_t *self = arg;
    uint64_t until_ms = 0;
    log_set_part(jobs_service.name);
    while (s_wait(self, until_ms))
        until_ms = s_round(self);
    keeping_leave(self);
    return NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

dispatcher_t *dispatcher_new(const dispatcher_config_t *config)
{
    dispatcher_t *self = mem_zeroed(sizeof *self);
    self->actor = config->actor;
    self->db = actor_db(config->actor);
    self->kinds = config->kinds;
    self->wishes = config->wishes;
    self->client = config->client;
    monitor_init(&self->monitor);
    TAILQ_INIT(&self->answered);
    TAILQ_INIT(&self->succeeded);
    TAILQ_INIT(&self->failed);
    self->must_reload = true;
    return self;
}

void dispatcher_start(dispatcher_t *self)
{
    if (!db_is_sqlite(self->db))
        self->vacuum = vacuum_new(self->db, actor_instance(self->actor));
    insist(pthread_create(&self->thread, NULL, s_run, self) == 0);
}

void dispatcher_leave(dispatcher_t *self)
{
    monitor_lock(&self->monitor);
    self->is_leaving = true;
    self->leave_by_ms = clock_ms() + (uint64_t)jobs_settings.leave_ms;
    dispatcher_wake(self);
    monitor_unlock(&self->monitor);
    pthread_join(self->thread, NULL);
    vacuum_destroy(&self->vacuum);
}

void dispatcher_destroy(dispatcher_t **self_p)
{
    dispatcher_t *self = *self_p;
    target_t *target, *next_target;
    run_t *run, *next_run;
    *self_p = NULL;
    HASH_ITER(hh, self->runs, run, next_run)
    {
        run_free(run); /* how it ended could not be written down: its lease will end */
    }
    HASH_ITER(hh, self->targets, target, next_target)
    {
        HASH_DEL(self->targets, target);
        mem_free(target);
    }
    lanes_free(&self->lanes);
    monitor_free(&self->monitor);
    arena_free(&self->arena);
    mem_free(self);
}
