/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include "actors/metrics/summary.h"
#include "tests/kit/snapshots.h"
#include "tests/tap.h"

#define NOW_MS  INT64_C(1700000010000)
#define BOOT_MS UINT64_C(1700000000000)

enum { REQUESTS, TIMES, IN_FLIGHT, CPU, MEMORY };

static const stats_row_t s_edge_rows[] = {
    [REQUESTS] = { "http_requests_total{method,route,status}", STATS_COUNTER, "Requests" },
    [TIMES] = { "http_request_duration_seconds{method,route}", STATS_HISTOGRAM, "Times" },
    [IN_FLIGHT] = { "http_requests_in_flight", STATS_GAUGE, "Requests" },
    [CPU] = { "process_cpu_seconds_total", STATS_COUNTER, "Processor time" },
    [MEMORY] = { "process_resident_memory_bytes", STATS_GAUGE, "Memory" },
    { 0 },
};

typedef struct {
    board_t board;
    errors_t errors;
    arena_t arena;
    buf_t bytes;
    const value_t *map;
} stage_t;

static void s_take(stage_t *stage, const char *instance, const stats_t *stats, uint64_t sequence,
                   int64_t wall_ms)
{
    uint64_t missed;
    view_t *view = snapshots_of_stats(
        stats, (snapshot_t){
                   .part = "edge", .instance = instance, .boot = BOOT_MS, .sequence = sequence });
    insist(board_take(&stage->board, &view, wall_ms, 5000, &missed) <= BOARD_GAP);
}

static void s_make(stage_t *stage)
{
    pack_t pack;
    value_verdict_t verdict;
    stage->bytes.size = 0;
    pack_init(&pack, &stage->bytes);
    summary_write(&stage->board, &stage->errors, 6000, NOW_MS, &pack);
    stage->map =
        value_parse(&stage->arena, stage->bytes.bytes, stage->bytes.size, VALUE_LIMITS, &verdict);
    insist(stage->map);
}

static void s_end(stage_t *stage)
{
    board_free(&stage->board);
    arena_free(&stage->arena);
    buf_free(&stage->bytes);
}

static void s_count(stats_t *stats, const char *route, const char *status, int64_t amount,
                    uint64_t time_us)
{
    const char *const labels[] = { "GET", route, status };
    series_add(stats_at(stats, REQUESTS, labels), amount);
    for (int64_t i = 0; i < amount; i++)
        series_record(stats_at(stats, TIMES, labels), time_us);
}

static double s_number(const value_t *map, const char *key)
{
    return value_as_double(value_get(map, key));
}

/* Two edges, ten seconds: what they did in between, alone and together. */
static void test_pace(void)
{
    stage_t stage = { 0 };
    stats_t one, two;
    stats_init(&one, s_edge_rows);
    stats_init(&two, s_edge_rows);
    board_init(&stage.board, 60000);
    s_count(&one, "/old", "200", 1000, 10);
    s_take(&stage, "one", &one, 1, NOW_MS - 10000);
    s_take(&stage, "two", &two, 1, NOW_MS - 10000);
    s_make(&stage);
    const value_t *part = value_item(value_get(stage.map, "parts"), 0);
    ok(s_number(part, "requests_per_s") == 0); /* one snapshot tells no pace */

    s_count(&one, "/a", "200", 90, 100);
    s_count(&one, "/a", "503", 10, 100000);
    s_count(&two, "/b", "404", 100, 100);
    stats_set(&one, IN_FLIGHT, 3);
    stats_set(&two, IN_FLIGHT, -1); /* never told as such */
    stats_set(&one, CPU, 5000000);
    stats_set(&one, MEMORY, 1 << 20);
    s_take(&stage, "one", &one, 2, NOW_MS);
    s_take(&stage, "two", &two, 2, NOW_MS);
    s_make(&stage);
    part = value_item(value_get(stage.map, "parts"), 0);
    is_int(value_get(stage.map, "parts")->count, 1);
    ok(value_is(value_get(part, "part"), "edge"));
    is_int(value_get_int(part, "instances", 0), 2);
    is_int(value_get_int(part, "in_flight", -1), 3);
    ok(s_number(part, "requests_per_s") == 20);
    ok(s_number(part, "errors_per_s") == 1); /* 404 is the caller's own fault */
    ok(s_number(part, "error_ratio") == 0.05);
    int64_t p50 = value_get_int(part, "p50_us", 0), p99 = value_get_int(part, "p99_us", 0);
    ok(p50 >= 97 && p50 <= 103);
    ok(p99 >= 97000 && p99 <= 103000);

    const value_t *routes = value_get(stage.map, "routes");
    is_int(routes->count, 3);
    const value_t *first = value_item(routes, 0), *second = value_item(routes, 1);
    ok(value_is(value_get(first, "route"), "/a") && value_is(value_get(second, "route"), "/b"));
    ok(s_number(first, "error_ratio") == 0.1);
    ok(s_number(value_item(routes, 2), "requests_per_s") == 0);

    const value_t *instance = value_item(value_get(stage.map, "instances"), 0);
    ok(value_is(value_get(instance, "instance"), "one"));
    ok(value_get_bool(instance, "up", false));
    is_int(value_get_int(instance, "uptime_s", 0), 10);
    is_int(value_get_int(instance, "silent_s", 0), 1);
    ok(s_number(instance, "cpu_ratio") == 0.5);
    is_int(value_get_int(instance, "memory_bytes", 0), 1 << 20);
    s_end(&stage);
    stats_free(&one);
    stats_free(&two);
}

