/* SPDX-License-Identifier: MPL-2.0
 *
 * on_export - what is stored of the user who calls, as one document of bounded size
 */
#include "config.h"

#include "actors/auth/auth.h"
#include "actors/base/clock.h"

#define SESSIONS_MAX 100
#define KEYS_MAX     200
#define ENTRIES_MAX  1000

typedef struct {
    const account_t *account;
    sessions_t sessions;
    api_keys_t keys;
    audit_entries_t entries;
} exported_t;

/* One more of each than is shown. */
static db_status_t s_read(db_conn_t *conn, arena_t *arena, const user_t *user, exported_t *found)
{
    const cursor_t start = CURSOR_START;
    db_status_t status = auth_store_account(conn, arena, user->account_id, &found->account);
    if (status == DB_OK)
        status = auth_store_sessions(conn, arena, user->id, clock_wall_ms(), &start,
                                     SESSIONS_MAX + 1, &found->sessions);
    if (status == DB_OK)
        status = auth_store_keys(conn, arena, user->id, &start, KEYS_MAX + 1, &found->keys);
    if (status == DB_OK)
        status = auth_store_audit_list(conn, arena, INT64_MAX, user->id, NULL, ENTRIES_MAX + 1,
                                       &found->entries);
    return status;
}

/* Begins a list of which `found` were found; how many of them are to follow. */
static size_t s_begin(pack_t *pack, const char *name, size_t found, size_t most)
{
    const size_t shown = found < most ? found : most;
    pack_text(pack, name);
    pack_map(pack, 2);
    pack_pair_bool(pack, "more", found > most);
    pack_text(pack, "items");
    pack_array(pack, shown);
    return shown;
}

static void s_write(call_t *call, const auth_t *self, const user_t *user, const exported_t *found)
{
    pack_t *pack = call_pack(call);
    pack_map(pack, 5);
    pack_text(pack, "user");
    auth_reply_user(pack, user);
    pack_text(pack, "account");
    auth_reply_account(pack, found->account);
    size_t shown = s_begin(pack, "sessions", found->sessions.count, SESSIONS_MAX);
    for (size_t i = 0; i < shown; i++)
        auth_reply_session(pack, &found->sessions.list[i], call_principal(call)->session);
    shown = s_begin(pack, "keys", found->keys.count, KEYS_MAX);
    for (size_t i = 0; i < shown; i++) {
        pack_map(pack, AUTH_KEY_PAIRS);
        auth_reply_key_pairs(pack, &found->keys.list[i]);
    }
    shown = s_begin(pack, "audit", found->entries.count, ENTRIES_MAX);
    for (size_t i = 0; i < shown; i++)
        auth_reply_entry(pack, &self->vault, call_arena(call), &found->entries.list[i]);
}

void auth_on_export(call_t *call, void *arg)
{
    auth_t *self = arg;
    exported_t found;
    const user_t *user = auth_require_user(call);
    db_conn_t *conn = user ? auth_require_conn(call) : NULL;
    if (!conn || !auth_require_ok(call, s_read(conn, call_arena(call), user, &found)))
        return;
    deed_t deed = auth_deed(call, self, "user.exported", user->id, NULL);
    if (!auth_require_ok(call, auth_record_alone(&deed)))
        return;
    s_write(call, self, user, &found);
    call_reply(call, 0);
}
