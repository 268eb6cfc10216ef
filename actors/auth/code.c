/* SPDX-License-Identifier: MPL-2.0
 *
 * code - a secret that is mailed to a user, good once: for a new password, or to prove an address
 */
#include "config.h"

#include <string.h>

#include "actors/auth/code.h"
#include "actors/base/log.h"

#define MS_PER_MINUTE INT64_C(60000)
#define PAUSE_MS      MS_PER_MINUTE /* between two mails of a kind to one user */

static const struct {
    const char *purpose, *prefix, *mail;
    const int64_t *minutes;
} s_kinds[CODE_KINDS] = {
    [CODE_RESET] = { "reset", TOKEN_RESET, "password_reset", &auth_settings.reset_minutes },
    [CODE_VERIFY] = { "verify", TOKEN_VERIFY, "email_verify", &auth_settings.verify_minutes },
};

void code_make(code_t *self, code_kind_t kind, const user_t *user, const char *email,
               int64_t now_ms)
{
    uint8_t secret[TOKEN_BYTES];
    *self = (code_t){ .kind = kind,
                      .user = user,
                      .email = email,
                      .expires_ms = now_ms + *s_kinds[kind].minutes * MS_PER_MINUTE };
    id_random(secret, sizeof secret);
    token_hash(secret, self->hash);
    token_write(s_kinds[kind].prefix, secret, self->text);
    mem_wipe(secret, sizeof secret);
}

db_status_t code_add(db_conn_t *conn, const deed_t *deed, const code_t *self)
{
    return auth_store_add_code(conn, &(stored_code_t){ .hash = self->hash,
                                                       .purpose = s_kinds[self->kind].purpose,
                                                       .user_id = self->user->id,
                                                       .email = self->email,
                                                       .created_ms = deed->now_ms,
                                                       .expires_ms = self->expires_ms });
}

db_status_t code_mail(db_conn_t *conn, const deed_t *deed, const code_t *self)
{
    return auth_add_mail(conn, deed, s_kinds[self->kind].mail,
                         self->email ? self->email : self->user->email, self->user->name,
                         self->text, self->expires_ms);
}

bool code_read(code_kind_t kind, const char *text, uint8_t hash[TOKEN_BYTES])
{
    uint8_t secret[TOKEN_BYTES];
    if (!token_read(s_kinds[kind].prefix, text, secret))
        return false;
    token_hash(secret, hash);
    mem_wipe(secret, sizeof secret);
    return true;
}

db_status_t code_find(db_conn_t *conn, const deed_t *deed, code_kind_t kind,
                      const uint8_t hash[TOKEN_BYTES], bool take, stored_code_t *found)
{
    *found = (stored_code_t){ .hash = hash, .purpose = s_kinds[kind].purpose };
    return take ? auth_store_take_code(conn, deed->arena, deed->now_ms, found)
                : auth_store_find_code(conn, deed->arena, deed->now_ms, found);
}

/* ---- asking for one -------------------------------------------------------------------------- */

typedef struct {
    deed_t deed;
    const user_t *user; /* NULL: nobody who may have one */
    code_t code;
} request_t;

static db_status_t s_send_work(db_conn_t *conn, void *arg)
{
    request_t *self = arg;
    bool has = true;
    db_status_t status = DB_OK;
    if (self->user)
        status = auth_store_has_code(conn, self->user->id, s_kinds[self->code.kind].purpose,
                                     self->deed.now_ms - PAUSE_MS, &has);
    if (status == DB_OK && !has)
        status = code_add(conn, &self->deed, &self->code);
    if (status == DB_OK && !has)
        status = code_mail(conn, &self->deed, &self->code);
    return status == DB_OK ? auth_record(conn, &self->deed) : status;
}

static bool s_may_have(const user_t *user, code_kind_t kind)
{
    return user && strcmp(user->status, "active") == 0 &&
           (kind != CODE_VERIFY || !user->verified_ms);
}

static void s_send(auth_t *self, deed_t *deed, code_kind_t kind, const char *email)
{
    const user_t *user = NULL;
    db_conn_t *conn = db_conn(self->db);
    db_status_t status = conn ? auth_store_user_by_email(conn, deed->arena,
                                                         auth_email_key(deed->arena, email), &user)
                              : DB_UNAVAILABLE;
    deed->audit.user_id = NULL;
    deed->audit.target = user ? user->id : NULL;
    deed->audit.account_id = user ? user->account_id : NULL;
    request_t request = { .deed = *deed, .user = s_may_have(user, kind) ? user : NULL };
    code_make(&request.code, kind, request.user,
              request.user && kind == CODE_VERIFY ? user->email : NULL, deed->now_ms);
    if (status == DB_OK)
        status = db_write(self->db, s_send_work, &request);
    mem_wipe(request.code.text, sizeof request.code.text);
    if (status != DB_OK)
        LOG(LOG_ERROR, "auth.code_not_sent", LOG_INT("status", status));
}

void code_answer_and_send(call_t *call, auth_t *auth, code_kind_t kind, const char *action)
{
    arena_t own = { 0 };
    const char *email = call_text(call, "email");
    deed_t deed = auth_deed(call, auth, action, NULL, NULL);
    auth_keep(&deed, &own);
    email = arena_text(&own, email, strlen(email));
    call_reply(call, 0);
    s_send(auth, &deed, kind, email);
    arena_free(&own);
}
