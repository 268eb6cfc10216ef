/* SPDX-License-Identifier: MPL-2.0
 *
 * store - the only SQL of the actor: subscriptions, events, deliveries
 *
 * Every function works on a connection, so that several make one transaction (`db_write`) and the
 * same ones read outside of it. What is not there is no failure: the result is NULL, or `changed`
 * is false. Texts of results are in the arena. Times are milliseconds of the wall clock, 0 is
 * never.
 */
#ifndef SIGNALBOX_WEBHOOK_STORE_H
#define SIGNALBOX_WEBHOOK_STORE_H

#include "actors/jobs/outbound/signature.h"
#include "actors/runtime/cursor.h"
#include "actors/runtime/db.h"
#include "actors/runtime/secret.h"

extern const db_migration_t webhook_migrations[];

/* The statements that look for something, for the test that looks at their plans; each of the files
 * has a list that ends with NULL. */
extern const db_sql_t *const webhook_store_subscription_lookups[];
extern const db_sql_t *const webhook_store_delivery_lookups[];
extern const db_sql_t *const webhook_store_hook_lookups[];
extern const db_sql_t *const webhook_store_erase_lookups[];

/* The lists that cursors belong to. */
typedef enum { WEBHOOK_LIST_SUBSCRIPTIONS = 1, WEBHOOK_LIST_DELIVERIES = 2 } webhook_list_t;

/* ---- subscriptions (store_subscriptions.c) --------------------------------------------------- */

typedef struct {
    const char *id, *account, *url, *events, *status; /* events: a JSON array */
    const char *about, *reason;                       /* may be NULL */
    const uint8_t *secret, *old_secret;               /* sealed; the old one may be NULL */
    size_t secret_size, old_secret_size;
    int64_t old_until_ms, created_ms, updated_ms;
} subscription_t;

typedef struct {
    const subscription_t *list;
    size_t count;
} subscriptions_t;

db_status_t webhook_store_add(db_conn_t *conn, const subscription_t *subscription) MUST_CHECK;
/* `account` NULL: anybody's. */
db_status_t webhook_store_get(db_conn_t *conn, arena_t *arena, const char *account, const char *id,
                              const subscription_t **found) MUST_CHECK;
/* The same, and nobody else changes it until the transaction ends. */
db_status_t webhook_store_lock(db_conn_t *conn, arena_t *arena, const char *account, const char *id,
                               const subscription_t **found) MUST_CHECK;
db_status_t webhook_store_list(db_conn_t *conn, arena_t *arena, const char *account,
                               const cursor_t *from, size_t limit,
                               subscriptions_t *subscriptions) MUST_CHECK;
/* Of all accounts, those that are to be told of something; `at` is the database's time before they
 * were read. At most `limit`. */
typedef void (*webhook_each_t)(void *arg, const char *account, const char *events);
db_status_t webhook_store_active(db_conn_t *conn, size_t limit, int64_t *at, webhook_each_t each,
                                 void *arg) MUST_CHECK;
/* How many there are; nobody else makes one for the account until the transaction ends. */
db_status_t webhook_store_count(db_conn_t *conn, const char *account, int64_t *count) MUST_CHECK;
/* Stores url, events, about, status, reason, secrets and `updated_ms` of one that is there. */
db_status_t webhook_store_update(db_conn_t *conn, const subscription_t *subscription) MUST_CHECK;
db_status_t webhook_store_delete(db_conn_t *conn, const char *account, const char *id,
                                 bool *changed) MUST_CHECK;
/* One that has this URL still hears nothing any more. */
db_status_t webhook_store_disable(db_conn_t *conn, const char *id, const char *url,
                                  const char *reason, int64_t now_ms) MUST_CHECK;

/* ---- events and deliveries (store_deliveries.c) ---------------------------------------------- */

typedef struct {
    const char *id, *account, *type;
    int64_t at_ms;
    const char *data; /* JSON */
} event_record_t;

/* False in `added`: an event with this id is there already. */
db_status_t webhook_store_add_event(db_conn_t *conn, const event_record_t *event, int64_t now_ms,
                                    bool *added) MUST_CHECK;

typedef struct {
    const char *id, *subscription_id, *event_id, *type, *state;
    const char *detail; /* may be NULL */
    int64_t attempts, replays, status, duration_us, created_ms, updated_ms;
} delivery_t;

typedef struct {
    const delivery_t *list;
    size_t count;
} deliveries_t;

db_status_t webhook_store_add_delivery(db_conn_t *conn, const char *id, const char *subscription_id,
                                       const char *event_id, int64_t now_ms) MUST_CHECK;
/* Of this subscription, or of any when that is NULL. */
db_status_t webhook_store_delivery(db_conn_t *conn, arena_t *arena, const char *subscription_id,
                                   const char *id, const delivery_t **found) MUST_CHECK;
