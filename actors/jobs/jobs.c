/* SPDX-License-Identifier: MPL-2.0
 *
 * jobs - the actor: settings, counters, its start and end, and the table of handlers
 */
#include "config.h"

#include <string.h>

#include "actors/jobs/jobs.h"
#include "actors/jobs/schedules.h"

#define DEFERRED_MAX 4096 /* requests to enqueue that may wait for their commit */
#define ERASE_BATCH  500  /* rows of an erased account in one transaction */

jobs_settings_t jobs_settings;

/* ---- settings and counters ------------------------------------------------------------------- */

#define ROW(field) offsetof(jobs_settings_t, field)

static const setting_t s_setting_rows[] = {
    { "brokers", SETTING_TEXT, ROW(brokers),
      .about = "Endpoints of the brokers' trusted doors, over which jobs are called in the name of "
               "whoever enqueued them; empty for edge.sock in the data folder." },
    { "window", SETTING_INT, ROW(window), "512", 1, 100000, NULL,
      .about = "Jobs that one instance runs at once." },
    { "queue_window", SETTING_INT, ROW(queue_window), "256", 1, 100000, NULL,
      .about = "Jobs of one queue that one instance runs at once." },
    { "poll_ms", SETTING_INT, ROW(poll_ms), "250", 10, 60000, "ms",
      .about = "Time between looks for jobs that have become due." },
    { "lease_seconds", SETTING_INT, ROW(lease_s), "15", 3, 3600, "s",
      .about = "After so long without a sign of life of an instance others take over its jobs." },
    { "leave_ms", SETTING_INT, ROW(leave_ms), "5000", 0, 600000, "ms",
      .about = "How long an instance that leaves waits for what it runs." },
    { "done_hours", SETTING_INT, ROW(done_hours), "24", 0, 87600, "h",
      .about = "How long jobs are kept that are done or cancelled." },
    { "dead_days", SETTING_INT, ROW(dead_days), "7", 0, 3650, "days",
      .about = "How long dead jobs are kept." },
    { "zoneinfo", SETTING_TEXT, ROW(zoneinfo), ZONES_FOLDER, 1, 4000,
      .about = "Folder of the system's time zone data." },
    { "schedules_free", SETTING_INT, ROW(schedules_free), "10", 0, 1000000, NULL,
      .about = "Schedules that an account of the tier free may have." },
    { "schedules_pro", SETTING_INT, ROW(schedules_pro), "100", 0, 1000000, NULL,
      .about = "Schedules that an account of the tier pro may have." },
    { "schedules_enterprise", SETTING_INT, ROW(schedules_enterprise), "1000", 0, 1000000, NULL,
      .about = "Schedules that an account of the tier enterprise may have." },
    { "schedule_interval_s", SETTING_INT, ROW(schedule_interval_s), "10", 1, 86400, "s",
      .about = "The shortest time between two firings of an account's schedule." },
    { 0 },
};

#undef ROW

static const stats_row_t s_stats_rows[JOBS_STATS + 1] = {
#define COUNTER(row, name, about) [row] = { "jobs_" name "_total", STATS_COUNTER, about }
    COUNTER(JOBS_ENQUEUED, "enqueued", "Jobs enqueued"),
    COUNTER(JOBS_DUPLICATES, "duplicates", "Jobs not enqueued because of their unique key"),
    COUNTER(JOBS_STARTED, "started", "Runs begun"),
    COUNTER(JOBS_SUCCEEDED, "succeeded", "Jobs done"),
    COUNTER(JOBS_RETRIED, "retried", "Runs that failed and are repeated"),
    COUNTER(JOBS_PUT_BACK, "put_back", "Runs that nobody was there for, or that were given back"),
    COUNTER(JOBS_CANCELLED, "cancelled", "Jobs cancelled"),
    COUNTER(JOBS_BURIED, "dead", "Jobs that failed for good"),
    COUNTER(JOBS_REPLAYED, "replayed", "Dead jobs brought back to life"),
    COUNTER(JOBS_STALE, "stale", "Reports refused because another run was begun since"),
    COUNTER(JOBS_LOST, "lost", "Runs taken over because their worker was gone"),
    COUNTER(JOBS_PURGED, "purged", "Rows deleted because their time was over"),
    COUNTER(JOBS_RESULTS_DROPPED, "results_dropped", "Results too large, or not msgpack"),
    COUNTER(JOBS_FIRED, "fired", "Jobs enqueued by schedules"),
    COUNTER(JOBS_FIRES_SKIPPED, "fires_skipped",
            "Firings skipped because the job of an earlier one was not over"),
    COUNTER(JOBS_FIRES_MISSED, "fires_missed", "Firings that came too late to be made up"),
#undef COUNTER
    [JOBS_RUNNING] = { "jobs_running", STATS_GAUGE, "Jobs this instance has claimed" },
    [JOBS_RUN_TIME] = { "jobs_run_duration_seconds", STATS_HISTOGRAM,
                        "Time from a run's call to its answer" },
};

