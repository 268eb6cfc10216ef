/* SPDX-License-Identifier: MPL-2.0
 *
 * A small actor on a real bus in one process: what the runtime does before, around and after a
 * handler.
 */
#include "config.h"

#include <pthread.h>

#include "actors/base/clock.h"
#include "actors/base/monitor.h"
#include "actors/runtime/actor.h"
#include "tests/kit/bus.h"

/* ---- the actor ------------------------------------------------------------------------------ */

static const field_t s_text_fields[] = {
    { "text", FIELD_STRING, .required = true, .max = 10, .about = "What to say" },
    { "times", FIELD_INTEGER, .preset = "2", .min = 1, .max = 5, .about = "How often" },
    { 0 },
};

static const method_t s_say = {
    .name = "say", .request = s_text_fields, .access = ACCESS_PUBLIC, .idempotent = true
};
static const method_t s_now = { .name = "now", .access = ACCESS_PUBLIC };
static const method_t s_hold = { .name = "hold", .access = ACCESS_PUBLIC };
static const method_t s_admin = { .name = "admin", .access = ACCESS_USER, .role = "admin" };
static const method_t s_later = { .name = "later", .access = ACCESS_PUBLIC };
static const method_t s_relay = { .name = "relay", .access = ACCESS_PUBLIC };

static const service_t s_service = {
    .name = "demo",
    .version = "1.0.0",
    .methods =
        (const method_t *const[]){ &s_say, &s_now, &s_hold, &s_admin, &s_later, &s_relay, NULL },
};

typedef struct {
    int marker;
} demo_t;

static sem_t s_held, s_release_now, s_ticked;
static call_t *s_deferred;
static bool s_saw_cancel;

static bool s_init(actor_t *actor, void *self, char *why, size_t why_size)
{
    (void)actor;
    (void)why;
    (void)why_size;
    ((demo_t *)self)->marker = 42;
    return true;
}

static void s_tick(actor_t *actor, void *self)
{
    (void)actor;
    (void)self;
    sem_post(&s_ticked);
}

static void s_on_say(call_t *call, void *self)
{
    buf_t text = { 0 };
    for (int64_t i = 0; i < call_int(call, "times"); i++)
        buf_add_text(&text, call_text(call, "text"));
    pack_text(call_pack(call), ((demo_t *)self)->marker == 42 ? buf_text(&text) : "lost");
    buf_free(&text);
    call_reply(call, 201);
}

static void s_on_now(call_t *call, void *self)
{
    (void)self;
    pack_text(call_pack(call), "inline");
    call_reply(call, 0);
}

static void s_on_hold(call_t *call, void *self)
{
    (void)self;
    sem_post(&s_held);
    bus_wait(&s_release_now);
    s_saw_cancel = call_is_cancelled(call);
    pack_text(call_pack(call), "released");
    call_reply(call, 0);
}

static void s_on_admin(call_t *call, void *self)
{
    (void)self;
    pack_text(call_pack(call), call_principal(call)->account);
    call_reply(call, 0);
}

static void s_on_later(call_t *call, void *self)
{
    (void)self;
    s_deferred = call;
    call_defer(call);
    sem_post(&s_held);
}

static void s_on_relay(call_t *call, void *self)
{
    answer_t answer;
    buf_t body = { 0 };
    (void)self;
    bool good = call_service(call, "missing", "method", true, &body, &answer);
    error_code_t code = answer.failure.code;
    answer_close(&answer);
    if (good)
        call_reply(call, 0);
    else
        call_fail(call, code, "The other service failed");
}

static const handler_t s_handlers[] = {
    { &s_say, s_on_say, HANDLE_POOL },
    { &s_now, s_on_now, HANDLE_INLINE },
    { &s_hold, s_on_hold, HANDLE_POOL },
    { &s_admin, s_on_admin, HANDLE_POOL },
    { &s_later, s_on_later, HANDLE_POOL },
    { &s_relay, s_on_relay, HANDLE_POOL },
    { 0 },
};

static const actor_spec_t s_spec = { .service = &s_service,
                                     .self_size = sizeof(demo_t),
                                     .init = s_init,
                                     .tick = s_tick,
                                     .handlers = s_handlers };

/* ---- the stage ------------------------------------------------------------------------------ */

