/* SPDX-License-Identifier: MPL-2.0
 *
 * on_take - take, peek, refund: on the I/O thread when the subject is in memory, else when the
 * keeper has read it
 */
#include "config.h"

#include "actors/base/clock.h"
#include "actors/limiter/limiter.h"

/* ---- requests -------------------------------------------------------------------------------- */

/* The policies by name, each once. False: the call has been answered. */
static bool s_require_policies(call_t *call, const limiter_t *self, take_t *take)
{
    const value_t *names = value_get(call_request(call), "policies"), *name;
    for (uint32_t i = 0; (name = value_item(names, i)) && i < LIMITER_TAKE_POLICIES; i++) {
        const policy_t *policy = policies_find(&self->engine.policies, name->text, name->count);
        if (!policy) {
            call_fail(call, ERROR_NOT_FOUND, "There is no policy '%.*s'", (int)name->count,
                      name->text);
            return false;
        }
        for (size_t k = 0; k < take->policy_count; k++)
            if (take->policies[k] == policy) {
                call_fail(call, ERROR_BAD_REQUEST, "The policy '%s' is named twice",
                          policy->rule.name);
                return false;
            }
        take->policies[take->policy_count++] = policy;
    }
    return true;
}

/* The policies are looked up under the lock, which is held. */
static bool s_require_take(call_t *call, const limiter_t *self, take_t *take)
{
    *take = (take_t){ .cost = (uint32_t)call_int(call, "cost"),
                      .lease = (uint32_t)call_int(call, "lease") };
    take->subject = value_get_text(call_request(call), "subject", &take->subject_size);
    return s_require_policies(call, self, take);
}

/* What an instance that leaves may still count is as good as not loaded. */
static bool s_is_awaited(const limiter_t *self, const take_t *take)
{
    return self->peers.count > 0 &&
           peers_is_awaited(&self->peers, id_hash(take->subject, take->subject_size), clock_ms());
}

/* Answers, or defers, what could not be decided. */
static void s_end_undecided(limiter_t *self, call_t *call, const take_t *take,
                            engine_verdict_t verdict, waiting_fn again)
{
    if (verdict == ENGINE_NOT_LOADED) {
        backing_defer(self, call, again, take->subject, take->subject_size);
        return;
    }
    limiter_count(self, LIMITER_NO_ROOM, 1);
    call_fail(call, ERROR_OVERLOADED, LIMITER_FULL);
}

/* ---- replies --------------------------------------------------------------------------------- */

static void s_pack_standing(pack_t *pack, const take_t *take, const taken_t *taken)
{
    pack_pair_bool(pack, "allowed", taken->allowed);
    pack_pair_text(pack, "refused_by", taken->refused_by ? taken->refused_by->rule.name : NULL);
    pack_pair_int(pack, "at_ms", taken->at_ms);
    pack_pair_int(pack, "retry_at_ms", taken->retry_at_ms);
    pack_text(pack, "policies");
    pack_array(pack, take->policy_count);
    for (size_t i = 0; i < take->policy_count; i++) {
        const policy_rule_t *rule = &take->policies[i]->rule;
        pack_map(pack, 5);
        pack_pair_text(pack, "name", rule->name);
        pack_pair_int(pack, "limit", rule->limit);
        pack_pair_int(pack, "window_ms", rule->window_ms);
        pack_pair_int(pack, "remaining", taken->standing[i].remaining);
        pack_pair_int(pack, "reset_at_ms", taken->standing[i].reset_at_ms);
    }
}

static void s_pack_lease(pack_t *pack, const taken_t *taken)
{
    pack_text(pack, "lease");
    pack_map(pack, 2);
    pack_pair_int(pack, "count", taken->lease);
    pack_pair_int(pack, "until_ms", taken->lease_until_ms);
}

/* ---- handlers -------------------------------------------------------------------------------- */

static void s_note(limiter_t *self, const take_t *take, const taken_t *taken)
{
    const int64_t times[] = { taken->at_ms, taken->lease_until_ms };
    limiter_count(self, taken->allowed ? LIMITER_ALLOWED : LIMITER_REFUSED, 1);
    hot_add(&self->hot, taken->subject->key, take->subject, take->subject_size, take->cost,
            !taken->allowed);
    if (taken->lease > 0)
        limiter_count(self, LIMITER_LENT, taken->lease);
    if (taken->allowed)
        copies_add(self, taken->subject, take, times, taken->lease > 0 ? 2 : 1);
}

void limiter_on_take(call_t *call, void *memory)
{
    limiter_t *self = memory;
    take_t take;
    taken_t taken;
    monitor_lock(&self->monitor);
    if (s_require_take(call, self, &take)) {
        engine_verdict_t verdict =
            s_is_awaited(self, &take)
                ? ENGINE_NOT_LOADED
                : engine_take(&self->engine, &take, limiter_now_ms(self), &taken);
        if (verdict == ENGINE_DONE) {
            s_note(self, &take, &taken);
            pack_t *pack = call_pack(call);
            pack_map(pack, 6);
            s_pack_standing(pack, &take, &taken);
            s_pack_lease(pack, &taken);
            call_reply(call, 0);
        } else {
            s_end_undecided(self, call, &take, verdict, limiter_on_take);
        }
    }
    monitor_unlock(&self->monitor);
}

void limiter_on_peek(call_t *call, void *memory)
{
    limiter_t *self = memory;
    take_t take;
    taken_t taken;
    monitor_lock(&self->monitor);
    if (s_require_take(call, self, &take)) {
        engine_verdict_t verdict =
            s_is_awaited(self, &take)
                ? ENGINE_NOT_LOADED
                : engine_peek(&self->engine, &take, limiter_now_ms(self), &taken);
        if (verdict == ENGINE_DONE) {
            pack_t *pack = call_pack(call);
            pack_map(pack, 5);
            s_pack_standing(pack, &take, &taken);
            call_reply(call, 0);
        } else {
            s_end_undecided(self, call, &take, verdict, limiter_on_peek);
        }
    }
    monitor_unlock(&self->monitor);
}

void limiter_on_refund(call_t *call, void *memory)
{
    limiter_t *self = memory;
    take_t take;
    uint32_t refunded;
    subject_t *subject;
    const int64_t at_ms = call_int(call, "at_ms");
    monitor_lock(&self->monitor);
    if (s_require_take(call, self, &take)) {
        engine_verdict_t verdict = s_is_awaited(self, &take)
                                       ? ENGINE_NOT_LOADED
                                       : engine_refund(&self->engine, &take, at_ms,
                                                       limiter_now_ms(self), &refunded, &subject);
        if (verdict == ENGINE_DONE) {
            limiter_count(self, LIMITER_REFUNDED, refunded);
            copies_add(self, subject, &take, &at_ms, 1);
            pack_map(call_pack(call), 1);
            pack_pair_int(call_pack(call), "refunded", refunded);
            call_reply(call, 0);
        } else {
            s_end_undecided(self, call, &take, verdict, limiter_on_refund);
        }
    }
    monitor_unlock(&self->monitor);
}
