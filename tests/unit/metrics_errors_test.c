/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include <stdlib.h>

#include "actors/metrics/errors.h"
#include "actors/metrics/likeness.h"
#include "tests/kit/described.h"
#include "tests/tap.h"

#define NOW_MS  INT64_C(1795258001595)
#define KEEP_MS 3600000

/* ---- likeness ------------------------------------------------------------------------------- */

static void test_likeness(void)
{
    static const struct {
        const char *text, *like;
    } texts[] = {
        { "", "" },
        { "The disk is full", "The disk is full" },
        { "Line 12, column 7", "Line <n>, column <n>" },
        { "It took 250ms of 1.5 s.", "It took <n>ms of <n>.<n> s." },
        { "job 01890a5d-ac96-774b-bcce-b302099a8057 died", "job <id> died" },
        { "Instance cache-7f3a11bc left.", "Instance cache-<id> left." },
        { "since 2026-11-21T10:04:01.595Z", "since <time>" },
        { "connect to 10.0.0.7:5432: refused", "connect to <address>: refused" },
        { "connect to [2001:db8::7]:5432", "connect to [<address>]:<n>" },
        { "mail for someone@example.com.", "mail for <address>." },
        { "key sbx_live_4fK2mQ9xYb7Lr3Zt8WvN", "key sbx_live_<id>" },
        { "No instance of the service 'analysis' is running",
          "No instance of the service 'analysis' is running" },
        { "deadbeef", "deadbeef" },
        { "\xc3\xa4 5\xe2\x82\xac", "\xc3\xa4 <n>\xe2\x82\xac" },
        { "relation \"auth.users_2\" at 0x7f00c0",
          "relation \"auth.users_<n>\" at <n>x<n>f<n>c<n>" },
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        buf_t like = { 0 };
        likeness_write(texts[i].text, &like);
        is_text(buf_text(&like), texts[i].like);
        buf_free(&like);
    }
}

/* ---- reading -------------------------------------------------------------------------------- */

static bool s_reads(fault_t *fault, arena_t *arena, const char *json)
{
    buf_t packed = described_pack(json);
    char *copy = arena_text(arena, packed.bytes, packed.size);
    bool good = fault_read(fault, arena, copy, packed.size);
    buf_free(&packed);
    return good;
}

static void test_reading(void)
{
    static const struct {
        const char *what, *json;
        bool is_good;
    } events[] = {
        { "the least", "{\"code\":\"INTERNAL\",\"part\":\"cache\"}", true },
        { "no map", "[1]", false },
        { "without a code", "{\"part\":\"cache\"}", false },
        { "without a part", "{\"code\":\"INTERNAL\"}", false },
        { "a part that is no name", "{\"code\":\"X\",\"part\":\"a b\"}", false },
        { "a code that is no text", "{\"code\":7,\"part\":\"cache\"}", false },
        { "too deep", "{\"code\":\"X\",\"part\":\"a\",\"more\":[[[[[1]]]]]}", false },
    };
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        arena_t arena = { 0 };
        fault_t fault;
        ok_named(s_reads(&fault, &arena, events[i].json) == events[i].is_good, events[i].what);
        arena_free(&arena);
    }
}

/* What a stranger says is cut and cleaned. */
static void test_strangers(void)
{
    arena_t arena = { 0 };
    fault_t fault;
    buf_t json = { 0 };
    buf_add_text(&json, "{\"code\":\"X\",\"part\":\"a\",\"method\":\"m\\u001b[2J\","
                        "\"request_id\":\"not a name\",\"trace_id\":\"xyz\",\"message\":\"");
    for (int i = 0; i < 400; i++)
        buf_add_text(&json, "\xc3\xa4");
    buf_add_text(&json, "\",\"breadcrumbs\":[7");
    for (int i = 0; i < 30; i++)
        buf_printf(&json, ",{\"at\":\"soon\",\"level\":\"loud\",\"event\":\"e%d\",\"text\":5}", i);
    buf_add_text(&json, "]}");
    ok(s_reads(&fault, &arena, buf_text(&json)));
    is_text(fault.method, "m [2J");
    is_text(fault.request_id, "");
    is_text(fault.trace_id, "");
    is_int(strlen(fault.message), FAULT_TEXT_BYTES);
    is_int(fault.crumb_count, FAULT_CRUMBS_MAX);
    is_text(fault.crumbs[FAULT_CRUMBS_MAX - 1].event, "e29");
    is_text(fault.crumbs[0].level, "info");
    is_text(fault.crumbs[0].text, "");
    ok(!fault_read(&fault, &arena, json.bytes, FAULT_BYTES_MAX + 1));
    buf_free(&json);
    arena_free(&arena);
}

