/* SPDX-License-Identifier: MPL-2.0
 *
 * on_login - signing in: by password, and by a code where there is a second factor
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/auth/challenge.h"
#include "actors/auth/second.h"
#include "actors/base/clock.h"
#include "actors/base/log.h"

/* ---- signing in ------------------------------------------------------------------------------ */

typedef struct {
    deed_t deed;
    fresh_t fresh;
    const user_t *known, *user; /* as they were compared with, and as they are now */
    const char *new_hash;       /* NULL: the old one stays */
    const second_t *shown;      /* NULL: no code yet */
    bool needs_code;
} login_t;

static db_status_t s_open_session(db_conn_t *conn, login_t *self, const user_t *user)
{
    db_status_t status = auth_store_logged_in(conn, user->id, self->deed.now_ms);
    if (status == DB_OK)
        status = session_open(conn, &self->deed, user->id, &self->fresh);
    return status == DB_OK ? auth_record(conn, &self->deed) : status;
}

/* The password was compared outside of the transaction: whether it is still the user's is looked at
 * inside. Without `user` afterwards nobody has signed in. */
static db_status_t s_login_work(db_conn_t *conn, void *arg)
{
    login_t *self = arg;
    const user_t *user;
    bool good = true;
    self->user = NULL;
    self->needs_code = false;
    db_status_t status = auth_store_user(conn, self->deed.arena, self->known->id, &user);
    if (status != DB_OK || !user || strcmp(user->status, "active") != 0 || !user->password ||
        strcmp(user->password, self->known->password) != 0)
        return status;
    if (self->new_hash)
        status = auth_store_set_password(conn, user->id, self->new_hash);
    self->needs_code = user->factor_ms && !self->shown;
    if (status == DB_OK && self->shown)
        status = second_use(conn, user->id, self->shown, &good);
    if (status == DB_OK && good && !self->needs_code)
        status = s_open_session(conn, self, user);
    if (status == DB_OK && good)
        self->user = user;
    return status;
}

static login_t s_login_of(call_t *call, auth_t *self, const user_t *known)
{
    login_t login = { .deed = auth_deed(call, self, "user.login", known->id, NULL),
                      .known = known };
    login.deed.audit.user_id = known->id;
    login.deed.audit.account_id = known->account_id;
    session_prepare(&login.fresh);
    return login;
}

static void s_reply_entered(call_t *call, auth_t *self, const login_t *login)
{
    auth_count(call, AUTH_LOGINS);
    session_reply(call, self, login->user, &login->fresh, login->deed.now_ms, true);
}

/* ---- by password ----------------------------------------------------------------------------- */

static void s_refuse(call_t *call)
{
    auth_count(call, AUTH_LOGINS_REFUSED);
    call_fail(call, ERROR_UNAUTHENTICATED, "The address or the password is wrong");
}

/* `user` NULL: nobody has the address. The refusal is answered before it is recorded; both happen
 * whoever it is, so that neither its time nor that of the next request tells a known address. */
static void s_refuse_recorded(call_t *call, auth_t *self, const user_t *user)
{
    arena_t own = { 0 };
    deed_t deed = auth_deed(call, self, "user.login_refused", user ? user->id : NULL, NULL);
    deed.audit.user_id = NULL;
    deed.audit.account_id = user ? user->account_id : NULL;
    auth_keep(&deed, &own);
    s_refuse(call);
    if (auth_record_alone(&deed) != DB_OK)
        LOG(LOG_WARN, "auth.not_recorded", LOG_TEXT("action", deed.audit.action));
    arena_free(&own);
}

/* What was stored when the password was shown, or takes its place now. */
static void s_reply_challenge(call_t *call, auth_t *self, const login_t *login)
{
    char text[CHALLENGE_SIZE];
    const challenge_t challenge =
        challenge_make(login->known->id, login->new_hash ? login->new_hash : login->known->password,
                       login->deed.now_ms);
    pack_map(call_pack(call), 3);
    pack_pair_text(call_pack(call), "step", "code");
    pack_pair_text(call_pack(call), "challenge", challenge_write(&challenge, &self->vault, text));
    pack_pair_int(call_pack(call), "expires_in", CHALLENGE_MS / 1000);
    call_reply(call, 0);
}