/* ---- life ------------------------------------------------------------------------------------ */

/* Where something was added to a queue: for each priority the lowest place. */
typedef struct {
    jobs_t *jobs;
    const char *queue;
    bool is_marked[JOBS_PRIORITIES];
    int64_t run_at[JOBS_PRIORITIES];
} waking_t;

static void s_wake_marked(waking_t *self)
{
    for (int64_t i = 0; i < JOBS_PRIORITIES; i++)
        if (self->is_marked[i])
            jobs_wake(self->jobs, self->queue, &(job_mark_t){ i, self->run_at[i] });
}

/* Jobs of one queue mostly come in a row. */
static void s_add_mark(waking_t *self, const char *queue, const job_mark_t *at)
{
    if (strcmp(self->queue, queue) != 0) {
        s_wake_marked(self);
        *self = (waking_t){ .jobs = self->jobs, .queue = queue };
    }
    if (!self->is_marked[at->priority] || at->run_at < self->run_at[at->priority])
        self->run_at[at->priority] = at->run_at;
    self->is_marked[at->priority] = true;
}

void jobs_tell_enqueued(jobs_t *self, const job_new_t *jobs, const job_receipt_t *receipts,
                        size_t count)
{
    waking_t waking = { .jobs = self, .queue = "" };
    int64_t added = 0;
    for (size_t i = 0; i < count; i++) {
        if (receipts[i].is_duplicate)
            continue;
        added++;
        const job_begun_t told = { .id = receipts[i].id,
                                   .kind = jobs[i].kind,
                                   .queue = jobs[i].queue,
                                   .account = jobs[i].account };
        jobs_publish(self->actor, TOPIC_JOBS_ENQUEUED, &told, receipts[i].state, NULL);
        if (receipts[i].state == JOB_READY)
            s_add_mark(&waking, jobs[i].queue,
                       &(job_mark_t){ jobs[i].priority, receipts[i].run_at });
    }
    s_wake_marked(&waking);
    stats_add(actor_stats(self->actor), JOBS_ENQUEUED, added);
    stats_add(actor_stats(self->actor), JOBS_DUPLICATES, (int64_t)count - added);
}

/* On the intake's thread, after the commit. */
static void s_on_stored(void *arg, const intake_request_t *request)
{
    jobs_tell_enqueued(arg, request->jobs, request->receipts, intake_receipts(request));
}

/* Another instance has added something. */
static void s_on_wake(void *arg, const client_event_t *event)
{
    jobs_t *self = arg;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    const char *own = actor_instance(self->actor);
    if (event->head.publisher_size == strlen(own) &&
        memcmp(event->head.publisher, own, strlen(own)) == 0)
        return;
    const value_t *body = value_parse(&arena, event->body, event->size, VALUE_LIMITS, &verdict);
    const char *queue = value_dup_text(&arena, body, "queue");
    if (!queue)
        dispatcher_reload(self->dispatcher);
    else
        dispatcher_hint(
            self->dispatcher, queue,
            &(job_mark_t){ value_get_int(body, "priority", 0), value_get_int(body, "run_at", 0) });
    arena_free(&arena);
}

/* Requests may come as soon as there is a client: what they need is there before. */
static bool s_init(actor_t *actor, void *memory, char *why, size_t why_size)
{
    jobs_t *self = memory;
    (void)why;
    (void)why_size;
    self->actor = actor;
    self->kinds = kinds_new();
    wishes_init(&self->wishes);
    self->zones = zones_new(jobs_settings.zoneinfo);
    self->bus = *actor_bus(actor);
    self->bus.brokers = jobs_settings.brokers;
    self->client =
        client_new(actor_context(actor), &(client_config_t){ .settings = &self->bus,
                                                             .name = actor_instance(actor),
                                                             .part = jobs_service.name });
    kinds_follow(self->kinds, self->client);
    self->dispatcher = dispatcher_new(&(dispatcher_config_t){
        .actor = actor, .kinds = self->kinds, .wishes = &self->wishes, .client = self->client });
    self->intake = intake_new(actor, s_on_stored, self);
    return true;
}