/* Nobody is told what looks like a secret, whoever has said it. */
static void test_secrets(void)
{
    arena_t arena = { 0 };
    fault_t fault;
    ok(s_reads(&fault, &arena,
               "{\"code\":\"X\",\"part\":\"a\",\"message\":\"refused password=hunter2 again\","
               "\"breadcrumbs\":[{\"event\":\"e\","
               "\"text\":\"GET https://me:hunter2@example.com/\"}]}"));
    ok(!strstr(fault.message, "hunter2") && strstr(fault.message, "again"));
    ok(!strstr(fault.crumbs[0].text, "hunter2") && strstr(fault.crumbs[0].text, "GET"));
    arena_free(&arena);
}

static void test_there_and_back(void)
{
    arena_t arena = { 0 };
    buf_t packed = { 0 };
    pack_t pack;
    fault_t read, fault = { .code = "INTERNAL",
                            .part = "cache",
                            .method = "get",
                            .message = "It broke",
                            .version = "0.1.0",
                            .request_id = "req-1",
                            .trace_id = "0af7651916cd43dd8448eb211c80319c",
                            .span_id = "b7ad6b7169203331",
                            .crumbs = { { NOW_MS, "warn", "query.slow", "\"us\":7" } },
                            .crumb_count = 1 };
    pack_init(&pack, &packed);
    fault_write(&fault, &pack);
    ok(fault_read(&read, &arena, packed.bytes, packed.size));
    is_text(read.message, "It broke");
    is_text(read.trace_id, fault.trace_id);
    is_text(read.span_id, fault.span_id);
    is_text(read.request_id, "req-1");
    ok(read.crumb_count == 1 && read.crumbs[0].wall_ms == NOW_MS);
    is_text(read.crumbs[0].level, "warn");
    is_text(read.crumbs[0].text, "\"us\":7");
    buf_free(&packed);
    arena_free(&arena);
}

/* ---- grouping ------------------------------------------------------------------------------- */

static fault_t s_fault(const char *part, const char *message, const char *request_id)
{
    return (fault_t){ .code = "INTERNAL",
                      .part = part,
                      .method = "get",
                      .message = message,
                      .version = "",
                      .request_id = request_id,
                      .trace_id = "",
                      .span_id = "" };
}

static void test_groups(void)
{
    static const struct {
        const char *what, *part, *message, *request, *publisher;
        int64_t at_ms;
        errors_verdict_t verdict;
        uint64_t count;
    } steps[] = {
        { "the first", "cache", "Line 1 broke", "a", "cache-1", 0, ERRORS_NEW, 1 },
        { "alike", "cache", "Line 2 broke", "b", "cache-1", 1, ERRORS_MET, 2 },
        { "on another instance", "cache", "Line 3 broke", "c", "cache-2", 2, ERRORS_MET, 3 },
        { "of another part", "jobs", "Line 1 broke", "d", "jobs-1", 3, ERRORS_NEW, 1 },
        { "that something else says", "cache", "It broke", "e", "cache-1", 4, ERRORS_NEW, 1 },
        { "of the same request, by who passes it on", "cache", "Line 3 broke", "c", "edge-1", 5,
          ERRORS_ECHO, 0 },
        { "by the caller in between", "jobs", "Line 3 broke", "c", "jobs-1", 5, ERRORS_ECHO, 0 },
        { "made of something else in between", "jobs", "Nothing works", "c", "jobs-1", 5,
          ERRORS_NEW, 1 },
        { "of the same request, tried again", "cache", "Line 9 broke", "c", "cache-2", 6,
          ERRORS_MET, 4 },
        { "of a request without an id", "cache", "Line 1 broke", "", "cache-1", 7, ERRORS_MET, 5 },
        { "and again", "cache", "Line 1 broke", "", "edge-1", 7, ERRORS_MET, 6 },
        { "of a request of old", "cache", "Line 1 broke", "a", "edge-1", ERRORS_ECHO_MS, ERRORS_MET,
          7 },
    };
    errors_t errors;
    const error_group_t *group;
    size_t evicted;
    errors_init(&errors, KEEP_MS);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        const fault_t fault = s_fault(steps[i].part, steps[i].message, steps[i].request);
        errors_verdict_t verdict = errors_take(&errors, &fault, steps[i].publisher,
                                               NOW_MS + steps[i].at_ms, &group, &evicted);
        ok_named(verdict == steps[i].verdict && evicted == 0, steps[i].what);
        is_int(group ? group->count : 0, steps[i].count);
    }
    is_int(HASH_COUNT(errors.groups), 4);
    ok(group && group->first_ms == NOW_MS && group->last_ms == NOW_MS + ERRORS_ECHO_MS);
    ok(group == errors.newest);
    is_text(group->message, "Line <n> broke");
    is_int(group->instance_count, 3);
    is_text(group->last_instance, "edge-1");
    ok(errors_find(&errors, group->fingerprint) == group);
    errors_free(&errors);
}

