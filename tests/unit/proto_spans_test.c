/* SPDX-License-Identifier: MPL-2.0
 *
 * Which spans are published, and when: at once, when their trace is named, or never.
 */
#include "config.h"

#include "actors/base/clock.h"
#include "proto/spans.h"
#include "proto/value.h"
#include "tests/kit/bus.h"

#define HEARD_MAX 64
#define RING      8
#define SLOW_MS   100

enum { KEPT, LOST, NAMED, ROWS };

static const stats_row_t s_rows[ROWS + 1] = {
    [KEPT] = { "kept_total", STATS_COUNTER, "Spans published" },
    [LOST] = { "lost_total", STATS_COUNTER, "Spans not published" },
    [NAMED] = { "named_total", STATS_COUNTER, "Traces named" },
};

/* A part that makes spans, and somebody who hears what it publishes. */
typedef struct {
    bus_t bus;
    client_t *listener;
    stats_t stats;
    spans_t *spans;
    pthread_mutex_t mutex;
    arena_t arena;
    const value_t *heard[HEARD_MAX];          /* spans */
    size_t heard_count, named_count, largest; /* spans of one event */
    sem_t came, ready;
} stage_t;

static void s_on_event(void *arg, const client_event_t *event)
{
    stage_t *self = arg;
    value_verdict_t verdict;
    pthread_mutex_lock(&self->mutex);
    const value_t *span,
        *body = value_parse(&self->arena, arena_text(&self->arena, event->body, event->size),
                            event->size, VALUE_LIMITS, &verdict);
    const value_t *spans = value_get(body, "spans");
    if (spans && spans->count > self->largest)
        self->largest = spans->count;
    if (event->topic_size == strlen("trace"))
        for (uint32_t i = 0; (span = value_item(value_get(body, "spans"), i)); i++) {
            if (self->heard_count < HEARD_MAX)
                self->heard[self->heard_count] = span;
            self->heard_count++;
            sem_post(&self->came);
        }
    else if (value_get(body, "ids"))
        self->named_count++;
    else
        sem_post(&self->ready);
    pthread_mutex_unlock(&self->mutex);
}

static void s_open(stage_t *self, uint32_t millionths, size_t ring)
{
    *self = (stage_t){ 0 };
    bus_open(&self->bus, NULL);
    pthread_mutex_init(&self->mutex, NULL);
    sem_init(&self->came, 0, 0);
    sem_init(&self->ready, 0, 0);
    stats_init(&self->stats, s_rows);
    self->listener = client_new(
        self->bus.context,
        &(client_config_t){ .settings = &self->bus.bus, .name = "listener", .part = "test" });
    client_subscribe(self->listener, "trace", s_on_event, self);
    self->spans = spans_new(&(spans_config_t){ .millionths = millionths,
                                               .slow_ms = SLOW_MS,
                                               .ring = ring,
                                               .client = self->bus.client,
                                               .part = "part",
                                               .instance = "part-1",
                                               .stats = &self->stats,
                                               .kept = KEPT,
                                               .lost = LOST,
                                               .named = NAMED });
    /* a subscription takes a moment to arrive */
    for (int tries = 0; tries < BUS_PATIENCE_S * 100; tries++) {
        buf_t body = { 0 };
        buf_add_byte(&body, 0x80);
        client_publish(self->bus.client, "trace.test", false, &body);
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
        if (sem_trywait(&self->ready) == 0)
            break;
    }
}

static void s_close(stage_t *self)
{
    client_destroy(&self->listener);
    bus_close(&self->bus);
    spans_destroy(&self->spans);
    stats_free(&self->stats);
    arena_free(&self->arena);
}

static trace_span_t s_span(const trace_t *trace, const char *method)
{
    static const uint8_t none[TRACE_SPAN_BYTES];
    const trace_t child = trace_child(trace);
    trace_span_t span;
    trace_span_init(&span, SPAN_HANDLER, "things", method, &child, none);
    span.started_us = clock_us();
    return span;
}

static void s_end(stage_t *self, const trace_t *trace, const char *method, uint64_t took_us,
                  bool is_failed)
{
    trace_span_t span = s_span(trace, method);
    span.took_us = took_us;
    span.is_failed = is_failed;
    spans_end(self->spans, &span);
}

