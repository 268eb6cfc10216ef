/* SPDX-License-Identifier: MPL-2.0
 *
 * webhook - the actor that tells others by calling them
 *
 * Promises: an event is stored once by its id, with one delivery for each subscription that wanted
 * it then; a delivery that is stored gets a job, and the job makes attempts until the receiver has
 * taken it, refused it for good, or has failed `webhook.attempts` times. Secrets are stored sealed.
 *
 * Threads: handlers run on the pool, transfers end on the thread that carries them and what is to
 * be stored of them goes back to the pool; the relay, which enqueues jobs, runs on whichever thread
 * finds that there is something to do.
 */
#ifndef SIGNALBOX_WEBHOOK_H
#define SIGNALBOX_WEBHOOK_H

#include "actors/jobs/outbound/outlet.h"
#include "actors/jobs/webhook/store.h"
#include "actors/runtime/erasures.h"
#include "actors/runtime/page.h"
#include "proto/webhook.h"

typedef struct {
    const char *secret, *tiers;
    int64_t attempts, backoff_ms, retention_days;
} webhook_settings_t;

extern webhook_settings_t webhook_settings;

typedef enum {
    WEBHOOK_DELIVERED = OUTBOUND_STATS,
    WEBHOOK_REJECTED,
    WEBHOOK_EVENTS,
    WEBHOOK_DUPLICATES,
    WEBHOOK_QUEUED,
    WEBHOOK_NOT_QUEUED,
    WEBHOOK_FAILED,
    WEBHOOK_PURGED,
    WEBHOOK_HOOKS,
    WEBHOOK_HOOKS_REFUSED,
    WEBHOOK_HOOKS_DROPPED,
    WEBHOOK_TIERS_SET,
    WEBHOOK_STATS
} webhook_stat_t;

typedef struct {
    outlet_t outlet; /* first */
    db_t *db;
    uint8_t sealing[SECRET_BYTES];
    erasures_t erasures;
    _Atomic bool is_relaying, has_more;
    pthread_mutex_t telling; /* held by whoever tells who wants what */
    uint32_t ticks;
} webhook_t;

/* ---- relay.c --------------------------------------------------------------------------------- */

/* Enqueues a job for everything that waits for one: deliveries, and what others have told us.
 * Blocks; does nothing while another thread does it. */
void relay_run(webhook_t *self);

/* ---- wants.c --------------------------------------------------------------------------------- */

void webhook_tell_wishes(webhook_t *self);

/* ---- share.c --------------------------------------------------------------------------------- */

void webhook_count(call_t *call, webhook_stat_t row);

/* The account a call is made for. */
const char *webhook_account(const call_t *call);

/* False, and the call is failed, unless the status is good. */
bool webhook_require_ok(call_t *call, db_status_t status) MUST_CHECK;

/* What the thread reads with; NULL: the call has been failed. */
db_conn_t *webhook_require_conn(call_t *call);

/* Fails the call, which names a subscription that is not there. */
void webhook_fail_missing(call_t *call);

/* The subscription that the field `id` names; NULL: the call has been failed. */
const subscription_t *webhook_require_subscription(call_t *call);

/* The keys of a subscription that are good at the moment, the newest first; 0: they cannot be
 * opened. */
size_t webhook_open_keys(const webhook_t *self, const subscription_t *subscription, int64_t now_ms,
                         signature_key_t keys[2]);

/* ---- handlers ---------------------------------------------------------------------------- */

void webhook_on_deliver(call_t *call, void *self);
void webhook_on_publish(call_t *call, void *self);
void webhook_on_send(call_t *call, void *self);
void webhook_on_create(call_t *call, void *self);
void webhook_on_list(call_t *call, void *self);
void webhook_on_get(call_t *call, void *self);
void webhook_on_update(call_t *call, void *self);
void webhook_on_delete(call_t *call, void *self);
void webhook_on_rotate(call_t *call, void *self);
void webhook_on_deliveries(call_t *call, void *self);
void webhook_on_delivery(call_t *call, void *self);
void webhook_on_replay(call_t *call, void *self);
void webhook_on_test(call_t *call, void *self);
void webhook_on_hook(call_t *call, void *self);
void webhook_on_providers(call_t *call, void *self);
void webhook_on_provider_set(call_t *call, void *self);
void webhook_on_provider_delete(call_t *call, void *self);
void webhook_on_billing(call_t *call, void *self);

/* on_billing.c: the account that what Stripe tells is about, in the arena; NULL when it names
 * none. */
const char *billing_account(arena_t *arena, const value_t *body);

/* on_providers.c: the keys of a provider; 0: they cannot be opened. */
size_t provider_open_keys(const webhook_t *self, const provider_t *provider,
                          signature_key_t keys[SIGNATURE_SECRETS_MAX]);
signature_scheme_t provider_scheme(const provider_t *provider);

extern const actor_spec_t webhook_actor;

#endif
