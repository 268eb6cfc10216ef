/* SPDX-License-Identifier: MPL-2.0
 *
 * on_run - a look that is due: what it finds, what that changes, and who is told
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/base/log.h"
#include "actors/jobs/monitor/monitor.h"
#include "proto/json.h"

/* What a call keeps until its look is stored; in the call's arena. */
typedef struct {
    watcher_t *watcher;
    call_t *call;
    monitored_t monitor;
    expectation_t expect;
    look_t look;
    char id[ID_UUID_SIZE];
    bool changed;
    bool is_wanted;      /* somebody may want to be told */
    outbox_event_t news; /* of what; its id is NULL when there is nothing */
} looking_t;

/* ---- what it changes --------------------------------------------------------------------- */

/* Where the look leaves the monitor, which is as the database has it now. */
static bool s_settle(monitored_t *monitor, const look_t *look)
{
    const char *before = monitor->status;
    monitor->failures = look->result.is_up ? 0 : monitor->failures + 1;
    if (look->result.is_up)
        monitor->status = "up";
    else if (monitor->failures >= monitor->confirmations)
        monitor->status = "down";
    if (strcmp(before, monitor->status) == 0)
        return false;
    monitor->since_ms = look->at_ms;
    return true;
}

static void s_write_event(const looking_t *self, buf_t *json)
{
    char at[CLOCK_TEXT_SIZE];
    const monitored_t *monitor = &self->monitor;
    buf_printf(json, "{\"account\":\"%s\",\"id\":\"%s\",\"name\":", monitor->account, monitor->id);
    json_add_text(json, monitor->name, strlen(monitor->name));
    buf_add_text(json, ",\"url\":");
    json_add_text(json, monitor->url, strlen(monitor->url));
    buf_printf(json, ",\"status\":\"%s\",\"detail\":", monitor->status);
    if (self->look.result.is_up)
        buf_add_text(json, "null");
    else
        json_add_text(json, self->look.result.detail, strlen(self->look.result.detail));
    buf_printf(json, ",\"at\":\"%s\"}", clock_text(self->look.at_ms, at));
}

static db_status_t s_tell(db_conn_t *conn, looking_t *self)
{
    arena_t *arena = call_arena(self->call);
    buf_t json = { 0 };
    s_write_event(self, &json);
    self->news = (outbox_event_t){ .id = arena_format(arena, "look-%s", self->look.id),
                                   .account = self->monitor.account,
                                   .type = arena_format(arena, "monitor.%s", self->monitor.status),
                                   .data = arena_text(arena, json.bytes, json.size),
                                   .at_ms = self->look.at_ms };
    buf_free(&json);
    return outbox_add(conn, &self->news);
}

/* The first time that it is seen up is no news. */
static bool s_is_news(const looking_t *self, const char *before)
{
    return self->changed && self->is_wanted &&
           !(strcmp(before, "unknown") == 0 && strcmp(self->monitor.status, "up") == 0);
}

static db_status_t s_store_work(db_conn_t *conn, void *arg)
{
    looking_t *self = arg;
    const monitored_t *now;
    self->changed = false;
    self->news.id = NULL;
    db_status_t status =
        monitor_store_get(conn, call_arena(self->call), NULL, self->monitor.id, &now);
    if (status != DB_OK || !now)
        return status; /* it was deleted meanwhile */
    self->monitor = *now;
    status = monitor_store_add_look(conn, self->monitor.id, &self->look);
    self->changed = s_settle(&self->monitor, &self->look);
    if (status == DB_OK)
        status = monitor_store_settle(conn, &self->monitor, self->changed,
                                      self->look.result.is_up ? NULL : self->look.result.detail);
    if (status == DB_OK && s_is_news(self, now->status))
        status = s_tell(conn, self);
    return status;
}