static void s_enter(call_t *call, auth_t *self, const user_t *known, const char *password)
{
    char hash[PASSWORD_HASH_SIZE];
    login_t login = s_login_of(call, self, known);
    if (password_is_outdated(&self->cost, known->password)) {
        auth_hash(self, password, hash);
        login.new_hash = hash;
    }
    if (!auth_require_write(call, self, s_login_work, &login))
        return;
    if (!login.user)
        s_refuse(call);
    else if (login.needs_code)
        s_reply_challenge(call, self, &login);
    else
        s_reply_entered(call, self, &login);
}

/* Whoever it is, one comparison is made: with the decoy when there is nothing to compare with. */
static void s_login(call_t *call, void *arg)
{
    auth_t *self = arg;
    const user_t *user;
    const char *password = call_text(call, "password");
    db_conn_t *conn = auth_require_conn(call);
    if (!conn || !auth_require_ok(
                     call, auth_store_user_by_email(
                               conn, call_arena(call),
                               auth_email_key(call_arena(call), call_text(call, "email")), &user)))
        return;
    bool has_password = user && user->password;
    bool fits = auth_fits(self, has_password ? user->password : self->decoy, password);
    if (!has_password || !fits || strcmp(user->status, "active") != 0)
        s_refuse_recorded(call, self, user);
    else if (!auth_may_enter(user))
        call_fail(call, ERROR_FORBIDDEN,
                  "Prove the address first: show the code that was mailed there to "
                  "/v1/auth/verify, or ask for another one at /v1/auth/verify/resend");
    else
        s_enter(call, self, user, password);
}

void auth_on_login(call_t *call, void *arg)
{
    auth_defer(call, arg, s_login);
}

/* ---- by a code ------------------------------------------------------------------------------- */

/* The user who has shown the password that the challenge is of. NULL: the call has been answered.
 */
static const user_t *s_require_challenged(call_t *call, auth_t *self, db_conn_t *conn)
{
    challenge_t challenge;
    const user_t *user = NULL;
    bool good =
        challenge_read(&challenge, &self->vault, call_text(call, "challenge"), clock_wall_ms());
    if (good &&
        !auth_require_ok(call, auth_store_user(conn, call_arena(call), challenge.user_id, &user)))
        return NULL;
    if (user && strcmp(user->status, "active") == 0 && user->password &&
        challenge_is_of(&challenge, user->password))
        return user;
    call_fail(call, ERROR_UNAUTHENTICATED,
              "The challenge is not valid, or no longer: sign in again");
    return NULL;
}

static void s_refuse_code(call_t *call, auth_t *self, const user_t *user)
{
    deed_t deed = auth_deed(call, self, "user.code_refused", user->id, NULL);
    deed.audit.user_id = NULL;
    deed.audit.account_id = user->account_id;
    auth_count(call, AUTH_LOGINS_REFUSED);
    if (auth_require_ok(call, auth_record_alone(&deed)))
        call_fail(call, ERROR_UNAUTHENTICATED, "The code is wrong, or has been used");
}

void auth_on_login_code(call_t *call, void *arg)
{
    auth_t *self = arg;
    actor_t *actor = self->actor;
    second_t shown;
    try_t taken;
    db_conn_t *conn = auth_require_conn(call);
    const user_t *user = conn ? s_require_challenged(call, self, conn) : NULL;
    if (!user || !throttle_require(call, user->id, &taken))
        return;
    login_t login = s_login_of(call, self, user);
    login.shown = &shown;
    if (!auth_require_ok(
            call, second_look(conn, &login.deed, user->id, call_text(call, "code"), &shown)) ||
        !auth_require_write(call, self, s_login_work, &login))
        return;
    if (!login.user) {
        s_refuse_code(call, self, user);
        return;
    }
    s_reply_entered(call, self, &login);
    throttle_give_back(actor, &taken);
}
