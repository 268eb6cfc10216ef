/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include <stdlib.h>

#include "proto/error.h"
#include "proto/frame.h"
#include "proto/mdp.h"
#include "proto/principal.h"
#include "proto/topic.h"
#include "tests/tap.h"

static void test_round_trip(void)
{
    frame_t frame = { .command = FRAME_REQUEST,
                      .flags = FRAME_IDEMPOTENT | FRAME_TRACED,
                      .priority = 3,
                      .hops = 2,
                      .id = 0x1122334455667788,
                      .deadline_ms = 5000,
                      .detail = 201,
                      .route_key = 42,
                      .schema = 43,
                      .reply = "back",
                      .reply_size = 4 };
    frame_t got;
    uint8_t bytes[FRAME_BYTES_MAX];
    memset(frame.trace, 7, sizeof frame.trace);
    frame_set_service(&frame, "analysis");
    frame_set_method(&frame, "submit");
    is_int(frame_size(&frame), FRAME_FIXED_BYTES + 8 + 6 + 4);
    frame_encode(&frame, bytes);
    ok(frame_is_native(bytes, 2));
    ok(frame_decode(&got, bytes, frame_size(&frame)));
    is_int(got.command, FRAME_REQUEST);
    is_int(got.flags, frame.flags);
    is_int(got.id, frame.id);
    is_int(got.deadline_ms, 5000);
    is_int(got.route_key, 42);
    is_int(got.schema, 43);
    ok(memcmp(got.trace, frame.trace, sizeof got.trace) == 0);
    ok(got.service_size == 8 && memcmp(got.service, "analysis", 8) == 0);
    ok(got.method_size == 6 && memcmp(got.method, "submit", 6) == 0);
    ok(got.reply_size == 4 && memcmp(got.reply, "back", 4) == 0);
    frame_patch_id(bytes, 9);
    frame_patch_deadline(bytes, 10);
    frame_patch_hops(bytes, 3);
    frame_patch_flags(bytes, 0);
    ok(frame_decode(&got, bytes, frame_size(&frame)) && got.id == 9 && got.deadline_ms == 10 &&
       got.hops == 3 && got.flags == 0);
}

/* The bytes that docs/protocol.md shows. */
static void test_bytes_on_the_wire(void)
{
    static const uint8_t expected[] = {
        'S', 'X', 1, FRAME_HEARTBEAT,
        0,   0,   0, 0, /* magic to reserved */
        0,   0,   0, 0,
        0,   0,   0, 5, /* id */
        0,   0,   0, 0,
        0,   0,   1, 0, /* deadline, detail */
        0,   0,   0, 0,
        0,   0,   0, 0,
        0,   0,   0, 0,
        0,   0,   0, 0, /* route key, schema */
        0,   0,   0, 0,
        0,   0,   0, 0,
        0,   0,   0, 0,
        0,   0,   0, 0, /* trace */
        0,   0,   0, 0,
        0,   0,   0, 0,
        0,   2,   0, 0, /* trace, name sizes */
        'a', 'b',
    };
    frame_t frame = { .command = FRAME_HEARTBEAT, .id = 5, .detail = 256 };
    uint8_t bytes[FRAME_BYTES_MAX];
    frame_set_service(&frame, "ab");
    frame_encode(&frame, bytes);
    is_int(frame_size(&frame), sizeof expected);
    ok(memcmp(bytes, expected, sizeof expected) == 0);
}

static void test_refused(void)
{
    frame_t frame = { .command = FRAME_REQUEST }, got;
    uint8_t good[FRAME_BYTES_MAX], bytes[FRAME_BYTES_MAX];
    frame_set_service(&frame, "s");
    frame_encode(&frame, good);
    size_t size = frame_size(&frame);
    static const struct {
        size_t at;
        uint8_t value;
        const char *what;
    } changes[] = {
        { 0, 'X', "magic" },       { 2, 2, "version" },        { 3, 0, "no command" },
        { 3, 99, "command" },      { 5, 4, "priority" },       { 7, 1, "reserved" },
        { 65, 2, "service size" }, { 66, 200, "method size" }, { 67, 1, "reply size" },
    };
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        memcpy(bytes, good, size);
        bytes[changes[i].at] = changes[i].value;
        ok_named(!frame_decode(&got, bytes, size), changes[i].what);
    }
    for (size_t cut = 0; cut < size; cut++)
        if (frame_decode(&got, good, cut))
            ok_named(false, "a cut header is refused");
    ok(!frame_decode(&got, good, size + 1));
}

static void test_events(void)
{
    event_t event = {
        .flags = 1, .epoch = 2, .sequence = 3, .time_ms = -4, .publisher = "me", .publisher_size = 2
    };
    event_t got;
    uint8_t bytes[EVENT_BYTES_MAX];
    event_encode(&event, bytes);
    ok(event_decode(&got, bytes, event_size(&event)));
    ok(got.flags == 1 && got.epoch == 2 && got.sequence == 3 && got.time_ms == -4);
    ok(got.publisher_size == 2 && memcmp(got.publisher, "me", 2) == 0);
    ok(!event_decode(&got, bytes, event_size(&event) - 1));
    bytes[0] = 'X';
    ok(!event_decode(&got, bytes, event_size(&event)));
}

static void test_random_bytes_are_refused_or_fit(void)
{
    unsigned wrong = 0;
    srand(3);
    for (int i = 0; i < 200000; i++) {
        uint8_t bytes[120];
        size_t size = (size_t)(rand() % 120);
        frame_t frame;
        event_t event;
        for (size_t j = 0; j < size; j++)
            bytes[j] = (uint8_t)rand();
        if (size > 4) {
            memcpy(bytes, i & 1 ? "SX\1" : "SE\1", 3);
            bytes[i & 1 ? 7 : 28] = 0;
        }
        if (frame_decode(&frame, bytes, size))
            wrong += frame_size(&frame) != size;
        if (event_decode(&event, bytes, size))
            wrong += event_size(&event) != size;
    }
    is_int(wrong, 0);
}

