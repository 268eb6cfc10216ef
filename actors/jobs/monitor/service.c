/* SPDX-License-Identifier: MPL-2.0
 *
 * service - the actor around the checks: counters, its outlet, and the table of handlers
 */
#include "config.h"

#include "actors/jobs/monitor/monitor.h"

static const stats_row_t s_stats_rows[HTTP_STATS + 1] = {
    OUTBOUND_STATS_ROWS,
    [HTTP_CHECKS_UP] = { "http_checks_up_total", STATS_COUNTER,
                         "Checks that found what was expected" },
    [HTTP_CHECKS_DOWN] = { "http_checks_down_total", STATS_COUNTER, "Checks that did not" },
};

static const handler_t s_handlers[] = {
    { &http_check, http_on_check, HANDLE_POOL },
    { &http_breakers, http_on_breakers, HANDLE_POOL },
    { &http_breaker_set, http_on_breaker_set, HANDLE_POOL },
    { 0 },
};

const actor_spec_t http_actor = {
    .service = &http_service,
    .stats = s_stats_rows,
    .self_size = sizeof(watcher_t),
    .init = outlet_init,
    .deferred = outlet_deferred,
    .connected = outlet_connected,
    .tick = outlet_tick,
    .stop = outlet_stop,
    .release = outlet_release,
    .handlers = s_handlers,
};
