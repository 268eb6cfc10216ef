/* SPDX-License-Identifier: MPL-2.0
 *
 * on_sessions - a user's sessions: list, end one, end all
 */
#include "config.h"

#include <string.h>

#include "actors/auth/auth.h"
#include "actors/base/clock.h"

void auth_on_sessions(call_t *call, void *arg)
{
    cursor_t from;
    sessions_t sessions;
    size_t limit = (size_t)call_int(call, "limit");
    (void)arg;
    const user_t *user = auth_require_user(call);
    if (!user || !page_require_cursor(call, LIST_SESSIONS, &from))
        return;
    db_conn_t *conn = auth_require_conn(call);
    if (!conn ||
        !auth_require_ok(call, auth_store_sessions(conn, call_arena(call), user->id,
                                                   clock_wall_ms(), &from, limit + 1, &sessions)))
        return;
    pack_t *pack = call_pack(call);
    const size_t shown = page_begin(pack, sessions.count, limit);
    const session_t *last = sessions.count > shown ? &sessions.list[shown - 1] : NULL;
    for (size_t i = 0; i < shown; i++)
        auth_reply_session(pack, &sessions.list[i], call_principal(call)->session);
    page_end(pack, LIST_SESSIONS, last ? last->created_ms : 0, last ? last->id : NULL);
    call_reply(call, 0);
}

typedef struct {
    deed_t deed;
    const char *user_id;
    bool changed;
    int64_t count;
} revocation_t;

static db_status_t s_revoke_one_work(db_conn_t *conn, void *arg)
{
    revocation_t *self = arg;
    db_status_t status = auth_store_revoke_session(conn, self->user_id, self->deed.audit.target,
                                                   self->deed.now_ms, &self->changed);
    return status == DB_OK && self->changed ? auth_record(conn, &self->deed) : status;
}

void auth_on_session_delete(call_t *call, void *arg)
{
    const user_t *user = auth_require_user(call);
    if (!user)
        return;
    revocation_t revocation = { .user_id = user->id,
                                .deed = auth_deed(call, arg, "session.ended", call_text(call, "id"),
                                                  "session") };
    if (!auth_require_write(call, arg, s_revoke_one_work, &revocation))
        return;
    if (revocation.changed)
        call_reply(call, 0);
    else
        call_fail(call, ERROR_NOT_FOUND, "The user has no session with this id");
}

static db_status_t s_revoke_all_work(db_conn_t *conn, void *arg)
{
    revocation_t *self = arg;
    db_status_t status =
        auth_store_revoke_sessions(conn, self->user_id, "", self->deed.now_ms, &self->count);
    return status == DB_OK ? auth_record(conn, &self->deed) : status;
}

void auth_on_logout_all(call_t *call, void *arg)
{
    const user_t *user = auth_require_user(call);
    if (!user)
        return;
    revocation_t revocation = { .user_id = user->id,
                                .deed =
                                    auth_deed(call, arg, "session.all_ended", user->id, "user") };
    if (!auth_require_write(call, arg, s_revoke_all_work, &revocation))
        return;
    pack_map(call_pack(call), 1);
    pack_pair_int(call_pack(call), "ended", revocation.count);
    call_reply(call, 0);
}
