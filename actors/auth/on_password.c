/* SPDX-License-Identifier: MPL-2.0
 *
 * on_password - a new password: by the old one, or by a code
 */
#include "config.h"

#include <string.h>

#include "actors/auth/code.h"

#define NOTICE_EXPIRES_MS INT64_C(604800000) /* a week: who is not told by then is not told */

/* ---- a new password -------------------------------------------------------------------------- */

typedef struct {
    deed_t deed;
    const user_t *user;
    const uint8_t *reset; /* hash of the code; NULL: by the old password */
    const char *new_hash, *kept_session;
    bool done;
} change_t;

static db_status_t s_take_code(db_conn_t *conn, change_t *self, bool *taken)
{
    stored_code_t code;
    db_status_t status = code_find(conn, &self->deed, CODE_RESET, self->reset, true, &code);
    *taken = status == DB_OK && code.user_id && strcmp(code.user_id, self->user->id) == 0;
    return status;
}

/* By the old password: it must be what it was when it was compared. */
static db_status_t s_look_again(db_conn_t *conn, change_t *self, bool *same)
{
    const user_t *now;
    db_status_t status = auth_store_user(conn, self->deed.arena, self->user->id, &now);
    *same =
        status == DB_OK && now && now->password && strcmp(now->password, self->user->password) == 0;
    return status;
}

static db_status_t s_change_work(db_conn_t *conn, void *arg)
{
    change_t *self = arg;
    int64_t ended;
    bool may;
    self->done = false;
    db_status_t status =
        self->reset ? s_take_code(conn, self, &may) : s_look_again(conn, self, &may);
    if (status != DB_OK || !may)
        return status;
    status = auth_store_set_password(conn, self->user->id, self->new_hash);
    if (status == DB_OK)
        status = auth_store_revoke_sessions(conn, self->user->id, self->kept_session,
                                            self->deed.now_ms, &ended);
    if (status == DB_OK && self->user->email)
        status = auth_add_mail(conn, &self->deed, "password_changed", self->user->email,
                               self->user->name, NULL, self->deed.now_ms + NOTICE_EXPIRES_MS);
    if (status == DB_OK)
        status = auth_record(conn, &self->deed);
    self->done = status == DB_OK;
    return status;
}

static void s_change(call_t *call, auth_t *self, change_t *change, const char *password,
                     error_code_t otherwise, const char *why)
{
    char hash[PASSWORD_HASH_SIZE];
    auth_hash(self, password, hash);
    change->new_hash = hash;
    if (!auth_require_write(call, self, s_change_work, change))
        return;
    if (change->done)
        call_reply(call, 0);
    else
        call_fail(call, otherwise, "%s", why);
}

/* ---- by the old one -------------------------------------------------------------------------- */

static void s_change_by_old(call_t *call, void *arg)
{
    auth_t *self = arg;
    const char *current = call_text(call, "current"), *password = call_text(call, "new");
    const user_t *user = auth_require_user(call);
    if (!user || !auth_require_password(call, "new", password, user->email, user->name) ||
        !auth_require_own_password(call, self, user, current))
        return;
    change_t change = { .deed = auth_deed(call, self, "password.changed", user->id, "user"),
                        .user = user,
                        .kept_session = call_principal(call)->session };
    s_change(call, self, &change, password, ERROR_UNAUTHENTICATED,
             "The password has been changed meanwhile");
}

void auth_on_password_change(call_t *call, void *arg)
{
    auth_defer(call, arg, s_change_by_old);
}

/* ---- by a code ------------------------------------------------------------------------------- */

/* Whose code it is, is found without taking it: a password that is refused does not cost it. */
static void s_change_by_code(call_t *call, void *arg)
{
    auth_t *self = arg;
    uint8_t hash[TOKEN_BYTES];
    const user_t *user = NULL;
    stored_code_t code = { 0 };
    const char *password = call_text(call, "password");
    change_t change = { .deed = auth_deed(call, self, "password.reset", NULL, "user"),
                        .reset = hash,
                        .kept_session = "" };
    db_conn_t *conn = auth_require_conn(call);
    if (!conn)
        return;
    db_status_t status = DB_OK;
    if (code_read(CODE_RESET, call_text(call, "token"), hash))
        status = code_find(conn, &change.deed, CODE_RESET, hash, false, &code);
    if (status == DB_OK && code.user_id)
        status = auth_store_user(conn, call_arena(call), code.user_id, &user);
    if (!auth_require_ok(call, status))
        return;
    if (!user || strcmp(user->status, "active") != 0) {
        call_fail(call, ERROR_UNPROCESSABLE,
                  "The code is not valid, or no longer: ask for another one");
        return;
    }
    if (!auth_require_password(call, "password", password, user->email, user->name))
        return;
    change.user = user;
    change.deed.audit.target = change.deed.audit.user_id = user->id;
    change.deed.audit.account_id = user->account_id;
    s_change(call, self, &change, password, ERROR_UNPROCESSABLE, "The code has been used");
}

void auth_on_password_reset(call_t *call, void *arg)
{
    auth_defer(call, arg, s_change_by_code);
}

/* ---- codes ----------------------------------------------------------------------------------- */

void auth_on_password_forgot(call_t *call, void *arg)
{
    code_answer_and_send(call, arg, CODE_RESET, "password.forgotten");
}

typedef struct {
    deed_t deed;
    code_t code;
} issue_t;

static db_status_t s_issue_work(db_conn_t *conn, void *arg)
{
    issue_t *self = arg;
    db_status_t status = code_add(conn, &self->deed, &self->code);
    return status == DB_OK ? auth_record(conn, &self->deed) : status;
}

void auth_on_reset_issue(call_t *call, void *arg)
{
    const user_t *user;
    db_conn_t *conn = auth_require_conn(call);
    if (!conn || !auth_require_ok(
                     call, auth_store_user(conn, call_arena(call), call_text(call, "id"), &user)))
        return;
    if (!user || !user->email) {
        call_fail(call, ERROR_NOT_FOUND, "There is no user with this id who signs in");
        return;
    }
    issue_t issue = { .deed = auth_deed(call, arg, "password.code_issued", user->id, NULL) };
    code_make(&issue.code, CODE_RESET, user, NULL, issue.deed.now_ms);
    if (auth_require_write(call, arg, s_issue_work, &issue)) {
        pack_map(call_pack(call), 2);
        pack_pair_text(call_pack(call), "token", issue.code.text);
        pack_pair_time(call_pack(call), "expires_at", issue.code.expires_ms);
        call_reply(call, 0);
    }
    mem_wipe(&issue.code, sizeof issue.code);
}
