/* SPDX-License-Identifier: MPL-2.0
 *
 * service - the actor around the webhooks: counters, its outlet, and the table of handlers
 */
#include "config.h"

#include "actors/jobs/webhook/webhook.h"

static const stats_row_t s_stats_rows[WEBHOOK_STATS + 1] = {
    OUTBOUND_STATS_ROWS,
    [WEBHOOK_DELIVERED] = { "webhook_delivered_total", STATS_COUNTER,
                            "Messages that their receiver has taken" },
    [WEBHOOK_REJECTED] = { "webhook_rejected_total", STATS_COUNTER,
                           "Messages that their receiver has answered with an error" },
};

static const handler_t s_handlers[] = {
    { &webhook_deliver, webhook_on_deliver, HANDLE_POOL },
    { 0 },
};

const actor_spec_t webhook_actor = {
    .service = &webhook_service,
    .stats = s_stats_rows,
    .self_size = sizeof(webhook_t),
    .init = outlet_init,
    .deferred = outlet_deferred,
    .connected = outlet_connected,
    .tick = outlet_tick,
    .stop = outlet_stop,
    .release = outlet_release,
    .handlers = s_handlers,
};
