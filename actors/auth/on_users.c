/* SPDX-License-Identifier: MPL-2.0
 *
 * on_users - users as administrators see and change them, and the tier of an account
 */
#include "config.h"

#include <string.h>

#include "actors/auth/active.h"
#include "actors/auth/auth.h"

static db_status_t s_list(call_t *call, db_conn_t *conn, const cursor_t *from, size_t limit,
                          users_t *users)
{
    arena_t *arena = call_arena(call);
    const char *account = call_text(call, "account_id"), *email = call_text(call, "email");
    const user_t *user;
    if (!email)
        return account ? auth_store_members(conn, arena, account, from, limit, users)
                       : auth_store_users(conn, arena, from, limit, users);
    db_status_t status = auth_store_user_by_email(conn, arena, auth_email_key(arena, email), &user);
    bool is_shown = status == DB_OK && user && (!account || strcmp(user->account_id, account) == 0);
    *users = (users_t){ .list = user, .count = is_shown };
    return status;
}

void auth_on_users(call_t *call, void *arg)
{
    listing_t listing;
    users_t users;
    (void)arg;
    db_conn_t *conn = auth_require_page(call, LIST_USERS, &listing);
    if (!conn ||
        !auth_require_ok(call, s_list(call, conn, &listing.from, listing.limit + 1, &users)))
        return;
    auth_reply_users(call_pack(call), LIST_USERS, &users, listing.limit);
    call_reply(call, 0);
}

static void s_reply_user(call_t *call, const user_t *user)
{
    if (!user) {
        call_fail(call, ERROR_NOT_FOUND, "There is no user with this id");
        return;
    }
    auth_reply_user(call_pack(call), user);
    call_reply(call, 0);
}

void auth_on_user(call_t *call, void *arg)
{
    const user_t *user;
    (void)arg;
    db_conn_t *conn = auth_require_conn(call);
    if (conn && auth_require_ok(
                    call, auth_store_user(conn, call_arena(call), call_text(call, "id"), &user)))
        s_reply_user(call, user);
}

/* ---- changing -------------------------------------------------------------------------------- */

typedef struct {
    deed_t deed;
    const char *id, *role, *status, *tier; /* the last three: NULL stays as it is */
    const value_t *verified;               /* the same */
    bool ends_factor;
    const user_t *user; /* as it is afterwards */
} update_t;

static db_status_t s_record_tier(db_conn_t *conn, const deed_t *of, const char *account,
                                 const char *tier, const char *reason)
{
    deed_t deed = *of;
    deed.audit.action = "account.tier_changed";
    deed.audit.target = account;
    deed.audit.changed = "account";
    deed.audit.detail = reason ? arena_format(deed.arena, "tier=%s reason=%s", tier, reason)
                               : arena_format(deed.arena, "tier=%s", tier);
    return auth_record(conn, &deed);
}

static db_status_t s_record_user(db_conn_t *conn, const update_t *self)
{
    deed_t deed = self->deed;
    deed.audit.action = "user.changed";
    deed.audit.target = self->id;
    deed.audit.changed = "user";
    deed.audit.detail = arena_format(deed.arena, "role=%s status=%s%s%s", self->user->role,
                                     self->user->status, self->user->verified_ms ? " verified" : "",
                                     self->ends_factor ? " second_factor=off" : "");
    return auth_record(conn, &deed);
}

static db_status_t s_update_user(db_conn_t *conn, const update_t *self)
{
    int64_t ended;
    bool dropped;
    const char *role = self->role ? self->role : self->user->role;
    const char *state = self->status ? self->status : self->user->status;
    db_status_t status = auth_store_set_role(conn, self->id, role, state);
    if (status == DB_OK && strcmp(state, "disabled") == 0)
        status = auth_store_revoke_sessions(conn, self->id, "", self->deed.now_ms, &ended);
    if (status == DB_OK && self->verified)
        status =
            auth_store_set_verified(conn, self->id, self->verified->truth ? self->deed.now_ms : 0);
    if (status == DB_OK && self->ends_factor)
        status = auth_store_drop_factor(conn, self->id, &dropped);
    return status;
}

/* All changes first, then what is recorded: whoever holds the head of the log waits for nobody. */
static db_status_t s_update_work(db_conn_t *conn, void *arg)
{
    update_t *self = arg;
    bool changed, is_user = self->role || self->status || self->verified || self->ends_factor;
    db_status_t status = auth_store_user(conn, self->deed.arena, self->id, &self->user);
    if (status != DB_OK || !self->user)
        return status;
    if (self->tier)
        status = auth_store_set_tier(conn, self->user->account_id, self->tier, &changed);
    if (status == DB_OK && is_user)
        status = s_update_user(conn, self);
    if (status == DB_OK)
        status = auth_store_user(conn, self->deed.arena, self->id, &self->user);
    if (status == DB_OK && is_user)
        status = s_record_user(conn, self);
    if (status == DB_OK && self->tier)
        status = s_record_tier(conn, &self->deed, self->user->account_id, self->tier, NULL);
    return status;
}

void auth_on_user_update(call_t *call, void *arg)
{
    update_t update = { .deed = auth_deed(call, arg, "", NULL, NULL),
                        .id = call_text(call, "id"),
                        .role = call_text(call, "role"),
                        .status = call_text(call, "status"),
                        .tier = call_text(call, "tier"),
                        .verified = value_get(call_request(call), "email_verified") };
    const value_t *factor = value_get(call_request(call), "second_factor");
    if (factor && factor->truth) {
        call_fail(call, ERROR_UNPROCESSABLE, "Only the user can begin a second factor");
        return;
    }
    update.ends_factor = factor != NULL;
    if (strcmp(update.id, call_principal(call)->user) == 0 && (update.role || update.status)) {
        call_fail(call, ERROR_UNPROCESSABLE,
                  "Nobody changes their own role or status: ask another administrator");
        return;
    }
    if (!auth_require_write(call, arg, s_update_work, &update))
        return;
    if (update.tier && update.user)
        active_count_event(call, "changed", update.tier);
    s_reply_user(call, update.user);
}

typedef struct {
    deed_t deed;
    const char *account, *tier, *reason;
    bool changed;
} tier_t;

static db_status_t s_tier_work(db_conn_t *conn, void *arg)
{
    tier_t *self = arg;
    db_status_t status = auth_store_set_tier(conn, self->account, self->tier, &self->changed);
    return status == DB_OK && self->changed
               ? s_record_tier(conn, &self->deed, self->account, self->tier, self->reason)
               : status;
}

void auth_on_account_tier(call_t *call, void *arg)
{
    tier_t tier = { .deed = auth_deed(call, arg, "", NULL, NULL),
                    .account = call_text(call, "account"),
                    .tier = call_text(call, "tier"),
                    .reason = call_text(call, "reason") };
    if (!auth_require_write(call, arg, s_tier_work, &tier))
        return;
    if (!tier.changed) {
        call_fail(call, ERROR_NOT_FOUND, "There is no account with this id");
        return;
    }
    active_count_event(call, "changed", tier.tier);
    call_reply(call, 0);
}
