/* SPDX-License-Identifier: MPL-2.0
 *
 * on_profile - the user who calls, their account and its members
 */
#include "config.h"

#include <string.h>

#include "actors/auth/auth.h"

/* ---- the user -------------------------------------------------------------------------------- */

void auth_on_me(call_t *call, void *arg)
{
    (void)arg;
    const user_t *user = auth_require_user(call);
    if (!user)
        return;
    auth_reply_user(call_pack(call), user);
    call_reply(call, 0);
}

typedef struct {
    deed_t deed;
    const user_t *caller;
    const char *name;
    bool changed;
    const user_t *user;
    const account_t *account;
} naming_t;

static db_status_t s_name_user_work(db_conn_t *conn, void *arg)
{
    naming_t *self = arg;
    db_status_t status = auth_store_name_user(conn, self->caller->id, self->name, &self->changed);
    if (status == DB_OK)
        status = auth_record(conn, &self->deed);
    if (status == DB_OK)
        status = auth_store_user(conn, self->deed.arena, self->caller->id, &self->user);
    return status;
}

void auth_on_me_update(call_t *call, void *arg)
{
    const user_t *user = auth_require_user(call);
    if (!user)
        return;
    naming_t naming = { .caller = user,
                        .name = call_text(call, "name"),
                        .deed = auth_deed(call, arg, "user.renamed", user->id, NULL) };
    if (!auth_require_write(call, arg, s_name_user_work, &naming))
        return;
    auth_reply_user(call_pack(call), naming.user);
    call_reply(call, 0);
}

/* ---- the account ----------------------------------------------------------------------------- */

static void s_reply_account(call_t *call, const account_t *account)
{
    auth_reply_account(call_pack(call), account);
    call_reply(call, 0);
}

void auth_on_account(call_t *call, void *arg)
{
    const account_t *account;
    (void)arg;
    const user_t *user = auth_require_user(call);
    db_conn_t *conn = user ? auth_require_conn(call) : NULL;
    if (conn && auth_require_ok(
                    call, auth_store_account(conn, call_arena(call), user->account_id, &account)))
        s_reply_account(call, account);
}

static db_status_t s_name_account_work(db_conn_t *conn, void *arg)
{
    naming_t *self = arg;
    db_status_t status =
        auth_store_name_account(conn, self->caller->account_id, self->name, &self->changed);
    if (status == DB_OK)
        status = auth_record(conn, &self->deed);
    if (status == DB_OK)
        status =
            auth_store_account(conn, self->deed.arena, self->caller->account_id, &self->account);
    return status;
}

void auth_on_account_update(call_t *call, void *arg)
{
    const user_t *user = auth_require_user(call);
    if (!user)
        return;
    naming_t naming = { .caller = user,
                        .name = call_text(call, "name"),
                        .deed = auth_deed(call, arg, "account.renamed", user->account_id, NULL) };
    if (auth_require_write(call, arg, s_name_account_work, &naming))
        s_reply_account(call, naming.account);
}

/* ---- its members ----------------------------------------------------------------------------- */

void auth_on_members(call_t *call, void *arg)
{
    listing_t listing;
    users_t users;
    (void)arg;
    const user_t *user = auth_require_user(call);
    db_conn_t *conn = user ? auth_require_page(call, LIST_MEMBERS, &listing) : NULL;
    if (!conn ||
        !auth_require_ok(call, auth_store_members(conn, call_arena(call), user->account_id,
                                                  &listing.from, listing.limit + 1, &users)))
        return;
    auth_reply_users(call_pack(call), LIST_MEMBERS, &users, listing.limit);
    call_reply(call, 0);
}

typedef struct {
    deed_t deed;
    const user_t *caller, *member;
    bool is_last_owner;
} exclusion_t;

static db_status_t s_exclude_work(db_conn_t *conn, void *arg)
{
    exclusion_t *self = arg;
    int64_t owners, ended;
    const char *account = self->caller->account_id;
    self->member = NULL;
    self->is_last_owner = false;
    db_status_t status = auth_store_count_owners(conn, account, &owners);
    if (status == DB_OK)
        status = auth_store_user(conn, self->deed.arena, self->deed.audit.target, &self->member);
    if (status != DB_OK || !self->member)
        return status;
    if (strcmp(self->member->account_id, account) != 0) {
        self->member = NULL;
        return DB_OK;
    }
    self->is_last_owner = self->member->is_owner && owners <= 1;
    if (self->is_last_owner)
        return DB_OK;
    status = auth_store_set_role(conn, self->member->id, self->member->role, "disabled");
    if (status == DB_OK)
        status = auth_store_revoke_sessions(conn, self->member->id, "", self->deed.now_ms, &ended);
    return status == DB_OK ? auth_record(conn, &self->deed) : status;
}

void auth_on_member_delete(call_t *call, void *arg)
{
    const user_t *user = auth_require_user(call);
    if (!user)
        return;
    exclusion_t exclusion = { .caller = user,
                              .deed = auth_deed(call, arg, "member.excluded", call_text(call, "id"),
                                                "user") };
    if (!auth_require_write(call, arg, s_exclude_work, &exclusion))
        return;
    if (!exclusion.member)
        call_fail(call, ERROR_NOT_FOUND, "The account has no member with this id");
    else if (exclusion.is_last_owner)
        call_fail(call, ERROR_UNPROCESSABLE, "The last owner of an account stays");
    else
        call_reply(call, 0);
}
