/* SPDX-License-Identifier: MPL-2.0
 *
 * Lines are caught in a file in place of standard error, and read back as JSON by our own reader.
 */
#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "actors/base/clock.h"
#include "actors/base/log_parts.h"
#include "actors/base/redact.h"
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
    ok(log_set_format("auto"));
    run();
    dup2(before, STDERR_FILENO);
    close(before);
    ok(log_set_format("auto"));
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
    LOG(LOG_WARN, "thing.happened", LOG_TEXT("name", "a\"b\\c\n\x01\x7f\xe2\x80\xa8"),
        LOG_INT("count", -3), LOG_FLOAT("share", 0.25), LOG_FLAG("good", true),
        LOG_TEXT("none", NULL));
    log_set_request(NULL, NULL);
}

static void test_fields(void)
{
    arena_t arena = { 0 };
    const value_t *line = s_parse(&arena, s_catch(s_log_usual));
    ok(line != NULL);
    ok(value_is(value_get(line, "severity_text"), "WARN"));
    ok(value_is(value_get(line, "part"), "test"));
    ok(value_is(value_get(line, "event_name"), "thing.happened"));
    ok(value_is(value_get(line, "request_id"), "req-1"));
    ok(value_is(value_get(line, "trace_id"), "0123"));
    ok(value_is(value_get(line, "name"), "a\"b\\c\n\x01\x7f\xe2\x80\xa8"));
    ok(!strstr(s_line, "\xe2\x80\xa8"));
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

/* What looks like a secret, wherever it stands. */
static const struct {
    const char *text, *shown;
} s_texts[] = {
    { "nothing to hide: a task-force of 12, at 10:30",
      "nothing to hide: a task-force of 12, at 10:30" },
    { "key sbx_live_0123456789abcdef_abc-DEF is", "key *** is" },
    { "/v1/x/%20sbr_0123456789abcdef0123456789", "/v1/x/%20***" },
    { "Authorization: Bearer abc.def-ghi", "Authorization: Bearer ***" },
    { "BASIC dXNlcjpwYXNz, next", "BASIC ***, next" },
    { "a basic idea", "a basic idea" },
    { "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "***" },
    { "sk_live_51H8abcdefgh;", "***;" },
    { "jwt eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2ln end", "jwt *** end" },
    { "postgres://app:hunter2@db:5432/x", "postgres://***@db:5432/x" },
    { "redis://:p@ss@cache/0?x=1", "redis://***@cache/0?x=1" },
    { "https://ghp@host/a", "https://***@host/a" },
    { "/x/https%3A%2F%2Fapp%3Ahunter2%40host", "/x/https%3A%2F%2F***%40host" },
    { "/https:~1~1app:hunter2@host~1", "/https:~1~1***@host~1" },
    { "https://host/a?b=c@d", "https://host/a?b=c@d" },
    { "x?new_password=hunter2&y=1", "x?new_password=***&y=1" },
    { "{\"apiKey\": \"hunter2\", \"n\": 1}", "{\"apiKey\": \"***\", \"n\": 1}" },
    { "\\\"token\\\":\\\"hunter2\\\"", "\\\"token\\\":\\\"***\\\"" },
    { "{\"password\":\"correct horse, battery; staple\",\"n\":1}",
      "{\"password\":\"***\",\"n\":1}" },
    { "{\"password\":\"hun\\\"ter\\\\\",\"n\":1}", "{\"password\":\"***\",\"n\":1}" },
    { "\\\"token\\\":\\\"hun \\\\\\\"ter\\\\\\\\\\\",\\\"n\\\":1",
      "\\\"token\\\":\\\"***\\\",\\\"n\\\":1" },
    { "{\"secret\": \"cut in the mid", "{\"secret\": \"***" },
    { "password='correct horse' host=db", "password='***' host=db" },
    { "{\"password\":\"\",\"n\":1}", "{\"password\":\"\",\"n\":1}" },
    { "{'token': 'it\"s'}", "{'token': '***'}" },
    { "{\"recovery_codes\":[\"abcd-efgh\",\"ijkl\"],\"n\":1}", "{\"recovery_codes\":***,\"n\":1}" },
    { "{\"credentials\":{\"value\":\"hunter2\"},\"n\":1}", "{\"credentials\":***,\"n\":1}" },
    { "\"password=\"\"hunter2\"\"\"", "\"password=\"\"***\"\"\"" },
    { "PGPASSWORD=hunter2 psql", "PGPASSWORD=*** psql" },
    { "password: at least 12 characters", "password: at least 12 characters" },
    { "key=value", "key=value" },
    { "-----BEGIN PRIVATE KEY-----\nMC4", "***" },
};

static void test_redaction(void)
{
    for (size_t i = 0; i < COUNT_OF(s_texts); i++) {
        buf_t out = { 0 };
        redact_text(s_texts[i].text, strlen(s_texts[i].text), &out);
        is_text(buf_text(&out), s_texts[i].shown);
        buf_free(&out);
    }
}

static void test_names_of_secrets(void)
{
    static const char *const secret[] = { "password",      "newPassword",   "refresh_token",
                                          "X-API-Key",     "apikey",        "Set-Cookie",
                                          "client.secret", "Authorization", "recovery_codes",
                                          "SENTRY_DSN",    "password2",     "PGPASSWORD",
                                          "authtoken",     "CLIENTSECRET" };
    static const char *const open[] = { "key",  "key_id", "http.route", "error.type", "tokenizer",
                                        "code", "",       "compass",    "secretary",  "k" };
    for (size_t i = 0; i < COUNT_OF(secret); i++)
        ok_named(redact_is_secret_key(secret[i], strlen(secret[i])), secret[i]);
    for (size_t i = 0; i < COUNT_OF(open); i++)
        ok_named(!redact_is_secret_key(open[i], strlen(open[i])), open[i]);
}

static void s_log_outside(void)
{
    LOG(LOG_ERROR, "x", LOG_TEXT("why", "no route to redis://:hunter2@cache/0"),
        LOG_WORD("absent", NULL), LOG_TEXT("end", "here"));
}

static void test_a_secret_in_a_value(void)
{
    is_text(strstr(s_catch(s_log_outside), "\"why\""),
            "\"why\":\"no route to redis://***@cache/0\",\"end\":\"here\"}\n");
}

static void s_log_text(void)
{
    ok(log_set_format("text"));
    log_set_part("edge");
    log_set_request("r-1", NULL);
    LOG(LOG_WARN, "thing.happened", LOG_TEXT("name", "a\"b\x1b[31m"), LOG_INT("n", 1));
    log_set_request(NULL, NULL);
}

static void test_text_for_people(void)
{
    const char *line = s_catch(s_log_text);
    ok(strlen(line) > 12 && line[2] == ':' && line[8] == '.');
    is_text(line + 12,
            " WARN  edge     thing.happened request_id=\"r-1\" name=\"a\\\"b\\u001b[31m\" n=1\n");
    ok(!log_set_format("xml"));
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

static const log_part_t *s_part(const log_part_t *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].part, name) == 0)
            return &list[i];
    return NULL;
}

