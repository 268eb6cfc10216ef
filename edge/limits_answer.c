/* SPDX-License-Identifier: MPL-2.0
 *
 * limits_answer - what an answer tells about limits
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "edge/limits_answer.h"
#include "edge/problem.h"
#include "proto/auth.h"
#include "proto/json.h"

/* Rounded up: who waits so long is not refused again. */
static long long s_seconds(long long ms)
{
    return ms / 1000 + (ms % 1000 != 0);
}

static int64_t s_until(uint64_t moment_ms, uint64_t now_ms)
{
    return moment_ms > now_ms ? (int64_t)(moment_ms - now_ms) : 0;
}

/* ---- headers -------------------------------------------------------------------------------- */

static const standing_t *s_tightest(const claim_t *claim)
{
    const standing_t *tightest = &claim->standings[0];
    for (size_t i = 1; i < claim->count; i++)
        if (claim->standings[i].remaining < tightest->remaining)
            tightest = &claim->standings[i];
    return tightest;
}

static void s_add(buf_t *out, const char *text, int64_t number)
{
    buf_add_text(out, text);
    buf_add_int(out, number);
}

static void s_add_name(buf_t *out, const char *text, const char *name)
{
    buf_add_text(out, text);
    buf_add_byte(out, '"');
    buf_add_text(out, name);
    buf_add_byte(out, '"');
}

void limits_write_headers(const allowance_t *allowance, const char *tier, uint64_t now_ms,
                          int64_t wall_ms, buf_t *out)
{
    const claim_t *claim = &allowance->claim;
    if (allowance->is_degraded)
        buf_add_text(out, "X-Degraded: limits\r\n");
    if (!allowance->is_counted)
        return;
    const standing_t *tightest = s_tightest(claim);
    buf_add_text(out, "X-RateLimit-Tier: ");
    buf_add_text(out, tier);
    s_add(out, "\r\nX-RateLimit-Limit: ", tightest->policy.limit);
    s_add(out, "\r\nX-RateLimit-Window: ", s_seconds(tightest->policy.window_ms));
    s_add(out, "\r\nX-RateLimit-Remaining: ", tightest->remaining);
    s_add(out, "\r\nX-RateLimit-Reset: ", s_seconds(wall_ms + s_until(tightest->reset_ms, now_ms)));
    for (size_t i = 0; i < claim->count; i++) {
        const quota_t *policy = &claim->standings[i].policy;
        s_add_name(out, i ? ", " : "\r\nRateLimit-Policy: ", policy->name);
        s_add(out, ";q=", policy->limit);
        s_add(out, ";w=", s_seconds(policy->window_ms));
    }
    for (size_t i = 0; i < claim->count; i++) {
        const standing_t *standing = &claim->standings[i];
        s_add_name(out, i ? ", " : "\r\nRateLimit: ", standing->policy.name);
        s_add(out, ";r=", standing->remaining);
        s_add(out, ";t=", s_seconds(s_until(standing->reset_ms, now_ms)));
    }
    buf_add(out, "\r\n", 2);
}

/* ---- refusals ------------------------------------------------------------------------------- */

/* The tier above: of proto/auth.h's list the one behind `tier`, the first for who has none. */
static bool s_next_tier(const char *tier, char next[LIMITER_NAME_BYTES + 1])
{
    const char *at = AUTH_TIERS, *behind = AUTH_TIERS;
    for (size_t size; *(at += strspn(at, " ")); at += size) {
        size = strcspn(at, " ");
        if (strlen(tier) == size && strncmp(at, tier, size) == 0)
            behind = at + size;
    }
    behind += strspn(behind, " ");
    snprintf(next, LIMITER_NAME_BYTES + 1, "%.*s", (int)strcspn(behind, " "), behind);
    return next[0];
}

static void s_add_policy(const quota_t *policy, bool is_first, buf_t *out)
{
    buf_printf(out, "%s{\"policy\":\"%s\",\"limit\":%lld,\"window\":%lld}", is_first ? "" : ",",
               policy->name, (long long)policy->limit, s_seconds(policy->window_ms));
}

static void s_add_next(limits_t *limits, const claim_t *claim, const char *tier, buf_t *out)
{
    char next[LIMITER_NAME_BYTES + 1];
    quotas_t *policies = tally_quotas(&limits->tally);
    if (policies && s_next_tier(tier, next)) {
        const quota_t *general = quotas_find(policies, next);
        const quota_t *own =
            claim->rate_class ? quotas_of_class(policies, next, claim->rate_class) : NULL;
        buf_printf(out, ",\"%s\":[", next);
        if (general)
            s_add_policy(general, true, out);
        if (own)
            s_add_policy(own, !general, out);
        buf_add_byte(out, ']');
    }
    quotas_drop(&policies);
}

void limits_write_refusal(limits_t *limits, const allowance_t *allowance, const char *tier,
                          const char *upgrade_url, uint64_t now_ms, failure_t *failure,
                          buf_t *members)
{
    const claim_t *claim = &allowance->claim;
    const quota_t *by = &claim->standings[claim->refused_by].policy;
    problem_set(failure, ERROR_RATE_LIMIT_EXCEEDED, "The limit '%s' allows %lld in %lld seconds",
                by->name, (long long)by->limit, s_seconds(by->window_ms));
    int64_t retry_ms = s_until(claim->retry_ms, now_ms);
    failure->retry_after_ms = retry_ms > 0 ? (uint32_t)retry_ms : 1;
    buf_printf(members, ",\"current_tier\":\"%s\",\"limits\":{\"%s\":[", tier, tier);
    for (size_t i = 0; i < claim->count; i++)
        s_add_policy(&claim->standings[i].policy, i == 0, members);
    buf_add_byte(members, ']');
    s_add_next(limits, claim, tier, members);
    buf_add_text(members, "},\"upgrade_url\":");
    if (upgrade_url[0])
        json_add_text(members, upgrade_url, strlen(upgrade_url));
    else
        buf_add_text(members, "null");
}