/* An instance that is down does nothing any more, and is told as down. */
static void test_down(void)
{
    stage_t stage = { 0 };
    stats_t stats;
    stats_init(&stats, s_edge_rows);
    board_init(&stage.board, 600000);
    s_take(&stage, "one", &stats, 1, NOW_MS - 10000);
    s_count(&stats, "/a", "200", 90, 100);
    s_take(&stage, "one", &stats, 2, NOW_MS);
    is_int(board_tick(&stage.board, 5000 + 15001), 1);
    s_make(&stage);
    const value_t *part = value_item(value_get(stage.map, "parts"), 0);
    is_int(value_get_int(part, "instances", -1), 0);
    is_int(value_get_int(part, "down", -1), 1);
    ok(s_number(part, "requests_per_s") == 0);
    is_int(value_get_int(value_item(value_get(stage.map, "instances"), 0), "down", -1), 1);
    is_int(value_get(stage.map, "routes")->count, 0);
    s_end(&stage);
    stats_free(&stats);
}

/* What waits is added up over brokers; who works is told once, as each broker knows all of them. */
static void test_queues(void)
{
    static const char *const brokers[] = { "one", "two" };
    stage_t stage = { 0 };
    board_init(&stage.board, 60000);
    for (size_t i = 0; i < COUNT_OF(brokers); i++) {
        char text[700];
        uint64_t missed;
        snprintf(text, sizeof text,
                 "{\"part\":\"broker\",\"instance\":\"%s\",\"boot\":1,\"sequence\":1,"
                 "\"families\":["
                 "{\"name\":\"broker_queue_depth\",\"kind\":\"gauge\",\"about\":\"x\",\"series\":"
                 "[{\"labels\":{\"service\":\"jobs\"},\"value\":5}]},"
                 "{\"name\":\"broker_credit\",\"kind\":\"gauge\",\"about\":\"x\",\"series\":"
                 "[{\"labels\":{\"service\":\"jobs\"},\"value\":8}]},"
                 "{\"name\":\"broker_service_instances\",\"kind\":\"gauge\",\"about\":\"x\","
                 "\"series\":[{\"labels\":{\"service\":\"jobs\"},\"value\":2}]}]}",
                 brokers[i]);
        view_t *view = snapshots_of_json(text);
        is_int(board_take(&stage.board, &view, NOW_MS, 5000, &missed), BOARD_TAKEN);
    }
    s_make(&stage);
    const value_t *queue = value_item(value_get(stage.map, "queues"), 0);
    is_int(value_get(stage.map, "queues")->count, 1);
    is_int(value_get_int(queue, "depth", 0), 10);
    is_int(value_get_int(queue, "credit", 0), 8);
    is_int(value_get_int(queue, "instances", 0), 2);
    s_end(&stage);
}

/* Whatever a stranger says, the numbers are such as the summary may have. */
static void test_lies(void)
{
    static const char text[] =
        "{\"part\":\"edge\",\"instance\":\"liar\",\"boot\":9223372036854775807,\"sequence\":%d,"
        "\"families\":["
        "{\"name\":\"http_requests_total\",\"kind\":\"counter\",\"about\":\"x\",\"series\":"
        "[{\"labels\":{\"method\":\"GET\",\"route\":\"/\",\"status\":\"500\"},\"value\":%s}]},"
        "{\"name\":\"http_requests_in_flight\",\"kind\":\"gauge\",\"about\":\"x\",\"series\":"
        "[{\"labels\":{\"a\":\"1\"},\"value\":9223372036854775807},"
        "{\"labels\":{\"a\":\"2\"},\"value\":9223372036854775807}]},"
        "{\"name\":\"process_resident_memory_bytes\",\"kind\":\"gauge\",\"about\":\"x\","
        "\"series\":[{\"value\":-5}]},"
        "{\"name\":\"broker_queue_depth\",\"kind\":\"gauge\",\"about\":\"x\",\"series\":"
        "[{\"labels\":{\"service\":\"jobs\"},\"value\":9223372036854775807},"
        "{\"labels\":{\"service\":\"jobs\",\"b\":\"1\"},\"value\":9223372036854775807}]}]}";
    static const char *const values[] = { "0", "9223372036854775807" };
    const int64_t most = (INT64_C(1) << 53) - 1;
    stage_t stage = { 0 };
    uint64_t missed;
    board_init(&stage.board, 60000);
    for (int i = 0; i < 2; i++) {
        char json[2000];
        snprintf(json, sizeof json, text, i + 1, values[i]);
        view_t *view = snapshots_of_json(json);
        is_int(board_take(&stage.board, &view, i ? INT64_MAX : INT64_MAX - 1, 5000, &missed),
               BOARD_TAKEN);
    }
    s_make(&stage);
    const value_t *part = value_item(value_get(stage.map, "parts"), 0);
    const value_t *one = value_item(value_get(stage.map, "instances"), 0);
    ok(s_number(part, "requests_per_s") >= 0 && s_number(part, "requests_per_s") <= 1e15);
    ok(s_number(part, "error_ratio") >= 0 && s_number(part, "error_ratio") <= 1);
    is_int(value_get_int(part, "in_flight", -1), most);
    is_int(value_get_int(one, "memory_bytes", -1), 0);
    is_int(value_get_int(one, "uptime_s", -1), 0);
    is_int(value_get_int(value_item(value_get(stage.map, "queues"), 0), "depth", -1), most);
    s_end(&stage);
}

TESTS({ "pace", test_pace }, { "down", test_down }, { "queues", test_queues },
      { "lies", test_lies })