/* A level of a part's own outlives the configured one, and ends as it was said. */
static void test_levels_of_parts(void)
{
    log_part_t list[LOG_PARTS_MAX];
    log_set_part("a");
    is_int((int)log_set_part_level("a", LOG_DEBUG, 0), 1);
    is_int((int)log_set_part_level("nobody", LOG_DEBUG, 0), 0);
    ok(log_is_on(LOG_DEBUG));
    log_set_level(LOG_ERROR);
    ok(log_is_on(LOG_DEBUG));
    log_set_part("b");
    ok(!log_is_on(LOG_WARN));
    is_int((int)log_set_part_level(NULL, LOG_WARN, 60), (int)log_list_parts(list));
    size_t count = log_list_parts(list);
    const log_part_t *b = s_part(list, count, "b");
    ok(b && b->is_own && b->level == LOG_WARN && b->left_s > 0 && b->left_s <= 60);
    log_expire(clock_ms() + 30000);
    ok(log_is_on(LOG_WARN));
    log_expire(clock_ms() + 60001);
    ok(!log_is_on(LOG_WARN) && log_is_on(LOG_ERROR));
    is_int((int)log_reset_part_level("b"), 1);
    log_set_level(LOG_INFO);
    ok(log_is_on(LOG_INFO) && !log_is_on(LOG_DEBUG));
}

static void test_more_parts_than_there_is_room(void)
{
    log_part_t list[LOG_PARTS_MAX];
    char name[48];
    for (int i = 0; i < 2 * LOG_PARTS_MAX; i++) {
        snprintf(name, sizeof name, "part-%d-of-a-name-that-is-longer-than-it-may", i);
        log_set_part(name);
    }
    is_text(log_part(), "other");
    is_int((int)log_list_parts(list), LOG_PARTS_MAX);
    log_set_part("b");
    is_text(log_part(), "b");
}

/* Standard error is a pipe nobody reads: logging goes on, and what was lost is said. */
static void test_a_full_pipe_does_not_block(void)
{
    int ends[2], before = dup(STDERR_FILENO);
    if (pipe(ends) < 0)
        die("no pipe");
    dup2(ends[1], STDERR_FILENO);
    ok(log_set_format("auto"));
    for (int i = 0; i < 2000; i++)
        LOG(LOG_ERROR, "flood", LOG_INT("n", i),
            LOG_TEXT("text", "some text that takes some room"));
    for (size_t got = 0; got < 60000;)
        got += (size_t)read(ends[0], s_line, sizeof s_line);
    LOG(LOG_ERROR, "again", LOG_INT("n", 0));
    dup2(before, STDERR_FILENO);
    close(before);
    ok(log_set_format("auto"));
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
      { "names of secrets", test_names_of_secrets }, { "redaction", test_redaction },
      { "a secret in a value", test_a_secret_in_a_value },
      { "text for people", test_text_for_people }, { "levels of parts", test_levels_of_parts },
      { "many parts", test_more_parts_than_there_is_room },
      { "a full pipe", test_a_full_pipe_does_not_block })
