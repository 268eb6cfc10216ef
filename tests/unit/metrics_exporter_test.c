/* SPDX-License-Identifier: MPL-2.0
 *
 * Bodies on their way out: in order, once, again when that may help, and none uncounted. The test
 * plays the service `http`.
 */
#include "config.h"

#include <stdlib.h>

#include "actors/base/clock.h"
#include "actors/metrics/exporter.h"
#include "tests/kit/holder.h"

#define LATER_MS 120000 /* beyond every pause, and not too late */

enum { CARRIED, LOST, ROWS };

static const stats_row_t s_rows[ROWS + 1] = {
    [CARRIED] = { "carried_total", STATS_COUNTER, "Items carried" },
    [LOST] = { "lost_total", STATS_COUNTER, "Items lost" },
};

typedef struct {
    bus_t bus;
    holder_t http;
    stats_t stats;
    exporter_t exporter;
} stage_t;

/* As a collector may say it: "7 of them are wrong". */
static size_t s_refused(const void *answer, size_t size, char why[EXPORTER_WHY_SIZE])
{
    snprintf(why, EXPORTER_WHY_SIZE, "%.*s", (int)size, (const char *)answer);
    return strtoul(why, NULL, 10);
}

static void s_open(stage_t *self)
{
    static const char *const headers[] = { "X-Key: secret", NULL };
    bus_open(&self->bus, NULL);
    holder_start(&self->http, &self->bus, "http", "http-1", 10, false);
    stats_init(&self->stats, s_rows);
    exporter_init(&self->exporter, &(exporter_config_t){ .name = "test",
                                                         .url = "https://collector.test/v1",
                                                         .content_type = "application/json",
                                                         .headers = headers,
                                                         .refused = s_refused,
                                                         .client = self->bus.client,
                                                         .stats = &self->stats,
                                                         .carried = CARRIED,
                                                         .lost = LOST });
}

static void s_close(stage_t *self)
{
    holder_stop(&self->http);
    bus_close(&self->bus);
    exporter_free(&self->exporter);
    stats_free(&self->stats);
}

static void s_send(stage_t *self, const char *text, size_t items)
{
    buf_t body = { 0 };
    buf_add_text(&body, text);
    exporter_send(&self->exporter, &body, items);
}

/* The member of what `http` has been asked. */
static const value_t *s_asked(const stage_t *self, arena_t *arena, const char *member)
{
    value_verdict_t verdict;
    zmq_msg_t *body = &self->http.held[0]->body;
    return value_get(
        value_parse(arena, zmq_msg_data(body), zmq_msg_size(body), VALUE_LIMITS, &verdict), member);
}

static bool s_has_come(stage_t *self, const char *text)
{
    arena_t arena = { 0 };
    bool good = bus_wait(&self->http.came) && value_is(s_asked(self, &arena, "body"), text);
    arena_free(&arena);
    return good;
}

static void s_answer_with(stage_t *self, int64_t status, int64_t retry_after_ms, const char *text)
{
    worker_request_t *request = holder_take(&self->http);
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 3);
    pack_text(&pack, "body");
    pack_bytes(&pack, text, strlen(text));
    pack_pair_int(&pack, "status", status);
    pack_pair_int(&pack, "retry_after_ms", retry_after_ms);
    client_reply(self->http.client, request, FRAME_FINAL, 0, &body);
    worker_request_destroy(&request);
}

static void s_answer(stage_t *self, int64_t status, int64_t retry_after_ms)
{
    s_answer_with(self, status, retry_after_ms, "");
}

static void s_refuse(stage_t *self, error_code_t code)
{
    worker_request_t *request = holder_take(&self->http);
    client_reply_failure(self->http.client, request, &(failure_t){ .code = code });
    worker_request_destroy(&request);
}

