/* SPDX-License-Identifier: MPL-2.0
 *
 * erasures - deletes what a service holds of accounts that were erased
 *
 * The auth service has the list of them (`auth.erased`), in its audit log and as durable as that.
 * A service keeps how far it has obeyed in its own database, asks on from there when it starts,
 * each minute, and at once when the event `account.erased` comes. So nothing is lost while it, or
 * auth, or a broker is away, nothing has to be repeated for it, and no other service is needed for
 * it; the event saves time and nothing else depends on it.
 *
 * A request that was under way may store something after the first deletion: an account is deleted
 * again until it was erased some minutes ago, and only then counted as done. Several instances may
 * do this at once.
 *
 * The service's migrations make its table:
 *
 *     CREATE TABLE erasures (id BIGINT PRIMARY KEY CHECK (id = 1), sequence BIGINT NOT NULL);
 *     INSERT INTO erasures (id, sequence) VALUES (1, 0);
 */
#ifndef SIGNALBOX_RUNTIME_ERASURES_H
#define SIGNALBOX_RUNTIME_ERASURES_H

#include <stdatomic.h>

#include "actors/runtime/actor.h"

/* Deletes at least some of what there is of the account; `more` tells whether to call again. */
typedef db_status_t (*erasures_work_t)(db_t *db, const char *account, bool *more);

/* Deletes some rows of a table that belong to `$account`, at most `$most`. */
#define ERASURES_TABLE(service, table, key)                                                        \
    {                                                                                              \
        service ".erase_" table,                                                                   \
            DB_DELETE_SOME(table, key, "account = $account", "account = $account")                 \
    }

/* Likewise of a table whose rows belong to those of another one: `parent_id` is their id. */
#define ERASURES_PARTS(service, table, parent, parent_id)                                          \
    {                                                                                              \
        service ".erase_" table,                                                                   \
            "DELETE FROM " table " WHERE id IN (SELECT t.id FROM " parent " p JOIN " table         \
            " t ON t." parent_id " = p.id WHERE p.account = $account LIMIT $most)",                \
            "DELETE FROM " table " WHERE ctid = ANY (ARRAY(SELECT t.place FROM " parent            \
            " p CROSS JOIN LATERAL (SELECT ctid AS place FROM " table " WHERE " parent_id          \
            " = p.id LIMIT $most FOR UPDATE SKIP LOCKED) t WHERE p.account = $account"             \
            " LIMIT $most))"                                                                       \
    }

/* Runs such statements in their order, in one transaction, until one has found `most` rows: there
 * may be `more` of them then. */
db_status_t erasures_delete(db_t *db, const db_sql_t *tables, size_t count, const char *account,
                            int64_t most, bool *more) MUST_CHECK;

/* Zeroed is a good beginning. */
typedef struct {
    erasures_work_t erase;
    atomic_bool is_told; /* an event has come */
    uint32_t wait_s;     /* until it asks again */
} erasures_t;

/* In the actor's `connected`. */
void erasures_subscribe(erasures_t *self, actor_t *actor, erasures_work_t erase);

/* In the actor's `tick`, each second: asks when it is time, and deletes. Calls auth and waits. */
void erasures_tick(erasures_t *self, actor_t *actor);

#endif
