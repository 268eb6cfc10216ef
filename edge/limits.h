/* SPDX-License-Identifier: MPL-2.0
 *
 * limits - whether a caller may do this now, as the limiter counts
 *
 * Who has signed in is counted as an account, under the policy named like the account's tier and,
 * if the method names a rate class, under the class's. Who has not is counted by address, under the
 * policy `address` and the class's. If there is a policy `address.user`, then also who has signed
 * in is counted by address first. So a request costs two messages at most, and the first is given
 * back if the second refuses; it costs none when edge/tally.h knows the answer.
 *
 * A class whose name ends in `.failures` counts failures: what was taken of it is given back when
 * the request succeeds, or fails through no fault of the caller's.
 *
 * While no limiter answers, what is cheap passes under a coarse limit that each edge counts by
 * itself; what names another class than `read` is refused: nobody may guess passwords, or have
 * expensive work done, just because the limiter is down.
 */
#ifndef SIGNALBOX_EDGE_LIMITS_H
#define SIGNALBOX_EDGE_LIMITS_H

#include "actors/base/monitor.h"
#include "actors/base/stats.h"
#include "edge/inquiry.h"
#include "edge/tally.h"

#define LIMITS_GENERAL_ADDRESS "address"      /* policy of who has not signed in */
#define LIMITS_GENERAL_USER    "address.user" /* policy of addresses of who has */

typedef struct {
    bool is_on;
    int64_t lease_max;
    int64_t coarse; /* requests a minute of one subject while no limiter answers */
    stats_t *stats;
} limits_config_t;

typedef struct {
    limits_config_t config;
    inquiry_t limiter;
    tally_t tally;
    monitor_t monitor; /* woken when policies become known */
    _Atomic bool knows_policies;
    _Atomic bool counts_users_addresses; /* there is a policy for them */
} limits_t;

void limits_init(limits_t *self, const limits_config_t *config);
void limits_free(limits_t *self);

/* Before the first request: the bus on which the limiter is, and says what holds. */
void limits_connect(limits_t *self, client_t *bus);

/* Waits until policies are known; false when they are not by `until_ms`, although limits are on. */
bool limits_wait(limits_t *self, uint64_t until_ms);

typedef enum {
    LIMITS_PASS,
    LIMITS_REFUSE,  /* the claim says until when, and which policy */
    LIMITS_UNKNOWN, /* the limiter is away, and this may not pass without it */
} limits_verdict_t;

/* What one request has taken. */
typedef struct {
    claim_t claim;    /* the one that answers show: the account's, or the address's */
    bool is_counted;  /* there is one */
    bool is_degraded; /* counted by this edge alone */
} allowance_t;

/* Who wants to do what. */
typedef struct {
    const char *address; /* "address:192.0.2.1" */
    const char *account; /* "account:acme"; NULL: not signed in */
    const char *tier;
    const char *rate_class; /* NULL: none */
    uint32_t cost;
    bool is_first; /* more may follow: what is taken can be given back to the last token */
} usage_t;

/* Takes for one request; fills the allowance. */
limits_verdict_t limits_take(limits_t *self, const usage_t *usage, allowance_t *allowance);

/* Takes `cost` more of the rate class alone, for a request that was found to be that much larger.
 * When that is refused, what was taken before is given back: it costs all or nothing. */
limits_verdict_t limits_take_more(limits_t *self, const char *tier, uint32_t cost,
                                  allowance_t *allowance);

/* Whether who has not signed in would be refused now, as far as is known here; takes nothing. */
bool limits_refuse_stranger(limits_t *self, const char *address, const char *rate_class);

/* Once the request is over: gives back what counts only failures. */
void limits_settle(limits_t *self, const allowance_t *allowance, unsigned status);

/* Whether limits are on and the limiter does not answer, or has never been heard of. */
bool limits_are_degraded(const limits_t *self);

#endif
