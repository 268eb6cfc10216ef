/* SPDX-License-Identifier: MPL-2.0
 *
 * on_schedules - looking at schedules: one, all, when they are due, what was fired
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/base/clock.h"
#include "actors/jobs/schedules.h"

/* Before the year 9000: a hundred leap days later there are still years to write. */
#define AFTER_MAX_MS INT64_C(221845391999999)

/* ---- what handlers share --------------------------------------------------------------------- */

void schedule_fail_missing(call_t *call)
{
    call_fail(call, ERROR_NOT_FOUND, "The account has no schedule '%s'", call_text(call, "name"));
}

const schedule_t *schedule_require(call_t *call)
{
    const schedule_t *found;
    db_conn_t *conn = jobs_require_conn(call);
    if (!conn || !jobs_require_ok(call, schedule_store_get(conn, call_arena(call),
                                                           call_principal(call)->account,
                                                           call_text(call, "name"), false, &found)))
        return NULL;
    if (!found)
        schedule_fail_missing(call);
    return found;
}

bool schedule_require_times(call_t *call, zones_t *zones, const schedule_t *schedule, cron_t *cron,
                            const zone_t **zone)
{
    char why[CRON_WHY_SIZE], zone_why[ZONES_WHY_SIZE];
    if (!cron_parse(cron, schedule->cron, strlen(schedule->cron), why)) {
        call_fail(call, ERROR_UNPROCESSABLE, "`cron`: %s", why);
        return false;
    }
    *zone = zones_get(zones, schedule->zone, zone_why);
    if (!*zone)
        call_fail(call, ERROR_UNPROCESSABLE, "`zone`: %s", zone_why);
    return *zone != NULL;
}

static void s_pack_maybe_time(pack_t *pack, const char *key, int64_t at_ms)
{
    if (at_ms) {
        pack_pair_time(pack, key, at_ms);
    } else {
        pack_text(pack, key);
        pack_nil(pack);
    }
}

void schedule_pack(pack_t *pack, const schedule_t *schedule, bool in_full)
{
    pack_map(pack, in_full ? 18 : 17);
    pack_pair_text(pack, "name", schedule->name);
    pack_pair_text(pack, "cron", schedule->cron);
    pack_pair_text(pack, "zone", schedule->zone);
    pack_pair_int(pack, "catch_up", schedule->catch_up);
    pack_pair_text(pack, "overlap", schedule->skips_overlap ? "skip" : "allow");
    pack_pair_text(pack, "kind", schedule->kind);
    pack_pair_text(pack, "queue", schedule->queue);
    pack_pair_int(pack, "priority", schedule->priority);
    pack_pair_int(pack, "max_attempts", schedule->max_attempts);
    pack_pair_int(pack, "backoff_ms", schedule->backoff_ms);
    pack_pair_int(pack, "timeout_ms", schedule->timeout_ms);
    pack_pair_bool(pack, "paused", schedule->is_paused);
    s_pack_maybe_time(pack, "next_at", schedule->next_at);
    s_pack_maybe_time(pack, "last_at", schedule->last_at);
    pack_pair_int(pack, "missed", schedule->missed);
    pack_pair_time(pack, "created_at", schedule->created_at);
    pack_pair_time(pack, "updated_at", schedule->updated_at);
    if (!in_full)
        return;
    pack_text(pack, "payload");
    pack_raw(pack, schedule->payload.bytes, schedule->payload.size);
}

/* ---- one, and all ---------------------------------------------------------------------------- */

void jobs_on_schedule_get(call_t *call, void *self)
{
    const schedule_t *schedule = schedule_require(call);
    (void)self;
    if (!schedule)
        return;
    schedule_pack(call_pack(call), schedule, true);
    call_reply(call, 0);
}

