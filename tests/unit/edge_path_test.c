/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include "edge/path.h"
#include "tests/tap.h"

static arena_t s_arena;

static bool s_reads(path_t *path, const char *text)
{
    return path_read(path, text, strlen(text), &s_arena) == NULL;
}

static void test_segments(void)
{
    path_t path;
    ok(s_reads(&path, "/"));
    is_int(path.count, 0);
    ok(s_reads(&path, "/a/b%2Fc/%E2%82%AC/+"));
    is_int(path.count, 4);
    is_text(path.segments[0].text, "a");
    is_text(path.segments[1].text, "b/c");
    is_text(path.segments[2].text, "\xe2\x82\xac");
    is_text(path.segments[3].text, "+");
    ok(s_reads(&path, "/a//b/"));
    is_int(path.count, 4);
    is_int(path.segments[1].size, 0);
    is_int(path.segments[3].size, 0);
    ok(s_reads(&path, "/../%2e%2e"));
    is_text(path.segments[0].text, "..");
    is_text(path.segments[1].text, "..");
    arena_reset(&s_arena);
}

static void test_refusals(void)
{
    static const char *const bad[] = { "/%", "/%1", "/%zz", "/%1g", "/a%00b", "/%ff", "/%c0%af" };
    char deep[2 * PATH_SEGMENTS_MAX + 3] = "";
    path_t path;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ok_named(!s_reads(&path, bad[i]), bad[i]);
    for (int i = 0; i < PATH_SEGMENTS_MAX; i++)
        strcat(deep, "/a");
    ok(s_reads(&path, deep));
    strcat(deep, "/a");
    ok(!s_reads(&path, deep));
    arena_reset(&s_arena);
}

static void test_is(void)
{
    path_t path;
    ok(s_reads(&path, "/v1/p%69ng"));
    ok(path_is(&path, "/v1/ping"));
    ok(!path_is(&path, "/v1"));
    ok(!path_is(&path, "/v1/pin"));
    ok(!path_is(&path, "/v1/ping/x"));
    ok(!path_is(&path, "/"));
    ok(s_reads(&path, "/v1%2Fping"));
    ok(!path_is(&path, "/v1/pin"));
    ok(!path_is(&path, "/v1/ping"));
    ok(s_reads(&path, "/v1//ping"));
    ok(!path_is(&path, "/v1/ping"));
    ok(s_reads(&path, "/"));
    ok(path_is(&path, "/"));
    ok(!path_is(&path, "/v1"));
    arena_reset(&s_arena);
}

static void test_query(void)
{
    query_t query;
    ok(query_read(&query, NULL, &s_arena) == NULL && query.count == 0);
    ok(query_read(&query, "", &s_arena) == NULL && query.count == 0);
    ok(query_read(&query, "a=1&&b=x+y%26&c&=d&e==", &s_arena) == NULL);
    is_int(query.count, 5);
    is_text(query.pairs[0].value.text, "1");
    is_text(query.pairs[1].value.text, "x y&");
    is_text(query.pairs[2].name.text, "c");
    is_text(query.pairs[2].value.text, "");
    is_text(query.pairs[3].name.text, "");
    is_text(query.pairs[4].value.text, "=");
    ok(query_read(&query, "a=%00", &s_arena) != NULL);
    ok(query_read(&query, "%q=1", &s_arena) != NULL);
    char many[3 * QUERY_PAIRS_MAX + 3] = "a";
    for (int i = 1; i < QUERY_PAIRS_MAX; i++)
        strcat(many, "&a");
    ok(query_read(&query, many, &s_arena) == NULL);
    strcat(many, "&a");
    ok(query_read(&query, many, &s_arena) != NULL);
    arena_free(&s_arena);
}

TESTS({ "segments", test_segments }, { "refusals", test_refusals }, { "is", test_is },
      { "query", test_query })
