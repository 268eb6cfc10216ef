/* SPDX-License-Identifier: MPL-2.0
 *
 * Lines are caught in a file in place of standard error, and read back as JSON by our own reader.
 */
#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "actors/base/log.h"
#include "actors/base/text.h"
#include "actors/base/trail.h"
#include "proto/json.h"
#include "tests/tap.h"

static char s_line[16384];

/* What was logged by `run`; the last line if there were several. */
static const char *s_catch(void (*run)(void))
{
    FILE *file = tmpfile();
    int before = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    run();
    dup2(before, STDERR_FILENO);
    close(before);
    rewind(file);
    s_line[0] = '\0';
    if (!fgets(s_line, sizeof s_line, file))
        s_line[0] = '\0';
    fclose(file);
    return s_line;
}

static const value_t *s_parse(arena_t *arena, const char *line)
{
    buf_t bytes = { 0 };
    json_error_t error;
    value_verdict_t verdict;
    const value_t *value = NULL;
    if (json_to_msgpack(line, strlen(line), VALUE_LIMITS, 0, &bytes, &error)) {
        char *copy = arena_text(arena, bytes.bytes, bytes.size);
        value = value_parse(arena, copy, bytes.size, VALUE_LIMITS, &verdict);
    }
    buf_free(&bytes);
    return value;
}

static void s_log_usual(void)
{
    log_set_part("test");
    log_set_request("req-1", "0123");
    LOG(LOG_WARN, "thing.happened", LOG_TEXT("name", "a\"b\\c\n\x01\x7f"), LOG_INT("count", -3),
        LOG_FLOAT("share", 0.25), LOG_FLAG("good", true), LOG_TEXT("none", NULL));
    log_set_request(NULL, NULL);
}

static void test_fields(void)
{
    arena_t arena = { 0 };
    const value_t *line = s_parse(&arena, s_catch(s_log_usual));
    ok(line != NULL);
    ok(value_is(value_get(line, "severity"), "warn"));
    ok(value_is(value_get(line, "part"), "test"));
    ok(value_is(value_get(line, "event"), "thing.happened"));
    ok(value_is(value_get(line, "request_id"), "req-1"));
    ok(value_is(value_get(line, "trace_id"), "0123"));
    ok(value_is(value_get(line, "name"), "a\"b\\c\n\x01\x7f"));
    is_int(value_get_int(line, "count", 0), -3);
    ok(value_get_bool(line, "good", false));
    ok(value_is(value_get(line, "none"), ""));
    ok(!strchr(s_line, '\x7f'));
    arena_free(&arena);
}

static void s_log_secrets(void)
{
    LOG(LOG_ERROR, "x", LOG_TEXT("password", "hunter2"), LOG_TEXT("Authorization", "hunter2"),
        LOG_TEXT("token", "hunter2"));
}

static void test_secrets(void)
{
    ok(!strstr(s_catch(s_log_secrets), "hunter2"));
    ok(strstr(s_line, "\"password\":\"***\""));
}

static void s_log_trail(void)
{
    static const char wide[] = "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4";
    LOG(LOG_INFO, "of.nobody", LOG_INT("n", 1));
    log_set_request("req-1", NULL);
    for (int i = 0; i <= TRAIL_CRUMBS; i++)
        LOG(LOG_WARN, "step", LOG_INT("n", i), LOG_TEXT("password", "hunter2"));
    LOG(LOG_ERROR, "wide", LOG_TEXT("x", ""), LOG_TEXT("a", wide), LOG_TEXT("b", wide),
        LOG_TEXT("c", wide), LOG_TEXT("d", wide), LOG_TEXT("e", wide), LOG_TEXT("f", wide),
        LOG_TEXT("g", wide), LOG_TEXT("h", wide), LOG_TEXT("i", wide), LOG_TEXT("j", wide),
        LOG_TEXT("k", wide), LOG_TEXT("l", wide));
}

/* The lines of a request, for whoever tells of its failure. */
static void test_trail(void)
{
    s_catch(s_log_trail);
    const crumb_t *first = trail_crumb(0), *last = trail_crumb(TRAIL_CRUMBS - 1);
    is_text(first ? first->event : NULL, "step");
    is_text(first ? first->text : NULL, "\"n\":2,\"password\":\"***\"");
    ok(first && first->level == LOG_WARN && first->wall_ms > 0);
    is_text(last ? last->event : NULL, "wide");
    ok(last && text_is_utf8(last->text, strlen(last->text)) && strlen(last->text) > 200);
    ok(!trail_crumb(TRAIL_CRUMBS));
    log_set_request("req-2", NULL);
    ok(!trail_crumb(0));
    log_set_request(NULL, NULL);
    s_catch(s_log_usual);
    ok(!trail_crumb(0));
}

static void s_log_hostile(void)
{
    static char text[20000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7);
    LOG(LOG_ERROR, "hostile", LOG_BYTES("a", text, sizeof text), LOG_BYTES("b", text, sizeof text),
        LOG_BYTES("c", text, sizeof text), LOG_BYTES("d", text, sizeof text),
        LOG_BYTES("e", text, sizeof text), LOG_INT("last", 1));
}

static void test_anything_stays_one_line_of_json(void)
{
    arena_t arena = { 0 };
    ok(s_parse(&arena, s_catch(s_log_hostile)) != NULL);
    ok(strlen(s_line) <= 4096);
    arena_free(&arena);
}

static void s_log_debug(void)
{
    LOG(LOG_DEBUG, "quiet", LOG_INT("n", 1));
}

static void test_levels(void)
{
    log_level_t level;
    is_text(s_catch(s_log_debug), "");
    ok(log_level_parse("debug", &level));
    log_set_level(level);
    ok(strstr(s_catch(s_log_debug), "quiet"));
    log_set_level(LOG_INFO);
    ok(!log_level_parse("loud", &level));
}

/* Standard error is a pipe nobody reads: logging goes on, and what was lost is said. */
static void test_a_full_pipe_does_not_block(void)
{
    int ends[2], before = dup(STDERR_FILENO);
    if (pipe(ends) < 0)
        die("no pipe");
    dup2(ends[1], STDERR_FILENO);
    for (int i = 0; i < 2000; i++)
        LOG(LOG_ERROR, "flood", LOG_INT("n", i),
            LOG_TEXT("text", "some text that takes some room"));
    for (size_t got = 0; got < 60000;)
        got += (size_t)read(ends[0], s_line, sizeof s_line);
    LOG(LOG_ERROR, "again", LOG_INT("n", 0));
    dup2(before, STDERR_FILENO);
    close(before);
    close(ends[1]);
    char last[16384] = "";
    for (ssize_t got; (got = read(ends[0], s_line, sizeof s_line - 1)) > 0;) {
        s_line[got] = '\0';
        memcpy(last, s_line, sizeof last);
    }
    close(ends[0]);
    ok(strstr(last, "\"again\"") && strstr(last, "\"lines_dropped\":"));
}

TESTS({ "fields", test_fields }, { "secrets", test_secrets }, { "trail", test_trail },
      { "hostile values", test_anything_stays_one_line_of_json }, { "levels", test_levels },
      { "a full pipe", test_a_full_pipe_does_not_block })
