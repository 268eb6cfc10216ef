/* SPDX-License-Identifier: MPL-2.0
 *
 * limits - whether a caller may do this now, as the limiter counts
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/base/text.h"
#include "edge/counters.h"
#include "edge/limits.h"
#include "proto/topic.h"

#define TAKE_MS   500 /* how long a request waits for the limiter */
#define REFUND_MS 2000
#define FAILURES  ".failures"
#define CHEAP     "read"

#define REPLY_LIMITS ((value_limits_t){ .depth = 5, .nodes = 200 })

/* ---- messages ------------------------------------------------------------------------------- */

static question_t s_question(const char *method, const char *subject, buf_t *body,
                             uint32_t deadline_ms)
{
    return (question_t){ .method = method,
                         .body = body,
                         .deadline_ms = deadline_ms,
                         .has_route_key = true,
                         .route_key = limiter_route_key(subject) };
}

static void s_pack_take(const claim_t *claim, buf_t *body)
{
    pack_t pack;
    pack_init(&pack, body);
    pack_map(&pack, 4);
    pack_pair_text(&pack, "subject", claim->subject);
    pack_text(&pack, "policies");
    pack_array(&pack, claim->count);
    for (size_t i = 0; i < claim->count; i++)
        pack_text(&pack, claim->standings[i].policy.name);
    pack_pair_int(&pack, "cost", claim->cost);
    pack_pair_int(&pack, "lease", claim->lease);
}

/* `names` are policies, each ended by '\n'. */
static void s_refund(void *limits, const char *subject, const char *names, uint32_t count,
                     int64_t taken_at)
{
    limits_t *self = limits;
    buf_t body = { 0 };
    pack_t pack;
    size_t policies = 0;
    for (const char *at = names; (at = strchr(at, '\n')); at++)
        policies++;
    pack_init(&pack, &body);
    pack_map(&pack, 4);
    pack_pair_text(&pack, "subject", subject);
    pack_text(&pack, "policies");
    pack_array(&pack, policies);
    for (const char *end; (end = strchr(names, '\n')); names = end + 1)
        pack_string(&pack, names, (size_t)(end - names));
    pack_pair_int(&pack, "cost", count);
    pack_pair_int(&pack, "at_ms", taken_at);
    const question_t question = s_question(limiter_refund.name, subject, &body, REFUND_MS);
    inquiry_tell(&self->limiter, &question);
    stats_add(self->config.stats, COUNT_LIMITS_REFUNDS, 1);
}

/* Times of the limiter are its wall clock's; how far they lie ahead of when it counted is the same
 * on any clock. Ours is taken from before the question was sent: a lease never ends too late. */
static uint64_t s_moment(int64_t wall_ms, int64_t counted_at_ms, uint64_t sent_ms)
{
    return wall_ms > counted_at_ms ? sent_ms + (uint64_t)(wall_ms - counted_at_ms) : sent_ms;
}

static void s_read_standing(standing_t *standing, const value_t *map, int64_t at, uint64_t sent_ms)
{
    standing->policy.limit = value_get_int(map, "limit", standing->policy.limit);
    standing->policy.window_ms = value_get_int(map, "window_ms", standing->policy.window_ms);
    standing->remaining = value_get_int(map, "remaining", 0);
    standing->reset_ms = s_moment(value_get_int(map, "reset_at_ms", 0), at, sent_ms);
}

static bool s_read_take(claim_t *claim, ruling_t *ruling, const answer_t *answer, uint64_t sent_ms)
{
    arena_t arena = { 0 };
    value_verdict_t verdict;
    const value_t *map =
        value_parse(&arena, answer_bytes(answer), answer_size(answer), REPLY_LIMITS, &verdict);
    const value_t *list = value_get(map, "policies"), *lease = value_get(map, "lease");
    const value_t *refused_by = value_get(map, "refused_by");
    int64_t at = value_get_int(map, "at_ms", 0), until = value_get_int(lease, "until_ms", 0);
    bool good = value_is_type(list, VALUE_ARRAY) && list->count == claim->count;
    for (uint32_t i = 0; good && i < claim->count; i++) {
        s_read_standing(&claim->standings[i], value_item(list, i), at, sent_ms);
        if (value_is(refused_by, claim->standings[i].policy.name))
            claim->refused_by = i;
    }
    claim->taken_at = at;
    claim->retry_ms = s_moment(value_get_int(map, "retry_at_ms", 0), at, sent_ms);
    *ruling = (ruling_t){ .allowed = value_get_bool(map, "allowed", false),
                          .retry_ms = claim->retry_ms,
                          .lease = (uint32_t)value_get_int(lease, "count", 0),
                          .lease_until_ms = s_moment(until, at, sent_ms),
                          .lease_taken_at = until };
    arena_free(&arena);
    return good;
}

/* ---- one claim ------------------------------------------------------------------------------ */

