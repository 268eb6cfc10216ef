/* SPDX-License-Identifier: MPL-2.0
 *
 * Random traces, judged by brute force: all that was ever admitted is written down, and every
 * window of it is added up. Nothing that the engine keeps is looked at.
 */
#include "config.h"

#include "actors/limiter/engine.h"
#include "tests/tap.h"

#define TRACES   150
#define STEPS    500
#define SUBJECTS 2
#define START    INT64_C(1800000000000)

enum { SHORT, LONG, COARSE, EVEN, RULES };

static const policy_rule_t s_rules[RULES] = {
    [SHORT] = { .name = "short", .limit = 3, .window_ms = 50 },
    [LONG] = { .name = "long", .limit = 40, .window_ms = 1000 },
    [COARSE] = { .name = "coarse", .limit = 1500, .window_ms = 3000 },
    [EVEN] = { .name = "even",
               .limit = 50,
               .window_ms = 1000,
               .burst = 5,
               .algorithm = POLICY_GCRA },
};

/* One use that was admitted; `refunded` ones have not happened. */
typedef struct {
    int64_t at_ms;
    uint32_t amount;
    uint8_t subject, rules; /* a bit for each rule */
} use_t;

typedef struct {
    engine_t engine;
    uint64_t random;
    int64_t now_ms;
    use_t uses[3 * STEPS];
    size_t use_count;
    buf_t stored[SUBJECTS]; /* what the store knows */
    uint32_t stored_epoch[SUBJECTS];
    size_t too_many, too_few, admitted, refused;
} trace_t;

static uint64_t s_random(trace_t *self, uint64_t below)
{
    self->random ^= self->random << 13; /* xorshift64, Marsaglia 2003 */
    self->random ^= self->random >> 7;
    self->random ^= self->random << 17;
    return self->random % below;
}

static void s_open(trace_t *self, uint64_t seed)
{
    static const uint8_t key[16] = { 7 };
    *self = (trace_t){ .random = seed * 0x9e3779b97f4a7c15 + 1, .now_ms = START };
    engine_init(&self->engine, 1 << 20, key);
    for (size_t i = 0; i < RULES; i++)
        insist(policies_set(&self->engine.policies, &s_rules[i]));
}

static void s_close(trace_t *self)
{
    engine_free(&self->engine);
    for (size_t i = 0; i < SUBJECTS; i++)
        buf_free(&self->stored[i]);
}

/* ---- the oracle ------------------------------------------------------------------------------ */

static bool s_concerns(const use_t *use, size_t subject, size_t rule)
{
    return use->subject == subject && use->rules >> rule & 1;
}

/* All that was used from `from_ms` to `to_ms`, both included. */
static uint64_t s_sum(const trace_t *self, size_t subject, size_t rule, int64_t from_ms,
                      int64_t to_ms)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < self->use_count; i++)
        if (s_concerns(&self->uses[i], subject, rule) && self->uses[i].at_ms >= from_ms &&
            self->uses[i].at_ms <= to_ms)
            sum += self->uses[i].amount;
    return sum;
}

/* What may be used in a stretch of so many milliseconds. */
static double s_allowance(const policy_rule_t *rule, int64_t length_ms)
{
    if (rule->algorithm == POLICY_WINDOW)
        return length_ms <= rule->window_ms ? rule->limit : 1e9;
    return rule->burst + (double)length_ms * rule->limit / (double)rule->window_ms;
}

/* Whether the stretch from any use on to `now_ms` has no place for `more`. `slack_ms` is how much
 * longer than it must a use may count. */
static bool s_is_full(const trace_t *self, size_t subject, size_t rule, uint32_t more,
                      int64_t slack_ms)
{
    const policy_rule_t *policy = &s_rules[rule];
    if (more > s_allowance(policy, 0))
        return true;
    for (size_t i = 0; i < self->use_count; i++) {
        const use_t *use = &self->uses[i];
        int64_t length_ms = self->now_ms - use->at_ms - slack_ms;
        if (s_concerns(use, subject, rule) &&
            (double)s_sum(self, subject, rule, use->at_ms, INT64_MAX) + more >
                s_allowance(policy, length_ms))
            return true;
    }
    return false;
}

/* Every stretch that begins and ends with a use. */
static size_t s_count_too_many(const trace_t *self)
{
    size_t too_many = 0;
    for (size_t rule = 0; rule < RULES; rule++)
        for (size_t i = 0; i < self->use_count; i++)
            for (size_t k = 0; k < self->use_count; k++) {
                const use_t *first = &self->uses[i], *last = &self->uses[k];
                int64_t length_ms = last->at_ms - first->at_ms;
                if (length_ms < 0 || length_ms > s_rules[rule].window_ms ||
                    !s_concerns(first, first->subject, rule) ||
                    !s_concerns(last, first->subject, rule))
                    continue;
                too_many += (double)s_sum(self, first->subject, rule, first->at_ms, last->at_ms) >
                            s_allowance(&s_rules[rule], length_ms) + 1e-6;
            }
    return too_many;
}

