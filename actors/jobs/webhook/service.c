/* SPDX-License-Identifier: MPL-2.0
 *
 * service - the actor around the webhooks: settings, counters, its relay, and the table of handlers
 */
#include "config.h"

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/jobs/webhook/webhook.h"
#include "actors/runtime/wishes.h"

#define MS_PER_DAY  INT64_C(86400000)
#define PURGE_TICKS 60
#define ERASE_BATCH 500 /* rows of an erased account in one transaction */
#define WISH_TICKS  (WISHES_TELL_MS / 1000)
#define SEALING_USE 1
#define LOST_DAYS   2 /* after which a job that has said nothing is lost */

webhook_settings_t webhook_settings;

#define ROW(field) offsetof(webhook_settings_t, field)

static const setting_t s_setting_rows[] = {
    { "secret", SETTING_TEXT, ROW(secret), .max = 64, .secret = true,
      .about = "64 hex digits that the secrets of subscriptions are sealed with, the same for all "
               "instances; empty for a file in the data folder." },
    { "attempts", SETTING_INT, ROW(attempts), "12", 1, 90, NULL, .reloadable = true,
      .about = "How often a delivery is tried." },
    { "backoff_ms", SETTING_INT, ROW(backoff_ms), "5000", 1, 3600000, "ms", .reloadable = true,
      .about = "Pause after the first failure; doubles with each." },
    { "tiers", SETTING_TEXT, ROW(tiers),
      .about =
          "Which tier a price stands for, as price_1MoBy5=pro; several are separated by spaces "
          "or commas." },
    { "retention_days", SETTING_INT, ROW(retention_days), "30", 1, 3650, "days", .reloadable = true,
      .about = "How long it is known what became of a delivery." },
    { 0 },
};

#undef ROW

static const stats_row_t s_stats_rows[WEBHOOK_STATS + 1] = {
    OUTBOUND_STATS_ROWS,
    [WEBHOOK_DELIVERED] = { "webhook_delivered_total", STATS_COUNTER,
                            "Messages that their receiver has taken" },
    [WEBHOOK_REJECTED] = { "webhook_rejected_total", STATS_COUNTER,
                           "Attempts that their receiver has not taken" },
    [WEBHOOK_EVENTS] = { "webhook_events_total", STATS_COUNTER, "Events stored" },
    [WEBHOOK_DUPLICATES] = { "webhook_duplicates_total", STATS_COUNTER,
                             "Events published that were known already" },
    [WEBHOOK_QUEUED] = { "webhook_queued_total", STATS_COUNTER,
                         "Deliveries that a job was enqueued for" },
    [WEBHOOK_NOT_QUEUED] = { "webhook_not_queued_total", STATS_COUNTER,
                             "Deliveries that wait longer because no job could be enqueued" },
    [WEBHOOK_FAILED] = { "webhook_failed_total", STATS_COUNTER, "Deliveries given up" },
    [WEBHOOK_PURGED] = { "webhook_purged_total", STATS_COUNTER,
                         "Events and deliveries deleted because their time was over" },
    [WEBHOOK_HOOKS] = { "webhook_hooks_total", STATS_COUNTER, "What others have told us, stored" },
    [WEBHOOK_HOOKS_REFUSED] = { "webhook_hooks_refused_total", STATS_COUNTER,
                                "What others have told us without a good signature" },
    [WEBHOOK_HOOKS_DROPPED] = { "webhook_hooks_dropped_total", STATS_COUNTER,
                                "What others have told us, of which no job can be made" },
    [WEBHOOK_TIERS_SET] = { "webhook_tiers_set_total", STATS_COUNTER,
                            "Tiers set because a subscription changed" },
};

static bool s_init(actor_t *actor, void *memory, char *why, size_t why_size)
{
    webhook_t *self = memory;
    uint8_t secret[SECRET_BYTES];
    self->db = actor_db(actor);
    if (!secret_open(secret, "webhook", webhook_settings.secret, actor_data_folder(actor), why,
                     why_size))
        return false;
    secret_derive(secret, "webhook", SEALING_USE, self->sealing);
    mem_wipe(secret, sizeof secret);
    insist(pthread_mutex_init(&self->telling, NULL) == 0);
    return outlet_init(actor, memory, why, why_size);
}

