/* SPDX-License-Identifier: MPL-2.0
 *
 * Which issues two results share.
 */
#include "config.h"

#include "actors/analysis/fingerprints.h"
#include "tests/tap.h"
#include "tests/unit/analysis_kit.h"

#define ISSUE(severity, print) "{\"severity\":\"" severity "\",\"fingerprint\":\"" print "\"}"

static void s_parse(kit_t *kit, const char *issues)
{
    char text[400];
    *kit = (kit_t){ 0 };
    snprintf(text, sizeof text, "{\"issues\":%s}", issues);
    ok(kit_parse(kit, text, strlen(text)));
}

static void test_have(void)
{
    static const struct {
        const char *issues, *issue;
        bool has;
    } cases[] = {
        { "[" ISSUE("error", "a") "," ISSUE("info", "b") "]", ISSUE("error", "a"), true },
        { "[" ISSUE("error", "a") "," ISSUE("info", "b") "]", ISSUE("critical", "b"), true },
        { "[" ISSUE("error", "a") "," ISSUE("info", "b") "]", ISSUE("error", "c"), false },
        { "[]", ISSUE("error", "a"), false },
        { "7", ISSUE("error", "a"), false },
        { "[7,{},{\"fingerprint\":7}," ISSUE("info", "") "]", ISSUE("info", ""), false },
        { "[7,{},{\"fingerprint\":7}]", "{}", false },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        kit_t result, issue;
        fingerprints_t prints;
        arena_t arena = { 0 };
        s_parse(&result, cases[i].issues);
        s_parse(&issue, cases[i].issue);
        fingerprints_make(&prints, &arena, result.document);
        ok_named(fingerprints_have(&prints, value_get(issue.document, "issues")) == cases[i].has,
                 cases[i].issues);
        kit_free(&result);
        kit_free(&issue);
        arena_free(&arena);
    }
}

static void test_count_new(void)
{
    static const struct {
        const char *before, *after;
        int64_t critical, error, warning, info;
    } cases[] = {
        { "[" ISSUE("error", "a") "," ISSUE("info", "b") "]",
          "[" ISSUE("error", "a") "," ISSUE("critical",
                                            "c") "," ISSUE("info", "d") "," ISSUE("info", "e") "]",
          1, 0, 0, 2 },
        { "[]", "[" ISSUE("error", "a") "," ISSUE("warning", "b") "]", 0, 1, 1, 0 },
        { "[" ISSUE("error", "a") "]", "[]", 0, 0, 0, 0 },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        kit_t before, after;
        arena_t arena = { 0 };
        int64_t found[SEVERITY_COUNT];
        s_parse(&before, cases[i].before);
        s_parse(&after, cases[i].after);
        fingerprints_count_new(&arena, before.document, after.document, found);
        is_int(found[SEVERITY_CRITICAL], cases[i].critical);
        is_int(found[SEVERITY_ERROR], cases[i].error);
        is_int(found[SEVERITY_WARNING], cases[i].warning);
        is_int(found[SEVERITY_INFO], cases[i].info);
        kit_free(&before);
        kit_free(&after);
        arena_free(&arena);
    }
}

/* Where there is no version before, all is new. */
static void test_nothing_before(void)
{
    kit_t after;
    arena_t arena = { 0 };
    int64_t found[SEVERITY_COUNT];
    s_parse(&after, "[" ISSUE("error", "a") "]");
    fingerprints_count_new(&arena, NULL, after.document, found);
    is_int(found[SEVERITY_ERROR], 1);
    kit_free(&after);
    arena_free(&arena);
}

TESTS({ "have", test_have }, { "count new", test_count_new },
      { "nothing before", test_nothing_before })
