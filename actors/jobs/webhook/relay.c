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
#include "actors/jobs/webhook/webhook.h"
#include "actors/runtime/enqueue.h"
#include "proto/json.h"

#define BATCH_HOOKS 10 /* they may be large */
#define SPARE_RUNS  10 /* of a job beyond its attempts: for instances that fall over */
#define MARGIN_MS   5000
#define KEY_SIZE    80

/* ---- deliveries -------------------------------------------------------------------------- */

static bool s_enqueue_deliveries(webhook_t *self, const deliveries_t *waiting)
{
    char keys[ENQUEUE_MAX][KEY_SIZE];
    enqueue_t jobs[ENQUEUE_MAX];
    for (size_t i = 0; i < waiting->count; i++) {
        const delivery_t *delivery = &waiting->list[i];
        snprintf(keys[i], KEY_SIZE, "%s.%lld", delivery->id, (long long)delivery->replays);
        jobs[i] = (enqueue_t){ .kind = "webhook.send",
                               .unique_key = keys[i],
                               .field = "delivery_id",
                               .id = delivery->id,
                               .max_attempts = webhook_settings.attempts + SPARE_RUNS,
                               .backoff_ms = webhook_settings.backoff_ms,
                               .timeout_ms = outbound_settings.total_ms + MARGIN_MS };
    }
    return enqueue_jobs(self->outlet.actor, jobs, waiting->count) == ERROR_NONE;
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

/* One batch: how many there were, and whether that went well. */
static bool s_relay_deliveries(webhook_t *self, db_conn_t *conn, arena_t *arena, size_t *count)
{
    deliveries_t waiting;
    if (webhook_store_waiting(conn, arena, ENQUEUE_MAX, &waiting) != DB_OK)
        return false;
    *count = waiting.count;
    return waiting.count == 0 || (s_enqueue_deliveries(self, &waiting) &&
                                  db_write(self->db, s_mark_deliveries, &waiting) == DB_OK);
}

/* ---- what others have told us ------------------------------------------------------------ */

/* {provider, id, type, body}; the body as what it says, if it is JSON, else as its text. */
static void s_pack_hook(buf_t *payload, const inbound_t *inbound)
{
    pack_t pack;
    json_error_t error;
    pack_init(&pack, payload);
    pack_map(&pack, 4);
    pack_pair_text(&pack, "provider", inbound->provider);
    pack_pair_text(&pack, "id", inbound->id);
    pack_pair_text(&pack, "type", inbound->type);
    pack_text(&pack, "body");
    if (!json_to_msgpack(inbound->body, strlen(inbound->body), VALUE_LIMITS,
                         JSON_BIG_NUMBERS_AS_TEXT, payload, &error))
        pack_text(&pack, inbound->body);
}

static bool s_enqueue_hooks(webhook_t *self, arena_t *arena, const inbounds_t *waiting)
{
    buf_t payloads[BATCH_HOOKS] = { { 0 } };
    enqueue_t jobs[BATCH_HOOKS];
    for (size_t i = 0; i < waiting->count; i++) {
        const inbound_t *inbound = &waiting->list[i];
        s_pack_hook(&payloads[i], inbound);
        /* the key of a job is shorter than an id may be; a hash of it would say less */
        jobs[i] = (enqueue_t){ .kind = inbound->kind,
                               .unique_key = arena_format(arena, "hook.%.32s.%.150s",
                                                          inbound->provider, inbound->id),
                               .payload = &payloads[i] };
    }
    bool good = enqueue_jobs(self->outlet.actor, jobs, waiting->count) == ERROR_NONE;
    for (size_t i = 0; i < waiting->count; i++)
        buf_free(&payloads[i]);
    return good;
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
    if (webhook_store_waiting_inbound(conn, arena, BATCH_HOOKS, &waiting) != DB_OK)
        return false;
    *count = waiting.count;
    return waiting.count == 0 || (s_enqueue_hooks(self, arena, &waiting) &&
                                  db_write(self->db, s_mark_hooks, &waiting) == DB_OK);
}

/* ---- both -------------------------------------------------------------------------------- */

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
