/* SPDX-License-Identifier: MPL-2.0
 *
 * on_password - a new password: by the old one, or by a code
 */
#include "config.h"

#include <string.h>

#include "actors/auth/auth.h"
#include "actors/base/clock.h"
#include "actors/base/log.h"

#define MS_PER_MINUTE     INT64_C(60000)
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
    const char *user_id;
    db_status_t status =
        auth_store_take_reset(conn, self->deed.arena, self->reset, self->deed.now_ms, &user_id);
    *taken = status == DB_OK && user_id && strcmp(user_id, self->user->id) == 0;
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
    if (!user || !auth_require_password(call, "new", password, user->email, user->name))
        return;
    if (!user->password || !auth_fits(self, user->password, current)) {
        call_fail(call, ERROR_UNAUTHENTICATED, "The current password is wrong");
        return;
    }
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
    uint8_t secret[TOKEN_BYTES] = { 0 }, hash[TOKEN_BYTES];
    const user_t *user = NULL;
    const char *user_id = NULL, *password = call_text(call, "password");
    db_conn_t *conn = auth_require_conn(call);
    if (!conn)
        return;
    db_status_t status = DB_OK;
    if (token_read(TOKEN_RESET, call_text(call, "token"), secret)) {
        token_hash(secret, hash);
        status = auth_store_find_reset(conn, call_arena(call), hash, clock_wall_ms(), &user_id);
    }
    if (status == DB_OK && user_id)
        status = auth_store_user(conn, call_arena(call), user_id, &user);
    if (!auth_require_ok(call, status))
        return;
    if (!user || strcmp(user->status, "active") != 0) {
        call_fail(call, ERROR_UNPROCESSABLE,
                  "The code is not valid, or no longer: ask for another one");
        return;
    }
    if (!auth_require_password(call, "password", password, user->email, user->name))
        return;
    change_t change = { .deed = auth_deed(call, self, "password.reset", user->id, "user"),
                        .user = user,
                        .reset = hash,
                        .kept_session = "" };
    change.deed.audit.user_id = user->id;
    change.deed.audit.account_id = user->account_id;
    s_change(call, self, &change, password, ERROR_UNPROCESSABLE, "The code has been used");
}

void auth_on_password_reset(call_t *call, void *arg)
{
    auth_defer(call, arg, s_change_by_code);
}

/* ---- codes ----------------------------------------------------------------------------------- */

typedef struct {
    deed_t deed;
    const user_t *user; /* NULL: nobody who may have one, which is recorded all the same */
    uint8_t hash[TOKEN_BYTES];
    const char *code;
    int64_t expires_ms;
    bool is_mailed;
} code_t;

static db_status_t s_code_work(db_conn_t *conn, void *arg)
{
    code_t *self = arg;
    db_status_t status = DB_OK;
    if (self->user)
        status = auth_store_add_reset(conn, self->hash, self->user->id, self->deed.now_ms,
                                      self->expires_ms);
    if (status == DB_OK && self->user && self->is_mailed)
        status = auth_add_mail(conn, &self->deed, "password_reset", self->user->email,
                               self->user->name, self->code, self->expires_ms);
    return status == DB_OK ? auth_record(conn, &self->deed) : status;
}

static void s_prepare_code(code_t *self, char text[TOKEN_SIZE])
{
    uint8_t secret[TOKEN_BYTES];
    id_random(secret, sizeof secret);
    token_hash(secret, self->hash);
    self->code = token_write(TOKEN_RESET, secret, text);
    self->expires_ms = self->deed.now_ms + auth_settings.reset_minutes * MS_PER_MINUTE;
    mem_wipe(secret, sizeof secret);
}

static void s_send_code(auth_t *self, deed_t *deed, const char *email)
{
    char text[TOKEN_SIZE];
    const user_t *user = NULL;
    db_conn_t *conn = db_conn(self->db);
    db_status_t status = conn ? auth_store_user_by_email(conn, deed->arena,
                                                         auth_email_key(deed->arena, email), &user)
                              : DB_UNAVAILABLE;
    deed->audit.user_id = NULL;
    deed->audit.target = user ? user->id : NULL;
    deed->audit.account_id = user ? user->account_id : NULL;
    if (user && strcmp(user->status, "active") != 0)
        user = NULL;
    code_t code = { .deed = *deed, .user = user, .is_mailed = true };
    s_prepare_code(&code, text);
    if (status == DB_OK)
        status = db_write(self->db, s_code_work, &code);
    mem_wipe(text, sizeof text);
    if (status != DB_OK)
        LOG(LOG_ERROR, "auth.code_not_sent", LOG_INT("status", status));
}

/* The answer goes out first, and something is written whoever it is: neither it nor its time, nor
 * that of the next one, tells whether the address is known. */
void auth_on_password_forgot(call_t *call, void *arg)
{
    arena_t own = { 0 };
    const char *email = call_text(call, "email");
    deed_t deed = auth_deed(call, arg, "password.forgotten", NULL, NULL);
    auth_keep(&deed, &own);
    email = arena_text(&own, email, strlen(email));
    call_reply(call, 0);
    s_send_code(arg, &deed, email);
    arena_free(&own);
}

void auth_on_reset_issue(call_t *call, void *arg)
{
    char text[TOKEN_SIZE];
    const user_t *user;
    db_conn_t *conn = auth_require_conn(call);
    if (!conn || !auth_require_ok(
                     call, auth_store_user(conn, call_arena(call), call_text(call, "id"), &user)))
        return;
    if (!user || !user->email) {
        call_fail(call, ERROR_NOT_FOUND, "There is no user with this id who signs in");
        return;
    }
    code_t code = { .deed = auth_deed(call, arg, "password.code_issued", user->id, NULL),
                    .user = user };
    s_prepare_code(&code, text);
    if (!auth_require_write(call, arg, s_code_work, &code))
        return;
    pack_map(call_pack(call), 2);
    pack_pair_text(call_pack(call), "token", text);
    pack_pair_time(call_pack(call), "expires_at", code.expires_ms);
    mem_wipe(text, sizeof text);
    call_reply(call, 0);
}
