/* SPDX-License-Identifier: MPL-2.0
 *
 * Who asks most: exact while there are few, and never too little when there are many.
 */
#include "config.h"

#include "actors/limiter/hot.h"
#include "tests/tap.h"

static hot_t s_hot;
static hot_row_t s_rows[LIMITER_TOP_MAX];

static void s_add(const char *subject, uint64_t amount, bool is_refused)
{
    hot_add(&s_hot, limiter_route_key(subject), subject, strlen(subject), amount, is_refused);
}

static void test_few(void)
{
    s_hot = (hot_t){ 0 };
    s_add("b", 2, false);
    s_add("a", 5, false);
    s_add("b", 1, true);
    s_add("c", 1, false);
    is_int(hot_top(&s_hot, 2, s_rows), 2);
    is_text(s_rows[0].subject, "a");
    is_int(s_rows[0].count, 5);
    is_text(s_rows[1].subject, "b");
    is_int(s_rows[1].count, 3);
    is_int(s_rows[1].refused, 1);
    is_int(s_rows[1].error, 0);
}

/* Whoever has more than its part of all is there, and its count is right but for the error. */
static void test_many(void)
{
    char name[16];
    uint64_t heavy = 0;
    s_hot = (hot_t){ 0 };
    for (int i = 0; i < 20000; i++) {
        snprintf(name, sizeof name, "s%d", i * 7919 % 5003);
        s_add(name, 1, false);
        if (i % 50 == 0) {
            s_add("heavy", 1, false);
            heavy++;
        }
    }
    hot_top(&s_hot, 1, s_rows);
    is_text(s_rows[0].subject, "heavy");
    ok(s_rows[0].count >= heavy);
    ok(s_rows[0].count - s_rows[0].error <= heavy);
}

static void test_fading(void)
{
    s_hot = (hot_t){ 0 };
    s_add("a", 5, false);
    s_add("b", 1, false);
    hot_fade(&s_hot);
    is_int(hot_top(&s_hot, LIMITER_TOP_MAX, s_rows), 1);
    is_int(s_rows[0].count, 2);
    hot_fade(&s_hot);
    hot_fade(&s_hot);
    is_int(hot_top(&s_hot, LIMITER_TOP_MAX, s_rows), 0);
}

TESTS({ "few", test_few }, { "many", test_many }, { "fading", test_fading })
