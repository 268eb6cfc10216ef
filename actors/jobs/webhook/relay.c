/* SPDX-License-Identifier: MPL-2.0
 *
 * relay - gives a job to everything that waits for one
 *
 * What is to be done is stored first, the job is enqueued afterwards under its name, and only when
 * that is answered does it no longer wait: so a crash between the two leads to the same job again,
 * never to none. Several instances may do it at once.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/jobs/webhook/webhook.h"
#include "proto/json.h"

#define BATCH       100
#define BATCH_HOOKS 10 /* they may be large */
#define ENQUEUE_MS  10000
#define SPARE_RUNS  10 /* of a job beyond its attempts: for instances that fall over */
#define MARGIN_MS   5000
#define JOBS        "jobs"
#define JOBS_METHOD "enqueue_as"
#define JOB_KIND    "webhook.send"

/* Begins a request for so many jobs. */
static void s_begin(pack_t *pack, buf_t *body, size_t count)
{
    pack_init(pack, body);
    pack_map(pack, 1);
    pack_text(pack, "jobs");
    pack_array(pack, count);
}

static bool s_enqueue(webhook_t *self, buf_t *body, size_t count)
{
    answer_t answer;
    bool good = client_call(
        actor_client(self->outlet.actor),
        &(client_request_t){
            .service = JOBS, .method = JOBS_METHOD, .body = body, .deadline_ms = ENQUEUE_MS },
        &answer);
    if (!good)
        LOG(LOG_WARN, "webhook.not_queued", LOG_INT("jobs", count),
            LOG_TEXT("why", answer.failure.detail));
    answer_close(&answer);
    return good;
}

/* ---- deliveries
 * -------------------------------------------------------------------------------------- */

static void s_pack_delivery(pack_t *pack, const delivery_t *delivery)
{
    char key[80];
    snprintf(key, sizeof key, "%s.%lld", delivery->id, (long long)delivery->replays);
    pack_map(pack, 6);
    pack_pair_text(pack, "kind", JOB_KIND);
    pack_pair_text(pack, "unique_key", key);
    pack_pair_int(pack, "max_attempts", webhook_settings.attempts + SPARE_RUNS);
    pack_pair_int(pack, "backoff_ms", webhook_settings.backoff_ms);
    pack_pair_int(pack, "timeout_ms", outbound_settings.total_ms + MARGIN_MS);
    pack_text(pack, "payload");
    pack_map(pack, 1);
    pack_pair_text(pack, "delivery_id", delivery->id);
}

static db_status_t s_mark_deliveries(db_conn_t *conn, void *arg)
{
    const deliveries_t *waiting = arg;
    buf_t ids = { 0 };
    for (size_t i = 0; i < waiting->count; i++)
        buf_printf(&ids, "%s\"%s\"", i ? "," : "[", waiting->list[i].id);
    buf_add_text(&ids, "]");
    db_status_t status = webhook_store_queued(conn, buf_text(&ids), clock_wall_ms());
    buf_free(&ids);
    return status;
}

/* Takes up to BATCH; how many were taken, and whether that went well. */
static bool s_relay_deliveries(webhook_t *self, db_conn_t *conn, arena_t *arena, size_t *count)
{
    deliveries_t waiting;
    buf_t body = { 0 };
    pack_t pack;
    if (webhook_store_waiting(conn, arena, BATCH, &waiting) != DB_OK)
        return false;
    *count = waiting.count;
    if (waiting.count == 0)
        return true;
    s_begin(&pack, &body, waiting.count);
    for (size_t i = 0; i < waiting.count; i++)
        s_pack_delivery(&pack, &waiting.list[i]);
    return s_enqueue(self, &body, waiting.count) &&
           db_write(self->db, s_mark_deliveries, &waiting) == DB_OK;
}

/* ---- what others have told us
 * ------------------------------------------------------------------------- */

/* The body as what it says, if it is JSON, else as its text. */
static void s_pack_body(pack_t *pack, const char *body)
{
    buf_t packed = { 0 };
    json_error_t error;
    if (json_to_msgpack(body, strlen(body), VALUE_LIMITS, JSON_BIG_NUMBERS_AS_TEXT, &packed,
                        &error))
        pack_raw(pack, packed.bytes, packed.size);
    else
        pack_text(pack, body);
    buf_free(&packed);
}

static void s_pack_hook(pack_t *pack, arena_t *arena, const inbound_t *inbound)
{
    pack_map(pack, 3);
    pack_pair_text(pack, "kind", inbound->kind);
    /* the key of a job is shorter than an id may be: beyond that the table above keeps it single */
    pack_pair_text(pack, "unique_key",
                   arena_format(arena, "hook.%.32s.%.150s", inbound->provider, inbound->id));
    pack_text(pack, "payload");
    pack_map(pack, 4);
    pack_pair_text(pack, "provider", inbound->provider);
    pack_pair_text(pack, "id", inbound->id);
    pack_pair_text(pack, "type", inbound->type);
    pack_text(pack, "body");
    s_pack_body(pack, inbound->body);
}

static db_status_t s_mark_hooks(db_conn_t *conn, void *arg)
{
    const inbounds_t *waiting = arg;
    db_status_t status = DB_OK;
    for (size_t i = 0; status == DB_OK && i < waiting->count; i++)
        status = webhook_store_queued_inbound(conn, &waiting->list[i]);
    return status;
}

static bool s_relay_hooks(webhook_t *self, db_conn_t *conn, arena_t *arena, size_t *count)
{
    inbounds_t waiting;
    buf_t body = { 0 };
    pack_t pack;
    if (webhook_store_waiting_inbound(conn, arena, BATCH_HOOKS, &waiting) != DB_OK)
        return false;
    *count = waiting.count;
    if (waiting.count == 0)
        return true;
    s_begin(&pack, &body, waiting.count);
    for (size_t i = 0; i < waiting.count; i++)
        s_pack_hook(&pack, arena, &waiting.list[i]);
    return s_enqueue(self, &body, waiting.count) &&
           db_write(self->db, s_mark_hooks, &waiting) == DB_OK;
}

/* ---- both
 * --------------------------------------------------------------------------------------------- */

typedef bool (*relay_fn)(webhook_t *self, db_conn_t *conn, arena_t *arena, size_t *count);

/* Until nothing waits any more, or it does not work. */
static void s_run_all(webhook_t *self, relay_fn relay)
{
    stats_t *stats = actor_stats(self->outlet.actor);
    arena_t arena = { 0 };
    size_t count;
    bool good;
    do {
        db_conn_t *conn = db_conn(self->db);
        count = 0;
        good = conn && relay(self, conn, &arena, &count);
        stats_add(stats, good ? WEBHOOK_QUEUED : WEBHOOK_NOT_QUEUED, (int64_t)count);
        arena_reset(&arena);
    } while (good && count > 0);
    arena_free(&arena);
}

void relay_run(webhook_t *self)
{
    /* whoever comes while it runs makes it look once more */
    atomic_store(&self->has_more, true);
    if (atomic_exchange(&self->is_relaying, true))
        return;
    while (atomic_exchange(&self->has_more, false)) {
        s_run_all(self, s_relay_deliveries);
        s_run_all(self, s_relay_hooks);
    }
    atomic_store(&self->is_relaying, false);
}
