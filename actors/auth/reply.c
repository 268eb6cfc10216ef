/* SPDX-License-Identifier: MPL-2.0
 *
 * reply - what replies share
 */
#include "config.h"

#include <string.h>

#include "actors/auth/auth.h"
#include "actors/base/clock.h"
#include "actors/base/text.h"
#include "proto/json.h"

void auth_reply_maybe_time(pack_t *pack, const char *key, int64_t wall_ms)
{
    if (wall_ms)
        pack_pair_time(pack, key, wall_ms);
    else
        pack_pair_text(pack, key, NULL);
}

void auth_reply_user(pack_t *pack, const user_t *user)
{
    pack_map(pack, 12);
    pack_pair_text(pack, "id", user->id);
    pack_pair_text(pack, "account_id", user->account_id);
    pack_pair_text(pack, "email", user->email);
    auth_reply_maybe_time(pack, "email_verified_at", user->verified_ms);
    pack_pair_bool(pack, "second_factor", user->factor_ms != 0);
    pack_pair_text(pack, "name", user->name);
    pack_pair_text(pack, "role", user->role);
    pack_pair_bool(pack, "owner", user->is_owner);
    pack_pair_text(pack, "tier", user->tier);
    pack_pair_text(pack, "status", user->status);
    pack_pair_time(pack, "created_at", user->created_ms);
    auth_reply_maybe_time(pack, "last_login_at", user->last_login_ms);
}

void auth_reply_users(pack_t *pack, uint8_t list, const users_t *users, size_t limit)
{
    const size_t shown = page_begin(pack, users->count, limit);
    const user_t *last = users->count > shown ? &users->list[shown - 1] : NULL;
    for (size_t i = 0; i < shown; i++)
        auth_reply_user(pack, &users->list[i]);
    page_end(pack, list, last ? last->created_ms : 0, last ? last->id : NULL);
}

void auth_reply_session(pack_t *pack, const session_t *session, const char *current)
{
    pack_map(pack, 6);
    pack_pair_text(pack, "id", session->id);
    pack_pair_bool(pack, "current", strcmp(session->id, current) == 0);
    pack_pair_time(pack, "created_at", session->created_ms);
    pack_pair_time(pack, "last_used_at", session->last_used_ms);
    pack_pair_time(pack, "expires_at", session->expires_ms);
    pack_pair_text(pack, "address", session->address);
}

void auth_reply_key_pairs(pack_t *pack, const api_key_t *key)
{
    pack_pair_text(pack, "id", key->id);
    pack_pair_text(pack, "name", key->name);
    auth_reply_names(pack, "scopes", key->scopes);
    pack_pair_text(pack, "tier", key->tier);
    pack_pair_time(pack, "created_at", key->created_ms);
    auth_reply_maybe_time(pack, "expires_at", key->expires_ms);
    auth_reply_maybe_time(pack, "last_used_at", key->last_used_ms);
    auth_reply_maybe_time(pack, "revoked_at", key->revoked_ms);
    pack_pair_bool(pack, "signs", key->signs);
}

void auth_reply_account(pack_t *pack, const account_t *account)
{
    pack_map(pack, 4);
    pack_pair_text(pack, "id", account->id);
    pack_pair_text(pack, "name", account->name);
    pack_pair_text(pack, "tier", account->tier);
    pack_pair_time(pack, "created_at", account->created_ms);
}

void auth_reply_entry(pack_t *pack, const vault_t *vault, arena_t *arena,
                      const audit_entry_t *entry)
{
    char hash[2 * VAULT_HASH_BYTES + 1];
    pack_map(pack, 10);
    pack_pair_int(pack, "sequence", entry->sequence);
    pack_pair_time(pack, "at", entry->at_ms);
    pack_pair_text(pack, "action", entry->what.action);
    pack_pair_text(pack, "user_id", entry->what.user_id);
    pack_pair_text(pack, "account_id", entry->what.account_id);
    pack_pair_text(pack, "target", entry->what.target);
    pack_pair_text(pack, "address", auth_store_audit_address(vault, arena, entry));
    pack_pair_text(pack, "request_id", entry->what.request_id);
    pack_pair_text(pack, "detail", entry->what.detail);
    pack_pair_text(pack, "hash", id_hex(entry->hash, sizeof entry->hash, hash));
}

void auth_reply_names(pack_t *pack, const char *key, const char *json)
{
    json_error_t error;
    pack_text(pack, key);
    /* we have written it ourselves: auth_reply_json */
    insist(json_to_msgpack(json, strlen(json), VALUE_LIMITS, 0, pack->out, &error));
}

const char *auth_reply_json(arena_t *arena, const value_t *value)
{
    buf_t text = { 0 };
    if (value)
        json_write(value, &text);
    else
        buf_add_text(&text, "[]");
    const char *copy = arena_text(arena, text.bytes, text.size);
    buf_free(&text);
    return copy;
}