/* Best effort, for whoever watches: webhooks get it out of the outbox. */
static void s_publish(const looking_t *self)
{
    char topic[16];
    buf_t json = { 0 }, body = { 0 };
    json_error_t error;
    snprintf(topic, sizeof topic, "monitor.%s", self->monitor.status);
    s_write_event(self, &json);
    bool good = json_to_msgpack(buf_text(&json), json.size, VALUE_LIMITS, 0, &body, &error);
    insist(good); /* we wrote it */
    actor_publish(self->watcher->outlet.actor, topic, false, &body);
    buf_free(&json);
}

/* ---- the look ---------------------------------------------------------------------------- */

static void s_reply(call_t *call, bool looked)
{
    pack_map(call_pack(call), 1);
    pack_pair_bool(call_pack(call), "looked", looked);
    call_reply(call, 0);
}

static void s_store(call_t *call, void *arg)
{
    looking_t *self = arg;
    watcher_t *watcher = self->watcher;
    self->is_wanted = outbox_wants(&watcher->outbox, self->monitor.account, "monitor.down") ||
                      outbox_wants(&watcher->outbox, self->monitor.account, "monitor.up");
    if (!http_require_ok(call, db_write(watcher->db, s_store_work, self)))
        return;
    if (self->changed) {
        stats_add(actor_stats(watcher->outlet.actor), HTTP_CHANGES, 1);
        s_publish(self);
    }
    if (self->news.id)
        outbox_send(&watcher->outbox, &self->news);
    s_reply(call, true);
}

static void s_on_done(void *arg, const transferred_t *transferred)
{
    looking_t *self = arg;
    /* that it had no turn here says nothing of the site */
    if (transferred->outcome == TRANSFER_CANCELLED ||
        (transferred->outcome == TRANSFER_TIMEOUT && transferred->is_unbegun)) {
        outlet_fail(self->call, transferred);
        return;
    }
    self->look.at_ms = clock_wall_ms();
    check_judge(transferred, &self->expect, self->look.at_ms, &self->look.result);
    http_count_check(self->call, &self->look.result);
    call_resume(self->call, s_store, self);
}

/* The stored expectations; texts are in the call's arena. */
static void s_read_expect(call_t *call, looking_t *self)
{
    buf_t packed = { 0 };
    json_error_t error;
    value_verdict_t verdict;
    arena_t *arena = call_arena(call);
    const char *json = self->monitor.expect;
    bool good = json_to_msgpack(json, strlen(json), VALUE_LIMITS, 0, &packed, &error);
    insist(good); /* we wrote it */
    const value_t *tree = value_parse(arena, arena_text(arena, packed.bytes, packed.size),
                                      packed.size, VALUE_LIMITS, &verdict);
    check_read_expectation(arena, tree, &self->expect);
    buf_free(&packed);
}

void http_on_monitor_run(call_t *call, void *arg)
{
    watcher_t *watcher = arg;
    static const char *const no_headers[] = { NULL };
    const monitored_t *monitor;
    char why[URL_WHY_SIZE];
    url_t url;
    db_conn_t *conn = http_require_conn(call);
    if (!conn || !http_require_ok(call, monitor_store_get(conn, call_arena(call), NULL,
                                                          call_text(call, "id"), &monitor)))
        return;
    if (!monitor || monitor->is_paused || !url_read(&url, monitor->url, URL_WEB, why)) {
        s_reply(call, false);
        return;
    }
    looking_t *self = arena_alloc(call_arena(call), sizeof *self);
    *self = (looking_t){ .watcher = watcher, .call = call, .monitor = *monitor };
    self->look.id = id_uuid7(self->id);
    s_read_expect(call, self);
    transfer_t transfer = { .url = &url,
                            .verb = monitor->method,
                            .headers = no_headers,
                            .total_ms = (uint32_t)monitor->timeout_ms,
                            .redirects = (uint32_t)monitor->redirects,
                            .is_probe = true,
                            .is_look = true,
                            .done = s_on_done,
                            .arg = self };
    bool sent = outlet_require_sent(&watcher->outlet, call, &transfer);
    (void)sent; /* either way the call is no longer ours */
}
