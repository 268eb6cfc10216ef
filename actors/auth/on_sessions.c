/* SPDX-License-Identifier: MPL-2.0
 *
 * on_sessions - a user's sessions: list, end one, end all
 */
#include "config.h"

#include "actors/auth/auth.h"
#include "actors/base/clock.h"

void auth_on_sessions(call_t *call, void *arg)
{
    listing_t listing;
    sessions_t sessions;
    (void)arg;
    const user_t *user = auth_require_user(call);
    db_conn_t *conn = user ? auth_require_page(call, LIST_SESSIONS, &listing) : NULL;
    if (!conn || !auth_require_ok(call, auth_store_sessions(conn, call_arena(call), user->id,
                                                            clock_wall_ms(), &listing.from,
                                                            listing.limit + 1, &sessions)))
        return;
    pack_t *pack = call_pack(call);
    const size_t shown = page_begin(pack, sessions.count, listing.limit);
    const session_t *last = sessions.count > shown ? &sessions.list[shown - 1] : NULL;
    for (size_t i = 0; i < shown; i++)
        auth_reply_session(pack, &sessions.list[i], call_principal(call)->session);
    page_end(pack, LIST_SESSIONS, last ? last->created_ms : 0, last ? last->id : NULL);
    call_reply(call, 0);
}

static db_status_t s_revoke(db_conn_t *conn, const deed_t *deed, const char *owner, bool *changed)
{
    return auth_store_revoke_session(conn, owner, deed->audit.target, deed->now_ms, changed);
}

void auth_on_session_delete(call_t *call, void *arg)
{
    const user_t *user = auth_require_user(call);
    if (!user)
        return;
    const deed_t deed = auth_deed(call, arg, "session.ended", call_text(call, "id"), "session");
    if (auth_require_changed(call, &deed, user->id, s_revoke,
                             "The user has no session with this id"))
        call_reply(call, 0);
}

typedef struct {
    deed_t deed;
    const char *user_id;
    int64_t count;
} revocation_t;

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