/* Publishes and waits for so many spans more. */
static bool s_come(stage_t *self, size_t count)
{
    spans_flush(self->spans);
    while (count-- > 0)
        if (!bus_wait(&self->came))
            return false;
    return true;
}

static bool s_is_heard(stage_t *self, size_t index, const char *name)
{
    pthread_mutex_lock(&self->mutex);
    bool good = index < self->heard_count && value_is(value_get(self->heard[index], "name"), name);
    pthread_mutex_unlock(&self->mutex);
    return good;
}

static void s_hear(stage_t *self, const trace_t *trace)
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 1);
    pack_text(&pack, "ids");
    pack_array(&pack, 2);
    pack_bytes(&pack, "short", 5);
    pack_bytes(&pack, trace->trace, TRACE_ID_BYTES);
    spans_hear(self->spans, body.bytes, body.size);
    buf_free(&body);
}

/* ---- what is told --------------------------------------------------------------------------- */

static void test_fields(void)
{
    static const char parent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    stage_t stage;
    trace_t caller, trace;
    uint8_t above[TRACE_SPAN_BYTES];
    trace_span_t span;
    s_open(&stage, TRACE_RATIO_ALL, RING);
    ok(trace_read(&caller, parent));
    ok(spans_enter(stage.spans, parent, &trace, above));
    is_int(trace.flags, TRACE_SAMPLED);
    trace_span_init(&span, SPAN_SERVER, "GET", "/v1/things/{id}", &trace, above);
    span.status = 503;
    span.code = ERROR_UNAVAILABLE;
    span.is_failed = true;
    span.cache = "MISS";
    span.limit = "counted";
    span.wait_us = 7;
    span.job = 9;
    span.started_us = clock_us() - 2000000;
    span.took_us = 1500000;
    spans_end(stage.spans, &span);
    ok(s_come(&stage, 1));
    const value_t *told = stage.heard[0], *attributes = value_get(told, "attributes");
    ok(value_is(value_get(told, "trace_id"), "0af7651916cd43dd8448eb211c80319c"));
    ok(value_is(value_get(told, "parent_id"), "b7ad6b7169203331"));
    is_int(value_get(told, "id")->count, 16);
    ok(value_is(value_get(told, "name"), "GET /v1/things/{id}"));
    is_int(value_get_int(told, "kind", 0), 2);
    is_int(value_get_int(told, "duration_us", 0), 1500000);
    const int64_t ago_us = clock_wall_us() - value_get_int(told, "start_us", 0);
    ok(ago_us >= 2000000 && ago_us < 2000000 + BUS_PATIENCE_S * INT64_C(1000000));
    ok(value_get_bool(told, "is_failed", false));
    ok(value_is(value_get(attributes, "http.request.method"), "GET"));
    ok(value_is(value_get(attributes, "http.route"), "/v1/things/{id}"));
    is_int(value_get_int(attributes, "http.response.status_code", 0), 503);
    ok(value_is(value_get(attributes, "error.type"), "UNAVAILABLE"));
    ok(value_is(value_get(attributes, "signalbox.cache"), "MISS"));
    ok(value_is(value_get(attributes, "signalbox.limit"), "counted"));
    is_int(value_get_int(attributes, "signalbox.wait_us", 0), 7);
    is_int(value_get_int(attributes, "signalbox.job", 0), 9);
    is_int(stage.named_count, 0); /* everybody knew */
    s_close(&stage);
}

#define A10 "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
#define A40 A10 A10 A10 A10

