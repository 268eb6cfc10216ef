/* SPDX-License-Identifier: MPL-2.0
 *
 * store_deliveries - what has happened, and what became of telling
 */
#include "config.h"

#include "actors/jobs/webhook/store.h"

/* ---- events ------------------------------------------------------------------------------ */

static const db_sql_t s_add_event = {
    "webhook.add_event",
    "INSERT INTO event (id, account, type, at, data, created_at)"
    " VALUES ($id, $account, $type, $at, $data, $now) ON CONFLICT (id) DO NOTHING",
    NULL
};
static const db_sql_t s_event = { "webhook.event",
                                  "SELECT id, account, type, at, data FROM event WHERE id = $id",
                                  NULL };

db_status_t webhook_store_add_event(db_conn_t *conn, const event_record_t *event, int64_t now_ms,
                                    bool *added)
{
    int64_t count;
    db_status_t status = DB_CHANGE(conn, &s_add_event, &count, DB_P_TEXT("id", event->id),
                                   DB_P_TEXT("account", event->account),
                                   DB_P_TEXT("type", event->type), DB_P_INT("at", event->at_ms),
                                   DB_P_TEXT("data", event->data), DB_P_INT("now", now_ms));
    *added = count > 0;
    return status;
}

db_status_t webhook_store_event(db_conn_t *conn, arena_t *arena, const char *id,
                                const event_record_t **found)
{
    db_rows_t *rows;
    *found = NULL;
    db_status_t status = DB_RUN(conn, &s_event, &rows, DB_P_TEXT("id", id));
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        event_record_t *event = arena_alloc(arena, sizeof *event);
        *event = (event_record_t){ .id = db_dup_text(rows, arena, "id"),
                                   .account = db_dup_text(rows, arena, "account"),
                                   .type = db_dup_text(rows, arena, "type"),
                                   .at_ms = db_int(rows, "at"),
                                   .data = db_dup_text(rows, arena, "data") };
        *found = event;
    }
    return db_rows_end(rows);
}

/* ---- deliveries: reading ----------------------------------------------------------------- */

#define DELIVERY                                                                                   \
    "SELECT d.id AS id, d.subscription_id AS subscription_id, d.event_id AS event_id,"             \
    " e.type AS type, d.state AS state, d.attempts AS attempts, d.replays AS replays,"             \
    " d.status AS status, d.detail AS detail, d.duration_us AS duration_us,"                       \
    " d.created_at AS created_at, d.updated_at AS updated_at"                                      \
    " FROM delivery d JOIN event e ON e.id = d.event_id"

static const db_sql_t s_delivery = {
    "webhook.delivery",
    DELIVERY " WHERE d.id = $id AND ($subscription = '' OR d.subscription_id = $subscription)", NULL
};
static const db_sql_t s_deliveries = {
    "webhook.deliveries",
    DELIVERY " WHERE d.subscription_id = $subscription AND ($state = '' OR d.state = $state)"
             " AND (d.created_at, d.id) < ($at, $id)"
             " ORDER BY d.created_at DESC, d.id DESC LIMIT $limit",
    NULL
};
static const db_sql_t s_waiting = { "webhook.waiting",
                                    DELIVERY
                                    " WHERE d.state = 'waiting' ORDER BY d.updated_at LIMIT $limit",
                                    NULL };

static delivery_t s_read(const db_rows_t *rows, arena_t *arena)
{
    return (delivery_t){ .id = db_dup_text(rows, arena, "id"),
                         .subscription_id = db_dup_text(rows, arena, "subscription_id"),
                         .event_id = db_dup_text(rows, arena, "event_id"),
                         .type = db_dup_text(rows, arena, "type"),
                         .state = db_dup_text(rows, arena, "state"),
                         .detail = db_dup_text(rows, arena, "detail"),
                         .attempts = db_int(rows, "attempts"),
                         .replays = db_int(rows, "replays"),
                         .status = db_int(rows, "status"),
                         .duration_us = db_int(rows, "duration_us"),
                         .created_ms = db_int(rows, "created_at"),
                         .updated_ms = db_int(rows, "updated_at") };
}

static db_status_t s_read_all(db_rows_t *rows, arena_t *arena, size_t limit,
                              deliveries_t *deliveries)
{
    delivery_t *list = arena_array(arena, limit, sizeof *list);
    size_t count = 0;
    while (count < limit && db_next(rows))
        list[count++] = s_read(rows, arena);
    *deliveries = (deliveries_t){ .list = list, .count = count };
    return db_rows_end(rows);
}

db_status_t webhook_store_delivery(db_conn_t *conn, arena_t *arena, const char *subscription_id,
                                   const char *id, const delivery_t **found)
{
    db_rows_t *rows;
    *found = NULL;
    db_status_t status = DB_RUN(conn, &s_delivery, &rows, DB_P_TEXT("id", id),
                                DB_P_TEXT("subscription", subscription_id ? subscription_id : ""));
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        delivery_t *delivery = arena_alloc(arena, sizeof *delivery);
        *delivery = s_read(rows, arena);
        *found = delivery;
    }
    return db_rows_end(rows);
}

db_status_t webhook_store_deliveries(db_conn_t *conn, arena_t *arena, const char *subscription_id,
                                     const char *state, const cursor_t *from, size_t limit,
                                     deliveries_t *deliveries)
{
    db_rows_t *rows;
    *deliveries = (deliveries_t){ 0 };
    db_status_t status =
        DB_RUN(conn, &s_deliveries, &rows, DB_P_TEXT("subscription", subscription_id),
               DB_P_TEXT("state", state), DB_P_INT("at", from->at_ms), DB_P_TEXT("id", from->id),
               DB_P_INT("limit", (int64_t)limit));
    return status == DB_OK ? s_read_all(rows, arena, limit, deliveries) : status;
}

