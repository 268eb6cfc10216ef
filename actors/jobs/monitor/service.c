/* SPDX-License-Identifier: MPL-2.0
 *
 * service - the actor around the checks: settings, counters, what is due, and the table of handlers
 */
#include "config.h"

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/jobs/monitor/monitor.h"

#define MS_PER_DAY  INT64_C(86400000)
#define PURGE_TICKS 60
#define ERASE_BATCH 500 /* rows of an erased account in one transaction */

monitor_settings_t monitor_settings;

static const setting_t s_setting_rows[] = {
    { "retention_days", SETTING_INT, offsetof(monitor_settings_t, retention_days), "30", 1, 3650,
      "days", .reloadable = true, .about = "How long is kept what monitors have found." },
    { "collectors", SETTING_TEXT, offsetof(monitor_settings_t, collectors), "", 0, 2048,
      .about = "Where traces and errors may be exported to although it is no public address, as "
               "otel.internal:4318; several are separated by spaces or commas." },
    { 0 },
};

static const stats_row_t s_stats_rows[HTTP_STATS + 1] = {
    OUTBOUND_STATS_ROWS,
    [HTTP_CHECKS_UP] = { "http_checks_up_total", STATS_COUNTER,
                         "Checks that found what was expected" },
    [HTTP_CHECKS_DOWN] = { "http_checks_down_total", STATS_COUNTER, "Checks that did not" },
    [HTTP_CHANGES] = { "http_changes_total", STATS_COUNTER, "Times a monitor's status changed" },
    [HTTP_NOT_LOOKED] = { "http_not_looked_total", STATS_COUNTER,
                          "Looks that were due and could not be made or stored" },
    OUTBOX_STATS_ROWS(HTTP_OUTBOX, "http"),
};

static bool s_init(actor_t *actor, void *memory, char *why, size_t why_size)
{
    watcher_t *self = memory;
    self->db = actor_db(actor);
    if (!outlet_init(actor, memory, why, why_size))
        return false;
    outbox_init(&self->outbox, actor, HTTP_OUTBOX);
    return true;
}

static void s_release(actor_t *actor, void *memory)
{
    watcher_t *self = memory;
    outlet_release(actor, memory);
    outbox_free(&self->outbox);
}

/* ---- what is due ------------------------------------------------------------------------- */

typedef struct {
    int64_t now_ms;
    due_t due;
} taking_t;

static db_status_t s_take_work(db_conn_t *conn, void *arg)
{
    taking_t *self = arg;
    return monitor_store_take_due(conn, self->now_ms, &self->due);
}

static void s_on_looked(void *arg, answer_t *answer)
{
    if (answer->failure.code != ERROR_NONE)
        stats_add(actor_stats(arg), HTTP_NOT_LOOKED, 1);
}

/* One call for each: whichever instance has least to do takes it. */
static void s_send_out(actor_t *actor, const char *id)
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 1);
    pack_pair_text(&pack, "id", id);
    client_send(actor_client(actor),
                &(client_request_t){ .service = http_service.name,
                                     .method = http_monitor_run.name,
                                     .body = &body,
                                     .deadline_ms = http_monitor_run.deadline_ms },
                s_on_looked, actor);
}

typedef struct {
    int64_t now_ms, count;
} pulling_t;

static db_status_t s_pull_back_work(db_conn_t *conn, void *arg)
{
    pulling_t *self = arg;
    return monitor_store_pull_back(conn, self->now_ms, &self->count);
}

/* A clock that was ahead for a while would keep monitors from being looked at until it is that late
 * again. Who starts does not know what it was before. */
static void s_mind_clock(watcher_t *self)
{
    pulling_t pulling = { .now_ms = clock_wall_ms() };
    const bool was_ahead = pulling.now_ms < self->clock_ms - MONITOR_CLOCK_MARGIN_MS;
    if ((!self->clock_ms || was_ahead) && db_write(self->db, s_pull_back_work, &pulling) != DB_OK)
        return;
    self->clock_ms = pulling.now_ms;
    if (pulling.count)
        LOG(LOG_WARN, "monitor.clock_put_back", LOG_INT("monitors", pulling.count));
}

static void s_look(actor_t *actor, watcher_t *self)
{
    s_mind_clock(self);
    taking_t taking = { .now_ms = clock_wall_ms() };
    do {
        if (db_write(self->db, s_take_work, &taking) != DB_OK)
            return;
        for (size_t i = 0; i < taking.due.count; i++)
            s_send_out(actor, taking.due.ids[i]);
    } while (taking.due.count == MONITOR_DUE_MAX);
}

/* ---- retention and erasure --------------------------------------------------------------- */

typedef struct {
    int64_t before_ms, count;
} purging_t;

static db_status_t s_purge_work(db_conn_t *conn, void *arg)
{
    purging_t *self = arg;
    return monitor_store_purge(conn, self->before_ms, &self->count);
}

static db_status_t s_erase(db_t *db, const char *account, bool *more)
{
    return monitor_store_erase(db, account, ERASE_BATCH, more);
}

static void s_connected(actor_t *actor, void *memory)
{
    watcher_t *self = memory;
    outlet_connected(actor, memory);
    outbox_connected(&self->outbox);
    erasures_subscribe(&self->erasures, actor, s_erase);
}

static void s_tick(actor_t *actor, void *memory)
{
    watcher_t *self = memory;
    outlet_tick(actor, memory);
    if (!actor_is_draining(actor))
        s_look(actor, self);
    outbox_tick(&self->outbox);
    erasures_tick(&self->erasures, actor);
    if (self->ticks++ % PURGE_TICKS != 0)
        return;
    purging_t purging = { .before_ms =
                              clock_wall_ms() - monitor_settings.retention_days * MS_PER_DAY };
    if (db_write(self->db, s_purge_work, &purging) != DB_OK || purging.count == 0)
        return;
    if (purging.count >= MONITOR_PURGE_MOST)
        self->ticks = 0; /* the next tick goes on */
    LOG(LOG_INFO, "monitor.purged", LOG_INT("rows", purging.count));
}

static const handler_t s_handlers[] = {
    { &http_check, http_on_check, HANDLE_POOL },
    { &http_send, http_on_send, HANDLE_POOL },
    { &http_fetch, http_on_fetch, HANDLE_POOL },
    { &http_breakers, http_on_breakers, HANDLE_POOL },
    { &http_breaker_set, http_on_breaker_set, HANDLE_POOL },
    { &http_monitor_create, http_on_monitor_create, HANDLE_POOL },
    { &http_monitors, http_on_monitors, HANDLE_POOL },
    { &http_monitor, http_on_monitor, HANDLE_POOL },
    { &http_monitor_update, http_on_monitor_update, HANDLE_POOL },
    { &http_monitor_delete, http_on_monitor_delete, HANDLE_POOL },
    { &http_monitor_checks, http_on_monitor_checks, HANDLE_POOL },
    { &http_monitor_run, http_on_monitor_run, HANDLE_POOL },
    { 0 },
};

const actor_spec_t http_actor = {
    .service = &http_service,
    .settings = s_setting_rows,
    .settings_target = &monitor_settings,
    .stats = s_stats_rows,
    .migrations = monitor_migrations,
    .self_size = sizeof(watcher_t),
    .init = s_init,
    .deferred = outlet_deferred,
    .connected = s_connected,
    .tick = s_tick,
    .stop = outlet_stop,
    .release = s_release,
    .handlers = s_handlers,
};
