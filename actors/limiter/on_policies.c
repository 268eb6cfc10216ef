/* SPDX-License-Identifier: MPL-2.0
 *
 * on_policies - administration: policies, and who asks most
 */
#include "config.h"

#include "actors/limiter/limiter.h"
#include "actors/base/log.h"

/* ---- policies -------------------------------------------------------------------------------- */

static void s_pack_rule(pack_t *pack, const policy_rule_t *rule)
{
    pack_map(pack, 5);
    pack_pair_text(pack, "name", rule->name);
    pack_pair_int(pack, "limit", rule->limit);
    pack_pair_int(pack, "window_ms", rule->window_ms);
    pack_pair_text(pack, "algorithm", policy_algorithm_name(rule->algorithm));
    pack_pair_int(pack, "burst", rule->burst);
}

static int s_compare(const policy_t *a, const policy_t *b)
{
    return strcmp(a->rule.name, b->rule.name);
}

/* {version, policies}, by name. */
static void s_pack_policies(policies_t *policies, pack_t *pack)
{
    policy_t *policy, *next;
    HASH_SORT(policies->by_name, s_compare);
    pack_map(pack, 2);
    pack_pair_int(pack, "version", policies->version);
    pack_text(pack, "policies");
    pack_array(pack, policies->active);
    HASH_ITER(hh, policies->by_name, policy, next)
    if (policy->is_active)
        s_pack_rule(pack, &policy->rule);
}

void limiter_publish_policies(limiter_t *self)
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    s_pack_policies(&self->engine.policies, &pack);
    actor_publish(self->actor, topic_row(TOPIC_LIMITER_POLICIES)->prefix, true, &body);
}

void limiter_on_policies(call_t *call, void *memory)
{
    limiter_t *self = memory;
    monitor_lock(&self->monitor);
    s_pack_policies(&self->engine.policies, call_pack(call));
    monitor_unlock(&self->monitor);
    call_reply(call, 0);
}

/* ---- changes: the store first, on the backing thread ----------------------------------------- */

static void s_defer(limiter_t *self, call_t *call, waiting_fn run)
{
    monitor_lock(&self->monitor);
    backing_defer(self, call, run, NULL, 0);
    monitor_unlock(&self->monitor);
}

/* A change that is stored holds here at once; the others hear of it by the event. */
static void s_log_change(call_t *call, limiter_t *self, const char *what)
{
    if (!backing_read_policies(self, call_db(call)))
        LOG(LOG_WARN, "limiter.policies_unread", LOG_TEXT("advice", "they are read again soon"));
    LOG(LOG_INFO, what, LOG_TEXT("policy", call_text(call, "name")),
        LOG_TEXT("by", call_principal(call)->user));
}

static void s_set(call_t *call, void *memory)
{
    policy_rule_t rule = { .limit = (uint32_t)call_int(call, "limit"),
                           .burst = (uint32_t)call_int(call, "burst"),
                           .window_ms = call_int(call, "window_ms") };
    bool is_full;
    const char *name = call_text(call, "name");
    memcpy(rule.name, name, strlen(name) + 1); /* the schema bounds it */
    insist(policy_algorithm_parse(call_text(call, "algorithm"), &rule.algorithm));
    const char *fault = policy_fault(&rule);
    if (fault) {
        call_fail(call, ERROR_UNPROCESSABLE, "This cannot be: %s", fault);
        return;
    }
    db_status_t status = ledger_set_policy(call_db(call), &rule, &is_full);
    if (status != DB_OK) {
        call_fail_db(call, status);
    } else if (is_full) {
        call_fail(call, ERROR_UNPROCESSABLE, "There are %d policies already; delete one first",
                  LEDGER_POLICIES_MAX);
    } else {
        s_log_change(call, memory, "limiter.policy_set");
        s_pack_rule(call_pack(call), &rule);
        call_reply(call, 0);
    }
}

void limiter_on_policy_set(call_t *call, void *self)
{
    s_defer(self, call, s_set);
}

static void s_delete(call_t *call, void *memory)
{
    bool was_there;
    db_status_t status = ledger_delete_policy(call_db(call), call_text(call, "name"), &was_there);
    if (status != DB_OK) {
        call_fail_db(call, status);
    } else if (!was_there) {
        call_fail(call, ERROR_NOT_FOUND, "There is no policy with this name");
    } else {
        s_log_change(call, memory, "limiter.policy_deleted");
        call_reply(call, 0);
    }
}

void limiter_on_policy_delete(call_t *call, void *self)
{
    s_defer(self, call, s_delete);
}

/* ---- who asks most --------------------------------------------------------------------------- */

void limiter_on_top(call_t *call, void *memory)
{
    limiter_t *self = memory;
    hot_row_t *rows = arena_array(call_arena(call), LIMITER_TOP_MAX, sizeof *rows);
    monitor_lock(&self->monitor);
    size_t count = hot_top(&self->hot, (size_t)call_int(call, "limit"), rows);
    monitor_unlock(&self->monitor);
    pack_t *pack = call_pack(call);
    pack_map(pack, 2);
    pack_pair_text(pack, "instance", actor_instance(self->actor));
    pack_text(pack, "items");
    pack_array(pack, count);
    for (size_t i = 0; i < count; i++) {
        pack_map(pack, 4);
        pack_pair_text(pack, "subject", rows[i].subject);
        pack_text(pack, "count");
        pack_uint(pack, rows[i].count);
        pack_text(pack, "error");
        pack_uint(pack, rows[i].error);
        pack_text(pack, "refused");
        pack_uint(pack, rows[i].refused);
    }
    call_reply(call, 0);
}
