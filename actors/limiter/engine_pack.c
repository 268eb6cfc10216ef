/* SPDX-License-Identifier: MPL-2.0
 *
 * engine_pack - what a subject has used as msgpack, for the store and for other instances
 */
#include "config.h"

#include <string.h>

#include "actors/limiter/engine_state.h"

static void s_pack_head(const policy_rule_t *rule, policy_algorithm_t algorithm, size_t numbers,
                        pack_t *out)
{
    pack_array(out, 2 + numbers);
    pack_text(out, rule->name);
    pack_int(out, algorithm);
}

void engine_pack(const engine_t *self, const subject_t *subject, pack_t *out)
{
    pack_array(out, subject->counter_count);
    for (size_t i = 0; i < subject->counter_count; i++) {
        const counter_t *counter = &subject->counters[i];
        const policy_rule_t *rule = &self->policies.slots[counter->slot]->rule;
        if (counter->algorithm == POLICY_GCRA) {
            s_pack_head(rule, POLICY_GCRA, 1, out);
            pack_int(out, counter->gcra.tat_us);
            continue;
        }
        s_pack_head(rule, POLICY_WINDOW, counter->window.count, out);
        for (size_t run = 0; run < counter->window.count; run++)
            pack_uint(out, window_runs(&counter->window)[run]);
    }
}

static const counter_t *s_counter(const subject_t *subject, const policy_t *policy)
{
    for (size_t i = 0; i < subject->counter_count; i++)
        if (subject->counters[i].slot == policy->slot)
            return &subject->counters[i];
    return NULL;
}

void engine_pack_uses(const subject_t *subject, const policy_t *const *policies, size_t count,
                      const int64_t *times, size_t time_count, pack_t *out)
{
    pack_array(out, count);
    for (size_t i = 0; i < count; i++) {
        const counter_t *counter = s_counter(subject, policies[i]);
        insist(counter);
        if (counter->algorithm == POLICY_GCRA) {
            s_pack_head(&policies[i]->rule, POLICY_GCRA, 1, out);
            pack_int(out, counter->gcra.tat_us);
            continue;
        }
        s_pack_head(&policies[i]->rule, POLICY_WINDOW, time_count, out);
        for (size_t t = 0; t < time_count; t++) {
            int64_t at_ms = window_date(times[t], policies[i]->grain_ms);
            pack_uint(out, run_make(at_ms, window_amount(&counter->window, at_ms)));
        }
    }
}

/* ---- reading --------------------------------------------------------------------------------- */

/* What one message knows of one subject, and how far it is believed. */
typedef struct {
    bool is_newer; /* than what we know: it replaces; else the larger amount counts */
    int64_t now_ms;
} absorbing_t;

/* A clock that is far ahead of ours must not keep a subject out for longer than a window. */
static int64_t s_believe(int64_t at_ms, int64_t now_ms)
{
    return at_ms > now_ms + ENGINE_AHEAD_MS ? now_ms : at_ms;
}

static bool s_absorb_run(const absorbing_t *self, window_t *window, const value_t *number)
{
    if (number->type != VALUE_INT && number->type != VALUE_UINT)
        return false;
    run_t run = number->natural;
    int64_t at_ms = s_believe(run_at(run), self->now_ms);
    if (self->is_newer)
        window_set(window, at_ms, run_amount(run));
    else
        window_raise(window, at_ms, run_amount(run));
    return true;
}

/* Nobody is ever further ahead than the burst. */
static bool s_absorb_gcra(const absorbing_t *self, gcra_t *gcra, const policy_t *policy,
                          const value_t *number)
{
    if (!value_is_type(number, VALUE_INT))
        return false;
    int64_t tat_us = number->integer;
    int64_t most_us =
        (self->now_ms + ENGINE_AHEAD_MS) * 1000 + policy->rule.burst * policy->interval_us;
    if (tat_us > most_us)
        tat_us = most_us;
    if (self->is_newer || tat_us > gcra->tat_us)
        gcra->tat_us = tat_us;
    return true;
}

static uint32_t s_beyond(const counter_t *counter, const policy_t *policy)
{
    return counter->algorithm == POLICY_WINDOW && counter->window.total > policy->rule.limit
               ? counter->window.total - policy->rule.limit
               : 0;
}

/* One counter: [policy, algorithm, number...]. A policy that is not known here is none of ours; one
 * that counts in another way now begins anew. */
static bool s_absorb_counter(const absorbing_t *self, engine_t *engine, subject_t *subject,
                             const value_t *item)
{
    const value_t *name = value_item(item, 0), *algorithm = value_item(item, 1);
    if (!value_is_type(name, VALUE_TEXT) || !value_is_type(algorithm, VALUE_INT))
        return false;
    const policy_t *policy = policies_find(&engine->policies, name->text, name->count);
    if (!policy || algorithm->integer != policy->rule.algorithm)
        return true;
    counter_t *counter = counter_of(engine, subject, policy, self->now_ms);
    uint32_t before = s_beyond(counter, policy);
    bool good = true;
    for (uint32_t i = 2; good && i < item->count; i++)
        good = counter->algorithm == POLICY_WINDOW
                   ? s_absorb_run(self, &counter->window, value_item(item, i))
                   : s_absorb_gcra(self, &counter->gcra, policy, value_item(item, i));
    counter = counter_of(engine, subject, policy, self->now_ms);
    if (subject->is_own && s_beyond(counter, policy) > before)
        engine->overrun += s_beyond(counter, policy) - before;
    return good;
}

bool engine_absorb(engine_t *self, subject_t *subject, const absorb_t *news, int64_t now_ms)
{
    bool good = value_is_type(news->state, VALUE_ARRAY);
    bool is_later = news->epoch > subject->epoch;
    absorbing_t absorbing = {
        .is_newer =
            news->is_live && (is_later || (news->epoch == subject->epoch && !subject->is_own)),
        .now_ms = now_ms,
    };
    if (is_later && !news->is_live) { /* of an owner before us */
        subject->epoch = news->epoch + subject->is_own;
    } else if (is_later) { /* another instance has taken it over: storing it is its business now */
        subject->epoch = news->epoch;
        subject->is_own = false;
        subject->stored = subject->change;
        engine_set_clean(self, subject);
    }
    for (uint32_t i = 0; good && i < news->state->count; i++)
        good = s_absorb_counter(&absorbing, self, subject, value_item(news->state, i));
    subject_measure(self, subject);
    if (subject->is_own) {
        subject->change++;
        engine_set_dirty(self, subject);
    }
    return good;
}
