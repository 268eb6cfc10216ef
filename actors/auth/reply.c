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