/* ---- traces ---------------------------------------------------------------------------------- */

static take_t s_make_take(trace_t *self, char name[2], uint8_t *rules)
{
    take_t take = { .subject = name, .subject_size = 1, .cost = 1 + (uint32_t)s_random(self, 3) };
    name[0] = (char)('a' + s_random(self, SUBJECTS));
    *rules = (uint8_t)(1 + s_random(self, (1 << RULES) - 1));
    if (*rules == 1 << COARSE)
        take.cost = 200;
    for (size_t i = 0; i < RULES; i++)
        if (*rules >> i & 1)
            take.policies[take.policy_count++] =
                policies_find(&self->engine.policies, s_rules[i].name, strlen(s_rules[i].name));
    return take;
}

static void s_note_use(trace_t *self, int64_t at_ms, uint32_t amount, char name, uint8_t rules)
{
    self->uses[self->use_count++] = (use_t){
        .at_ms = at_ms, .amount = amount, .subject = (uint8_t)(name - 'a'), .rules = rules
    };
}

/* Gives back one of the last uses. */
static void s_refund(trace_t *self, const char *name, const take_t *take, uint8_t rules,
                     int64_t at_ms, bool must_work)
{
    uint32_t refunded;
    subject_t *subject;
    insist(engine_refund(&self->engine, take, at_ms, self->now_ms, &refunded, &subject) ==
           ENGINE_DONE);
    for (size_t i = self->use_count; i-- > 0;)
        if (self->uses[i].at_ms == at_ms && self->uses[i].subject == name[0] - 'a' &&
            self->uses[i].rules == rules && self->uses[i].amount == take->cost) {
            self->uses[i] = self->uses[--self->use_count];
            break;
        }
    self->too_few += must_work && refunded != take->cost;
}

/* What the store knows about a subject comes back into memory. */
static void s_load(trace_t *self, const char *name)
{
    size_t i = (size_t)(name[0] - 'a');
    arena_t arena = { 0 };
    value_verdict_t verdict;
    subject_t *subject = engine_open(&self->engine, name, 1, self->now_ms);
    insist(subject);
    if (self->stored[i].size > 0) {
        const value_t *state = value_parse(&arena, self->stored[i].bytes, self->stored[i].size,
                                           VALUE_LIMITS, &verdict);
        absorb_t news = { .epoch = self->stored_epoch[i], .state = state };
        insist(state && engine_absorb(&self->engine, subject, &news, self->now_ms));
    }
    subject->is_loaded = true;
    arena_free(&arena);
}

static void s_store(trace_t *self)
{
    subject_t *subject;
    while ((subject = TAILQ_FIRST(&self->engine.dirty))) {
        size_t i = (size_t)(subject->name[0] - 'a');
        pack_t pack;
        self->stored[i].size = 0;
        pack_init(&pack, &self->stored[i]);
        engine_pack(&self->engine, subject, &pack);
        self->stored_epoch[i] = subject->epoch;
        subject->stored = subject->change;
        engine_set_clean(&self->engine, subject);
    }
}

static void s_step(trace_t *self, bool with_leases, bool with_refunds)
{
    char name[2] = "";
    uint8_t rules;
    taken_t taken;
    self->now_ms += (int64_t)(s_random(self, 4) ? s_random(self, 12) : s_random(self, 200));
    take_t take = s_make_take(self, name, &rules);
    if (with_leases && s_random(self, 3) == 0)
        take.lease = 1 + (uint32_t)s_random(self, 5);
    engine_verdict_t verdict = engine_take(&self->engine, &take, self->now_ms, &taken);
    if (verdict == ENGINE_NOT_LOADED) {
        s_load(self, name);
        verdict = engine_take(&self->engine, &take, self->now_ms, &taken);
    }
    insist(verdict == ENGINE_DONE);
    if (!taken.allowed) {
        /* a late refund gives an even rate back less than there was to be sure */
        bool is_justified = with_refunds && rules >> EVEN & 1;
        for (size_t i = 0; i < RULES; i++) {
            int64_t slack_ms = i == COARSE ? s_rules[i].window_ms / WINDOW_BUCKETS + 1 : 0;
            is_justified |= (rules >> i & 1) &&
                            s_is_full(self, (size_t)(name[0] - 'a'), i, take.cost, slack_ms);
        }
        self->refused++;
        self->too_few += !is_justified && !with_leases;
        return;
    }
    self->admitted++;
    s_note_use(self, self->now_ms, take.cost, name[0], rules);
    for (uint32_t i = 0; i < taken.lease; i++) { /* used at any time while it lasts */
        int64_t lasts_ms = taken.lease_until_ms - self->now_ms;
        int64_t at_ms = self->now_ms + (int64_t)s_random(self, (uint64_t)lasts_ms + 1);
        s_note_use(self, at_ms, 1, name[0], rules);
    }
    if (with_refunds && s_random(self, 4) == 0) {
        int64_t at_ms = self->now_ms;
        bool at_once = s_random(self, 2);
        if (!at_once)
            self->now_ms += (int64_t)s_random(self, 100);
        s_refund(self, name, &take, rules, at_ms, at_once);
    }
}