void jobs_on_schedule_list(call_t *call, void *self)
{
    cursor_t cursor;
    schedules_t schedules;
    size_t limit = (size_t)call_int(call, "limit");
    (void)self;
    if (!page_require_cursor(call, SCHEDULES_LIST, &cursor))
        return;
    db_conn_t *conn = jobs_require_conn(call);
    if (!conn || !jobs_require_ok(call, schedule_store_list(conn, call_arena(call),
                                                            call_principal(call)->account,
                                                            cursor.at_ms, limit + 1, &schedules)))
        return;
    pack_t *pack = call_pack(call);
    size_t shown = page_begin(pack, schedules.count, limit);
    for (size_t i = 0; i < shown; i++)
        schedule_pack(pack, &schedules.list[i], false);
    bool has_more = schedules.count > shown;
    jobs_end_page(pack, SCHEDULES_LIST, has_more ? schedules.list[shown - 1].id : 0);
    call_reply(call, 0);
}

/* ---- when they are due ----------------------------------------------------------------------- */

/* A wall time with its distance from UTC, RFC 3339, to the minute as that wants it. */
static void s_pack_local(pack_t *pack, const zone_t *zone, int64_t utc_s)
{
    char text[CLOCK_TEXT_SIZE], local[CLOCK_TEXT_SIZE + 8];
    int32_t offset = zone_span(zone, utc_s).offset, minutes = abs(offset) / 60;
    clock_text((utc_s + offset) * 1000, text);
    snprintf(local, sizeof local, "%.19s%c%02d:%02d", text, offset < 0 ? '-' : '+',
             minutes / 60 % 100, minutes % 60);
    pack_pair_text(pack, "local", local);
}

/* False: the call has been answered. */
static bool s_require_after(call_t *call, int64_t *after_s)
{
    const char *text = call_text(call, "after");
    int64_t after_ms = clock_wall_ms();
    if (text &&
        (!clock_parse(text, strlen(text), &after_ms) || after_ms < 0 || after_ms > AFTER_MAX_MS)) {
        call_fail(call, ERROR_UNPROCESSABLE, "`after` is no moment from 1970 to 8999");
        return false;
    }
    *after_s = after_ms / 1000;
    return true;
}

void jobs_on_schedule_next(call_t *call, void *memory)
{
    const jobs_t *self = memory;
    const zone_t *zone;
    cron_t cron;
    int64_t dues[100], at;
    size_t count = 0, most = (size_t)call_int(call, "count");
    const schedule_t *schedule = schedule_require(call);
    if (!schedule || !s_require_after(call, &at) ||
        !schedule_require_times(call, self->zones, schedule, &cron, &zone))
        return;
    while (count < most && cron_next(&cron, zone, at, at + CRON_HORIZON_S, &at))
        dues[count++] = at;
    pack_t *pack = call_pack(call);
    pack_map(pack, 1);
    pack_text(pack, "items");
    pack_array(pack, count);
    for (size_t i = 0; i < count; i++) {
        pack_map(pack, 2);
        pack_pair_time(pack, "at", dues[i] * 1000);
        s_pack_local(pack, zone, dues[i]);
    }
    call_reply(call, 0);
}

/* ---- what was fired -------------------------------------------------------------------------- */

static void s_pack_fire(pack_t *pack, const schedule_fire_t *fire)
{
    pack_map(pack, 3);
    pack_pair_time(pack, "fire_at", fire->fire_at);
    pack_pair_time(pack, "fired_at", fire->fired_at);
    pack_text(pack, "job_id");
    if (fire->job_id)
        pack_int(pack, fire->job_id);
    else
        pack_nil(pack);
}

void jobs_on_schedule_fires(call_t *call, void *self)
{
    cursor_t cursor;
    schedule_fires_t fires;
    size_t limit = (size_t)call_int(call, "limit");
    (void)self;
    if (!page_require_cursor(call, FIRES_LIST, &cursor))
        return;
    const schedule_t *schedule = schedule_require(call);
    db_conn_t *conn = schedule ? jobs_require_conn(call) : NULL;
    if (!conn || !jobs_require_ok(call, schedule_store_fires(conn, call_arena(call), schedule->id,
                                                             cursor.at_ms, limit + 1, &fires)))
        return;
    pack_t *pack = call_pack(call);
    size_t shown = page_begin(pack, fires.count, limit);
    for (size_t i = 0; i < shown; i++)
        s_pack_fire(pack, &fires.list[i]);
    bool has_more = fires.count > shown;
    jobs_end_page(pack, FIRES_LIST, has_more ? fires.list[shown - 1].fire_at : 0);
    call_reply(call, 0);
}