/* `state` "" is any. */
db_status_t webhook_store_deliveries(db_conn_t *conn, arena_t *arena, const char *subscription_id,
                                     const char *state, const cursor_t *from, size_t limit,
                                     deliveries_t *deliveries) MUST_CHECK;
db_status_t webhook_store_event(db_conn_t *conn, arena_t *arena, const char *id,
                                const event_record_t **found) MUST_CHECK;

/* Those that wait for a job, the oldest first; and that they have one. */
db_status_t webhook_store_waiting(db_conn_t *conn, arena_t *arena, size_t limit,
                                  deliveries_t *deliveries) MUST_CHECK;
db_status_t webhook_store_queued(db_conn_t *conn, const char *ids, int64_t now_ms) MUST_CHECK;

/* How an attempt went, or why none was made; `state` is "queued" when there is to be another. One
 * that has ended meanwhile stays as it is. */
db_status_t webhook_store_attempt(db_conn_t *conn, const delivery_t *delivery, bool was_made,
                                  int64_t now_ms) MUST_CHECK;
/* Begins one anew that has ended. */
db_status_t webhook_store_replay(db_conn_t *conn, const char *id, int64_t now_ms,
                                 bool *changed) MUST_CHECK;

#define WEBHOOK_PURGE_MOST 500 /* rows of a table at once */

/* Deletes what happened before `before_ms` and was not touched since, also what nobody could be
 * told of in all that time; and says of those whose job was lost since `lost_ms` that they have
 * failed. `count` reaches WEBHOOK_PURGE_MOST when there may be more. */
db_status_t webhook_store_purge(db_conn_t *conn, int64_t before_ms, int64_t lost_ms, int64_t now_ms,
                                int64_t *count) MUST_CHECK;

/* ---- what others tell us (store_hooks.c) ------------------------------------------------- */

typedef struct {
    const char *name, *scheme, *header, *kind;
    const uint8_t *secrets; /* sealed */
    size_t secrets_size;
    int64_t updated_ms;
} provider_t;

typedef struct {
    const provider_t *list;
    size_t count;
} providers_t;

#define WEBHOOK_PROVIDERS 100 /* that are listed */

db_status_t webhook_store_provider(db_conn_t *conn, arena_t *arena, const char *name,
                                   const provider_t **found) MUST_CHECK;
db_status_t webhook_store_providers(db_conn_t *conn, arena_t *arena,
                                    providers_t *providers) MUST_CHECK;
db_status_t webhook_store_set_provider(db_conn_t *conn, const provider_t *provider) MUST_CHECK;
db_status_t webhook_store_delete_provider(db_conn_t *conn, const char *name,
                                          bool *changed) MUST_CHECK;

typedef struct {
    const char *provider, *id, *kind, *body;
    const char *type, *account; /* may be NULL; the account is written and not read */
} inbound_t;

typedef struct {
    const inbound_t *list;
    size_t count;
} inbounds_t;

/* False in `added`: it is there already. */
db_status_t webhook_store_add_inbound(db_conn_t *conn, const inbound_t *inbound, int64_t now_ms,
                                      bool *added) MUST_CHECK;
db_status_t webhook_store_waiting_inbound(db_conn_t *conn, arena_t *arena, size_t limit,
                                          inbounds_t *inbounds) MUST_CHECK;
db_status_t webhook_store_queued_inbound(db_conn_t *conn, const inbound_t *inbound) MUST_CHECK;
db_status_t webhook_store_purge_inbound(db_conn_t *conn, int64_t before_ms,
                                        int64_t *count) MUST_CHECK;

/* ---- subscriptions that are paid for (store_billing.c) ----------------------------------- */

typedef struct {
    const char *account, *tier;
    const char *subscription; /* NULL: it has no name; written and not read */
    int64_t at_ms;            /* by the provider's clock */
    bool is_end;              /* of the subscription; written and not read */
} billed_t;

/* What holds; the tier lies in the arena, and is NULL while nothing is known. */
db_status_t webhook_store_billed(db_conn_t *conn, arena_t *arena, const char *account,
                                 billed_t *found) MUST_CHECK;

/* Has it hold from now on. False in `changed`: something newer is known, or it is the end of
 * another subscription than the one that holds. */
db_status_t webhook_store_set_billed(db_conn_t *conn, const billed_t *billed,
                                     bool *changed) MUST_CHECK;

extern const db_sql_t *const webhook_store_billing_lookups[];

/* ---- erased accounts (store_erase.c) ----------------------------------------------------- */

/* Deletes what there is of an account that was erased, at most `most` rows of a table; `more` tells
 * whether to call again. */
db_status_t webhook_store_erase(db_t *db, const char *account, int64_t most, bool *more) MUST_CHECK;

/* ---- what its files share ---------------------------------------------------------------- */

/* A copy of a column of bytes in the arena; NULL when it is NULL. */
const uint8_t *webhook_store_bytes(const db_rows_t *rows, arena_t *arena, const char *column,
                                   size_t *size);

#endif
