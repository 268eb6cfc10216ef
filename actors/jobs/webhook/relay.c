/* SPDX-License-Identifier: MPL-2.0
 *
 * relay - gives every delivery that waits a job
 *
 * The delivery is stored first, the job is enqueued afterwards under the delivery's name, and only
 * when that is answered does the delivery no longer wait: so a crash between the two leads to the
 * same job again, never to none. Several instances may do it at once.
 */
#include "config.h"

#include <stdio.h>

#include "actors/base/clock.h"
#include "actors/jobs/webhook/webhook.h"
#include "actors/runtime/enqueue.h"

#define SPARE_RUNS 10 /* of a job beyond its attempts: for instances that fall over */
#define MARGIN_MS  5000
#define KEY_SIZE   80

static bool s_enqueue(webhook_t *self, const deliveries_t *waiting)
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

typedef struct {
    const deliveries_t *waiting;
    const char *ids; /* a JSON array */
} marking_t;

static db_status_t s_mark_work(db_conn_t *conn, void *arg)
{
    const marking_t *self = arg;
    return webhook_store_queued(conn, self->ids, clock_wall_ms());
}

static bool s_mark(webhook_t *self, const deliveries_t *waiting)
{
    buf_t ids = { 0 };
    for (size_t i = 0; i < waiting->count; i++)
        buf_printf(&ids, "%s\"%s\"", i ? "," : "[", waiting->list[i].id);
    buf_add_text(&ids, "]");
    marking_t marking = { .waiting = waiting, .ids = buf_text(&ids) };
    bool good = db_write(self->db, s_mark_work, &marking) == DB_OK;
    buf_free(&ids);
    return good;
}

/* One batch; true when there may be more and all went well. */
static bool s_run_batch(webhook_t *self)
{
    arena_t arena = { 0 };
    deliveries_t waiting = { 0 };
    stats_t *stats = actor_stats(self->outlet.actor);
    db_conn_t *conn = db_conn(self->db);
    bool good = conn && webhook_store_waiting(conn, &arena, ENQUEUE_MAX, &waiting) == DB_OK;
    size_t count = waiting.count;
    if (good && count > 0) {
        good = s_enqueue(self, &waiting) && s_mark(self, &waiting);
        stats_add(stats, good ? WEBHOOK_QUEUED : WEBHOOK_NOT_QUEUED, (int64_t)count);
    }
    arena_free(&arena);
    return good && count == ENQUEUE_MAX;
}

void relay_run(webhook_t *self)
{
    /* whoever comes while it runs makes it look once more */
    atomic_store(&self->has_more, true);
    if (atomic_exchange(&self->is_relaying, true))
        return;
    while (atomic_exchange(&self->has_more, false))
        while (s_run_batch(self))
            ;
    atomic_store(&self->is_relaying, false);
}