/* Names longer than their room are cut; a span that began a trace has no parent. */
static void test_long_names(void)
{
    static const char text[] = "0123456789012345678901234567890123456789"
                               "0123456789012345678901234567890123456789"
                               "0123456789012345678901234567890123456789";
    static const struct {
        const char *first, *second;
        size_t size; /* of the name told */
    } rows[] = {
        { "service", text, SPANS_NAME_SIZE - 1 },
        { text, "method", SPANS_NAME_SIZE - 1 },
        { text, text, SPANS_NAME_SIZE - 1 },
        { "", "", 1 },
        /* between characters, of which each has two bytes */
        { "a", A40 A40, SPANS_NAME_SIZE - 2 },
        { "ab", A40 A40, SPANS_NAME_SIZE - 1 },
        { A40 A40, "", SPANS_NAME_SIZE - 1 },
    };
    static const uint8_t none[TRACE_SPAN_BYTES];
    stage_t stage;
    s_open(&stage, TRACE_RATIO_ALL, RING);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        trace_t trace;
        trace_span_t span;
        uint8_t above[TRACE_SPAN_BYTES];
        ok(!spans_enter(stage.spans, NULL, &trace, above));
        ok(memcmp(above, none, sizeof none) == 0);
        trace_span_init(&span, SPAN_CALL, rows[i].first, rows[i].second, &trace, above);
        spans_end(stage.spans, &span);
        ok(s_come(&stage, 1));
        const value_t *name = value_get(stage.heard[i], "name");
        is_int(name ? name->count : 0, rows[i].size);
        ok(!value_get(stage.heard[i], "parent_id"));
    }
    s_close(&stage);
}

/* ---- which are told ------------------------------------------------------------------------- */

static void test_unkept(void)
{
    stage_t stage;
    trace_t trace;
    s_open(&stage, 0, RING);
    trace_fresh(&trace);
    spans_decide(stage.spans, &trace);
    is_int(trace.flags, 0);
    s_end(&stage, &trace, "well", 10, false);
    spans_flush(stage.spans);
    trace_fresh(&trace);
    trace.flags = TRACE_SAMPLED; /* somebody before us has decided */
    s_end(&stage, &trace, "sampled", 10, false);
    ok(s_come(&stage, 1));
    ok(s_is_heard(&stage, 0, "things.sampled"));
    is_int(stats_get(&stage.stats, KEPT), 1);
    s_close(&stage);
}

/* What failed, or was slow, has its trace kept: what was before, and what comes. */
static void test_remarkable(void)
{
    static const struct {
        const char *what;
        uint64_t took_us;
        bool is_failed, is_long, is_kept;
    } rows[] = {
        { "things.failed", 10, true, false, true },
        { "things.slow", SLOW_MS * 1000 + 1, false, false, true },
        { "things.fast", SLOW_MS * 1000, false, false, false },
        { "things.long", SLOW_MS * 1000 + 1, false, true, false },
        { "things.long", 10, true, true, true },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        stage_t stage;
        trace_t trace, other;
        s_open(&stage, 0, RING);
        trace_fresh(&trace);
        trace_fresh(&other);
        s_end(&stage, &trace, "before", 10, false);
        s_end(&stage, &other, "other", 10, false);
        trace_span_t span = s_span(&trace, strchr(rows[i].what, '.') + 1);
        span.took_us = rows[i].took_us;
        span.is_failed = rows[i].is_failed;
        span.is_long = rows[i].is_long;
        spans_end(stage.spans, &span);
        s_end(&stage, &trace, "after", 10, false);
        if (rows[i].is_kept) {
            ok(s_come(&stage, 3));
            ok(s_is_heard(&stage, 0, "things.before"));
            ok_named(s_is_heard(&stage, 1, rows[i].what), rows[i].what);
            ok(s_is_heard(&stage, 2, "things.after"));
        }
        spans_flush(stage.spans);
        is_int(stats_get(&stage.stats, KEPT), rows[i].is_kept ? 3 : 0);
        is_int(stats_get(&stage.stats, NAMED), rows[i].is_kept);
        s_close(&stage);
    }
}

/* Another part names a trace. */
static void test_named_elsewhere(void)
{
    stage_t stage;
    trace_t trace;
    s_open(&stage, 0, RING);
    trace_fresh(&trace);
    s_end(&stage, &trace, "one", 10, false);
    s_hear(&stage, &trace);
    s_hear(&stage, &trace); /* once more says nothing new */
    s_end(&stage, &trace, "two", 10, false);
    s_end(&stage, &trace, "three", 10, true);
    ok(s_come(&stage, 3));
    ok(s_is_heard(&stage, 0, "things.one") && s_is_heard(&stage, 1, "things.two"));
    is_int(stats_get(&stage.stats, NAMED), 0); /* nobody need be told again */
    spans_hear(stage.spans, "\xc1", 1);
    s_close(&stage);
}

