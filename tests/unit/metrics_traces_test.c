/* SPDX-License-Identifier: MPL-2.0
 *
 * What is remembered of traces, and for how long.
 */
#include "config.h"

#include "actors/metrics/traces.h"
#include "tests/kit/described.h"
#include "tests/tap.h"

#define KEEP_MS 1000

typedef struct {
    traces_t traces;
    arena_t arena;
} stage_t;

static void s_open(stage_t *self, size_t traces, size_t bytes)
{
    *self = (stage_t){ 0 };
    traces_init(&self->traces,
                &(traces_limits_t){ .traces = traces, .bytes = bytes, .keep_ms = KEEP_MS });
}

static void s_close(stage_t *self)
{
    traces_free(&self->traces);
    is_int(self->traces.count, 0);
    is_int(self->traces.bytes, 0);
    is_int(self->traces.spans, 0);
    arena_free(&self->arena);
}

static const value_t *s_parse(stage_t *self, const char *json)
{
    value_verdict_t verdict;
    buf_t packed = described_pack(json);
    const char *bytes = arena_text(&self->arena, packed.bytes, packed.size);
    const value_t *value = value_parse(&self->arena, bytes, packed.size, VALUE_LIMITS, &verdict);
    buf_free(&packed);
    return value;
}

/* A span of the trace and with the id that these numbers are. */
static void s_take(stage_t *self, unsigned trace, unsigned id, const char *more, uint64_t now_ms)
{
    heard_batch_t batch;
    heard_t span;
    const char *json = arena_format(
        &self->arena,
        "{\"part\":\"edge\",\"instance\":\"edge-1\",\"spans\":[{\"trace_id\":\"%032x\","
        "\"id\":\"%016x\",\"name\":\"GET /\",\"kind\":2,\"attributes\":{\"a\":1},%s}]}",
        trace, id, more);
    bool good = heard_read_batch(&batch, s_parse(self, json)) &&
                heard_read(&span, &self->arena, value_item(batch.spans, 0));
    insist(good);
    traces_take(&self->traces, &batch, &span, now_ms);
}

#define TIMES(start, took) "\"start_us\":" #start ",\"duration_us\":" #took

/* What is told of a trace; NULL: it is not known. */
static const value_t *s_look(stage_t *self, unsigned trace)
{
    uint8_t id[TRACE_ID_BYTES] = { 0 };
    value_verdict_t verdict;
    buf_t out = { 0 };
    pack_t pack;
    put_u32(id + 12, trace);
    pack_init(&pack, &out);
    if (!traces_write(&self->traces, id, &pack))
        return NULL;
    const char *bytes = arena_text(&self->arena, out.bytes, out.size);
    const value_t *told = value_parse(&self->arena, bytes, out.size, VALUE_LIMITS, &verdict);
    buf_free(&out);
    return told;
}

static void test_one(void)
{
    stage_t stage;
    s_open(&stage, 10, 100000);
    s_take(&stage, 7, 2, "\"parent_id\":\"0000000000000001\"," TIMES(1500, 200), 1);
    s_take(&stage, 7, 1, "\"is_failed\":true," TIMES(1000, 900), 2);
    s_take(&stage, 7, 3, "\"parent_id\":\"0000000000000001\"," TIMES(1800, 600), 3);
    s_take(&stage, 7, 3, TIMES(1, 1), 4); /* told twice */
    const value_t *told = s_look(&stage, 7);
    ok(value_is(value_get(told, "id"), "00000000000000000000000000000007"));
    ok(value_is(value_get(told, "name"), "GET /") && value_is(value_get(told, "part"), "edge"));
    is_int(value_get_int(told, "duration_us", 0), 1400);
    is_int(value_get_int(told, "span_count", 0), 3);
    ok(value_get_bool(told, "is_failed", false));
    const value_t *span = value_item(value_get(told, "spans"), 1);
    ok(value_is(value_get(span, "id"), "0000000000000001"));
    is_int(value_get(span, "parent_id")->type, VALUE_NIL);
    ok(value_is(value_get(span, "kind"), "server"));
    ok(value_is(value_get(span, "instance"), "edge-1"));
    is_int(value_get_int(value_get(span, "attributes"), "a", 0), 1);
    ok(!s_look(&stage, 8));
    s_close(&stage);
}

