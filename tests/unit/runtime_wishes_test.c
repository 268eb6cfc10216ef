/* SPDX-License-Identifier: MPL-2.0
 *
 * Who wants to be told of what: what fits, what is not known, what came late.
 */
#include "config.h"

#include <string.h>

#include "actors/runtime/wishes.h"
#include "tests/tap.h"

typedef struct {
    const char *account, *wish;
} made_t;

static void s_hear(wishes_t *wishes, const made_t *made, size_t count, int64_t at, uint64_t now_ms,
                   bool is_taken)
{
    wish_set_t set = { 0 };
    buf_t body = { 0 };
    pack_t pack;
    for (size_t i = 0; i < count; i++)
        wish_set_add(&set, made[i].account, made[i].wish, strlen(made[i].wish));
    pack_init(&pack, &body);
    wish_set_write(&set, at, &pack);
    ok(wishes_hear(wishes, body.bytes, body.size, now_ms) == is_taken);
    wish_set_free(&set);
    buf_free(&body);
}

static void test_fits(void)
{
    static const made_t made[] = {
        { "acme", "analysis.finished" }, { "acme", "monitor.*" }, { "bob", "*" }, { "eve", "a.b.*" }
    };
    static const struct {
        const char *account, *kind;
        bool is_wanted;
    } cases[] = {
        { "acme", "analysis.finished", true },
        { "acme", "analysis.regressed", false },
        { "acme", "analysis.finished.late", false },
        { "acme", "monitor.down", true },
        { "acme", "monitor.a.b", true },
        { "acme", "monitoring.down", false },
        { "acme", "monitor", false },
        { "acm", "eanalysis.finished", false },
        { "bob", "anything.at.all", true },
        { "eve", "a.b.c", true },
        { "eve", "a.c", false },
        { "nobody", "analysis.finished", false },
        { "", "analysis.finished", false },
    };
    wishes_t wishes;
    wishes_init(&wishes);
    s_hear(&wishes, made, COUNT_OF(made), 1, 1000, true);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        ok_named(wishes_want(&wishes, cases[i].account, cases[i].kind, 1000) == cases[i].is_wanted,
                 cases[i].kind);
    wishes_free(&wishes);
}

/* What is not known is wanted. */
static void test_unknown(void)
{
    static const made_t one = { "acme", "*" };
    wishes_t wishes;
    wishes_init(&wishes);
    ok_named(wishes_want(&wishes, "bob", "job.dead", 1000), "before anything was heard");
    s_hear(&wishes, &one, 1, 7, 1000, true);
    ok_named(!wishes_want(&wishes, "bob", "job.dead", 1000), "on knowledge");
    ok_named(!wishes_want(&wishes, "bob", "job.dead", 1000 + WISHES_SILENCE_MS - 1),
             "a while after");
    ok_named(wishes_want(&wishes, "bob", "job.dead", 1000 + WISHES_SILENCE_MS), "after a silence");
    s_hear(&wishes, NULL, 0, 3, 1000 + WISHES_SILENCE_MS, true);
    ok_named(!wishes_want(&wishes, "acme", "job.dead", 1000 + WISHES_SILENCE_MS),
             "whoever is heard then is believed, and nobody wants anything");
    wishes_free(&wishes);
}

static void test_late(void)
{
    static const made_t one = { "acme", "*" };
    static const uint8_t junk[] = { 0xc1 }, other[] = { 0x80 };
    wishes_t wishes;
    wishes_init(&wishes);
    s_hear(&wishes, &one, 1, 7, 1000, true);
    s_hear(&wishes, NULL, 0, 6, 1001, false);
    ok_named(wishes_want(&wishes, "acme", "job.dead", 1001), "what is older is not taken");
    s_hear(&wishes, NULL, 0, 7, 1002, true);
    ok_named(!wishes_want(&wishes, "acme", "job.dead", 1002), "what is told last is");
    ok(!wishes_hear(&wishes, junk, sizeof junk, 1003));
    ok(!wishes_hear(&wishes, other, sizeof other, 1003));
    ok(!wishes_hear(&wishes, NULL, 0, 1003));
    wishes_free(&wishes);
}

static void test_too_many(void)
{
    wish_set_t set = { 0 };
    wishes_t wishes;
    buf_t body = { 0 };
    pack_t pack;
    char account[16];
    for (int i = 0; i <= WISHES_MAX; i++) {
        snprintf(account, sizeof account, "a%d", i);
        wish_set_add(&set, account, "*", 1);
    }
    pack_init(&pack, &body);
    wish_set_write(&set, 1, &pack);
    wishes_init(&wishes);
    ok(body.size < 100);
    ok(wishes_hear(&wishes, body.bytes, body.size, 1));
    ok_named(wishes_want(&wishes, "nobody", "job.dead", 1), "then everybody wants everything");
    wish_set_free(&set);
    wishes_free(&wishes);
    buf_free(&body);
}

TESTS({ "fits", test_fits }, { "unknown", test_unknown }, { "late", test_late },
      { "too_many", test_too_many })