static void s_take(errors_t *errors, const char *message, int64_t wall_ms, size_t *evicted)
{
    const error_group_t *group;
    const fault_t fault = s_fault("cache", message, "");
    (void)errors_take(errors, &fault, "cache-1", wall_ms, &group, evicted);
}

/* Neither many kinds nor long ones take more room than there is; the oldest goes. */
static void test_bounds(void)
{
    errors_t errors;
    size_t evicted, all = 0;
    char message[40], first[ID_UUID_SIZE];
    errors_init(&errors, KEEP_MS);
    for (int i = 0; i < ERRORS_MAX + 10; i++) {
        /* numbers make no difference: letters do */
        snprintf(message, sizeof message, "kind %c%c%c", 'a' + i / 676, 'a' + i / 26 % 26,
                 'a' + i % 26);
        s_take(&errors, message, NOW_MS + i, &evicted);
        all += evicted;
        if (i == 0)
            memcpy(first, errors.newest->fingerprint, sizeof first);
    }
    is_int(HASH_COUNT(errors.groups), ERRORS_MAX);
    is_int(all, 10);
    ok(!errors_find(&errors, first));
    ok(errors.bytes <= ERRORS_BYTES_MAX);
    ok(errors.newest->prev->last_ms == NOW_MS + 10);
    errors_free(&errors);
    is_int(errors.bytes, 0);
}

static void test_age(void)
{
    errors_t errors;
    size_t evicted;
    errors_init(&errors, KEEP_MS);
    s_take(&errors, "old", NOW_MS, &evicted);
    s_take(&errors, "young", NOW_MS + 1000, &evicted);
    errors_tick(&errors, NOW_MS + KEEP_MS);
    is_int(HASH_COUNT(errors.groups), 2);
    errors_tick(&errors, NOW_MS + KEEP_MS + 1);
    is_int(HASH_COUNT(errors.groups), 1);
    is_text(errors.newest->message, "young");
    ok(errors_is_new(errors.newest, NOW_MS + 1000 + ERRORS_NEW_MS - 1));
    ok(!errors_is_new(errors.newest, NOW_MS + 1000 + ERRORS_NEW_MS));
    char fingerprint[ID_UUID_SIZE];
    memcpy(fingerprint, errors.newest->fingerprint, sizeof fingerprint);
    ok(errors_forget(&errors, fingerprint));
    ok(!errors_forget(&errors, fingerprint));
    ok(!errors.newest);
    errors_free(&errors);
}

/* Which of them the summary has: the youngest, and whoever has left does not come back, however
 * often it is met. */
static void test_new(void)
{
    errors_t errors;
    size_t evicted, listed[2] = { 0 };
    errors_init(&errors, KEEP_MS);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < ERRORS_NEW_MAX + 5; i++) {
            char message[40];
            snprintf(message, sizeof message, "kind %c", 'a' + i);
            s_take(&errors, message, NOW_MS + 1000 * round + i, &evicted);
        }
        for (int i = 0; i < 5; i++) /* the oldest are met again and again */
            s_take(&errors, (const char *[]){ "kind a", "kind b", "kind c", "kind d", "kind e" }[i],
                   NOW_MS + 1000 * round + 100 + i, &evicted);
        arena_t arena = { 0 };
        buf_t out = { 0 };
        pack_t pack;
        value_verdict_t verdict;
        pack_init(&pack, &out);
        errors_write_new(&errors, NOW_MS + 2000, &pack);
        const value_t *list = value_parse(&arena, out.bytes, out.size, VALUE_LIMITS, &verdict);
        listed[round] = list->count;
        ok(value_is(value_get(value_item(list, 0), "message"), "kind y"));
        ok(value_is(value_get(value_item(list, ERRORS_NEW_MAX - 1), "message"), "kind f"));
        buf_free(&out);
        arena_free(&arena);
    }
    is_int(listed[0], ERRORS_NEW_MAX);
    is_int(listed[1], ERRORS_NEW_MAX);
    errors_free(&errors);
}

/* A hundred instances are counted by name as far as there is room. */
static void test_instances(void)
{
    errors_t errors;
    const error_group_t *group = NULL;
    size_t evicted;
    char publisher[200];
    errors_init(&errors, KEEP_MS);
    for (int i = 0; i < 100; i++) {
        const fault_t fault = s_fault("cache", "It broke", "");
        snprintf(publisher, sizeof publisher, "%d-%0*d", i, 150, 0);
        (void)errors_take(&errors, &fault, publisher, NOW_MS, &group, &evicted);
    }
    is_int(group->instance_count, ERRORS_INSTANCES_MAX);
    is_int(group->count, 100);
    errors_free(&errors);
}

TESTS({ "likeness", test_likeness }, { "reading", test_reading }, { "strangers", test_strangers },
      { "secrets", test_secrets }, { "there and back", test_there_and_back },
      { "groups", test_groups }, { "bounds", test_bounds }, { "age", test_age },
      { "new", test_new }, { "instances", test_instances })