static void s_ready(actor_t *actor, void *memory)
{
    (void)actor;
    webhook_tell_wishes(memory);
}

/* ---- retention and erasure --------------------------------------------------------------- */

typedef struct {
    int64_t now_ms, count;
} purging_t;

static db_status_t s_purge_work(db_conn_t *conn, void *arg)
{
    purging_t *self = arg;
    int64_t hooks = 0;
    const int64_t before_ms = self->now_ms - webhook_settings.retention_days * MS_PER_DAY;
    db_status_t status = webhook_store_purge(conn, before_ms, self->now_ms - LOST_DAYS * MS_PER_DAY,
                                             self->now_ms, &self->count);
    if (status == DB_OK)
        status = webhook_store_purge_inbound(conn, before_ms, &hooks);
    self->count += hooks;
    return status;
}

static db_status_t s_erase(db_t *db, const char *account, bool *more)
{
    return webhook_store_erase(db, account, ERASE_BATCH, more);
}

static void s_connected(actor_t *actor, void *memory)
{
    webhook_t *self = memory;
    outlet_connected(actor, memory);
    erasures_subscribe(&self->erasures, actor, s_erase);
}

static void s_tick(actor_t *actor, void *memory)
{
    webhook_t *self = memory;
    purging_t purging = { .now_ms = clock_wall_ms() };
    outlet_tick(actor, memory);
    relay_run(self);
    erasures_tick(&self->erasures, actor);
    if (self->ticks % WISH_TICKS == 0)
        webhook_tell_wishes(self);
    if (self->ticks++ % PURGE_TICKS != 0 || db_write(self->db, s_purge_work, &purging) != DB_OK)
        return;
    if (purging.count >= WEBHOOK_PURGE_MOST)
        self->ticks = 0; /* the next tick goes on */
    stats_add(actor_stats(actor), WEBHOOK_PURGED, purging.count);
    if (purging.count)
        LOG(LOG_INFO, "webhook.purged", LOG_INT("rows", purging.count));
}

static void s_release(actor_t *actor, void *memory)
{
    webhook_t *self = memory;
    outlet_release(actor, memory);
    mem_wipe(self->sealing, sizeof self->sealing);
    pthread_mutex_destroy(&self->telling);
}

static const handler_t s_handlers[] = {
    { &webhook_deliver, webhook_on_deliver, HANDLE_POOL },
    { &webhook_publish, webhook_on_publish, HANDLE_POOL },
    { &webhook_send, webhook_on_send, HANDLE_POOL },
    { &webhook_create, webhook_on_create, HANDLE_POOL },
    { &webhook_list, webhook_on_list, HANDLE_POOL },
    { &webhook_get, webhook_on_get, HANDLE_POOL },
    { &webhook_update, webhook_on_update, HANDLE_POOL },
    { &webhook_delete, webhook_on_delete, HANDLE_POOL },
    { &webhook_rotate, webhook_on_rotate, HANDLE_POOL },
    { &webhook_test, webhook_on_test, HANDLE_POOL },
    { &webhook_deliveries, webhook_on_deliveries, HANDLE_POOL },
    { &webhook_delivery, webhook_on_delivery, HANDLE_POOL },
    { &webhook_replay, webhook_on_replay, HANDLE_POOL },
    { &webhook_hook, webhook_on_hook, HANDLE_POOL },
    { &webhook_providers, webhook_on_providers, HANDLE_POOL },
    { &webhook_provider_set, webhook_on_provider_set, HANDLE_POOL },
    { &webhook_provider_delete, webhook_on_provider_delete, HANDLE_POOL },
    { &webhook_billing, webhook_on_billing, HANDLE_POOL },
    { 0 },
};

const actor_spec_t webhook_actor = {
    .service = &webhook_service,
    .settings = s_setting_rows,
    .settings_target = &webhook_settings,
    .stats = s_stats_rows,
    .migrations = webhook_migrations,
    .self_size = sizeof(webhook_t),
    .init = s_init,
    .ready = s_ready,
    .deferred = outlet_deferred,
    .connected = s_connected,
    .tick = s_tick,
    .stop = outlet_stop,
    .release = s_release,
    .handlers = s_handlers,
};