typedef struct {
    bus_t bus;
    actor_settings_t settings;
    db_settings_t storage;
    actor_config_t config;
    actor_t *actor;
} stage_t;

static void s_open(stage_t *stage, int64_t threads)
{
    char why[300];
    bus_open(&stage->bus, NULL);
    bus_presets(actor_setting_rows, &stage->settings);
    bus_presets(db_setting_rows, &stage->storage);
    stage->storage.data = "."; /* nothing is stored: it is where the disk is asked for */
    stage->settings.threads = threads;
    stage->settings.instance = "demo-1";
    stage->settings.drain_ms = 300;
    stage->config = (actor_config_t){ .actor = &stage->settings,
                                      .bus = &stage->bus.bus,
                                      .storage = &stage->storage };
    sem_init(&s_held, 0, 0);
    sem_init(&s_release_now, 0, 0);
    sem_init(&s_ticked, 0, 0);
    stage->actor =
        actor_start(stage->bus.context, &s_spec, &stage->config, DB_MIGRATE_APPLY, why, sizeof why);
    if (!stage->actor)
        die("%s", why);
}

static void s_close(stage_t *stage)
{
    actor_stop(&stage->actor);
    ok(bus_balance(&stage->bus));
    bus_close(&stage->bus);
}

static buf_t s_body(const char *text, int64_t times)
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, times ? 2 : 1);
    pack_pair_text(&pack, "text", text);
    if (times)
        pack_pair_int(&pack, "times", times);
    return body;
}

/* ---- stories -------------------------------------------------------------------------------- */

static void test_calls(void)
{
    stage_t stage;
    outcome_t outcome;
    s_open(&stage, 2);
    buf_t body = s_body("ab", 3);
    bus_send(stage.bus.client, &outcome,
             (client_request_t){ .service = "demo", .method = "say", .body = &body });
    ok(bus_wait(&outcome.done));
    is_int(outcome.code, ERROR_NONE);
    is_int(outcome.status, 201);
    is_text(outcome.text, "ababab");
    body = s_body("x", 0); /* the row's default applies */
    bus_send(stage.bus.client, &outcome,
             (client_request_t){ .service = "demo", .method = "say", .body = &body });
    ok(bus_wait(&outcome.done));
    is_text(outcome.text, "xx");
    bus_send(stage.bus.client, &outcome, (client_request_t){ .service = "demo", .method = "now" });
    ok(bus_wait(&outcome.done));
    is_text(outcome.text, "inline");
    ok(bus_wait(&s_ticked));
    s_close(&stage);
}

static void test_validation(void)
{
    stage_t stage;
    s_open(&stage, 1);
    buf_t body = s_body("far too long a text", 0);
    is_int(bus_call(stage.bus.client,
                    (client_request_t){ .service = "demo", .method = "say", .body = &body }),
           ERROR_VALIDATION_FAILED);
    is_int(bus_call(stage.bus.client, (client_request_t){ .service = "demo", .method = "say" }),
           ERROR_VALIDATION_FAILED);
    buf_add_text(&body, "\xc1");
    is_int(bus_call(stage.bus.client,
                    (client_request_t){ .service = "demo", .method = "say", .body = &body }),
           ERROR_BAD_REQUEST);
    /* a stamp from elsewhere than the edge is not believed */
    body = s_body("far too long a text", 0);
    is_int(bus_call(stage.bus.client, (client_request_t){ .service = "demo",
                                                          .method = "say",
                                                          .body = &body,
                                                          .flags = FRAME_STAMPED,
                                                          .schema = 1 }),
           ERROR_VALIDATION_FAILED);
    s_close(&stage);
}