/* Over the bus two parts keep one trace. */
static void test_two_parts(void)
{
    stage_t stage;
    trace_t trace;
    s_open(&stage, 0, RING);
    client_t *other = client_new(
        stage.bus.context,
        &(client_config_t){ .settings = &stage.bus.bus, .name = "other-1", .part = "other" });
    trace_fresh(&trace);
    trace_span_t span = s_span(&trace, "there");
    spans_end(client_spans(other), &span); /* from now on it listens */
    /* until its subscription has arrived nobody hears: traces are named again and again */
    bool good = false;
    for (int tries = 0; !good && tries < BUS_PATIENCE_S * 10; tries++) {
        trace_fresh(&trace);
        span = s_span(&trace, "there");
        spans_end(client_spans(other), &span);
        s_end(&stage, &trace, "here", 10, true);
        spans_flush(stage.spans);
        nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
        pthread_mutex_lock(&stage.mutex);
        for (size_t i = 0; i < stage.heard_count && i < HEARD_MAX; i++)
            good |= value_is(value_get(stage.heard[i], "name"), "things.there");
        pthread_mutex_unlock(&stage.mutex);
    }
    ok(good);
    client_destroy(&other);
    s_close(&stage);
}

/* ---- what is too much ----------------------------------------------------------------------- */

static void test_ring(void)
{
    stage_t stage;
    trace_t trace, other;
    s_open(&stage, 0, RING);
    trace_fresh(&trace);
    trace_fresh(&other);
    s_end(&stage, &trace, "early", 10, false);
    s_end(&stage, &trace, "late", 10, false);
    for (int i = 0; i < RING - 1; i++)
        s_end(&stage, &other, "other", 10, false);
    s_hear(&stage, &trace);
    ok(s_come(&stage, 1));
    ok(s_is_heard(&stage, 0, "things.late"));
    is_int(stats_get(&stage.stats, KEPT), 1);
    s_close(&stage);

    s_open(&stage, 0, 0); /* no ring */
    s_end(&stage, &trace, "early", 10, false);
    s_end(&stage, &trace, "failed", 10, true);
    ok(s_come(&stage, 1));
    ok(s_is_heard(&stage, 0, "things.failed"));
    s_close(&stage);
}

/* A trace of many spans that is named late is told in events that others can read. */
static void test_many(void)
{
    stage_t stage;
    trace_t trace;
    const size_t count = 10 * SPANS_BATCH + 1;
    s_open(&stage, 0, count);
    trace_fresh(&trace);
    for (size_t i = 0; i < count; i++)
        s_end(&stage, &trace, "one", 10, false);
    s_end(&stage, &trace, "failed", 10, true);
    ok(s_come(&stage, count + 1));
    ok(stage.largest <= SPANS_BATCH);
    is_int(stats_get(&stage.stats, KEPT), count + 1);
    s_close(&stage);
}

static void test_bounds(void)
{
    stage_t stage;
    trace_t trace;
    size_t sent = 0;
    s_open(&stage, 0, RING);
    trace_fresh(&trace);
    trace.flags = TRACE_SAMPLED;
    while (stats_get(&stage.stats, LOST) == 0 && sent < 1000000) {
        s_end(&stage, &trace, "one", 10, false);
        sent++;
    }
    spans_flush(stage.spans);
    ok(sent > SPANS_A_SECOND);
    is_int(stats_get(&stage.stats, KEPT) + stats_get(&stage.stats, LOST), sent);
    s_close(&stage);

    s_open(&stage, 0, RING);
    for (sent = 0; stats_get(&stage.stats, NAMED) == (int64_t)sent && sent < 1000000; sent++) {
        trace_fresh(&trace);
        s_end(&stage, &trace, "failed", 10, true);
    }
    ok(sent > SPANS_NAMED_A_TIME);
    s_close(&stage);
}

TESTS({ "fields", test_fields }, { "long_names", test_long_names }, { "unkept", test_unkept },
      { "remarkable", test_remarkable }, { "named_elsewhere", test_named_elsewhere },
      { "two_parts", test_two_parts }, { "ring", test_ring }, { "many", test_many },
      { "bounds", test_bounds })
