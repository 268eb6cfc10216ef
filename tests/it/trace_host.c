/* SPDX-License-Identifier: MPL-2.0
 *
 * trace_host - a process for tests: an edge, a broker, and the actor `hop`, which calls who is
 * named
 *
 *     trace_host [--section.name value ...]
 *
 * POST /v1/hop takes [{url, arguments}, ...] and posts to each URL, one after the other, its
 * arguments as JSON, with the headers of the trace that the request is in: what the test service of
 * W3C Trace Context asks of a service under test. Prints "ready PORT"; leaves on SIGTERM.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#include "actors/base/log.h"
#include "actors/base/signals.h"
#include "actors/jobs/outbound/outlet.h"
#include "proto/json.h"
#include "tests/it/host.h"

#define CALLS_MAX  10
#define RELAY_MS   20000
#define TARGET_MAX 2048

/* ---- the contract --------------------------------------------------------------------------- */

static const field_t s_call[] = {
    { "url", FIELD_STRING, .required = true, .max = TARGET_MAX, .about = "Who is called" },
    { "arguments", FIELD_ANY, .required = true, .about = "What it is told" },
    { 0 },
};

static const field_t s_relay_request[] = {
    { "calls", FIELD_ARRAY, .required = true, .fields = s_call, .max = CALLS_MAX,
      .about = "One after the other" },
    { 0 },
};

static const method_t s_relay = {
    .name = "relay",
    .summary = "Calls others",
    .request = s_relay_request,
    .access = ACCESS_USER,
    .deadline_ms = RELAY_MS,
    .http = { .route = "POST /v1/hop", .body = "calls" },
};

static const service_t s_service = {
    .name = "hop",
    .version = "1.0.0",
    .about = "Calls others",
    .methods = (const method_t *const[]){ &s_relay, NULL },
};

/* ---- the actor ------------------------------------------------------------------------------ */

typedef struct {
    outlet_t outlet; /* first */
} hop_t;

typedef struct {
    hop_t *hop;
    call_t *call;
    uint32_t next;
} relaying_t;

static void s_go_on(relaying_t *self);

static void s_on_done(void *arg, const transferred_t *result)
{
    relaying_t *self = arg;
    if (result->outcome == TRANSFER_ANSWERED)
        s_go_on(self);
    else
        outlet_fail(self->call, result);
}

static void s_go_on(relaying_t *self)
{
    static const char *const headers[] = { "Content-Type: application/json", NULL };
    const value_t *calls = value_get(call_request(self->call), "calls");
    const value_t *one = value_item(calls, self->next++);
    char why[URL_WHY_SIZE];
    buf_t body = { 0 };
    url_t url;
    if (!one) {
        call_reply(self->call, 0);
        return;
    }
    if (!url_read(&url, value_dup_text(call_arena(self->call), one, "url"), URL_WEB, why)) {
        call_fail(self->call, ERROR_UNPROCESSABLE, "%s", why);
        return;
    }
    json_write(value_get(one, "arguments"), &body);
    transfer_t transfer = { .url = &url,
                            .verb = "POST",
                            .headers = headers,
                            .body = body.bytes,
                            .size = body.size,
                            .done = s_on_done,
                            .arg = self };
    bool sent = outlet_require_sent(&self->hop->outlet, self->call, &transfer);
    (void)sent; /* either way the call is no longer ours */
    buf_free(&body);
}

static void s_on_relay(call_t *call, void *memory)
{
    relaying_t *self = arena_alloc(call_arena(call), sizeof *self);
    *self = (relaying_t){ .hop = memory, .call = call };
    s_go_on(self);
}

static const stats_row_t s_stats_rows[OUTBOUND_STATS + 1] = { OUTBOUND_STATS_ROWS };
static const handler_t s_handlers[] = { { &s_relay, s_on_relay, HANDLE_POOL }, { 0 } };

static const actor_spec_t s_spec = {
    .service = &s_service,
    .stats = s_stats_rows,
    .self_size = sizeof(hop_t),
    .init = outlet_init,
    .deferred = outlet_deferred,
    .connected = outlet_connected,
    .tick = outlet_tick,
    .stop = outlet_stop,
    .release = outlet_release,
    .handlers = s_handlers,
};

/* ---- the process ---------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
    char why[300];
    static const db_settings_t no_storage;
    static const host_preset_t presets[] = { { "edge.allow_anonymous", "true" },
                                             { "edge.load_per_processor", "0" },
                                             { "outbound.allow", "127.0.0.1" },
                                             { 0 } };
    host_settings_t host;
    actor_settings_t hop;
    const settings_section_t sections[] = {
        { "actor", actor_setting_rows, &hop },
        { "outbound", outbound_setting_rows, &outbound_settings },
        { 0 },
    };
    signals_block();
    log_set_level(LOG_ERROR);
    settings_t *settings = host_read(&host, sections, presets, argc, argv);
    void *context = zmq_ctx_new();
    const actor_config_t config = { .actor = &hop, .bus = &host.bus, .storage = &no_storage };
    const edge_config_t edge_config = {
        .settings = &host.edge, .bus = &host.trusted, .instance = "edge-1", .version = "1.2.3"
    };
    broker_t *broker = broker_start(context, &host.broker, why, sizeof why);
    actor_t *actor =
        broker ? actor_start(context, &s_spec, &config, DB_MIGRATE_APPLY, why, sizeof why) : NULL;
    edge_t *edge = actor ? edge_start(context, &edge_config, why, sizeof why) : NULL;
    if (!edge)
        die("%s", why);
    host_say_ready(edge, s_service.name);
    signals_wait();
    edge_stop(&edge);
    actor_stop(&actor);
    broker_stop(&broker);
    zmq_ctx_term(context);
    settings_destroy(&settings);
    return 0;
}
