/* SPDX-License-Identifier: MPL-2.0
 *
 * The limiter on a real bus in one process, once on each database: its methods, what outlives a
 * restart, and instances that come and go.
 */
#include "config.h"

#include "actors/base/clock.h"
#include "tests/unit/limiter_kit.h"

/* ---- methods --------------------------------------------------------------------------------- */

static void test_take(void)
{
    stage_t stage;
    stage_open(&stage);
    for (int64_t left = 4; left >= -1; left--)
        is_int(stage_take(&stage, "{\"subject\":\"a\",\"policies\":[\"auth.failures\"]}"), left);
    const value_t *answer =
        stage_call(&stage, "take", "{\"subject\":\"a\",\"policies\":[\"free\",\"auth.failures\"]}",
                   ERROR_NONE);
    ok(!value_get_bool(answer, "allowed", true));
    ok(value_is(value_get(answer, "refused_by"), "auth.failures"));
    is_int(value_get_int(answer, "retry_at_ms", 0) > clock_wall_ms(), true);
    is_int(stage_take(&stage, "{\"subject\":\"a\",\"policies\":[\"free\"],\"cost\":3}"), 17);
    is_int(stage_take(&stage, "{\"subject\":\"b\",\"policies\":[\"auth.failures\"]}"), 4);
    stage_close(&stage);
}

static void test_refusals(void)
{
    static const struct {
        const char *method, *json;
        error_code_t code;
    } cases[] = {
        { "take", "{\"subject\":\"a\",\"policies\":[\"nobody\"]}", ERROR_NOT_FOUND },
        { "peek", "{\"subject\":\"a\",\"policies\":[\"nobody\"]}", ERROR_NOT_FOUND },
        { "take", "{\"subject\":\"a\",\"policies\":[\"free\",\"free\"]}", ERROR_BAD_REQUEST },
        { "take", "{\"subject\":\"a\",\"policies\":[]}", ERROR_VALIDATION_FAILED },
        { "take", "{\"subject\":\"\",\"policies\":[\"free\"]}", ERROR_VALIDATION_FAILED },
        { "take", "{\"subject\":\"a\",\"policies\":[\"free\"],\"cost\":0}",
          ERROR_VALIDATION_FAILED },
        { "take", "{\"subject\":\"a\",\"policies\":[\"free\"],\"cost\":1001}",
          ERROR_VALIDATION_FAILED },
        { "refund", "{\"subject\":\"a\",\"policies\":[\"free\"]}", ERROR_VALIDATION_FAILED },
        { "policy_set", "{\"name\":\"X\",\"limit\":1,\"window_ms\":1}", ERROR_VALIDATION_FAILED },
        { "policy_set", "{\"name\":\"x\",\"limit\":0,\"window_ms\":1}", ERROR_VALIDATION_FAILED },
        { "policy_set", "{\"name\":\"x\",\"limit\":1,\"window_ms\":1,\"algorithm\":\"gcra\"}",
          ERROR_UNPROCESSABLE },
        { "policy_set", "{\"name\":\"x\",\"limit\":1,\"window_ms\":1,\"burst\":2}",
          ERROR_UNPROCESSABLE },
        { "policy_delete", "{\"name\":\"x\"}", ERROR_NOT_FOUND },
    };
    stage_t stage;
    stage_open(&stage);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        stage_call(&stage, cases[i].method, cases[i].json, cases[i].code);
    stage_close(&stage);
}

