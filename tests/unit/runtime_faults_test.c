/* SPDX-License-Identifier: MPL-2.0
 *
 * A handler fails; somebody listens on the topic `error`.
 */
#include "config.h"

#include "actors/base/log.h"
#include "actors/runtime/actor.h"
#include "proto/fault.h"
#include "tests/kit/bus.h"

static const trace_t s_trace = { .trace = { 0x0a, 0xf7, 0x65, 1, 2, 3, 4, 5, 6, 7, 8, 9 } };

/* ---- the actor ------------------------------------------------------------------------------ */

static const field_t s_request[] = {
    { "code", FIELD_STRING, .required = true, .about = "What to fail with" },
    { "outside", FIELD_BOOLEAN, .about = "Whether somebody outside is to blame" },
    { 0 },
};
static const method_t s_fail = {
    .name = "fail", .summary = "Fails", .request = s_request, .access = ACCESS_PUBLIC
};
static const service_t s_service = { .name = "demo",
                                     .version = "1.0.0",
                                     .about = "A demonstration",
                                     .methods = (const method_t *const[]){ &s_fail, NULL } };

static void s_on_fail(call_t *call, void *self)
{
    const char *code = call_text(call, "code");
    (void)self;
    LOG(LOG_WARN, "demo.breaks", LOG_TEXT("password", "hunter2"), LOG_INT("line", 7));
    call_fail_with(call, &(failure_t){ .code = error_from_symbol(code, strlen(code)),
                                       .detail = "Line 7 broke",
                                       .is_outside = call_bool(call, "outside") });
}

static const handler_t s_handlers[] = { { &s_fail, s_on_fail, HANDLE_POOL }, { 0 } };

static const actor_spec_t s_spec = { .service = &s_service,
                                     .self_size = 1,
                                     .handlers = s_handlers };

/* ---- the stage ------------------------------------------------------------------------------ */

typedef struct {
    bus_t bus;
    actor_settings_t settings;
    db_settings_t storage;
    actor_config_t config;
    actor_t *actor;
    client_t *edge;
    arena_t arena;
    fault_t fault; /* the last one heard */
    char publisher[128];
    int heard;
    sem_t is_heard;
} stage_t;

static void s_on_event(void *arg, const client_event_t *event)
{
    stage_t *stage = arg;
    const char *copy = arena_text(&stage->arena, event->body, event->size);
    if (!fault_read(&stage->fault, &stage->arena, copy, event->size))
        return;
    snprintf(stage->publisher, sizeof stage->publisher, "%.*s", event->head.publisher_size,
             event->head.publisher);
    stage->heard++;
    sem_post(&stage->is_heard);
}

static void s_open(stage_t *stage)
{
    char why[300];
    *stage = (stage_t){ 0 };
    bus_open(&stage->bus, NULL);
    bus_presets(actor_setting_rows, &stage->settings);
    bus_presets(db_setting_rows, &stage->storage);
    sem_init(&stage->is_heard, 0, 0);
    stage->storage.data = ".";
    stage->settings.instance = "demo-1";
    stage->config = (actor_config_t){ .actor = &stage->settings,
                                      .bus = &stage->bus.bus,
                                      .storage = &stage->storage };
    client_subscribe(stage->bus.client, "error", s_on_event, stage);
    stage->actor =
        actor_start(stage->bus.context, &s_spec, &stage->config, DB_MIGRATE_APPLY, why, sizeof why);
    if (!stage->actor)
        die("%s", why);
    stage->edge = client_new(
        stage->bus.context,
        &(client_config_t){ .settings = &stage->bus.trusted, .name = "edge-1", .part = "test" });
    ok(client_wait_ready(stage->edge, BUS_PATIENCE_S * 1000));
}

static void s_close(stage_t *stage)
{
    actor_stop(&stage->actor);
    client_destroy(&stage->edge);
    bus_close(&stage->bus);
    arena_free(&stage->arena);
}

