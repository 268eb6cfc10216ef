/* SPDX-License-Identifier: MPL-2.0
 *
 * engine - decides: take, peek, refund
 */
#include "config.h"

#include <string.h>

#include "actors/limiter/engine_state.h"

/* How one policy stands before a take, in its own terms. */
typedef struct {
    counter_t *counter;
    const policy_t *policy;
    uint32_t room; /* what may be used at most */
    uint32_t used;
} position_t;

static position_t s_position(engine_t *self, subject_t *subject, const policy_t *policy,
                             int64_t now_ms)
{
    const policy_rule_t *rule = &policy->rule;
    position_t position = { .policy = policy };
    position.counter = counter_of(self, subject, policy, now_ms);
    position.room = rule->algorithm == POLICY_GCRA ? rule->burst : rule->limit;
    position.used = counter_used(position.counter, policy, now_ms);
    return position;
}

static uint32_t s_left(const position_t *position)
{
    return position->room > position->used ? position->room - position->used : 0;
}

/* When `cost` would fit, if nothing else is used; what never fits is as good as the whole window
 * away. */
static int64_t s_retry_at(const position_t *position, uint32_t cost, int64_t now_ms)
{
    const policy_t *policy = position->policy;
    const counter_t *counter = position->counter;
    if (cost > position->room)
        return now_ms + policy->rule.window_ms + 1;
    if (cost <= s_left(position))
        return 0;
    if (counter->algorithm == POLICY_WINDOW)
        return window_time_of(&counter->window, position->used + cost - position->room) +
               policy->rule.window_ms + 1;
    int64_t fits_us = counter->gcra.tat_us - (position->room - cost) * policy->interval_us;
    return (fits_us + 999) / 1000;
}

static int64_t s_reset_at(const counter_t *counter, const policy_t *policy, int64_t now_ms)
{
    int64_t until_ms = counter_expiry(counter, policy);
    return until_ms > now_ms ? until_ms : now_ms;
}

static void s_add(counter_t *counter, const policy_t *policy, int64_t at_ms, uint32_t amount)
{
    if (counter->algorithm == POLICY_WINDOW)
        window_add(&counter->window, window_date(at_ms, policy->grain_ms), amount);
    else
        gcra_add(&counter->gcra, at_ms * 1000, policy->interval_us, amount);
}

/* How much is lent, and until when: a part of what every policy has left, so that one borrower does
 * not starve the others; dated at its end, so that it may be used until then. */
static void s_lend(const engine_t *self, const position_t *positions, const take_t *take,
                   int64_t now_ms, taken_t *taken)
{
    uint32_t count = take->lease;
    int64_t lasts_ms = self->lease_ms;
    for (size_t i = 0; i < take->policy_count; i++) {
        const policy_rule_t *rule = &positions[i].policy->rule;
        uint32_t share = (s_left(&positions[i]) - take->cost) / ENGINE_LEASE_SHARE;
        if (rule->algorithm == POLICY_GCRA)
            share = 0; /* a burst that is kept for later would come on top of the next one */
        if (share < count)
            count = share;
        if (rule->window_ms / ENGINE_LEASE_WINDOW < lasts_ms)
            lasts_ms = rule->window_ms / ENGINE_LEASE_WINDOW;
    }
    if (count == 0 || lasts_ms == 0)
        return;
    taken->lease = count;
    taken->lease_until_ms = now_ms + lasts_ms;
}

static void s_count(position_t *position, const take_t *take, const taken_t *taken)
{
    s_add(position->counter, position->policy, taken->at_ms, take->cost);
    if (taken->lease > 0)
        s_add(position->counter, position->policy, taken->lease_until_ms, taken->lease);
    position->used += take->cost + taken->lease;
}

/* A subject to decide about. */
static engine_verdict_t s_open(engine_t *self, const take_t *take, int64_t now_ms,
                               subject_t **subject)
{
    *subject = engine_find(self, take->subject, take->subject_size);
    if (self->has_store && !(*subject && (*subject)->is_loaded))
        return ENGINE_NOT_LOADED;
    *subject = engine_open(self, take->subject, take->subject_size, now_ms);
    return *subject ? ENGINE_DONE : ENGINE_NO_ROOM;
}

static engine_verdict_t s_decide(engine_t *self, const take_t *take, bool is_counted,
                                 int64_t now_ms, taken_t *taken)
{
    position_t positions[LIMITER_TAKE_POLICIES];
    *taken = (taken_t){ .allowed = true, .at_ms = now_ms };
    engine_verdict_t verdict = s_open(self, take, now_ms, &taken->subject);
    if (verdict != ENGINE_DONE)
        return verdict;
    for (size_t i = 0; i < take->policy_count; i++)
        counter_of(self, taken->subject, take->policies[i], now_ms); /* no counter moves below */
    for (size_t i = 0; i < take->policy_count; i++) {
        positions[i] = s_position(self, taken->subject, take->policies[i], now_ms);
        int64_t retry_at_ms = s_retry_at(&positions[i], take->cost, now_ms);
        if (retry_at_ms > taken->retry_at_ms) {
            taken->allowed = false;
            taken->retry_at_ms = retry_at_ms;
            taken->refused_by = take->policies[i];
        }
    }
    is_counted &= taken->allowed;
    if (is_counted)
        s_lend(self, positions, take, now_ms, taken);
    for (size_t i = 0; i < take->policy_count; i++) {
        if (is_counted)
            s_count(&positions[i], take, taken);
        taken->standing[i].remaining = s_left(&positions[i]);
        taken->standing[i].reset_at_ms =
            s_reset_at(positions[i].counter, take->policies[i], now_ms);
    }
    if (is_counted)
        subject_changed(self, taken->subject);
    return ENGINE_DONE;
}

engine_verdict_t engine_take(engine_t *self, const take_t *take, int64_t now_ms, taken_t *taken)
{
    return s_decide(self, take, true, now_ms, taken);
}

engine_verdict_t engine_peek(engine_t *self, const take_t *take, int64_t now_ms, taken_t *taken)
{
    return s_decide(self, take, false, now_ms, taken);
}

engine_verdict_t engine_refund(engine_t *self, const take_t *take, int64_t at_ms, int64_t now_ms,
                               uint32_t *refunded, subject_t **subject)
{
    *refunded = take->cost;
    engine_verdict_t verdict = s_open(self, take, now_ms, subject);
    if (verdict != ENGINE_DONE)
        return verdict;
    for (size_t i = 0; i < take->policy_count; i++) {
        const policy_t *policy = take->policies[i];
        counter_t *counter = counter_of(self, *subject, policy, now_ms);
        uint32_t back =
            counter->algorithm == POLICY_WINDOW
                ? window_remove(&counter->window, window_date(at_ms, policy->grain_ms), take->cost)
                : gcra_remove(&counter->gcra, at_ms * 1000, now_ms * 1000, policy->interval_us,
                              take->cost);
        if (back < *refunded)
            *refunded = back;
    }
    subject_changed(self, *subject);
    return ENGINE_DONE;
}
