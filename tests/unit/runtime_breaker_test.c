/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include "actors/runtime/breaker.h"
#include "tests/tap.h"

static void test_opens_and_closes(void)
{
    breaker_t breaker;
    breaker_init(&breaker, 3, 1000);
    ok(breaker_allows(&breaker, 0));
    ok(!breaker_report(&breaker, false, 0));
    ok(!breaker_report(&breaker, false, 1));
    ok(!breaker_report(&breaker, true, 2)); /* one success forgets the failures */
    breaker_report(&breaker, false, 3);
    breaker_report(&breaker, false, 4);
    ok(breaker_report(&breaker, false, 5));
    is_int(breaker.state, BREAKER_OPEN);
    ok(!breaker_allows(&breaker, 1004));
    ok(breaker_allows(&breaker, 1005));
    ok(!breaker_allows(&breaker, 1006)); /* half open: one tries, the others wait */
    ok(breaker_report(&breaker, true, 1010));
    is_int(breaker.state, BREAKER_CLOSED);
    ok(breaker_allows(&breaker, 1011));
}

static void test_half_open_fails(void)
{
    breaker_t breaker;
    breaker_init(&breaker, 1, 100);
    breaker_report(&breaker, false, 0);
    ok(breaker_allows(&breaker, 100));
    ok(breaker_report(&breaker, false, 110));
    ok(!breaker_allows(&breaker, 200));
    ok(breaker_allows(&breaker, 210));
    ok(breaker_allows(&breaker, 310)); /* the one that tried never reported */
}

static void test_backoff(void)
{
    is_int(breaker_backoff(1, 100, 1000, 0), 100);
    is_int(breaker_backoff(2, 100, 1000, 0), 200);
    is_int(breaker_backoff(3, 100, 1000, 0), 400);
    is_int(breaker_backoff(60, 100, 1000, 0), 1000);
    for (uint64_t random = 0; random < 500; random++) {
        uint32_t wait = breaker_backoff(3, 100, 1000, random);
        if (wait < 200 || wait > 400)
            ok_named(false, "between half and all of it");
    }
}

TESTS({ "opens and closes", test_opens_and_closes }, { "half open", test_half_open_fails },
      { "backoff", test_backoff })
