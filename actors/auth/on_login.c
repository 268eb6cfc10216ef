/* SPDX-License-Identifier: MPL-2.0
 *
 * on_login - registering and signing in
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/auth/active.h"
#include "actors/auth/auth.h"
#include "actors/base/clock.h"
#include "actors/base/log.h"

static void s_hash(call_t *call, auth_t *self, const char *password, char hash[PASSWORD_HASH_SIZE])
{
    uint64_t begun_us = clock_us();
    password_hash(&self->cost, password, hash);
    stats_record(actor_stats(call_actor(call)), AUTH_HASH_TIME, clock_us() - begun_us);
}

/* ---- registering ----------------------------------------------------------------------------- */

typedef enum { INVITE_FINE, INVITE_NONE, INVITE_USED, INVITE_FOR_ANOTHER } invite_verdict_t;

typedef struct {
    deed_t deed;
    fresh_t fresh;
    const uint8_t *invite_hash; /* NULL: without one */
    invite_verdict_t verdict;
    bool is_taken;
    char user_id[ID_UUID_SIZE], account_id[ID_UUID_SIZE];
    user_t user;
    const user_t *made;
} registration_t;

/* What the invitation says about the new user. */
static db_status_t s_use_invite(db_conn_t *conn, registration_t *self)
{
    const invite_t *invite;
    bool changed = false;
    const int64_t now_ms = self->deed.now_ms;
    db_status_t status = auth_store_invite(conn, self->deed.arena, self->invite_hash, &invite);
    if (status != DB_OK)
        return status;
    if (!invite || invite->expires_ms <= now_ms)
        self->verdict = INVITE_NONE;
    else if (invite->email &&
             strcmp(auth_email_key(self->deed.arena, invite->email), self->user.email_key) != 0)
        self->verdict = INVITE_FOR_ANOTHER;
    else if ((status = auth_store_use_invite(conn, invite->id, now_ms, &changed)) == DB_OK &&
             !changed)
        self->verdict = INVITE_USED;
    if (status != DB_OK || self->verdict != INVITE_FINE)
        return status;
    self->user.role = invite->role;
    self->user.tier = invite->tier;
    if (invite->account_id) {
        self->user.account_id = invite->account_id;
        self->user.is_owner = false;
    }
    return DB_OK;
}

static db_status_t s_add_user(db_conn_t *conn, registration_t *self)
{
    db_status_t status = DB_OK;
    if (self->user.is_owner)
        status = auth_store_add_account(conn, &(account_t){ .id = self->user.account_id,
                                                            .name = self->user.name,
                                                            .tier = self->user.tier,
                                                            .created_ms = self->deed.now_ms });
    if (status == DB_OK)
        status = auth_store_add_user(conn, &self->user);
    self->is_taken = status == DB_CONSTRAINT;
    return status;
}

static db_status_t s_register_work(db_conn_t *conn, void *arg)
{
    registration_t *self = arg;
    db_status_t status = DB_OK;
    self->verdict = INVITE_FINE;
    self->is_taken = false;
    self->user.account_id = self->account_id;
    self->user.is_owner = true;
    self->user.role = "user";
    self->user.tier = "free";
    if (self->invite_hash)
        status = s_use_invite(conn, self);
    if (status != DB_OK || self->verdict != INVITE_FINE)
        return status;
    status = s_add_user(conn, self);
    if (status == DB_OK)
        status = session_open(conn, &self->deed, self->user_id, &self->fresh);
    if (status == DB_OK)
        status = auth_store_user(conn, self->deed.arena, self->user_id, &self->made);
    self->deed.audit.account_id = self->user.account_id;
    return status == DB_OK ? auth_record(conn, &self->deed) : status;
}

static void s_finish_registration(call_t *call, auth_t *self, registration_t *registration)
{
    static const char *const refusals[] = {
        [INVITE_NONE] = "There is no such invitation, or it has expired",
        [INVITE_USED] = "The invitation has been used",
        [INVITE_FOR_ANOTHER] = "The invitation is for another address",
    };
    db_status_t status = db_write(self->db, s_register_work, registration);
    if (registration->is_taken) {
        call_fail(call, ERROR_CONFLICT, "There is a user with this address: sign in instead");
    } else if (!auth_require_ok(call, status)) {
        return;
    } else if (registration->verdict != INVITE_FINE) {
        call_fail(call, ERROR_FORBIDDEN, "%s", refusals[registration->verdict]);
    } else {
        auth_count(call, AUTH_REGISTERED);
        if (registration->user.is_owner)
            active_count_event(call, "created", registration->user.tier);
        herald_wake(self->herald, false);
        session_reply(call, self, registration->made, &registration->fresh,
                      registration->deed.now_ms, 0);
    }
}

/* Whether somebody may register at all; `invite` is the code, or NULL. */
static bool s_require_open(call_t *call, const char *invite)
{
    const char *mode = auth_settings.registration;
    if (strcmp(mode, "open") == 0 || (strcmp(mode, "invite") == 0 && invite))
        return true;
    call_fail(call, ERROR_FORBIDDEN, "%s",
              strcmp(mode, "invite") == 0
                  ? "Registration needs an invitation: give its code as `invite`"
                  : "Registration is closed");
    return false;
}

static const char *s_local_part(arena_t *arena, const char *email)
{
    return arena_text(arena, email, strcspn(email, "@"));
}