db_status_t webhook_store_waiting(db_conn_t *conn, arena_t *arena, size_t limit,
                                  deliveries_t *deliveries)
{
    db_rows_t *rows;
    *deliveries = (deliveries_t){ 0 };
    db_status_t status = DB_RUN(conn, &s_waiting, &rows, DB_P_INT("limit", (int64_t)limit));
    return status == DB_OK ? s_read_all(rows, arena, limit, deliveries) : status;
}

/* ---- deliveries: writing ----------------------------------------------------------------- */

static const db_sql_t s_add_delivery = {
    "webhook.add_delivery",
    "INSERT INTO delivery (id, subscription_id, event_id, state, attempts, replays, created_at,"
    " updated_at) VALUES ($id, $subscription, $event, 'waiting', 0, 0, $now, $now)",
    NULL
};
/* What has been sent meanwhile, or begun anew, stays as it is. */
static const db_sql_t s_queued = {
    "webhook.queued",
    "UPDATE delivery SET state = 'queued', updated_at = $now WHERE state = 'waiting'"
    " AND id IN (SELECT value FROM json_each($ids))",
    "UPDATE delivery SET state = 'queued', updated_at = $now WHERE state = 'waiting'"
    " AND id IN (SELECT json_array_elements_text(CAST($ids AS TEXT)::json))"
};
static const db_sql_t s_attempt = {
    "webhook.attempt",
    "UPDATE delivery SET state = $state, attempts = attempts + $made, status = $status,"
    " detail = $detail, duration_us = $duration, updated_at = $now"
    " WHERE id = $id AND state IN ('waiting', 'queued')",
    NULL
};
static const db_sql_t s_replay = {
    "webhook.replay",
    "UPDATE delivery SET state = 'waiting', attempts = 0, replays = replays + 1, status = NULL,"
    " detail = NULL, duration_us = NULL, updated_at = $now"
    " WHERE id = $id AND state IN ('delivered', 'failed')",
    NULL
};

db_status_t webhook_store_add_delivery(db_conn_t *conn, const char *id, const char *subscription_id,
                                       const char *event_id, int64_t now_ms)
{
    return DB_CHANGE(conn, &s_add_delivery, NULL, DB_P_TEXT("id", id),
                     DB_P_TEXT("subscription", subscription_id), DB_P_TEXT("event", event_id),
                     DB_P_INT("now", now_ms));
}

db_status_t webhook_store_queued(db_conn_t *conn, const char *ids, int64_t now_ms)
{
    return DB_CHANGE(conn, &s_queued, NULL, DB_P_TEXT("ids", ids), DB_P_INT("now", now_ms));
}

db_status_t webhook_store_attempt(db_conn_t *conn, const delivery_t *delivery, bool was_made,
                                  int64_t now_ms)
{
    return DB_CHANGE(conn, &s_attempt, NULL, DB_P_TEXT("id", delivery->id),
                     DB_P_TEXT("state", delivery->state),
                     delivery->status ? DB_P_INT("status", delivery->status) : DB_P_NULL("status"),
                     DB_P_TEXT("detail", delivery->detail), DB_P_INT("made", was_made),
                     DB_P_INT("duration", delivery->duration_us), DB_P_INT("now", now_ms));
}

db_status_t webhook_store_replay(db_conn_t *conn, const char *id, int64_t now_ms, bool *changed)
{
    int64_t count;
    db_status_t status =
        DB_CHANGE(conn, &s_replay, &count, DB_P_TEXT("id", id), DB_P_INT("now", now_ms));
    *changed = count > 0;
    return status;
}

/* ---- retention --------------------------------------------------------------------------- */

static const db_sql_t s_fail_lost = {
    "webhook.fail_lost",
    "UPDATE delivery SET state = 'failed', detail = 'Its job was lost', updated_at = $now"
    " WHERE state = 'queued' AND updated_at < $lost",
    NULL
};
#define OLD_DELIVERY "updated_at < $before ORDER BY updated_at"
#define OLD_EVENT                                                                                  \
    "created_at < $before AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.event_id = event.id)"   \
    " ORDER BY created_at"

static const db_sql_t s_purge_deliveries = {
    "webhook.purge_deliveries", DB_DELETE_SOME("delivery", "id", OLD_DELIVERY, OLD_DELIVERY)
};
static const db_sql_t s_purge_events = { "webhook.purge_events",
                                         DB_DELETE_SOME("event", "id", OLD_EVENT, OLD_EVENT) };

#define MOST DB_P_INT("most", WEBHOOK_PURGE_MOST)

db_status_t webhook_store_purge(db_conn_t *conn, int64_t before_ms, int64_t lost_ms, int64_t now_ms,
                                int64_t *count)
{
    int64_t events = 0;
    *count = 0;
    db_status_t status =
        DB_CHANGE(conn, &s_fail_lost, NULL, DB_P_INT("lost", lost_ms), DB_P_INT("now", now_ms));
    if (status == DB_OK)
        status = DB_CHANGE(conn, &s_purge_deliveries, count, DB_P_INT("before", before_ms), MOST);
    if (status == DB_OK)
        status = DB_CHANGE(conn, &s_purge_events, &events, DB_P_INT("before", before_ms), MOST);
    *count += events;
    return status;
}

const db_sql_t *const webhook_store_delivery_lookups[] = {
    &s_event,  &s_delivery,  &s_deliveries,       &s_waiting,      &s_queued, &s_attempt,
    &s_replay, &s_fail_lost, &s_purge_deliveries, &s_purge_events, NULL
};
