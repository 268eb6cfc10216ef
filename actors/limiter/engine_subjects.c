/* SPDX-License-Identifier: MPL-2.0
 *
 * engine_subjects - the subjects in memory: finding, making, putting out
 */
#include "config.h"

#include <string.h>

#include <sodium.h>

#include "actors/limiter/engine_state.h"

#define EVICT_TRIES 32 /* for the sake of one new subject */

void engine_init(engine_t *self, size_t bytes_max, const uint8_t seed[16])
{
    *self = (engine_t){ .bytes_max = bytes_max, .lease_ms = INT64_MAX };
    memcpy(self->seed, seed, sizeof self->seed);
    TAILQ_INIT(&self->used);
    TAILQ_INIT(&self->dirty);
}

/* Names come from outside: with a hash that cannot be guessed nobody makes them collide. */
static unsigned s_hash(const engine_t *self, const char *name, size_t size)
{
    unsigned long long hash;
    _Static_assert(sizeof hash == crypto_shorthash_BYTES &&
                       sizeof self->seed == crypto_shorthash_KEYBYTES,
                   "SipHash-2-4");
    crypto_shorthash((uint8_t *)&hash, (const uint8_t *)name, size, self->seed);
    return (unsigned)hash;
}

/* ---- counters -------------------------------------------------------------------------------- */

static counter_t *s_make_counter(subject_t *subject, const policy_t *policy)
{
    for (size_t i = 0; i < subject->counter_count; i++)
        if (subject->counters[i].slot == policy->slot)
            return &subject->counters[i];
    size_t count = subject->counter_count + 1u;
    subject->counters = mem_resize(subject->counters, count * sizeof *subject->counters);
    subject->counter_count = (uint16_t)count;
    counter_t *counter = &subject->counters[count - 1];
    *counter = (counter_t){ .slot = policy->slot, .algorithm = policy->rule.algorithm };
    return counter;
}

/* What was used before a policy changed its algorithm counts as if it had been used now. */
static void s_convert(counter_t *counter, const policy_t *policy, int64_t now_ms)
{
    const policy_rule_t *rule = &policy->rule;
    if (counter->algorithm == POLICY_WINDOW) {
        uint32_t used = counter->window.total < rule->burst ? counter->window.total : rule->burst;
        window_free(&counter->window);
        counter->gcra = (gcra_t){ 0 };
        gcra_add(&counter->gcra, now_ms * 1000, policy->interval_us, used);
    } else {
        int64_t interval_us = counter->gcra.interval_us ? counter->gcra.interval_us : 1;
        uint32_t used = gcra_used(&counter->gcra, now_ms * 1000, interval_us);
        counter->window = (window_t){ 0 };
        window_set(&counter->window, window_date(now_ms, policy->grain_ms),
                   used < rule->limit ? used : rule->limit);
    }
    counter->algorithm = rule->algorithm;
}

counter_t *counter_of(engine_t *engine, subject_t *subject, const policy_t *policy, int64_t now_ms)
{
    uint16_t before = subject->counter_count;
    counter_t *counter = s_make_counter(subject, policy);
    if (subject->counter_count != before)
        subject_measure(engine, subject);
    if (counter->algorithm != policy->rule.algorithm)
        s_convert(counter, policy, now_ms);
    if (counter->algorithm == POLICY_WINDOW)
        window_expire(&counter->window, now_ms, policy->rule.window_ms);
    return counter;
}

uint32_t counter_used(const counter_t *counter, const policy_t *policy, int64_t now_ms)
{
    return counter->algorithm == POLICY_WINDOW
               ? counter->window.total
               : gcra_used(&counter->gcra, now_ms * 1000, policy->interval_us);
}

int64_t counter_expiry(const counter_t *counter, const policy_t *policy)
{
    if (counter->algorithm == POLICY_GCRA)
        return (counter->gcra.tat_us + 999) / 1000;
    if (counter->window.count == 0)
        return 0;
    return window_time_of(&counter->window, UINT32_MAX) + policy->rule.window_ms + 1;
}

/* ---- subjects -------------------------------------------------------------------------------- */

void subject_measure(engine_t *engine, subject_t *subject)
{
    size_t bytes = sizeof *subject + strlen(subject->name) + 1 +
                   subject->counter_count * sizeof *subject->counters;
    for (size_t i = 0; i < subject->counter_count; i++)
        if (subject->counters[i].algorithm == POLICY_WINDOW)
            bytes += window_bytes(&subject->counters[i].window);
    engine->bytes += bytes - subject->bytes;
    subject->bytes = bytes;
}

void subject_changed(engine_t *engine, subject_t *subject)
{
    if (!subject->is_own) {
        engine->takeover += subject->epoch > 0;
        subject->epoch++;
        subject->is_own = true;
    }
    subject->change++;
    subject_measure(engine, subject);
    engine_set_dirty(engine, subject);
}