/* Counts what the limiter cannot. */
static limits_verdict_t s_take_coarse(limits_t *self, claim_t *claim)
{
    const char *class = claim->rate_class;
    stats_add(self->config.stats, COUNT_LIMITS_DEGRADED, 1);
    claim->taken_at = 0;
    if (class && strcmp(class, CHEAP) != 0)
        return LIMITS_UNKNOWN;
    return tally_count(&self->tally, claim, (uint32_t)self->config.coarse, clock_ms())
               ? LIMITS_PASS
               : LIMITS_REFUSE;
}

/* When the instance that had the question is lost it is asked again: whether that one had counted
 * is not known, and what is counted twice lets nobody through who should not be. */
static bool s_ask(limits_t *self, const claim_t *claim, answer_t *answer)
{
    for (bool is_again = false;; is_again = true) {
        buf_t body = { 0 };
        s_pack_take(claim, &body);
        const question_t question = s_question(limiter_take.name, claim->subject, &body, TAKE_MS);
        stats_add(self->config.stats, COUNT_LIMITS_ASKED, 1);
        if (inquire(&self->limiter, &question, answer))
            return true;
        if (answer->failure.code != ERROR_WORKER_LOST || is_again)
            return false;
        answer_close(answer);
    }
}

static limits_verdict_t s_take_asking(limits_t *self, claim_t *claim, bool *is_degraded)
{
    answer_t answer;
    ruling_t ruling;
    uint64_t sent_ms = clock_ms();
    bool good = s_ask(self, claim, &answer) && s_read_take(claim, &ruling, &answer, sent_ms);
    answer_close(&answer);
    tally_note(&self->tally, claim, good ? &ruling : NULL, clock_ms());
    if (good)
        return ruling.allowed || tally_spend(&self->tally, claim, clock_ms()) ? LIMITS_PASS
                                                                              : LIMITS_REFUSE;
    *is_degraded = true;
    return s_take_coarse(self, claim);
}

static limits_verdict_t s_take(limits_t *self, claim_t *claim, allowance_t *allowance)
{
    switch (tally_claim(&self->tally, claim, clock_ms())) {
    case TALLY_FREE:
    case TALLY_ALLOWED:
        return LIMITS_PASS;
    case TALLY_REFUSED:
        return LIMITS_REFUSE;
    case TALLY_ASK:
        return s_take_asking(self, claim, &allowance->is_degraded);
    case TALLY_UNKNOWN:
        break;
    }
    allowance->is_degraded = true;
    return s_take_coarse(self, claim);
}

static bool s_counts_failures(const char *class)
{
    return class && text_ends(class, FAILURES);
}

static void s_give_back(limits_t *self, const claim_t *claim)
{
    char names[TALLY_NAMES_SIZE + 1] = "";
    size_t size = 0;
    for (size_t i = 0; i < claim->count; i++)
        size += (size_t)snprintf(names + size, sizeof names - size, "%s\n",
                                 claim->standings[i].policy.name);
    if (claim->taken_at)
        s_refund(self, claim->subject, names, claim->cost, claim->taken_at);
}

static void s_init_claim(claim_t *claim, const char *subject, const char *general,
                         const char *class, uint32_t cost)
{
    *claim = (claim_t){ .general = general,
                        .rate_class = class,
                        .cost = cost ? cost : 1,
                        .takes_no_lease = s_counts_failures(class) };
    snprintf(claim->subject, sizeof claim->subject, "%s", subject);
}

/* ---- a request ------------------------------------------------------------------------------ */

/* The address of somebody who has signed in counts only where there is a policy for it. */
static limits_verdict_t s_take_two(limits_t *self, const usage_t *usage, claim_t *claim,
                                   allowance_t *allowance)
{
    claim_t first;
    s_init_claim(&first, usage->address, LIMITS_GENERAL_USER, NULL, usage->cost);
    /* a refusal that is known already must not cost a message for the address */
    if (tally_refuses(&self->tally, claim, clock_ms()))
        return LIMITS_REFUSE;
    limits_verdict_t verdict = s_take(self, &first, allowance);
    if (verdict != LIMITS_PASS) {
        *claim = first;
        return verdict;
    }
    verdict = s_take(self, claim, allowance);
    if (verdict != LIMITS_PASS)
        s_give_back(self, &first);
    return verdict;
}

