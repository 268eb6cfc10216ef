/* SPDX-License-Identifier: MPL-2.0
 *
 * first_start - somebody to begin with: an administrator's key, printed once
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/auth/auth.h"
#include "actors/base/clock.h"

#define FIRST_ADMIN_ID "00000000-0000-8000-8000-000000000001"

static char s_first_key[TOKEN_KEY_SIZE];

bool auth_take_first_key(char key[TOKEN_KEY_SIZE])
{
    memcpy(key, s_first_key, TOKEN_KEY_SIZE);
    mem_wipe(s_first_key, sizeof s_first_key);
    return key[0] != '\0';
}

typedef struct {
    deed_t deed;
    char key_id[ID_UUID_SIZE];
    uint8_t hash[TOKEN_BYTES];
    rotated_t rotated;
    bool is_first;
} beginning_t;

/* A program with the role of an administrator, and its key: who begins has nobody to ask. */
static db_status_t s_add_first_admin(db_conn_t *conn, beginning_t *self)
{
    const int64_t now_ms = self->deed.now_ms;
    const api_key_t key = { .id = self->key_id,
                            .user_id = FIRST_ADMIN_ID,
                            .name = "first administrator",
                            .scopes = "[\"" AUTH_SCOPE_ALL "\"]",
                            .created_ms = now_ms };
    db_status_t status = auth_store_add_account(conn, &(account_t){ .id = FIRST_ADMIN_ID,
                                                                    .name = "Administration",
                                                                    .tier = "enterprise",
                                                                    .created_ms = now_ms });
    if (status == DB_OK)
        status = auth_store_add_user(conn, &(user_t){ .id = FIRST_ADMIN_ID,
                                                      .account_id = FIRST_ADMIN_ID,
                                                      .name = "First administrator",
                                                      .role = "admin",
                                                      .is_owner = true,
                                                      .created_ms = now_ms });
    if (status == DB_OK)
        status = auth_store_add_key(conn, &key, self->hash);
    return status == DB_OK ? auth_record(conn, &self->deed) : status;
}

/* What must be there: a signing key, and somebody to begin with. Of several instances that start at
 * once, the others wait for the head of the audit log, which rotating takes, and find it done. */
static db_status_t s_begin_work(db_conn_t *conn, void *arg)
{
    beginning_t *self = arg;
    bool has_users = false;
    const keyring_times_t times = auth_key_times();
    self->is_first = false;
    db_status_t status =
        keyring_rotate(conn, &self->deed.auth->vault, &times, self->deed.now_ms, 1, &self->rotated);
    if (status == DB_OK)
        status = auth_store_has_users(conn, &has_users);
    if (status != DB_OK || has_users)
        return status;
    self->is_first = true;
    return s_add_first_admin(conn, self);
}

bool auth_begin(auth_t *self, char *why, size_t why_size)
{
    uint8_t secret[TOKEN_BYTES];
    beginning_t beginning = { .deed = { .auth = self,
                                        .now_ms = clock_wall_ms(),
                                        .audit = { .action = "system.begun",
                                                   .target = FIRST_ADMIN_ID } } };
    id_uuid7(beginning.key_id);
    id_random(secret, sizeof secret);
    token_hash(secret, beginning.hash);
    db_status_t status = db_write(self->db, s_begin_work, &beginning);
    if (status != DB_OK)
        snprintf(why, why_size, "the first signing key cannot be stored: %s",
                 error_row(db_error(status))->sentence);
    else if (beginning.is_first)
        token_write_key(beginning.key_id, secret, s_first_key);
    mem_wipe(secret, sizeof secret);
    return status == DB_OK;
}
