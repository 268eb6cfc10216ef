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

#include <sodium.h>

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/base/log.h"
#include "actors/jobs/webhook/webhook.h"
#include "actors/runtime/enqueue.h"
#include "proto/jobs.h"
#include "proto/json.h"

#define BATCH_HOOKS 10  /* they may be large */
#define RUNS_MAX    100 /* of a job: its delivery ends by its own attempts */
#define MARGIN_MS   5000
#define KEY_SIZE    80

/* An id that stands in the key of a job as it is, behind "hook." and the name of a provider. */
#define KEY_ID_BYTES (JOBS_KEY_BYTES - 5 - 32 - 1)

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
                               .max_attempts = RUNS_MAX,
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

/* The key of a job is shorter than an id may be: then a hash stands for it. */
static const char *s_hook_key(arena_t *arena, const inbound_t *inbound)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof hash + 1];
    const size_t size = strlen(inbound->id);
    if (size <= KEY_ID_BYTES)
        return arena_format(arena, "hook.%s.%s", inbound->provider, inbound->id);
    crypto_hash_sha256(hash, (const uint8_t *)inbound->id, size);
    return arena_format(arena, "hook.%s.sha256-%s", inbound->provider,
                        id_hex(hash, sizeof hash, hex));
}

static error_code_t s_enqueue_hooks(webhook_t *self, arena_t *arena, const inbound_t *list,
                                    size_t count)
{
    buf_t payloads[BATCH_HOOKS] = { { 0 } };
    enqueue_t jobs[BATCH_HOOKS];
    insist(count > 0 && count <= BATCH_HOOKS);
    for (size_t i = 0; i < count; i++) {
        s_pack_hook(&payloads[i], &list[i]);
        jobs[i] = (enqueue_t){ .kind = list[i].kind,
                               .unique_key = s_hook_key(arena, &list[i]),
                               .payload = &payloads[i] };
    }
    error_code_t code = enqueue_jobs(self->outlet.actor, jobs, count);
    for (size_t i = 0; i < count; i++)
        buf_free(&payloads[i]);
    return code;
}

/* What the jobs service will never take must not keep the others waiting. */
static bool s_is_refused(error_code_t code)
{
    return code == ERROR_BAD_REQUEST || code == ERROR_VALIDATION_FAILED ||
           code == ERROR_TOO_LARGE || code == ERROR_UNPROCESSABLE;
}

/* One by one; how many have a job, or will never have one. */
static size_t s_enqueue_each_hook(webhook_t *self, arena_t *arena, const inbounds_t *waiting)
{
    for (size_t i = 0; i < waiting->count; i++) {
        const inbound_t *inbound = &waiting->list[i];
        const error_code_t code = s_enqueue_hooks(self, arena, inbound, 1);
        if (s_is_refused(code)) {
            stats_add(actor_stats(self->outlet.actor), WEBHOOK_HOOKS_DROPPED, 1);
            LOG(LOG_ERROR, "webhook.hook_dropped", LOG_TEXT("provider", inbound->provider),
                LOG_TEXT("id", inbound->id), LOG_TEXT("why", error_row(code)->symbol));
        } else if (code != ERROR_NONE) {
            return i;
        }
    }
    return waiting->count;
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
    if (waiting.count == 0)
        return true;
    const error_code_t code = s_enqueue_hooks(self, arena, waiting.list, waiting.count);
    if (code != ERROR_NONE)
        waiting.count = s_is_refused(code) ? s_enqueue_each_hook(self, arena, &waiting) : 0;
    return db_write(self->db, s_mark_hooks, &waiting) == DB_OK && waiting.count == *count;
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