limits_verdict_t limits_take(limits_t *self, const usage_t *usage, allowance_t *allowance)
{
    claim_t *claim = &allowance->claim;
    limits_verdict_t verdict;
    allowance->is_counted = allowance->is_degraded = false;
    if (!self->config.is_on)
        return LIMITS_PASS;
    if (usage->account) {
        s_init_claim(claim, usage->account, usage->tier, usage->rate_class, usage->cost);
        claim->takes_no_lease |= usage->is_first;
        verdict = self->counts_users_addresses ? s_take_two(self, usage, claim, allowance)
                                               : s_take(self, claim, allowance);
    } else {
        s_init_claim(claim, usage->address, LIMITS_GENERAL_ADDRESS, usage->rate_class, usage->cost);
        claim->takes_no_lease |= usage->is_first;
        verdict = s_take(self, claim, allowance);
    }
    allowance->is_counted = claim->count > 0;
    if (verdict == LIMITS_REFUSE)
        series_add(stats_at(self->config.stats, COUNT_LIMITS_REFUSED, &usage->tier), 1);
    return verdict;
}

/* Of the policies that answers show, the class's stands last. */
static void s_show_more(allowance_t *allowance, const claim_t *more)
{
    claim_t *shown = &allowance->claim;
    if (more->count == 0)
        return;
    if (shown->count == 0)
        *shown = *more;
    shown->refused_by = shown->count - 1;
    shown->standings[shown->refused_by] = more->standings[0];
    shown->retry_ms = more->retry_ms;
    allowance->is_counted = true;
}

limits_verdict_t limits_take_more(limits_t *self, const char *tier, uint32_t cost,
                                  allowance_t *allowance)
{
    const claim_t *first = &allowance->claim;
    claim_t more;
    if (!self->config.is_on || !first->rate_class)
        return LIMITS_PASS;
    s_init_claim(&more, first->subject, first->general, first->rate_class, cost);
    more.is_class_only = more.takes_no_lease = true;
    limits_verdict_t verdict = s_take(self, &more, allowance);
    if (verdict != LIMITS_PASS)
        s_give_back(self, first);
    if (verdict == LIMITS_REFUSE)
        series_add(stats_at(self->config.stats, COUNT_LIMITS_REFUSED, &tier), 1);
    s_show_more(allowance, &more);
    return verdict;
}

bool limits_refuse_stranger(limits_t *self, const char *address, const char *rate_class)
{
    claim_t claim;
    if (!self->config.is_on)
        return false;
    s_init_claim(&claim, address, LIMITS_GENERAL_ADDRESS, rate_class, 1);
    return tally_refuses(&self->tally, &claim, clock_ms());
}

/* Only a failure by the caller stays counted. */
void limits_settle(limits_t *self, const allowance_t *allowance, unsigned status)
{
    const claim_t *claim = &allowance->claim;
    char names[LIMITER_NAME_BYTES + 2];
    if (!allowance->is_counted || !claim->taken_at || !s_counts_failures(claim->rate_class) ||
        (status >= 400 && status < 500))
        return;
    /* the class's policy is the last one; what is counted under the general one stays */
    snprintf(names, sizeof names, "%s\n", claim->standings[claim->count - 1].policy.name);
    if (strstr(names, FAILURES))
        s_refund(self, claim->subject, names, claim->cost, claim->taken_at);
}

bool limits_are_degraded(const limits_t *self)
{
    return self->config.is_on && (!self->knows_policies || inquiry_is_away(&self->limiter));
}

/* ---- life ----------------------------------------------------------------------------------- */

void limits_init(limits_t *self, const limits_config_t *config)
{
    *self = (limits_t){ .config = *config, .limiter = { .service = limiter_service.name } };
    monitor_init(&self->monitor);
    tally_init(&self->tally, (uint32_t)config->lease_max, s_refund, self);
}

void limits_free(limits_t *self)
{
    tally_free(&self->tally);
    monitor_free(&self->monitor);
}

static void s_on_policies(void *arg, const client_event_t *event)
{
    limits_t *self = arg;
    quotas_t *policies = quotas_read(event->body, event->size);
    if (!policies) {
        LOG(LOG_WARN, "policies.bad", LOG_BYTES("topic", event->topic, event->topic_size));
        return;
    }
    bool counts_addresses = quotas_find(policies, LIMITS_GENERAL_USER) != NULL;
    int64_t version = quotas_version(policies);
    if (!tally_set_quotas(&self->tally, policies))
        return;
    self->counts_users_addresses = counts_addresses;
    monitor_lock(&self->monitor);
    self->knows_policies = true;
    monitor_wake(&self->monitor);
    monitor_unlock(&self->monitor);
    LOG(LOG_INFO, "policies.changed", LOG_INT("version", version));
}

void limits_connect(limits_t *self, client_t *bus)
{
    self->limiter.bus = bus;
    client_subscribe(bus, topic_row(TOPIC_LIMITER_POLICIES)->prefix, s_on_policies, self);
}

bool limits_wait(limits_t *self, uint64_t until_ms)
{
    monitor_lock(&self->monitor);
    while (self->config.is_on && !self->knows_policies &&
           monitor_wait_until(&self->monitor, until_ms))
        ;
    bool good = !self->config.is_on || self->knows_policies;
    monitor_unlock(&self->monitor);
    return good;
}
