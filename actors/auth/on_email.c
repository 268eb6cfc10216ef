/* SPDX-License-Identifier: MPL-2.0
 *
 * on_email - proving an address: the one somebody registered with, and a new one
 *
 * A code goes to the address, and whoever shows it has the address. A new address takes the place
 * of the old one at that moment and not before; the old one is told.
 */
#include "config.h"

#include <string.h>

#include "actors/auth/code.h"

#define NOTICE_EXPIRES_MS INT64_C(604800000) /* a week: who is not told by then is not told */

/* ---- asking for a code ----------------------------------------------------------------------- */

void auth_on_verify_resend(call_t *call, void *arg)
{
    code_answer_and_send(call, arg, CODE_VERIFY, "email.asked");
}

typedef struct {
    deed_t deed;
    code_t code;
} change_t;

static db_status_t s_change_work(db_conn_t *conn, void *arg)
{
    change_t *self = arg;
    db_status_t status = code_add(conn, &self->deed, &self->code);
    if (status == DB_OK)
        status = code_mail(conn, &self->deed, &self->code);
    return status == DB_OK ? auth_record(conn, &self->deed) : status;
}

/* Whether somebody else has the new address is not told here, but to whoever shows the code, which
 * is to say to its owner. */
static void s_change(call_t *call, void *arg)
{
    auth_t *self = arg;
    const user_t *user = auth_require_user(call);
    if (!user || !auth_require_own_password(call, self, user, call_text(call, "password")))
        return;
    change_t change = { .deed = auth_deed(call, self, "email.change_asked", user->id, NULL) };
    code_make(&change.code, CODE_VERIFY, user, call_text(call, "email"), change.deed.now_ms);
    if (auth_require_write(call, self, s_change_work, &change))
        call_reply(call, 0);
    mem_wipe(&change.code, sizeof change.code);
}

void auth_on_email_change(call_t *call, void *arg)
{
    auth_defer(call, arg, s_change);
}

/* ---- showing it ------------------------------------------------------------------------------ */

typedef struct {
    deed_t deed;
    uint8_t hash[TOKEN_BYTES];
    bool is_verified, is_taken;
} proof_t;

static db_status_t s_set_email(db_conn_t *conn, proof_t *self, const user_t *user,
                               const char *email)
{
    const char *key = auth_email_key(self->deed.arena, email);
    const bool is_new = !user->email_key || strcmp(user->email_key, key) != 0;
    db_status_t status = auth_store_set_email(conn, user->id, email, key, self->deed.now_ms);
    self->is_taken = status == DB_CONSTRAINT;
    /* a code for a new password that lies in the old mailbox is void */
    if (status == DB_OK && is_new)
        status = auth_store_drop_codes(conn, user->id, "reset");
    if (status == DB_OK && is_new && user->email)
        status = auth_add_mail(conn, &self->deed, "email_changed", user->email, user->name, NULL,
                               self->deed.now_ms + NOTICE_EXPIRES_MS);
    self->deed.audit.action = is_new ? "email.changed" : "email.verified";
    return status;
}

static db_status_t s_verify_work(db_conn_t *conn, void *arg)
{
    proof_t *self = arg;
    stored_code_t code;
    const user_t *user = NULL;
    self->is_verified = self->is_taken = false;
    db_status_t status = code_find(conn, &self->deed, CODE_VERIFY, self->hash, true, &code);
    if (status == DB_OK && code.user_id)
        status = auth_store_user(conn, self->deed.arena, code.user_id, &user);
    if (status != DB_OK || !user || strcmp(user->status, "active") != 0)
        return status;
    self->deed.audit.target = self->deed.audit.user_id = user->id;
    self->deed.audit.account_id = user->account_id;
    status = s_set_email(conn, self, user, code.email);
    if (status == DB_OK)
        status = auth_record(conn, &self->deed);
    self->is_verified = status == DB_OK;
    return status;
}

void auth_on_verify(call_t *call, void *arg)
{
    auth_t *self = arg;
    proof_t proof = { .deed = auth_deed(call, self, "email.verified", NULL, NULL) };
    db_status_t status = DB_OK;
    if (code_read(CODE_VERIFY, call_text(call, "token"), proof.hash))
        status = db_write(self->db, s_verify_work, &proof);
    if (proof.is_taken)
        call_fail(call, ERROR_CONFLICT, "Another user has this address");
    else if (auth_require_ok(call, status)) {
        if (proof.is_verified)
            call_reply(call, 0);
        else
            call_fail(call, ERROR_UNPROCESSABLE,
                      "The code is not valid, or no longer: ask for another one");
    }
}