/* Waits until a counter says so. */
static bool s_counts(const stage_t *self, size_t row, int64_t count)
{
    for (int tries = 0; tries < BUS_PATIENCE_S * 1000; tries++) {
        if (stats_get(&self->stats, row) == count)
            return true;
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    return false;
}

/* Waits until the answer has been taken in. */
static bool s_is_idle(stage_t *self)
{
    bool is_idle = false;
    for (int tries = 0; !is_idle && tries < BUS_PATIENCE_S * 1000; tries++) {
        monitor_lock(&self->exporter.monitor);
        is_idle = !self->exporter.is_under_way;
        monitor_unlock(&self->exporter.monitor);
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    return is_idle;
}

/* Ticks until the next attempt is there: a failure is known a moment after it was answered. */
static bool s_comes_again(stage_t *self, const char *text, uint64_t now_ms)
{
    for (int tries = 0; tries < BUS_PATIENCE_S * 1000; tries++) {
        exporter_tick(&self->exporter, now_ms);
        if (sem_trywait(&self->http.came) == 0) {
            sem_post(&self->http.came);
            return s_has_come(self, text);
        }
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    return false;
}

static void test_in_order(void)
{
    stage_t stage;
    arena_t arena = { 0 };
    s_open(&stage);
    s_send(&stage, "one", 3);
    s_send(&stage, "two", 2);
    ok(s_has_come(&stage, "one"));
    ok(value_is(s_asked(&stage, &arena, "url"), "https://collector.test/v1"));
    ok(value_is(s_asked(&stage, &arena, "content_type"), "application/json"));
    ok(value_is(value_item(s_asked(&stage, &arena, "headers"), 0), "X-Key: secret"));
    is_int(stage.http.count, 1); /* one at a time */
    s_answer(&stage, 200, 0);
    ok(s_has_come(&stage, "two"));
    is_int(stats_get(&stage.stats, CARRIED), 3);
    s_answer(&stage, 202, 0);
    ok(s_counts(&stage, CARRIED, 5));
    is_int(stats_get(&stage.stats, LOST), 0);
    arena_free(&arena);
    s_close(&stage);
}

static void test_answers(void)
{
    static const struct {
        const char *what;
        int64_t status; /* 0: a failure of the call instead */
        error_code_t code;
        bool is_later;
    } rows[] = {
        { "wrong", .status = 400 },
        { "moved", .status = 301 },
        { "too large", .status = 413 },
        { "broken", .status = 500 },
        { "too many", .status = 429, .is_later = true },
        { "bad gateway", .status = 502, .is_later = true },
        { "unavailable", .status = 503, .is_later = true },
        { "gateway timeout", .status = 504, .is_later = true },
        { "behind the fence", .code = ERROR_UNPROCESSABLE },
        { "nobody there", .code = ERROR_UNAVAILABLE, .is_later = true },
        { "too slow", .code = ERROR_DEADLINE, .is_later = true },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        stage_t stage;
        note("%s", rows[i].what);
        s_open(&stage);
        s_send(&stage, rows[i].what, 1);
        ok(s_has_come(&stage, rows[i].what));
        if (rows[i].status)
            s_answer(&stage, rows[i].status, 0);
        else
            s_refuse(&stage, rows[i].code);
        if (rows[i].is_later) {
            ok(s_comes_again(&stage, rows[i].what, clock_ms() + LATER_MS));
            s_answer(&stage, 200, 0);
        }
        ok(s_counts(&stage, rows[i].is_later ? CARRIED : LOST, 1));
        is_int(stats_get(&stage.stats, rows[i].is_later ? LOST : CARRIED), 0);
        s_close(&stage);
    }
}

/* Of a body that is taken some items may be refused: each is counted as what became of it. */
static void test_partial(void)
{
    static const struct {
        const char *answer;
        int64_t status, carried, lost;
    } rows[] = {
        { "", 200, 10, 0 },
        { "0 but slow down", 200, 10, 0 },
        { "3 have no name", 200, 7, 3 },
        { "10 too many", 202, 0, 10 },
        { "11 of ten", 200, 0, 10 },
        { "3 have no name", 400, 0, 10 },
    };
    stage_t stage;
    arena_t arena = { 0 };
    int64_t carried = 0, lost = 0;
    s_open(&stage);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        s_send(&stage, "body", 10);
        ok(s_has_come(&stage, "body"));
        const value_t *asked = s_asked(&stage, &arena, "ask_body");
        is_int(asked ? asked->integer : 0, EXPORTER_ANSWER_MAX);
        s_answer_with(&stage, rows[i].status, 0, rows[i].answer);
        ok_named(s_counts(&stage, CARRIED, carried += rows[i].carried), rows[i].answer);
        ok_named(s_counts(&stage, LOST, lost += rows[i].lost), rows[i].answer);
    }
    arena_free(&arena);
    s_close(&stage);
}

/* What the receiver says of the time counts when it is longer than ours; beyond the age at which
 * nobody wants it any more it is lost at once. Others do not go in its place meanwhile, and what
 * grows too old for that is lost, too. */
static void test_retry_after(void)
{
    stage_t stage;
    s_open(&stage);
    s_send(&stage, "one", 1);
    ok(s_has_come(&stage, "one"));
    uint64_t answered_ms = clock_ms();
    s_answer(&stage, 503, 120000);
    s_send(&stage, "two", 1); /* does not overtake */
    ok(s_is_idle(&stage));
    exporter_tick(&stage.exporter, answered_ms + 119000);
    is_int(stage.http.count, 0);
    ok(s_comes_again(&stage, "one", clock_ms() + 121000));
    answered_ms = clock_ms();
    s_answer(&stage, 429, 2 * EXPORTER_KEEP_MS);
    ok(s_counts(&stage, LOST, 1));
    ok(s_is_idle(&stage));
    exporter_tick(&stage.exporter, answered_ms + EXPORTER_KEEP_MS / 2);
    is_int(stage.exporter.is_under_way, 0);
    is_int(stats_get(&stage.stats, LOST), 1);
    exporter_tick(&stage.exporter, clock_ms() + EXPORTER_KEEP_MS + 1);
    is_int(stats_get(&stage.stats, LOST), 2);
    s_close(&stage);
}

/* Without the service it waits; with no room it says so. */
static void test_room(void)
{
    stage_t stage;
    static char large[EXPORTER_BYTES_MAX];
    s_open(&stage);
    for (int i = 0; i < EXPORTER_BODIES_MAX + 5; i++)
        s_send(&stage, "body", 2);
    is_int(stats_get(&stage.stats, LOST), 10);
    s_close(&stage);

    s_open(&stage);
    memset(large, 'x', sizeof large - 1);
    s_send(&stage, large, 1);
    s_send(&stage, "x", 1);
    is_int(stats_get(&stage.stats, LOST), 0);
    s_send(&stage, "x", 1);
    is_int(stats_get(&stage.stats, LOST), 1);
    s_close(&stage);
}

static void test_nobody(void)
{
    stage_t stage;
    s_open(&stage);
    stage.exporter.config.url = "";
    ok(!exporter_is_on(&stage.exporter));
    s_send(&stage, "one", 1);
    exporter_tick(&stage.exporter, clock_ms());
    is_int(stats_get(&stage.stats, LOST), 0);
    s_close(&stage);

    s_open(&stage);
    holder_stop(&stage.http);
    s_send(&stage, "one", 1);
    holder_start(&stage.http, &stage.bus, "http", "http-2", 10, false);
    ok(s_comes_again(&stage, "one", clock_ms() + LATER_MS));
    s_answer(&stage, 200, 0);
    ok(s_counts(&stage, CARRIED, 1));
    s_close(&stage);
}

TESTS({ "in_order", test_in_order }, { "answers", test_answers }, { "partial", test_partial },
      { "retry_after", test_retry_after }, { "room", test_room }, { "nobody", test_nobody })