static void test_permission(void)
{
    stage_t stage;
    outcome_t outcome;
    principal_t who = { .account = "acme", .role_count = 1 };
    buf_t principal = { 0 };
    pack_t pack;
    s_open(&stage, 1);
    client_t *edge = client_new(
        stage.bus.context,
        &(client_config_t){ .settings = &stage.bus.trusted, .name = "edge-1", .part = "test" });
    for (int is_admin = 0; is_admin < 2; is_admin++) {
        snprintf(who.roles[0], sizeof who.roles[0], "%s", is_admin ? "admin" : "user");
        principal.size = 0;
        pack_init(&pack, &principal);
        principal_write(&who, &pack);
        bus_send(
            edge, &outcome,
            (client_request_t){ .service = "demo", .method = "admin", .principal = &principal });
        ok(bus_wait(&outcome.done));
        is_int(outcome.code, is_admin ? ERROR_NONE : ERROR_FORBIDDEN);
    }
    is_text(outcome.text, "acme");
    principal.bytes[0] = 0xc0; /* what cannot be read is not nobody */
    is_int(bus_call(
               edge,
               (client_request_t){ .service = "demo", .method = "admin", .principal = &principal }),
           ERROR_BAD_REQUEST);
    buf_free(&principal);
    client_destroy(&edge);
    s_close(&stage);
}

static void test_deadline_while_waiting(void)
{
    stage_t stage;
    outcome_t first, second;
    s_open(&stage, 1);
    bus_send(stage.bus.client, &first, (client_request_t){ .service = "demo", .method = "hold" });
    ok(bus_wait(&s_held));
    bus_send(stage.bus.client, &second,
             (client_request_t){ .service = "demo", .method = "hold", .deadline_ms = 50 });
    ok(bus_wait(&second.done));
    is_int(second.code, ERROR_DEADLINE);
    sem_post(&s_release_now);
    ok(bus_wait(&first.done));
    is_int(sem_trywait(&s_held), -1); /* the second was never begun */
    s_close(&stage);
}

static void test_cancel_is_seen(void)
{
    stage_t stage;
    outcome_t outcome;
    s_open(&stage, 1);
    uint64_t ticket = bus_send(stage.bus.client, &outcome,
                               (client_request_t){ .service = "demo", .method = "hold" });
    ok(bus_wait(&s_held));
    client_cancel(stage.bus.client, ticket);
    ok(bus_wait(&outcome.done));
    is_int(outcome.code, ERROR_CANCELLED);
    /* the actor hears of it a moment later; a call behind the cancel shows when */
    is_int(bus_call(stage.bus.client, (client_request_t){ .service = "demo", .method = "now" }),
           ERROR_NONE);
    sem_post(&s_release_now);
    s_close(&stage);
    ok(s_saw_cancel);
}

static void test_defer(void)
{
    stage_t stage;
    outcome_t outcome;
    s_open(&stage, 1);
    bus_send(stage.bus.client, &outcome,
             (client_request_t){ .service = "demo", .method = "later" });
    ok(bus_wait(&s_held));
    is_int(bus_call(stage.bus.client, (client_request_t){ .service = "demo", .method = "now" }),
           ERROR_NONE);
    pack_text(call_pack(s_deferred), "at last");
    call_reply(s_deferred, 0); /* from any thread */
    ok(bus_wait(&outcome.done));
    is_text(outcome.text, "at last");
    s_close(&stage);
}

static void test_calls_to_others(void)
{
    stage_t stage;
    outcome_t outcome;
    s_open(&stage, 1);
    bus_send(stage.bus.client, &outcome,
             (client_request_t){ .service = "demo", .method = "relay" });
    ok(bus_wait(&outcome.done));
    is_int(outcome.code, ERROR_NO_SERVICE);
    s_close(&stage);
}

static void *s_stop_in_background(void *arg)
{
    actor_stop(&((stage_t *)arg)->actor);
    return NULL;
}

static void test_leaving(void)
{
    stage_t stage;
    outcome_t begun, waiting;
    pthread_t stopper;
    s_open(&stage, 1);
    stage.settings.drain_ms = BUS_PATIENCE_S * 1000;
    bus_send(stage.bus.client, &begun, (client_request_t){ .service = "demo", .method = "hold" });
    ok(bus_wait(&s_held));
    pthread_create(&stopper, NULL, s_stop_in_background, &stage);
    /* a draining instance is given nothing new, and there is no other */
    while (bus_call(stage.bus.client, (client_request_t){ .service = "demo", .method = "now" }) ==
           ERROR_NONE)
        ;
    bus_send(stage.bus.client, &waiting, (client_request_t){ .service = "demo", .method = "now" });
    ok(bus_wait(&waiting.done));
    is_int(waiting.code, ERROR_NO_INSTANCE);
    sem_post(&s_release_now);
    pthread_join(stopper, NULL);
    ok(bus_wait(&begun.done));
    is_text(begun.text, "released"); /* what was begun is finished */
    s_close(&stage);
}

