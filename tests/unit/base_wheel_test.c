/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include <stdlib.h>

#include "actors/base/wheel.h"
#include "tests/tap.h"

static int s_expire_all(wheel_t *wheel, uint64_t now)
{
    int count = 0;
    while (wheel_expired(wheel, now))
        count++;
    return count;
}

static void test_never_early(void)
{
    wheel_t wheel;
    wheel_timer_t timer = { 0 };
    wheel_init(&wheel, 1000);
    wheel_add(&wheel, &timer, 1010);
    for (uint64_t now = 1000; now < 1010; now++)
        ok(wheel_expired(&wheel, now) == NULL);
    ok(wheel_expired(&wheel, 1010 + WHEEL_SLOT_MS) == &timer);
    is_int(wheel.count, 0);
}

static void test_remove_and_move(void)
{
    wheel_t wheel;
    wheel_timer_t one = { 0 }, two = { 0 };
    wheel_init(&wheel, 0);
    wheel_add(&wheel, &one, 50);
    wheel_add(&wheel, &two, 50);
    wheel_remove(&wheel, &one);
    wheel_remove(&wheel, &one);
    wheel_add(&wheel, &two, 500);
    is_int(s_expire_all(&wheel, 200), 0);
    is_int(s_expire_all(&wheel, 510), 1);
}

static void test_far_future_waits_its_rounds(void)
{
    const uint64_t round = (uint64_t)WHEEL_SLOTS * WHEEL_SLOT_MS;
    wheel_t wheel;
    wheel_timer_t timer = { 0 };
    wheel_init(&wheel, 0);
    wheel_add(&wheel, &timer, round * 3 + 7);
    int early = 0;
    for (uint64_t now = 0; now < round * 3; now += 100)
        early += s_expire_all(&wheel, now);
    is_int(early, 0);
    is_int(s_expire_all(&wheel, round * 3 + 20), 1);
}

static void test_past_fires_next(void)
{
    wheel_t wheel;
    wheel_timer_t timer = { 0 };
    wheel_init(&wheel, 0);
    is_int(s_expire_all(&wheel, 100000), 0);
    wheel_add(&wheel, &timer, 5);
    is_int(s_expire_all(&wheel, 100000 + WHEEL_SLOT_MS), 1);
}

static void test_wait(void)
{
    wheel_t wheel;
    wheel_timer_t timer = { 0 };
    wheel_init(&wheel, 0);
    is_int(wheel_wait(&wheel, 0, 777), 777);
    wheel_add(&wheel, &timer, 100);
    ok(wheel_wait(&wheel, 0, 777) >= 100 && wheel_wait(&wheel, 0, 777) <= 100 + WHEEL_SLOT_MS);
    is_int(wheel_wait(&wheel, 0, 30), 30);
    is_int(wheel_wait(&wheel, 200, 777), 0);
}

/* Against the plain definition: due exactly when its time has come. */
static void test_against_a_model(void)
{
    enum { TIMERS = 300, STEPS = 3000 };
    static wheel_timer_t timers[TIMERS];
    static uint64_t due[TIMERS];
    wheel_t wheel;
    uint64_t now = 12345;
    unsigned wrong = 0;
    srand(7);
    wheel_init(&wheel, now);
    for (int step = 0; step < STEPS; step++) {
        int i = rand() % TIMERS;
        if (rand() % 4 == 0) {
            wheel_remove(&wheel, &timers[i]);
            due[i] = 0;
        } else {
            due[i] = now + (uint64_t)(rand() % 9000);
            wheel_add(&wheel, &timers[i], due[i]);
        }
        now += (uint64_t)(rand() % 40);
        for (wheel_timer_t *timer; (timer = wheel_expired(&wheel, now));) {
            size_t at = (size_t)(timer - timers);
            wrong += due[at] == 0 || due[at] > now;
            due[at] = 0;
        }
        for (int j = 0; j < TIMERS; j++)
            wrong += due[j] && due[j] + 2 * WHEEL_SLOT_MS < now;
    }
    is_int(wrong, 0);
}

TESTS({ "never early", test_never_early }, { "remove and move", test_remove_and_move },
      { "rounds", test_far_future_waits_its_rounds }, { "the past", test_past_fires_next },
      { "how long to sleep", test_wait }, { "against a model", test_against_a_model })