void engine_set_dirty(engine_t *self, subject_t *subject)
{
    if (!subject->is_dirty)
        TAILQ_INSERT_TAIL(&self->dirty, subject, dirty_entry);
    subject->is_dirty = true;
}

void engine_set_clean(engine_t *self, subject_t *subject)
{
    if (subject->is_dirty)
        TAILQ_REMOVE(&self->dirty, subject, dirty_entry);
    subject->is_dirty = false;
}

void engine_set_all_dirty(engine_t *self)
{
    subject_t *subject;
    TAILQ_FOREACH(subject, &self->used, used_entry)
    if (subject->is_own) {
        subject->stored = subject->change - 1;
        engine_set_dirty(self, subject);
    }
}

int64_t engine_expiry(const engine_t *self, const subject_t *subject)
{
    int64_t latest_ms = 0;
    for (size_t i = 0; i < subject->counter_count; i++) {
        const counter_t *counter = &subject->counters[i];
        int64_t until_ms = counter_expiry(counter, self->policies.slots[counter->slot]);
        if (until_ms > latest_ms)
            latest_ms = until_ms;
    }
    return latest_ms;
}

static void s_free(engine_t *self, subject_t *subject)
{
    engine_set_clean(self, subject);
    HASH_DEL(self->by_name, subject);
    TAILQ_REMOVE(&self->used, subject, used_entry);
    self->count--;
    self->bytes -= subject->bytes;
    for (size_t i = 0; i < subject->counter_count; i++)
        if (subject->counters[i].algorithm == POLICY_WINDOW)
            window_free(&subject->counters[i].window);
    mem_free(subject->counters);
    mem_free(subject);
}

void engine_free(engine_t *self)
{
    while (!TAILQ_EMPTY(&self->used))
        s_free(self, TAILQ_FIRST(&self->used));
    policies_free(&self->policies);
}

/* Whether nothing is lost when it goes: nothing of it counts, or the store has it; of a copy the
 * owner has it, too. */
static bool s_is_spare(const engine_t *self, const subject_t *subject, int64_t now_ms)
{
    if (engine_expiry(self, subject) <= now_ms)
        return true;
    return self->has_store && subject->stored == subject->change;
}

static bool s_evict(engine_t *self, subject_t *subject, int64_t now_ms)
{
    if (!s_is_spare(self, subject, now_ms))
        return false;
    self->evicted += engine_expiry(self, subject) > now_ms;
    s_free(self, subject);
    return true;
}

static bool s_make_room(engine_t *self, int64_t now_ms)
{
    subject_t *subject = TAILQ_LAST(&self->used, subjects), *before;
    for (int tries = 0; self->bytes >= self->bytes_max && subject && tries < EVICT_TRIES; tries++) {
        before = TAILQ_PREV(subject, subjects, used_entry);
        s_evict(self, subject, now_ms);
        subject = before;
    }
    return self->bytes < self->bytes_max;
}

void engine_evict_idle(engine_t *self, int64_t now_ms, int64_t idle_ms, size_t most)
{
    subject_t *subject;
    while (most-- > 0 && (subject = TAILQ_LAST(&self->used, subjects)) &&
           subject->used_ms < now_ms - idle_ms && s_evict(self, subject, now_ms))
        ;
}

subject_t *engine_find(const engine_t *self, const char *name, size_t size)
{
    subject_t *subject;
    unsigned hash = s_hash(self, name, size);
    HASH_FIND_BYHASHVALUE(hh, self->by_name, name, size, hash, subject);
    return subject;
}

static subject_t *s_make(engine_t *self, const char *name, size_t size)
{
    subject_t *subject = mem_zeroed(sizeof *subject + size + 1);
    unsigned hash = s_hash(self, name, size);
    memcpy(subject->name, name, size);
    subject->key = limiter_route_key(subject->name);
    HASH_ADD_BYHASHVALUE(hh, self->by_name, name[0], (unsigned)size, hash, subject);
    TAILQ_INSERT_HEAD(&self->used, subject, used_entry);
    self->count++;
    subject_measure(self, subject);
    return subject;
}

subject_t *engine_open(engine_t *self, const char *name, size_t size, int64_t now_ms)
{
    subject_t *subject = engine_find(self, name, size);
    if (subject) {
        TAILQ_REMOVE(&self->used, subject, used_entry);
        TAILQ_INSERT_HEAD(&self->used, subject, used_entry);
    } else if (!s_make_room(self, now_ms)) {
        return NULL;
    } else {
        subject = s_make(self, name, size);
    }
    subject->used_ms = now_ms;
    return subject;
}