static void test_handing_back(void)
{
    stage_t stage;
    outcome_t begun, waiting;
    pthread_t stopper;
    s_open(&stage, 1); /* one thread: the second request waits; 300 ms to leave */
    bus_send(stage.bus.client, &begun, (client_request_t){ .service = "demo", .method = "hold" });
    ok(bus_wait(&s_held));
    bus_send(stage.bus.client, &waiting, (client_request_t){ .service = "demo", .method = "hold" });
    /* both credits are used; the broker's own answer shows that it has passed the second on */
    is_int(bus_call(stage.bus.client, (client_request_t){ .service = "$SRV", .method = "PING" }),
           ERROR_NONE);
    pthread_create(&stopper, NULL, s_stop_in_background, &stage);
    ok(bus_wait(&waiting.done));
    is_int(waiting.code, ERROR_UNAVAILABLE);
    sem_post(&s_release_now);
    pthread_join(stopper, NULL);
    ok(bus_wait(&begun.done));
    s_close(&stage);
}

static void test_own_methods(void)
{
    stage_t stage;
    outcome_t outcome;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    s_open(&stage, 1);
    bus_send(stage.bus.client, &outcome,
             (client_request_t){ .service = "demo", .method = "_health" });
    ok(bus_wait(&outcome.done));
    const value_t *health = value_parse(&arena, outcome.body, outcome.size, VALUE_LIMITS, &verdict);
    ok(value_is(value_get(health, "status"), "ok"));
    ok(value_is(value_get(health, "instance"), "demo-1"));
    bus_send(stage.bus.client, &outcome,
             (client_request_t){ .service = "demo", .method = "_stats" });
    ok(bus_wait(&outcome.done));
    const value_t *stats = value_parse(&arena, outcome.body, outcome.size, VALUE_LIMITS, &verdict);
    is_int(value_get_int(value_get(stats, "values"), "actor_calls_total", 0), 2);
    arena_free(&arena);
    s_close(&stage);
}

static void test_bad_specs(void)
{
    static const handler_t too_few[] = { { &s_say, s_on_say, HANDLE_POOL }, { 0 } };
    static const handler_t twice[] = {
        { &s_say, s_on_say, HANDLE_POOL },     { &s_say, s_on_say, HANDLE_POOL },
        { &s_now, s_on_now, HANDLE_POOL },     { &s_hold, s_on_hold, HANDLE_POOL },
        { &s_admin, s_on_admin, HANDLE_POOL }, { &s_later, s_on_later, HANDLE_POOL },
        { &s_relay, s_on_relay, HANDLE_POOL }, { 0 },
    };
    static const method_t foreign = { .name = "foreign" };
    static const handler_t too_many[] = {
        { &s_say, s_on_say, HANDLE_POOL },     { &s_now, s_on_now, HANDLE_POOL },
        { &s_hold, s_on_hold, HANDLE_POOL },   { &s_admin, s_on_admin, HANDLE_POOL },
        { &s_later, s_on_later, HANDLE_POOL }, { &s_relay, s_on_relay, HANDLE_POOL },
        { &foreign, s_on_say, HANDLE_POOL },   { 0 },
    };
    static const struct {
        const handler_t *handlers;
        const char *why;
    } cases[] = {
        { too_few, "the method 'now' has no handler" },
        { twice, "the method 'say' has two handlers" },
        { too_many, "the method 'foreign' is handled, but the service does not have it" },
    };
    stage_t stage;
    char why[300];
    s_open(&stage, 1);
    actor_spec_t spec = s_spec;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        spec.handlers = cases[i].handlers;
        ok(!actor_start(stage.bus.context, &spec, &stage.config, DB_MIGRATE_APPLY, why,
                        sizeof why));
        is_text(why, cases[i].why);
    }
    s_close(&stage);
}

TESTS({ "calls", test_calls }, { "validation", test_validation }, { "permission", test_permission },
      { "deadline", test_deadline_while_waiting }, { "cancel", test_cancel_is_seen },
      { "defer", test_defer }, { "calls to others", test_calls_to_others },
      { "leaving", test_leaving }, { "handing back", test_handing_back },
      { "own methods", test_own_methods }, { "bad specs", test_bad_specs })