static void test_forgetting(void)
{
    stage_t stage;
    s_open(&stage, 10, 100000);
    s_take(&stage, 1, 1, TIMES(1, 1), 1000);
    s_take(&stage, 2, 1, TIMES(1, 1), 1500);
    s_take(&stage, 1, 2, TIMES(1, 1), 1900);
    traces_tick(&stage.traces, 2500);
    ok(s_look(&stage, 1) && s_look(&stage, 2));
    traces_tick(&stage.traces, 2501);
    ok(s_look(&stage, 1) && !s_look(&stage, 2));
    traces_tick(&stage.traces, 2901);
    ok(!s_look(&stage, 1));
    is_int(stage.traces.spans_dropped, 0);
    s_close(&stage);
}

static void test_room(void)
{
    stage_t stage;
    s_open(&stage, 2, 100000); /* traces */
    s_take(&stage, 1, 1, TIMES(1, 1), 1);
    s_take(&stage, 2, 1, TIMES(1, 1), 2);
    s_take(&stage, 1, 2, TIMES(1, 1), 3);
    s_take(&stage, 3, 1, TIMES(1, 1), 4);
    ok(s_look(&stage, 1) && !s_look(&stage, 2) && s_look(&stage, 3));
    is_int(stage.traces.spans_dropped, 1);
    s_close(&stage);

    s_open(&stage, 100, 1000); /* bytes */
    for (unsigned i = 1; i <= 20; i++)
        s_take(&stage, i, 1, TIMES(1, 1), i);
    ok(!s_look(&stage, 1) && s_look(&stage, 20));
    ok(stage.traces.bytes <= 1000);
    is_int(stage.traces.spans_dropped + stage.traces.spans, 20);
    for (unsigned i = 1; i <= 50; i++) /* one that takes all alone */
        s_take(&stage, 50, i, TIMES(1, 1), 100);
    is_int(stage.traces.count, 1);
    ok(stage.traces.bytes <= 1000 + 500);
    is_int(stage.traces.spans_dropped + stage.traces.spans, 70);
    s_take(&stage, 51, 1, TIMES(7, 5), 101); /* and the next one has room all the same */
    ok(!s_look(&stage, 50));
    is_int(value_get_int(s_look(&stage, 51), "duration_us", 0), 5);
    is_int(value_get_int(s_look(&stage, 51), "span_count", 0), 1);
    s_close(&stage);

    s_open(&stage, 10, 100000000); /* spans of one trace */
    for (unsigned i = 1; i <= TRACES_SPANS_MAX + 5; i++)
        s_take(&stage, 1, i, TIMES(1, 1), 1);
    is_int(stage.traces.spans, TRACES_SPANS_MAX);
    is_int(stage.traces.spans_dropped, 5);
    s_close(&stage);
}

static const value_t *s_list(stage_t *self, const traces_filter_t *filter)
{
    value_verdict_t verdict;
    buf_t out = { 0 };
    pack_t pack;
    pack_init(&pack, &out);
    traces_list(&self->traces, filter, &pack);
    const char *bytes = arena_text(&self->arena, out.bytes, out.size);
    const value_t *told = value_parse(&self->arena, bytes, out.size, VALUE_LIMITS, &verdict);
    buf_free(&out);
    return told;
}

static void test_list(void)
{
    stage_t stage;
    s_open(&stage, 10, 100000);
    is_int(s_list(&stage, &(traces_filter_t){ .most = 10 })->count, 0);
    s_take(&stage, 1, 1, TIMES(1, 5000), 1);
    s_take(&stage, 2, 1, "\"is_failed\":true," TIMES(1, 10), 2);
    s_take(&stage, 3, 1, TIMES(1, 10), 3);
    const value_t *all = s_list(&stage, &(traces_filter_t){ .most = 10 });
    is_int(all->count, 3);
    ok(value_is(value_get(value_item(all, 0), "id"), "00000000000000000000000000000003"));
    ok(value_is(value_get(value_item(all, 2), "id"), "00000000000000000000000000000001"));
    is_int(s_list(&stage, &(traces_filter_t){ .most = 2 })->count, 2);
    is_int(s_list(&stage, &(traces_filter_t){ .most = 2, .only_failed = true })->count, 1);
    is_int(s_list(&stage, &(traces_filter_t){ .most = 2, .least_us = 5000 })->count, 1);
    s_close(&stage);
}