typedef enum { WITH_NOTHING, WITH_LEASES = 1, WITH_REFUNDS = 2, WITH_EVICTIONS = 4 } with_t;

static void s_run(unsigned with)
{
    static trace_t trace;
    trace_t all = { 0 };
    for (uint64_t seed = 1; seed <= TRACES; seed++) {
        s_open(&trace, seed);
        trace.engine.has_store = with & WITH_EVICTIONS;
        for (int step = 0; step < STEPS; step++) {
            s_step(&trace, with & WITH_LEASES, with & WITH_REFUNDS);
            if (with & WITH_EVICTIONS && s_random(&trace, 5) == 0) {
                s_store(&trace);
                engine_evict_idle(&trace.engine, trace.now_ms, 0, SUBJECTS);
            }
        }
        all.admitted += trace.admitted;
        all.refused += trace.refused;
        all.too_few += trace.too_few;
        all.too_many += s_count_too_many(&trace);
        s_close(&trace);
    }
    ok(all.admitted > TRACES * STEPS / 10);
    ok(all.refused > TRACES * STEPS / 10);
    is_int(all.too_many, 0);
    is_int(all.too_few, 0);
}

static void test_takes(void)
{
    s_run(WITH_NOTHING);
}

static void test_refunds(void)
{
    s_run(WITH_REFUNDS);
}

static void test_leases(void)
{
    s_run(WITH_LEASES | WITH_REFUNDS);
}

static void test_evictions(void)
{
    s_run(WITH_EVICTIONS);
}

/* ---- a copy ---------------------------------------------------------------------------------- */

static bool s_stands_alike(trace_t *owner, trace_t *copy, const take_t *take)
{
    taken_t one, other;
    bool same = engine_peek(&owner->engine, take, owner->now_ms, &one) == ENGINE_DONE &&
                engine_peek(&copy->engine, take, owner->now_ms, &other) == ENGINE_DONE;
    for (size_t i = 0; same && i < take->policy_count; i++)
        same = one.standing[i].remaining == other.standing[i].remaining;
    return same && one.retry_at_ms == other.retry_at_ms;
}

/* Whoever has taken in every use stands where the owner stands. */
static void test_copies(void)
{
    static trace_t owner, copy;
    size_t alike = 0;
    s_open(&owner, 5);
    s_open(&copy, 5);
    for (int step = 0; step < STEPS; step++) {
        char name[2] = "";
        uint8_t rules;
        taken_t taken;
        buf_t bytes = { 0 };
        pack_t pack;
        arena_t arena = { 0 };
        value_verdict_t verdict;
        owner.now_ms += (int64_t)s_random(&owner, 20);
        take_t take = s_make_take(&owner, name, &rules);
        insist(engine_take(&owner.engine, &take, owner.now_ms, &taken) == ENGINE_DONE);
        if (taken.allowed) {
            pack_init(&pack, &bytes);
            engine_pack_uses(taken.subject, take.policies, take.policy_count, &taken.at_ms, 1,
                             &pack);
            const value_t *uses =
                value_parse(&arena, bytes.bytes, bytes.size, VALUE_LIMITS, &verdict);
            subject_t *subject = engine_open(&copy.engine, name, 1, owner.now_ms);
            absorb_t news = { .epoch = taken.subject->epoch, .is_live = true, .state = uses };
            insist(engine_absorb(&copy.engine, subject, &news, owner.now_ms));
        }
        for (size_t i = 0; i < take.policy_count; i++) /* the same policies, of the other table */
            take.policies[i] = copy.engine.policies.slots[take.policies[i]->slot];
        alike += s_stands_alike(&owner, &copy, &take);
        buf_free(&bytes);
        arena_free(&arena);
    }
    is_int(alike, STEPS);
    is_int(copy.engine.takeover, 0);
    s_close(&owner);
    s_close(&copy);
}

TESTS({ "takes", test_takes }, { "refunds", test_refunds }, { "leases", test_leases },
      { "evictions", test_evictions }, { "copies", test_copies })
