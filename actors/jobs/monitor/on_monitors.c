/* SPDX-License-Identifier: MPL-2.0
 *
 * on_monitors - what is looked at: make, list, change, end
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/jobs/monitor/monitor.h"
#include "proto/json.h"

/* ---- what handlers share ----------------------------------------------------------------- */

/* A service that calls for itself is not known by name here: all share one account. */
const char *http_account(const call_t *call)
{
    const char *account = call_principal(call)->account;
    return account[0] ? account : "service";
}

bool http_require_ok(call_t *call, db_status_t status)
{
    if (status != DB_OK)
        call_fail_db(call, status);
    return status == DB_OK;
}

db_conn_t *http_require_conn(call_t *call)
{
    db_conn_t *conn = db_conn(call_db(call));
    if (!conn)
        call_fail_db(call, DB_UNAVAILABLE);
    return conn;
}

const monitored_t *http_require_monitor(call_t *call)
{
    const monitored_t *found;
    db_conn_t *conn = http_require_conn(call);
    if (!conn ||
        !http_require_ok(call, monitor_store_get(conn, call_arena(call), http_account(call),
                                                 call_text(call, "id"), &found)))
        return NULL;
    if (!found)
        call_fail(call, ERROR_NOT_FOUND, "There is no monitor with this id");
    return found;
}

void http_write_monitor(pack_t *pack, const monitored_t *monitor)
{
    json_error_t error;
    pack_pair_text(pack, "id", monitor->id);
    pack_pair_text(pack, "name", monitor->name);
    pack_pair_text(pack, "url", monitor->url);
    pack_pair_text(pack, "method", monitor->method);
    pack_pair_int(pack, "timeout_ms", monitor->timeout_ms);
    pack_pair_int(pack, "redirects", monitor->redirects);
    pack_text(pack, "expect");
    bool good = json_to_msgpack(monitor->expect, strlen(monitor->expect), VALUE_LIMITS, 0,
                                pack->out, &error);
    insist(good); /* we wrote it */
    pack_pair_int(pack, "interval_s", monitor->interval_ms / 1000);
    pack_pair_int(pack, "confirmations", monitor->confirmations);
    pack_pair_bool(pack, "paused", monitor->is_paused);
    pack_pair_text(pack, "status", monitor->status);
    pack_pair_int(pack, "failures", monitor->failures);
    pack_pair_time(pack, "since", monitor->since_ms);
    pack_pair_time(pack, "created_at", monitor->created_ms);
    pack_pair_time(pack, "updated_at", monitor->updated_ms);
}

static void s_reply(call_t *call, const monitored_t *monitor)
{
    pack_map(call_pack(call), MONITOR_PAIRS);
    http_write_monitor(call_pack(call), monitor);
    call_reply(call, 0);
}

/* ---- making ------------------------------------------------------------------------------ */

typedef struct {
    monitored_t monitor;
    bool too_many;
} making_t;

static db_status_t s_make_work(db_conn_t *conn, void *arg)
{
    making_t *self = arg;
    int64_t count;
    db_status_t status = monitor_store_count(conn, self->monitor.account, &count);
    self->too_many = status == DB_OK && count >= HTTP_MONITORS_MAX;
    return status == DB_OK && !self->too_many ? monitor_store_add(conn, &self->monitor) : status;
}

void http_on_monitor_create(call_t *call, void *arg)
{
    watcher_t *self = arg;
    char id[ID_UUID_SIZE];
    url_t url;
    const int64_t now_ms = clock_wall_ms();
    if (!outlet_require_outside(&self->outlet, call, "url", &url))
        return;
    making_t making = { .monitor = { .id = id_uuid7(id),
                                     .account = http_account(call),
                                     .name = call_text(call, "name"),
                                     .url = url.text,
                                     .method = call_text(call, "method"),
                                     .status = "unknown",
                                     .expect = http_expect_json(call),
                                     .timeout_ms = call_int(call, "timeout_ms"),
                                     .redirects = call_int(call, "redirects"),
                                     .interval_ms = call_int(call, "interval_s") * 1000,
                                     .confirmations = call_int(call, "confirmations"),
                                     .since_ms = now_ms,
                                     .created_ms = now_ms,
                                     .updated_ms = now_ms } };
    if (!http_require_ok(call, db_write(self->db, s_make_work, &making)))
        return;
    if (making.too_many)
        call_fail(call, ERROR_UNPROCESSABLE, "The account has %d monitors: delete one first",
                  HTTP_MONITORS_MAX);
    else
        s_reply(call, &making.monitor);
}

/* ---- looking at them --------------------------------------------------------------------- */

void http_on_monitors(call_t *call, void *arg)
{
    cursor_t from;
    monitoreds_t found;
    size_t limit = (size_t)call_int(call, "limit");
    const char *status = call_text(call, "status");
    (void)arg;
    if (!page_require_cursor(call, MONITOR_LIST_MONITORS, &from))
        return;
    db_conn_t *conn = http_require_conn(call);
    if (!conn ||
        !http_require_ok(call, monitor_store_list(conn, call_arena(call), http_account(call),
                                                  status ? status : "", &from, limit + 1, &found)))
        return;
    pack_t *pack = call_pack(call);
    const size_t shown = page_begin(pack, found.count, limit);
    const monitored_t *last = found.count > shown ? &found.list[shown - 1] : NULL;
    for (size_t i = 0; i < shown; i++) {
        pack_map(pack, MONITOR_PAIRS);
        http_write_monitor(pack, &found.list[i]);
    }
    page_end(pack, MONITOR_LIST_MONITORS, last ? last->created_ms : 0, last ? last->id : NULL);
    call_reply(call, 0);
}

/* ---- changing ---------------------------------------------------------------------------- */

static db_status_t s_update_work(db_conn_t *conn, void *arg)
{
    return monitor_store_update(conn, arg);
}

void http_on_monitor_update(call_t *call, void *arg)
{
    watcher_t *self = arg;
    const value_t *request = call_request(call);
    const monitored_t *found = http_require_monitor(call);
    if (!found)
        return;
    monitored_t changed = *found;
    if (value_get(request, "name"))
        changed.name = call_text(call, "name");
    if (value_get(request, "interval_s"))
        changed.interval_ms = call_int(call, "interval_s") * 1000;
    if (value_get(request, "confirmations"))
        changed.confirmations = call_int(call, "confirmations");
    if (value_get(request, "expect"))
        changed.expect = http_expect_json(call);
    if (value_get(request, "paused"))
        changed.is_paused = call_bool(call, "paused");
    changed.updated_ms = clock_wall_ms();
    if (http_require_ok(call, db_write(self->db, s_update_work, &changed)))
        s_reply(call, &changed);
}

typedef struct {
    const char *account, *id;
    bool changed;
} deleting_t;

static db_status_t s_delete_work(db_conn_t *conn, void *arg)
{
    deleting_t *self = arg;
    return monitor_store_delete(conn, self->account, self->id, &self->changed);
}

void http_on_monitor_delete(call_t *call, void *arg)
{
    watcher_t *self = arg;
    deleting_t deleting = { .account = http_account(call), .id = call_text(call, "id") };
    if (!http_require_ok(call, db_write(self->db, s_delete_work, &deleting)))
        return;
    if (deleting.changed)
        call_reply(call, 0);
    else
        call_fail(call, ERROR_NOT_FOUND, "There is no monitor with this id");
}