static void s_register(call_t *call, void *arg)
{
    auth_t *self = arg;
    arena_t *arena = call_arena(call);
    char hash[PASSWORD_HASH_SIZE];
    uint8_t secret[TOKEN_BYTES], invite_hash[TOKEN_BYTES];
    registration_t registration = { .deed = auth_deed(call, self, "user.registered", NULL, NULL) };
    const char *email = call_text(call, "email"), *name = call_text(call, "name");
    const char *password = call_text(call, "password"), *invite = call_text(call, "invite");
    if (!name)
        name = s_local_part(arena, email);
    if (!auth_require_password(call, "password", password, email, name))
        return;
    if (invite) {
        /* what is no code at all is looked up as well, and not found */
        if (!token_read(TOKEN_INVITE, invite, secret))
            memset(secret, 0, sizeof secret);
        token_hash(secret, invite_hash);
        registration.invite_hash = invite_hash;
    }
    s_hash(call, self, password, hash);
    session_prepare(&registration.fresh);
    id_uuid7(registration.user_id);
    id_uuid7(registration.account_id);
    registration.deed.audit.user_id = registration.user_id;
    registration.deed.audit.target = registration.user_id;
    registration.user = (user_t){ .id = registration.user_id,
                                  .email = email,
                                  .email_key = auth_email_key(arena, email),
                                  .name = name,
                                  .password = hash,
                                  .created_ms = registration.deed.now_ms };
    s_finish_registration(call, self, &registration);
}

void auth_on_register(call_t *call, void *arg)
{
    if (s_require_open(call, call_text(call, "invite")))
        auth_defer(call, arg, s_register);
}

/* ---- signing in ------------------------------------------------------------------------------ */

typedef struct {
    deed_t deed;
    fresh_t fresh;
    const user_t *known, *user; /* as they were compared with, and as they are now */
    const char *new_hash;       /* NULL: the old one stays */
} login_t;

/* The password was compared outside of the transaction: whether it is still the user's is looked at
 * inside. */
static db_status_t s_login_work(db_conn_t *conn, void *arg)
{
    login_t *self = arg;
    const user_t *user;
    self->user = NULL;
    db_status_t status = auth_store_user(conn, self->deed.arena, self->known->id, &user);
    if (status != DB_OK || !user || strcmp(user->status, "active") != 0 || !user->password ||
        strcmp(user->password, self->known->password) != 0)
        return status;
    if (self->new_hash)
        status = auth_store_set_password(conn, user->id, self->new_hash);
    if (status == DB_OK)
        status = auth_store_logged_in(conn, user->id, self->deed.now_ms);
    if (status == DB_OK)
        status = session_open(conn, &self->deed, user->id, &self->fresh);
    if (status == DB_OK)
        status = auth_record(conn, &self->deed);
    if (status == DB_OK)
        self->user = user;
    return status;
}

static void s_refuse(call_t *call)
{
    auth_count(call, AUTH_LOGINS_REFUSED);
    call_fail(call, ERROR_UNAUTHENTICATED, "The address or the password is wrong");
}

static db_status_t s_record_work(db_conn_t *conn, void *arg)
{
    return auth_record(conn, arg);
}

/* The refusal is answered before it is recorded, so that the time of the answer does not tell a
 * known address by the entry it gets. */
static void s_refuse_known(call_t *call, auth_t *self, const user_t *user)
{
    arena_t own = { 0 };
    deed_t deed = auth_deed(call, self, "user.login_refused", NULL, NULL);
    const char *const texts[] = { user->id, user->account_id, deed.audit.address,
                                  deed.audit.request_id };
    const char *copies[COUNT_OF(texts)] = { NULL };
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (texts[i])
            copies[i] = arena_format(&own, "%s", texts[i]);
    deed.audit.user_id = NULL;
    deed.audit.target = copies[0];
    deed.audit.account_id = copies[1];
    deed.audit.address = copies[2];
    deed.audit.request_id = copies[3];
    s_refuse(call);
    if (db_write(self->db, s_record_work, &deed) != DB_OK)
        LOG(LOG_WARN, "auth.not_recorded", LOG_TEXT("action", deed.audit.action));
    arena_free(&own);
}

static void s_enter(call_t *call, auth_t *self, const user_t *known, const char *password)
{
    char hash[PASSWORD_HASH_SIZE];
    login_t login = { .deed = auth_deed(call, self, "user.login", known->id, NULL),
                      .known = known };
    login.deed.audit.user_id = known->id;
    login.deed.audit.account_id = known->account_id;
    if (password_is_outdated(&self->cost, known->password)) {
        s_hash(call, self, password, hash);
        login.new_hash = hash;
    }
    session_prepare(&login.fresh);
    if (!auth_require_write(call, self, s_login_work, &login))
        return;
    if (!login.user) {
        s_refuse(call);
        return;
    }
    auth_count(call, AUTH_LOGINS);
    session_reply(call, self, login.user, &login.fresh, login.deed.now_ms, 0);
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
    uint64_t begun_us = clock_us();
    bool has_password = user && user->password;
    bool fits = password_fits(has_password ? user->password : self->decoy, password);
    stats_record(actor_stats(self->actor), AUTH_HASH_TIME, clock_us() - begun_us);
    if (has_password && fits && strcmp(user->status, "active") == 0)
        s_enter(call, self, user, password);
    else if (user)
        s_refuse_known(call, self, user);
    else
        s_refuse(call);
}

void auth_on_login(call_t *call, void *arg)
{
    auth_defer(call, arg, s_login);
}