/* Anybody may publish anything. */
static void test_strangers(void)
{
#define GOOD_IDS "\"trace_id\":\"00000000000000000000000000000001\",\"id\":\"0000000000000001\""
#define REST     "\"start_us\":1,\"duration_us\":1,\"kind\":2,\"attributes\":{}"
    static const struct {
        const char *span;
        bool good;
    } rows[] = {
        { "{" GOOD_IDS ",\"name\":\"a\"," REST "}", true },
        { "{" GOOD_IDS "," REST "}", false },
        { "{" GOOD_IDS ",\"name\":\"\"," REST "}", false },
        { "{" GOOD_IDS ",\"name\":7," REST "}", false },
        { "{\"trace_id\":\"00000000000000000000000000000000\",\"id\":\"0000000000000001\","
          "\"name\":\"a\"," REST "}",
          false },
        { "{\"trace_id\":\"0000000000000000000000000000000A\",\"id\":\"0000000000000001\","
          "\"name\":\"a\"," REST "}",
          false },
        { "{\"trace_id\":\"01\",\"id\":\"0000000000000001\",\"name\":\"a\"," REST "}", false },
        { "{" GOOD_IDS ",\"parent_id\":\"x\",\"name\":\"a\"," REST "}", false },
        { "{" GOOD_IDS ",\"name\":\"a\",\"start_us\":-1,\"duration_us\":1,\"kind\":2,"
          "\"attributes\":{}}",
          false },
        { "{" GOOD_IDS ",\"name\":\"a\",\"start_us\":1,\"duration_us\":9223372036854775807,"
          "\"kind\":2,\"attributes\":{}}",
          false },
        { "{" GOOD_IDS ",\"name\":\"a\",\"start_us\":0,\"duration_us\":1,\"kind\":2,"
          "\"attributes\":{}}",
          false },
        /* the last microsecond that OTLP's 64 bits of nanoseconds hold, and one more */
        { "{" GOOD_IDS ",\"name\":\"a\",\"start_us\":18446744073709550,\"duration_us\":1,"
          "\"kind\":2,\"attributes\":{}}",
          true },
        { "{" GOOD_IDS ",\"name\":\"a\",\"start_us\":18446744073709550,\"duration_us\":2,"
          "\"kind\":2,\"attributes\":{}}",
          false },
        { "{" GOOD_IDS ",\"parent_id\":null,\"name\":\"a\"," REST "}", true },
        { "{" GOOD_IDS ",\"name\":\"a\",\"start_us\":1,\"duration_us\":1,\"kind\":2,"
          "\"attributes\":{\"a\":\"\"}}",
          true },
        { "{" GOOD_IDS ",\"name\":\"a\",\"start_us\":1,\"duration_us\":1,\"kind\":9,"
          "\"attributes\":{}}",
          false },
        { "{" GOOD_IDS ",\"name\":\"a\",\"start_us\":1,\"duration_us\":1,\"kind\":2}", false },
        { "{" GOOD_IDS ",\"name\":\"a\",\"start_us\":1,\"duration_us\":1,\"kind\":2,"
          "\"attributes\":{\"a\":[]}}",
          false },
        { "7", false },
    };
    stage_t stage;
    heard_t span;
    heard_batch_t batch;
    s_open(&stage, 10, 1000);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        ok_named(heard_read(&span, &stage.arena, s_parse(&stage, rows[i].span)) == rows[i].good,
                 rows[i].span);
    ok(!heard_read_batch(&batch, NULL));
    ok(!heard_read_batch(&batch, s_parse(&stage, "{\"part\":\"a\",\"instance\":\"b\"}")));
    ok(!heard_read_batch(&batch, s_parse(&stage, "{\"part\":7,\"instance\":\"b\",\"spans\":[]}")));
    s_close(&stage);
}

/* What a service tells of its work may hold what is nobody's business. */
static void test_secrets(void)
{
    stage_t stage;
    heard_t span;
    s_open(&stage, 10, 1000);
    const value_t *told =
        s_parse(&stage, "{" GOOD_IDS ",\"name\":\"GET https://u:hunter2@h/\",\"start_us\":1,"
                        "\"duration_us\":1,\"kind\":2,\"attributes\":{\"a\":\"open\",\"n\":7,"
                        "\"url\":\"https://h/?token=hunter2\",\"db.password\":\"hunter2\"}}");
    ok(heard_read(&span, &stage.arena, told));
    ok(value_is(span.name, "GET https://***@h/"));
    ok(value_is(value_get(span.attributes, "url"), "https://h/?token=***"));
    ok(value_is(value_get(span.attributes, "db.password"), "***"));
    ok(value_is(value_get(span.attributes, "a"), "open"));
    is_int(value_get_int(span.attributes, "n", 0), 7);
    is_int(span.attributes->count, 4);
    s_close(&stage);
}

TESTS({ "one", test_one }, { "forgetting", test_forgetting }, { "room", test_room },
      { "list", test_list }, { "strangers", test_strangers }, { "secrets", test_secrets })
