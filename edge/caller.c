/* SPDX-License-Identifier: MPL-2.0
 *
 * caller - who asks, how often, and whether it may
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "edge/caller.h"
#include "edge/limits_answer.h"
#include "edge/state.h"

/* ---- who ------------------------------------------------------------------------------------ */

static const identity_t *s_nobody(const exchange_t *x)
{
    return x->edge->settings->allow_anonymous ? x->edge->anonymous : x->edge->stranger;
}

/* Asking auth about somebody who may do nothing now would be of no use, and a way to keep it busy.
 */
static bool s_may_ask(exchange_t *x, const char *rate_class)
{
    char address[ADDRESS_SUBJECT_SIZE];
    return !limits_refuse_stranger(&x->edge->limits, address_subject(&x->address, address),
                                   rate_class);
}

void caller_identify(exchange_t *x, const char *rate_class)
{
    authority_t *authority = &x->edge->authority;
    credential_t credential;
    x->identity = s_nobody(x);
    x->credential = credential_read(&credential, x->headers[HEADER_AUTHORIZATION],
                                    x->headers[HEADER_X_API_KEY]);
    if (x->credential != CREDENTIAL_GOOD)
        return;
    x->held = authority_recall(authority, &credential);
    if (!x->held)
        x->credential = s_may_ask(x, rate_class)
                            ? authority_identify(authority, &credential, &x->held)
                            : CREDENTIAL_UNKNOWN;
    if (x->held)
        x->identity = x->held;
}

/* ---- how often ------------------------------------------------------------------------------ */

static const char *s_tier(const exchange_t *x)
{
    return x->identity->principal.tier;
}

static const char *s_outcome(const exchange_t *x, limits_verdict_t verdict)
{
    if (verdict == LIMITS_REFUSE)
        return "refused";
    if (verdict == LIMITS_UNKNOWN)
        return "unknown";
    if (x->allowance.is_degraded)
        return "degraded";
    return x->allowance.is_counted ? "counted" : NULL;
}

/* Says in the answer how the caller stands; in the place of what was said before. */
static bool s_answer_limit(exchange_t *x, limits_verdict_t verdict)
{
    edge_t *edge = x->edge;
    const uint64_t now_ms = clock_ms();
    x->limit_outcome = s_outcome(x, verdict);
    if (x->limits_size) {
        const size_t behind = x->limits_at + x->limits_size;
        memmove(x->extra.bytes + x->limits_at, x->extra.bytes + behind, x->extra.size - behind);
        x->extra.size -= x->limits_size;
    }
    x->limits_at = x->extra.size;
    limits_write_headers(&x->allowance, s_tier(x), now_ms, clock_wall_ms(), &x->extra);
    x->limits_size = x->extra.size - x->limits_at;
    if (verdict == LIMITS_PASS)
        return true;
    if (verdict == LIMITS_UNKNOWN)
        return exchange_fail(x, ERROR_UNAVAILABLE,
                             "Limits cannot be checked now, and this is not allowed without");
    limits_write_refusal(&edge->limits, &x->allowance, s_tier(x), edge->settings->upgrade_url,
                         now_ms, &x->failure, &x->members);
    return false;
}

static bool s_limit(exchange_t *x, const char *rate_class, uint32_t cost, bool is_first)
{
    edge_t *edge = x->edge;
    char address[ADDRESS_SUBJECT_SIZE], account[TALLY_SUBJECT_SIZE];
    bool is_stranger = x->identity == edge->stranger;
    snprintf(account, sizeof account, "account:%s", x->identity->principal.account);
    const usage_t usage = { .address = address_subject(&x->address, address),
                            .account = is_stranger ? NULL : account,
                            .tier = s_tier(x),
                            .rate_class = rate_class,
                            .cost = cost,
                            .is_first = is_first };
    return s_answer_limit(x, limits_take(&edge->limits, &usage, &x->allowance));
}

bool caller_limit(exchange_t *x, const char *rate_class, uint32_t cost)
{
    return s_limit(x, rate_class, cost, false);
}

bool caller_limit_method(exchange_t *x)
{
    const descriptor_method_t *method = x->route->method;
    return s_limit(x, method->rate, method->cost, method->cost_per != NULL);
}

bool caller_limit_items(exchange_t *x, uint32_t items)
{
    if (items < 2)
        return true;
    const uint64_t cost = (uint64_t)(items - 1) * x->route->method->cost;
    if (cost > LIMITER_COST_MAX)
        return exchange_fail(x, ERROR_TOO_LARGE,
                             "A request may cost %d uses of its limit, not %llu", LIMITER_COST_MAX,
                             (unsigned long long)cost);
    return s_answer_limit(
        x, limits_take_more(&x->edge->limits, s_tier(x), (uint32_t)cost, &x->allowance));
}

/* ---- whether it may ------------------------------------------------------------------------- */

/* Whoever is refused here has been counted: guessing is limited, too. */
bool caller_permit(exchange_t *x, access_t access)
{
    if (access != ACCESS_USER || x->credential == CREDENTIAL_GOOD)
        return true;
    if (x->credential == CREDENTIAL_BAD) {
        stats_add(&x->edge->stats, COUNT_CREDENTIALS_REFUSED, 1);
        return exchange_fail(x, ERROR_UNAUTHENTICATED,
                             "The token or key is not valid (any more); sign in again");
    }
    if (x->credential == CREDENTIAL_UNKNOWN)
        return exchange_fail(x, ERROR_UNAVAILABLE, "Nobody can say now whose token or key this is");
    return x->identity != x->edge->stranger || exchange_fail(x, ERROR_UNAUTHENTICATED, "%s", "");
}

/* A proxy that nobody has named hides who calls: everybody would come from its address, and from
 * this machine's that of a proxy beside us. */
static bool s_is_hidden(const exchange_t *x)
{
    const address_t peer = address_of_ipv4(x->connection->address);
    return x->is_forwarded && !networks_have(&x->edge->trusted, &peer);
}

static bool s_permit_admin(exchange_t *x)
{
    char text[ADDRESS_TEXT_SIZE];
    if (s_is_hidden(x))
        return exchange_fail(
            x, ERROR_FORBIDDEN,
            "Nobody administers through a proxy that edge.trusted_proxies does not "
            "name");
    if (!networks_have(&x->edge->admins, &x->address))
        return exchange_fail(x, ERROR_FORBIDDEN,
                             "From %s nobody administers: edge.admin_networks decides",
                             address_text(&x->address, text));
    if (!authority_is_in_order(&x->edge->authority))
        return exchange_fail(x, ERROR_UNAVAILABLE,
                             "News of revoked rights has been missed: closed until it is complete");
    return true;
}

bool caller_administers(const descriptor_method_t *method)
{
    return method->role && (strcmp(method->role, "admin") == 0 || strcmp(method->role, "ops") == 0);
}

bool caller_permit_method(exchange_t *x)
{
    const descriptor_method_t *method = x->route->method;
    const principal_t *principal = &x->identity->principal;
    if (!caller_permit(x, method->access))
        return false;
    if (method->role && !principal_has_role(principal, method->role))
        return exchange_fail(x, ERROR_FORBIDDEN, "This needs the role '%s'", method->role);
    if (method->scope && !principal_has_scope(principal, method->scope))
        return exchange_fail(x, ERROR_FORBIDDEN, "This needs the scope '%s'", method->scope);
    return !caller_administers(method) || s_permit_admin(x);
}
