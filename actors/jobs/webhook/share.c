/* SPDX-License-Identifier: MPL-2.0
 *
 * share - what handlers share: who calls, what they name, and with which keys that is signed
 */
#include "config.h"

#include <string.h>

#include "actors/jobs/webhook/webhook.h"

void webhook_count(call_t *call, webhook_stat_t row)
{
    stats_add(actor_stats(call_actor(call)), row, 1);
}

/* A service that calls for itself is not known by name here: all share one account. */
const char *webhook_account(const call_t *call)
{
    const char *account = call_principal(call)->account;
    return account[0] ? account : "service";
}

bool webhook_require_ok(call_t *call, db_status_t status)
{
    if (status != DB_OK)
        call_fail_db(call, status);
    return status == DB_OK;
}

db_conn_t *webhook_require_conn(call_t *call)
{
    db_conn_t *conn = db_conn(call_db(call));
    if (!conn)
        call_fail_db(call, DB_UNAVAILABLE);
    return conn;
}

void webhook_fail_missing(call_t *call)
{
    call_fail(call, ERROR_NOT_FOUND, "There is no subscription with this id");
}

const subscription_t *webhook_require_subscription(call_t *call)
{
    const subscription_t *found;
    db_conn_t *conn = webhook_require_conn(call);
    if (!conn ||
        !webhook_require_ok(call, webhook_store_get(conn, call_arena(call), webhook_account(call),
                                                    call_text(call, "id"), &found)))
        return NULL;
    if (!found)
        webhook_fail_missing(call);
    return found;
}

/* A sealed secret as a key. */
static bool s_open_key(const webhook_t *self, const char *id, const uint8_t *sealed, size_t size,
                       signature_key_t *key)
{
    char text[SIGNATURE_TEXT_SIZE] = "";
    bool good = sealed && size > SECRET_OVERHEAD && size - SECRET_OVERHEAD < sizeof text &&
                secret_unseal(self->sealing, id, sealed, size, text) &&
                signature_read_key(key, text);
    mem_wipe(text, sizeof text);
    return good;
}

size_t webhook_open_keys(const webhook_t *self, const subscription_t *from, int64_t now_ms,
                         signature_key_t keys[2])
{
    if (!s_open_key(self, from->id, from->secret, from->secret_size, &keys[0]))
        return 0;
    bool is_old_good = from->old_until_ms > now_ms && s_open_key(self, from->id, from->old_secret,
                                                                 from->old_secret_size, &keys[1]);
    return is_old_good ? 2 : 1;
}