static void test_peek_and_refund(void)
{
    stage_t stage;
    char json[200];
    stage_open(&stage);
    const value_t *answer =
        stage_call(&stage, "peek", "{\"subject\":\"a\",\"policies\":[\"free\"]}", ERROR_NONE);
    is_int(value_get_int(value_item(value_get(answer, "policies"), 0), "remaining", -1), 20);
    answer = stage_call(&stage, "take", "{\"subject\":\"a\",\"policies\":[\"free\"],\"cost\":5}",
                        ERROR_NONE);
    snprintf(json, sizeof json,
             "{\"subject\":\"a\",\"policies\":[\"free\"],\"cost\":3,\"at_ms\":%lld}",
             (long long)value_get_int(answer, "at_ms", 0));
    answer = stage_call(&stage, "refund", json, ERROR_NONE);
    is_int(value_get_int(answer, "refunded", -1), 3);
    answer = stage_call(&stage, "refund", json, ERROR_NONE);
    is_int(value_get_int(answer, "refunded", -1), 2);
    is_int(stage_take(&stage, "{\"subject\":\"a\",\"policies\":[\"free\"]}"), 19);
    stage_close(&stage);
}

static void test_lease(void)
{
    stage_t stage;
    stage_open(&stage);
    const value_t *answer = stage_call(
        &stage, "take", "{\"subject\":\"a\",\"policies\":[\"pro\"],\"lease\":10}", ERROR_NONE);
    const value_t *lease = value_get(answer, "lease");
    is_int(value_get_int(lease, "count", 0), 10);
    is_int(value_get_int(lease, "until_ms", 0) - value_get_int(answer, "at_ms", 0), 5000);
    is_int(stage_take(&stage, "{\"subject\":\"a\",\"policies\":[\"pro\"]}"), 88);
    stage_close(&stage);
}

static void test_top(void)
{
    stage_t stage;
    stage_open(&stage);
    for (int i = 0; i < 7; i++)
        stage_take(&stage, "{\"subject\":\"busy\",\"policies\":[\"auth.failures\"]}");
    stage_take(&stage, "{\"subject\":\"idle\",\"policies\":[\"auth.failures\"]}");
    const value_t *answer = stage_call(&stage, "top", "{\"limit\":1}", ERROR_NONE);
    const value_t *items = value_get(answer, "items"), *first = value_item(items, 0);
    is_int(items->count, 1);
    ok(value_is(value_get(answer, "instance"), "limiter-1"));
    ok(value_is(value_get(first, "subject"), "busy"));
    is_int(value_get_int(first, "count", 0), 7);
    is_int(value_get_int(first, "refused", 0), 2);
    stage_close(&stage);
}

/* ---- policies -------------------------------------------------------------------------------- */

typedef struct {
    sem_t heard;
    int64_t version, policies;
} listener_t;

static void s_on_policies(void *arg, const client_event_t *event)
{
    listener_t *self = arg;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    const value_t *body = value_parse(&arena, event->body, event->size, VALUE_LIMITS, &verdict);
    self->version = value_get_int(body, "version", -1);
    self->policies = value_get(body, "policies")->count;
    arena_free(&arena);
    sem_post(&self->heard);
}

static void test_policies_change(void)
{
    stage_t stage;
    listener_t listener = { 0 };
    stage_open(&stage);
    sem_init(&listener.heard, 0, 0);
    client_subscribe(stage.bus.client, "limiter.policies", s_on_policies, &listener);
    ok(bus_wait(&listener.heard)); /* what was published before */
    is_int(listener.version, 2);
    int64_t before = listener.policies;
    is_int(stage_take(&stage, "{\"subject\":\"a\",\"policies\":[\"free\"],\"cost\":2}"), 18);
    stage_call(&stage, "policy_set", "{\"name\":\"free\",\"limit\":5,\"window_ms\":60000}",
               ERROR_NONE);
    is_int(stage_take(&stage, "{\"subject\":\"a\",\"policies\":[\"free\"]}"), 2);
    stage_call(
        &stage, "policy_set",
        "{\"name\":\"even\",\"limit\":60,\"window_ms\":60000,\"algorithm\":\"gcra\",\"burst\":3}",
        ERROR_NONE);
    is_int(stage_take(&stage, "{\"subject\":\"a\",\"policies\":[\"even\"]}"), 2);
    stage_call(&stage, "policy_delete", "{\"name\":\"enqueue\"}", ERROR_NONE);
    stage_call(&stage, "take", "{\"subject\":\"a\",\"policies\":[\"enqueue\"]}", ERROR_NOT_FOUND);
    while (listener.version < 5 && bus_wait(&listener.heard))
        ;
    is_int(listener.version, 5);
    is_int(listener.policies, before);
    actor_stop(&stage.actors[0]);
    stage_start(&stage, 0); /* what was changed is kept */
    const value_t *answer = stage_call(&stage, "policies", "{}", ERROR_NONE);
    is_int(value_get_int(answer, "version", 0), 5);
    is_int(value_get(answer, "policies")->count, before);
    is_int(stage_take(&stage, "{\"subject\":\"new\",\"policies\":[\"free\"]}"), 4);
    stage_close(&stage);
}