/* Calls in the name of a request; what it fails with. */
static error_code_t s_call(stage_t *stage, const char *code)
{
    const principal_t who = { .account = "acme", .request_id = "req-1" };
    buf_t body = { 0 }, principal = { 0 };
    pack_t pack;
    pack_init(&pack, &principal);
    principal_write(&who, &pack);
    pack_init(&pack, &body);
    pack_map(&pack, 1);
    pack_pair_text(&pack, "code", code);
    const client_request_t request = { .service = "demo",
                                       .method = "fail",
                                       .body = &body,
                                       .principal = &principal,
                                       .trace = &s_trace };
    error_code_t got = bus_call(stage->edge, request);
    buf_free(&principal);
    return got;
}

/* ---- stories -------------------------------------------------------------------------------- */

static void test_told(void)
{
    stage_t stage;
    s_open(&stage);
    is_int(s_call(&stage, "NOT_FOUND"), ERROR_NOT_FOUND); /* the caller's fault: nobody hears it */
    is_int(s_call(&stage, "INTERNAL"), ERROR_INTERNAL);
    ok(bus_wait(&stage.is_heard));
    is_int(stage.heard, 1);
    is_text(stage.fault.code, "INTERNAL");
    is_text(stage.fault.part, "demo");
    is_text(stage.fault.method, "fail");
    is_text(stage.fault.message, "Line 7 broke");
    is_text(stage.fault.version, PACKAGE_VERSION);
    is_text(stage.fault.request_id, "req-1");
    is_text(stage.fault.trace_id, "0af76501020304050607080900000000");
    is_int(strlen(stage.fault.span_id), FAULT_SPAN_BYTES); /* the call's own */
    ok(strcmp(stage.fault.span_id, "0000000000000000") != 0);
    is_text(stage.publisher, "demo-1");
    s_close(&stage);
}

/* Whoever called is told that somebody outside has failed; as an error it is told to nobody. */
static void test_outside(void)
{
    stage_t stage;
    answer_t answer;
    buf_t body = { 0 };
    pack_t pack;
    s_open(&stage);
    pack_init(&pack, &body);
    pack_map(&pack, 2);
    pack_pair_text(&pack, "code", "UNAVAILABLE");
    pack_pair_bool(&pack, "outside", true);
    ok(!client_call(stage.edge,
                    &(client_request_t){ .service = "demo", .method = "fail", .body = &body },
                    &answer));
    is_int(answer.failure.code, ERROR_UNAVAILABLE);
    ok(answer.failure.is_outside);
    answer_close(&answer);
    is_int(s_call(&stage, "INTERNAL"), ERROR_INTERNAL);
    ok(bus_wait(&stage.is_heard));
    is_int(stage.heard, 1);
    is_text(stage.fault.code, "INTERNAL");
    s_close(&stage);
}

/* With what was logged about the request, and nothing of the one before. */
static void test_breadcrumbs(void)
{
    stage_t stage;
    s_open(&stage);
    for (int i = 0; i < 2; i++) {
        is_int(s_call(&stage, "UNAVAILABLE"), ERROR_UNAVAILABLE);
        ok(bus_wait(&stage.is_heard));
        is_int(stage.fault.crumb_count, 1);
        is_text(stage.fault.crumbs[0].event, "demo.breaks");
        is_text(stage.fault.crumbs[0].level, "warn");
        ok(strstr(stage.fault.crumbs[0].text, "7") &&
           !strstr(stage.fault.crumbs[0].text, "hunter2"));
    }
    s_close(&stage);
}

/* A flood is told of as far as is good for whoever listens; the rest is counted. */
static void test_flood(void)
{
    stage_t stage;
    const int calls = 3 * FAULT_BURST;
    s_open(&stage);
    for (int i = 0; i < calls; i++)
        (void)s_call(&stage, "INTERNAL");
    stats_t *stats = client_stats(actor_client(stage.actor));
    const int64_t told = stats_get(stats, CLIENT_FAULTS_TOLD);
    is_int(told + stats_get(stats, CLIENT_FAULTS_UNTOLD), calls);
    ok(told >= FAULT_BURST && stats_get(stats, CLIENT_FAULTS_UNTOLD) > 0);
    for (int64_t i = 0; i < told; i++)
        bus_wait(&stage.is_heard);
    is_int(stage.heard, told);
    s_close(&stage);
}

TESTS({ "told", test_told }, { "outside", test_outside }, { "breadcrumbs", test_breadcrumbs },
      { "flood", test_flood })
