/* SPDX-License-Identifier: MPL-2.0
 *
 * on_register - new users: with an account of their own, or by invitation into another one's
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/auth/active.h"
#include "actors/auth/code.h"

typedef enum { INVITE_FINE, INVITE_NONE, INVITE_USED, INVITE_FOR_ANOTHER } invite_verdict_t;

typedef struct {
    deed_t deed;
    fresh_t fresh;
    const uint8_t *invite_hash; /* NULL: without one */
    invite_verdict_t verdict;
    bool is_taken;
    code_t code; /* that proves the address, unless the invitation has */
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
    self->user.verified_ms = invite->email ? now_ms : 0; /* the invitation was sent there */
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
    self->user.verified_ms = 0;
    if (self->invite_hash)
        status = s_use_invite(conn, self);
    if (status != DB_OK || self->verdict != INVITE_FINE)
        return status;
    status = s_add_user(conn, self);
    if (status == DB_OK && !self->user.verified_ms)
        status = code_add(conn, &self->deed, &self->code);
    if (status == DB_OK && !self->user.verified_ms)
        status = code_mail(conn, &self->deed, &self->code);
    if (status == DB_OK && auth_may_enter(&self->user))
        status = session_open(conn, &self->deed, self->user_id, &self->fresh);
    if (status == DB_OK)
        status = auth_store_user(conn, self->deed.arena, self->user_id, &self->made);
    self->deed.audit.account_id = self->user.account_id;
    return status == DB_OK ? auth_record(conn, &self->deed) : status;
}

static void s_reply_unverified(call_t *call, const user_t *user)
{
    pack_map(call_pack(call), 2);
    pack_pair_text(call_pack(call), "step", "verify");
    pack_text(call_pack(call), "user");
    auth_reply_user(call_pack(call), user);
    call_reply(call, 0);
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
        if (auth_may_enter(registration->made))
            session_reply(call, self, registration->made, &registration->fresh,
                          registration->deed.now_ms, true);
        else
            s_reply_unverified(call, registration->made);
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
    auth_hash(self, password, hash);
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
    code_make(&registration.code, CODE_VERIFY, &registration.user, email, registration.deed.now_ms);
    s_finish_registration(call, self, &registration);
    mem_wipe(&registration.code, sizeof registration.code);
}

void auth_on_register(call_t *call, void *arg)
{
    if (s_require_open(call, call_text(call, "invite")))
        auth_defer(call, arg, s_register);
}