static void test_mdp(void)
{
    is_int(mdp_dialect("MDPC01", 6), MDP_CLIENT_1);
    is_int(mdp_dialect("MDPW02", 6), MDP_WORKER_2);
    is_int(mdp_dialect("MDPW03", 6), MDP_NONE);
    is_int(mdp_dialect("MDPW0", 5), MDP_NONE);
    is_int(mdp_command(MDP_WORKER_1, "\3", 1), MDP_FINAL);
    is_int(mdp_command(MDP_WORKER_2, "\3", 1), MDP_PARTIAL);
    is_int(mdp_command(MDP_WORKER_1, "\6", 1), MDP_INVALID);
    is_int(mdp_command(MDP_WORKER_2, "\6", 1), MDP_DISCONNECT);
    is_int(mdp_command(MDP_WORKER_2, "\7", 1), MDP_INVALID);
    is_int(mdp_command(MDP_WORKER_2, "\1\1", 2), MDP_INVALID);
    is_int(mdp_byte(MDP_WORKER_1, MDP_HEARTBEAT), 4);
    is_int(mdp_byte(MDP_WORKER_2, MDP_HEARTBEAT), 5);
    is_int(mdp_byte(MDP_CLIENT_1, MDP_FINAL), 0);
    is_int(mdp_byte(MDP_CLIENT_2, MDP_FINAL), 3);
}

static void test_principal(void)
{
    principal_t who = { .account = "acme",
                        .user = "u1",
                        .tier = "pro",
                        .role_count = 1,
                        .scope_count = 1 },
                got;
    buf_t bytes = { 0 };
    pack_t pack;
    snprintf(who.roles[0], sizeof who.roles[0], "admin");
    snprintf(who.scopes[0], sizeof who.scopes[0], "analysis");
    pack_init(&pack, &bytes);
    principal_write(&who, &pack);
    ok(principal_read(&got, bytes.bytes, bytes.size));
    is_text(got.account, "acme");
    is_text(got.tier, "pro");
    ok(principal_has_role(&got, "admin"));
    ok(!principal_has_role(&got, "adm"));
    ok(principal_has_scope(&got, "analysis"));
    ok(!principal_read(&got, bytes.bytes, bytes.size - 1));
    is_text(got.account, "");
    ok(!principal_read(&got, "\xc0", 1));
    buf_free(&bytes);
}

static void test_failures(void)
{
    schema_errors_t fields = { .count = 1 }, got_fields;
    failure_t failure = { .code = ERROR_VALIDATION_FAILED,
                          .retry_after_ms = 1500,
                          .fields = &fields },
              got;
    buf_t bytes = { 0 };
    pack_t pack;
    snprintf(fields.list[0].pointer, sizeof fields.list[0].pointer, "/a");
    snprintf(fields.list[0].why, sizeof fields.list[0].why, "is required");
    pack_init(&pack, &bytes);
    failure_write(&failure, &pack);
    failure_read(&got, 422, bytes.bytes, bytes.size, &got_fields);
    is_int(got.code, ERROR_VALIDATION_FAILED);
    is_int(got.retry_after_ms, 1500);
    is_int(got_fields.count, 1);
    is_text(got_fields.list[0].pointer, "/a");
    failure_read(&got, 404, "", 0, NULL);
    is_int(got.code, ERROR_NOT_FOUND);
    failure_read(&got, 418, "\xff", 1, NULL);
    is_int(got.code, ERROR_BAD_REQUEST);
    failure_read(&got, 599, "", 0, NULL);
    is_int(got.code, ERROR_INTERNAL);
    buf_free(&bytes);
}

/* A detail that was cut in the middle of a character is read nevertheless, and all that is with it;
 * one that is too long is cut between characters: others store it. */
static void test_failures_are_text(void)
{
    failure_t failure = { .code = ERROR_UNPROCESSABLE, .detail = "caf\xc3" }, got;
    buf_t bytes = { 0 };
    pack_t pack;
    pack_init(&pack, &bytes);
    failure_write(&failure, &pack);
    failure_read(&got, 500, bytes.bytes, bytes.size, NULL);
    is_int(got.code, ERROR_UNPROCESSABLE);
    is_text(got.detail, "caf");
    bytes.size = 0;
    pack_map(&pack, 1);
    pack_text(&pack, "detail");
    char text[2 * sizeof got.detail];
    for (size_t i = 0; i < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    pack_string(&pack, text, sizeof text);
    failure_read(&got, 422, bytes.bytes, bytes.size, NULL);
    is_int(strlen(got.detail), sizeof got.detail - 2);
    buf_free(&bytes);
}

static void test_topics(void)
{
    ok(topic_is_valid("metrics.edge.edge-1", 19));
    ok(!topic_is_valid("", 0));
    ok(!topic_is_valid("a b", 3));
    ok(topic_find("metrics.summary", 15) == topic_row(TOPIC_METRICS_SUMMARY));
    ok(topic_find("metrics.edge.1", 14) == topic_row(TOPIC_METRICS));
    ok(topic_find("metrics.", 8) == NULL);
    ok(topic_find("own.topic", 9) == NULL);
}

TESTS({ "round trip", test_round_trip }, { "bytes", test_bytes_on_the_wire },
      { "refused", test_refused }, { "events", test_events },
      { "random bytes", test_random_bytes_are_refused_or_fit }, { "mdp", test_mdp },
      { "principal", test_principal }, { "failures", test_failures },
      { "failures are text", test_failures_are_text }, { "topics", test_topics })