static db_status_t s_erase(db_t *db, const char *account, bool *more)
{
    return jobs_store_erase(db, account, ERASE_BATCH, more);
}

static void s_connected(actor_t *actor, void *memory)
{
    jobs_t *self = memory;
    dispatcher_start(self->dispatcher);
    client_subscribe(actor_client(actor), topic_row(TOPIC_JOBS_WAKE)->prefix, s_on_wake, self);
    wishes_follow(&self->wishes, actor_client(actor));
    erasures_subscribe(&self->erasures, actor, s_erase);
}

static void s_tick(actor_t *actor, void *memory)
{
    jobs_t *self = memory;
    schedules_tick(self);
    erasures_tick(&self->erasures, actor);
}

static uint32_t s_deferred(const void *memory)
{
    (void)memory;
    return DEFERRED_MAX;
}

/* Answers may come, and others may tell of jobs, until the clients are gone. */
static void s_stop(actor_t *actor, void *memory)
{
    jobs_t *self = memory;
    (void)actor;
    intake_destroy(&self->intake);
    dispatcher_leave(self->dispatcher);
    client_destroy(&self->client);
}

static void s_release(actor_t *actor, void *memory)
{
    jobs_t *self = memory;
    (void)actor;
    dispatcher_destroy(&self->dispatcher);
    kinds_destroy(&self->kinds);
    wishes_free(&self->wishes);
    zones_destroy(&self->zones);
}

/* ---- the actor ------------------------------------------------------------------------------- */

static const handler_t s_handlers[] = {
    { &jobs_enqueue, jobs_on_enqueue, HANDLE_INLINE },
    { &jobs_enqueue_many, jobs_on_enqueue_many, HANDLE_POOL },
    { &jobs_enqueue_as, jobs_on_enqueue_as, HANDLE_POOL },
    { &jobs_get, jobs_on_get, HANDLE_POOL },
    { &jobs_list, jobs_on_list, HANDLE_POOL },
    { &jobs_cancel, jobs_on_cancel, HANDLE_POOL },
    { &jobs_progress, jobs_on_progress, HANDLE_POOL },
    { &jobs_dead, jobs_on_dead, HANDLE_POOL },
    { &jobs_dead_get, jobs_on_dead_get, HANDLE_POOL },
    { &jobs_dead_delete, jobs_on_dead_delete, HANDLE_POOL },
    { &jobs_replay, jobs_on_replay, HANDLE_POOL },
    { &jobs_replay_many, jobs_on_replay_many, HANDLE_POOL },
    { &jobs_claim, jobs_on_claim, HANDLE_POOL },
    { &jobs_complete, jobs_on_complete, HANDLE_POOL },
    { &jobs_fail, jobs_on_fail, HANDLE_POOL },
    { &jobs_extend, jobs_on_extend, HANDLE_POOL },
    { &jobs_queues, jobs_on_queues, HANDLE_POOL },
    { &jobs_queue_set, jobs_on_queue_set, HANDLE_POOL },
    { &jobs_enqueue_family, jobs_on_enqueue_family, HANDLE_POOL },
    { &jobs_enqueue_family_as, jobs_on_enqueue_family_as, HANDLE_POOL },
    { &jobs_children, jobs_on_children, HANDLE_POOL },
    { &jobs_schedule_put, jobs_on_schedule_put, HANDLE_POOL },
    { &jobs_schedule_get, jobs_on_schedule_get, HANDLE_POOL },
    { &jobs_schedule_list, jobs_on_schedule_list, HANDLE_POOL },
    { &jobs_schedule_next, jobs_on_schedule_next, HANDLE_POOL },
    { &jobs_schedule_fires, jobs_on_schedule_fires, HANDLE_POOL },
    { &jobs_schedule_delete, jobs_on_schedule_delete, HANDLE_POOL },
    { &jobs_schedule_pause, jobs_on_schedule_pause, HANDLE_POOL },
    { &jobs_schedule_resume, jobs_on_schedule_resume, HANDLE_POOL },
    { &jobs_schedule_run, jobs_on_schedule_run, HANDLE_POOL },
    { 0 },
};

const actor_spec_t jobs_actor = {
    .service = &jobs_service,
    .settings = s_setting_rows,
    .settings_target = &jobs_settings,
    .stats = s_stats_rows,
    .migrations = jobs_migrations,
    .self_size = sizeof(jobs_t),
    .init = s_init,
    .connected = s_connected,
    .deferred = s_deferred,
    .tick = s_tick,
    .stop = s_stop,
    .release = s_release,
    .handlers = s_handlers,
};