/* ---- restart --------------------------------------------------------------------------------- */

static void test_restart(void)
{
    stage_t stage;
    stage_open(&stage);
    is_int(stage_take(&stage, "{\"subject\":\"a\",\"policies\":[\"auth.failures\"],\"cost\":4}"),
           1);
    is_int(
        stage_take(&stage, "{\"subject\":\"b \\\"q\\\" \\u00e9\",\"policies\":[\"free\",\"pro\"]}"),
        19);
    actor_stop(&stage.actors[0]);
    stage_start(&stage, 0);
    is_int(stage_take(&stage, "{\"subject\":\"a\",\"policies\":[\"auth.failures\"]}"), 0);
    is_int(stage_take(&stage, "{\"subject\":\"a\",\"policies\":[\"auth.failures\"]}"), -1);
    is_int(stage_take(&stage, "{\"subject\":\"b \\\"q\\\" \\u00e9\",\"policies\":[\"pro\"]}"), 98);
    is_int(stage_take(&stage, "{\"subject\":\"c\",\"policies\":[\"pro\"]}"), 99);
    stage_close(&stage);
}

/* What is flushed is known without a last word: the row is there while the actor still runs. */
static void test_written_behind(void)
{
    static const db_sql_t count = { "test.count", "SELECT count(*) AS n FROM usage", NULL };
    stage_t stage;
    stage_open(&stage);
    stage_take(&stage, "{\"subject\":\"a\",\"policies\":[\"free\"]}");
    int64_t rows = 0;
    for (int tries = 0; rows == 0 && tries < BUS_PATIENCE_S * 100; tries++) {
        rows = place_number(actor_db(stage.actors[0]), &count);
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
    }
    is_int(rows, 1);
    stage_close(&stage);
}

/* ---- several instances: they share a database, so it is a server ----------------------------- */

/* How many of 40 subjects have `left` left after another take. */
static int s_take_forty(stage_t *stage, int64_t left)
{
    char json[100];
    int good = 0;
    for (int i = 0; i < 40; i++) {
        snprintf(json, sizeof json, "{\"subject\":\"s%d\",\"policies\":[\"free\"]}", i);
        good += stage_take(stage, json) == left;
    }
    return good;
}

static void test_instances_come_and_go(void)
{
    stage_t stage;
    if (!ON_POSTGRES)
        return;
    stage_open(&stage);
    is_int(s_take_forty(&stage, 19), 40);
    stage_start(&stage, 1); /* takes some of them over, and knows what was used */
    is_int(s_take_forty(&stage, 18), 40);
    stage_start(&stage, 2);
    is_int(s_take_forty(&stage, 17), 40);
    actor_stop(&stage.actors[0]);
    is_int(s_take_forty(&stage, 16), 40);
    actor_stop(&stage.actors[2]);
    is_int(s_take_forty(&stage, 15), 40);
    stage_start(&stage, 0);
    is_int(s_take_forty(&stage, 14), 40);
    stage_close(&stage);
}

/* A line between the broker's events and who hears them late. */
typedef struct {
    void *upstream, *downstream;
    atomic_bool ends;
    pthread_t thread;
} slow_line_t;

#define SLOW_MS 100
#define LINE_MS 10

