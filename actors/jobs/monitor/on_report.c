/* SPDX-License-Identifier: MPL-2.0
 *
 * on_report - what a monitor has found: the log of its looks, and what follows from it
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "actors/jobs/monitor/monitor.h"

#define MS_PER_DAY    INT64_C(86400000)
#define LATENCY_LOOKS 3000 /* of a day, at one every 30 s */
#define CHANGES_SHOWN 20

/* ---- the log ----------------------------------------------------------------------------- */

static look_filter_t s_filter(call_t *call)
{
    const value_t *up = value_get(call_request(call), "up");
    const char *since = call_text(call, "since");
    look_filter_t filter = { .up = value_is_type(up, VALUE_BOOL) ? up->truth : -1,
                             .limit = (size_t)call_int(call, "limit") + 1 };
    if (since && !clock_parse(since, strlen(since), &filter.since_ms))
        filter.since_ms = 0;
    return filter;
}

void http_on_monitor_checks(call_t *call, void *arg)
{
    looks_t looks;
    look_filter_t filter = s_filter(call);
    (void)arg;
    if (!page_require_cursor(call, MONITOR_LIST_LOOKS, &filter.from))
        return;
    const monitored_t *monitor = http_require_monitor(call);
    db_conn_t *conn = monitor ? http_require_conn(call) : NULL;
    if (!conn || !http_require_ok(call, monitor_store_looks(conn, call_arena(call), monitor->id,
                                                            &filter, &looks)))
        return;
    pack_t *pack = call_pack(call);
    const size_t shown = page_begin(pack, looks.count, filter.limit - 1);
    const look_t *last = looks.count > shown ? &looks.list[shown - 1] : NULL;
    for (size_t i = 0; i < shown; i++) {
        pack_map(pack, 3);
        pack_pair_text(pack, "id", looks.list[i].id);
        pack_pair_time(pack, "at", looks.list[i].at_ms);
        pack_text(pack, "result");
        check_write(&looks.list[i].result, pack);
    }
    page_end(pack, MONITOR_LIST_LOOKS, last ? last->at_ms : 0, last ? last->id : NULL);
    call_reply(call, 0);
}

/* ---- the report -------------------------------------------------------------------------- */

typedef struct {
    int64_t day, day_up, week, week_up;
    looks_t looks; /* of the last day */
    changes_t changes;
} facts_t;

static db_status_t s_read(db_conn_t *conn, arena_t *arena, const char *id, int64_t now_ms,
                          facts_t *facts)
{
    const look_filter_t filter = {
        .up = -1, .since_ms = now_ms - MS_PER_DAY, .from = CURSOR_START, .limit = LATENCY_LOOKS
    };
    db_status_t status =
        monitor_store_uptime(conn, id, now_ms - MS_PER_DAY, &facts->day, &facts->day_up);
    if (status == DB_OK)
        status =
            monitor_store_uptime(conn, id, now_ms - 7 * MS_PER_DAY, &facts->week, &facts->week_up);
    if (status == DB_OK)
        status = monitor_store_looks(conn, arena, id, &filter, &facts->looks);
    return status == DB_OK ? monitor_store_changes(conn, arena, id, CHANGES_SHOWN, &facts->changes)
                           : status;
}

static void s_pack_number(pack_t *pack, const char *key, bool is_known, double number)
{
    pack_text(pack, key);
    if (is_known)
        pack_double(pack, number);
    else
        pack_nil(pack);
}

static void s_pack_uptime(pack_t *pack, const facts_t *facts)
{
    pack_text(pack, "uptime");
    pack_map(pack, 2);
    s_pack_number(pack, "day", facts->day,
                  facts->day ? 100.0 * (double)facts->day_up / (double)facts->day : 0);
    s_pack_number(pack, "week", facts->week,
                  facts->week ? 100.0 * (double)facts->week_up / (double)facts->week : 0);
}

static void s_pack_latency(pack_t *pack, arena_t *arena, const looks_t *looks)
{
    static const struct {
        const char *key;
        unsigned percent;
    } rows[] = { { "p50_ms", 50 }, { "p95_ms", 95 }, { "p99_ms", 99 } };
    int64_t *times = arena_array(arena, looks->count + 1, sizeof *times);
    size_t count = 0;
    for (size_t i = 0; i < looks->count; i++)
        if (looks->list[i].result.is_up)
            times[count++] = (int64_t)looks->list[i].result.total_us;
    pack_text(pack, "latency");
    pack_map(pack, COUNT_OF(rows));
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        s_pack_number(pack, rows[i].key, count,
                      (double)anomaly_percentile(times, count, rows[i].percent) / 1000);
}

static void s_pack_changes(pack_t *pack, const changes_t *changes)
{
    pack_text(pack, "changes");
    pack_array(pack, changes->count);
    for (size_t i = 0; i < changes->count; i++) {
        pack_map(pack, 3);
        pack_pair_time(pack, "at", changes->list[i].at_ms);
        pack_pair_text(pack, "status", changes->list[i].status);
        pack_pair_text(pack, "detail", changes->list[i].detail);
    }
}

static void s_pack_issues(pack_t *pack, arena_t *arena, const looks_t *looks, int64_t now_ms)
{
    anomaly_t found[ANOMALIES_MAX];
    size_t count = looks->count < ANOMALY_LOOKS_MAX ? looks->count : ANOMALY_LOOKS_MAX;
    look_brief_t *briefs = arena_array(arena, count + 1, sizeof *briefs);
    for (size_t i = 0; i < count; i++)
        briefs[i] =
            (look_brief_t){ .is_up = looks->list[i].result.is_up,
                            .at_ms = looks->list[i].at_ms,
                            .total_us = (int64_t)looks->list[i].result.total_us,
                            .certificate_ms = looks->list[i].result.certificate_expires_ms };
    size_t issues = anomaly_find(briefs, count, now_ms, found);
    pack_text(pack, "issues");
    pack_array(pack, issues);
    for (size_t i = 0; i < issues; i++) {
        pack_map(pack, 4);
        pack_pair_text(pack, "rule", found[i].rule);
        pack_pair_text(pack, "severity", found[i].severity);
        pack_pair_text(pack, "evidence", found[i].evidence);
        pack_pair_text(pack, "fix", found[i].fix);
    }
}

void http_on_monitor(call_t *call, void *arg)
{
    facts_t facts = { 0 };
    const int64_t now_ms = clock_wall_ms();
    (void)arg;
    const monitored_t *monitor = http_require_monitor(call);
    db_conn_t *conn = monitor ? http_require_conn(call) : NULL;
    if (!conn ||
        !http_require_ok(call, s_read(conn, call_arena(call), monitor->id, now_ms, &facts)))
        return;
    pack_t *pack = call_pack(call);
    pack_map(pack, MONITOR_PAIRS + 4);
    http_write_monitor(pack, monitor);
    s_pack_uptime(pack, &facts);
    s_pack_latency(pack, call_arena(call), &facts.looks);
    s_pack_changes(pack, &facts.changes);
    s_pack_issues(pack, call_arena(call), &facts.looks, now_ms);
    call_reply(call, 0);
}
