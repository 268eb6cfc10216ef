/* SPDX-License-Identifier: MPL-2.0
 *
 * on_keys - API keys: list, make, revoke
 */
#include "config.h"

#include <string.h>

#include "actors/auth/auth.h"

#define KEYS_MAX   100 /* of one user that work */
#define MS_PER_DAY INT64_C(86400000)

void auth_on_keys(call_t *call, void *arg)
{
    listing_t listing;
    api_keys_t keys;
    (void)arg;
    const user_t *user = auth_require_user(call);
    db_conn_t *conn = user ? auth_require_page(call, LIST_KEYS, &listing) : NULL;
    if (!conn || !auth_require_ok(call, auth_store_keys(conn, call_arena(call), user->id,
                                                        &listing.from, listing.limit + 1, &keys)))
        return;
    pack_t *pack = call_pack(call);
    const size_t shown = page_begin(pack, keys.count, listing.limit);
    const api_key_t *last = keys.count > shown ? &keys.list[shown - 1] : NULL;
    for (size_t i = 0; i < shown; i++) {
        pack_map(pack, AUTH_KEY_PAIRS);
        auth_reply_key_pairs(pack, &keys.list[i]);
    }
    page_end(pack, LIST_KEYS, last ? last->created_ms : 0, last ? last->id : NULL);
    call_reply(call, 0);
}

/* ---- making ---------------------------------------------------------------------------------- */

typedef struct {
    deed_t deed;
    api_key_t key;
    uint8_t hash[TOKEN_BYTES];
    bool too_many;
} making_t;

static db_status_t s_make_work(db_conn_t *conn, void *arg)
{
    making_t *self = arg;
    int64_t count;
    db_status_t status = auth_store_count_keys(conn, self->key.user_id, self->deed.now_ms, &count);
    self->too_many = status == DB_OK && count >= KEYS_MAX;
    if (status != DB_OK || self->too_many)
        return status;
    status = auth_store_add_key(conn, &self->key, self->hash);
    return status == DB_OK ? auth_record(conn, &self->deed) : status;
}

/* A scope is `*` or a name; nobody gives away a scope they have not got. */
static bool s_require_scopes(call_t *call, const value_t *scopes)
{
    const principal_t *who = call_principal(call);
    const value_t *scope;
    for (uint32_t i = 0; (scope = value_item(scopes, i)); i++) {
        const char *name = scope->type == VALUE_TEXT
                               ? arena_text(call_arena(call), scope->text, scope->count)
                               : "";
        if (strcmp(name, AUTH_SCOPE_ALL) != 0 &&
            !id_is_name(name, strlen(name), PRINCIPAL_NAME_BYTES)) {
            auth_fail_field(call, "/scopes", "must be names of letters, digits, '.', '_' and '-'");
            return false;
        }
        if (who->user[0] && !principal_has_scope(who, name)) {
            call_fail(call, ERROR_UNPROCESSABLE, "The caller has not got the scope '%s'", name);
            return false;
        }
    }
    return true;
}

static void s_make(call_t *call, auth_t *self, const user_t *user)
{
    char id[ID_UUID_SIZE], text[TOKEN_KEY_SIZE];
    uint8_t secret[TOKEN_BYTES];
    const value_t *scopes = value_get(call_request(call), "scopes");
    const int64_t days = call_int(call, "expires_in_days");
    making_t making = { .deed = auth_deed(call, self, "key.created", id_uuid7(id), NULL) };
    const int64_t now_ms = making.deed.now_ms;
    if (!s_require_scopes(call, scopes))
        return;
    making.key = (api_key_t){ .id = id,
                              .user_id = user->id,
                              .name = call_text(call, "name"),
                              .scopes = auth_reply_json(call_arena(call), scopes),
                              .tier = user->tier,
                              .created_ms = now_ms,
                              .expires_ms = days ? now_ms + days * MS_PER_DAY : 0 };
    id_random(secret, sizeof secret);
    token_hash(secret, making.hash);
    if (!auth_require_write(call, self, s_make_work, &making))
        return;
    if (making.too_many) {
        call_fail(call, ERROR_UNPROCESSABLE, "The user has %d keys: revoke one first", KEYS_MAX);
        return;
    }
    pack_map(call_pack(call), AUTH_KEY_PAIRS + 1);
    auth_reply_key_pairs(call_pack(call), &making.key);
    pack_pair_text(call_pack(call), "key", token_write_key(id, secret, text));
    mem_wipe(text, sizeof text);
    mem_wipe(secret, sizeof secret);
    call_reply(call, 0);
}

void auth_on_key_create(call_t *call, void *arg)
{
    const user_t *user = auth_require_user(call);
    if (user)
        s_make(call, arg, user);
}

void auth_on_key_issue(call_t *call, void *arg)
{
    const user_t *user;
    db_conn_t *conn = auth_require_conn(call);
    if (!conn || !auth_require_ok(call, auth_store_user(conn, call_arena(call),
                                                        call_text(call, "user_id"), &user)))
        return;
    if (user)
        s_make(call, arg, user);
    else
        call_fail(call, ERROR_NOT_FOUND, "There is no user with this id");
}

/* ---- revoking -------------------------------------------------------------------------------- */

static db_status_t s_revoke(db_conn_t *conn, const deed_t *deed, const char *owner, bool *changed)
{
    return auth_store_revoke_key(conn, owner, deed->audit.target, deed->now_ms, changed);
}

/* `owner` "" is anybody. */
static void s_revoke_of(call_t *call, auth_t *self, const char *owner)
{
    const deed_t deed = auth_deed(call, self, "key.revoked", call_text(call, "id"), "key");
    if (auth_require_changed(call, &deed, owner, s_revoke,
                             "There is no key with this id that works"))
        call_reply(call, 0);
}

void auth_on_key_delete(call_t *call, void *arg)
{
    const user_t *user = auth_require_user(call);
    if (user)
        s_revoke_of(call, arg, user->id);
}

void auth_on_key_revoke(call_t *call, void *arg)
{
    s_revoke_of(call, arg, "");
}