static void s_pass_on(void *from, void *to)
{
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    while (zmq_msg_recv(&frame, from, ZMQ_DONTWAIT) >= 0)
        zmq_msg_send(&frame, to, zmq_msg_more(&frame) ? ZMQ_SNDMORE : 0);
    zmq_msg_close(&frame);
}

static void *s_run_line(void *arg)
{
    slow_line_t *line = arg;
    while (!atomic_load(&line->ends)) {
        zmq_pollitem_t items[] = { { .socket = line->upstream, .events = ZMQ_POLLIN },
                                   { .socket = line->downstream, .events = ZMQ_POLLIN } };
        zmq_poll(items, COUNT_OF(items), LINE_MS);
        s_pass_on(line->downstream, line->upstream); /* subscriptions */
        if (items[0].revents) {
            clock_sleep_ms(SLOW_MS);
            s_pass_on(line->upstream, line->downstream);
        }
    }
    return NULL;
}

static void s_open_line(slow_line_t *line, const bus_t *bus, const char *endpoint)
{
    *line = (slow_line_t){ 0 };
    line->upstream = zmq_socket(bus->context, ZMQ_XSUB);
    line->downstream = zmq_socket(bus->context, ZMQ_XPUB);
    insist(zmq_connect(line->upstream, bus->bus.events) == 0);
    insist(zmq_bind(line->downstream, endpoint) == 0);
    insist(pthread_create(&line->thread, NULL, s_run_line, line) == 0);
}

static void s_close_line(slow_line_t *line)
{
    atomic_store(&line->ends, true);
    pthread_join(line->thread, NULL);
    zmq_close(line->upstream);
    zmq_close(line->downstream);
}

/* Requests reach the next owner long before the last that the one before it has counted. The next
 * owner knows all of the subjects from before, so nothing but waiting tells it what is missing. */
static void test_the_last_copies_are_late(void)
{
    stage_t stage;
    slow_line_t line;
    if (!ON_POSTGRES)
        return;
    stage_open(&stage);
    actor_stop(&stage.actors[0]);
    s_open_line(&line, &stage.bus, "inproc://slow");
    client_settings_t slow = stage.bus.bus;
    slow.events = "inproc://slow";
    stage.way = &slow;
    stage_start(&stage, 0);
    is_int(s_take_forty(&stage, 19), 40);
    stage.way = NULL;
    stage_start(&stage, 1);
    for (int64_t left = 18; left > 15; left--)
        is_int(s_take_forty(&stage, left), 40);
    actor_stop(&stage.actors[1]);
    is_int(s_take_forty(&stage, 15), 40);
    actor_stop(&stage.actors[0]);
    s_close_line(&line);
    stage_close(&stage);
}

/* Each of the instances obeys a change that one of them was told. */
static void test_all_hear_of_a_change(void)
{
    stage_t stage;
    char json[100];
    if (!ON_POSTGRES)
        return;
    stage_open(&stage);
    stage_start(&stage, 1);
    stage_start(&stage, 2);
    is_int(s_take_forty(&stage, 19), 40);
    stage_call(&stage, "policy_set", "{\"name\":\"free\",\"limit\":1,\"window_ms\":60000}",
               ERROR_NONE);
    for (int i = 0; i < 40; i++) {
        snprintf(json, sizeof json, "{\"subject\":\"s%d\",\"policies\":[\"free\"]}", i);
        int64_t left = 0;
        for (int tries = 0; left != -1 && tries < BUS_PATIENCE_S * 100; tries++) {
            left = stage_take(&stage, json);
            if (left != -1)
                nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
        }
        is_int(left, -1);
    }
    stage_close(&stage);
}

DATABASE_TESTS({ "take", test_take }, { "refusals", test_refusals },
               { "peek_and_refund", test_peek_and_refund }, { "lease", test_lease },
               { "top", test_top }, { "policies_change", test_policies_change },
               { "restart", test_restart }, { "written_behind", test_written_behind },
               { "instances_come_and_go", test_instances_come_and_go },
               { "the_last_copies_are_late", test_the_last_copies_are_late },
               { "all_hear_of_a_change", test_all_hear_of_a_change })
