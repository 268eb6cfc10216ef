/* SPDX-License-Identifier: MPL-2.0
 *
 * on_second - a user's second factor: begun, confirmed by a first code, given up
 */
#include "config.h"

#include <string.h>

#include "actors/auth/second.h"

#define NOTICE_EXPIRES_MS INT64_C(604800000) /* a week: who is not told by then is not told */

static db_status_t s_tell(db_conn_t *conn, const deed_t *deed, const user_t *user, const char *kind)
{
    return auth_add_mail(conn, deed, kind, user->email, user->name, NULL,
                         deed->now_ms + NOTICE_EXPIRES_MS);
}

/* ---- beginning ------------------------------------------------------------------------------- */

typedef struct {
    deed_t deed;
    const user_t *user;
    buf_t sealed;
    bool changed;
} beginning_t;

static db_status_t s_begin_work(db_conn_t *conn, void *arg)
{
    beginning_t *self = arg;
    db_status_t status = auth_store_set_factor(conn, self->user->id, &self->sealed,
                                               self->deed.now_ms, &self->changed);
    return status == DB_OK && self->changed ? auth_record(conn, &self->deed) : status;
}

static void s_begin(call_t *call, void *arg)
{
    auth_t *self = arg;
    arena_t *arena = call_arena(call);
    uint8_t secret[TOTP_SECRET_BYTES];
    const user_t *user = auth_require_user(call);
    if (!user || !auth_require_own_password(call, self, user, call_text(call, "password")))
        return;
    beginning_t beginning = { .deed = auth_deed(call, self, "second_factor.begun", user->id, NULL),
                              .user = user };
    id_random(secret, sizeof secret);
    second_seal(&self->vault, user->id, secret, &beginning.sealed);
    if (!auth_require_write(call, self, s_begin_work, &beginning)) {
        /* it has been answered */
    } else if (!beginning.changed) {
        call_fail(call, ERROR_CONFLICT, "There is a second factor: give it up first");
    } else {
        const char *base32 = totp_base32(arena, secret, sizeof secret);
        pack_map(call_pack(call), 2);
        pack_pair_text(call_pack(call), "secret", base32);
        pack_pair_text(call_pack(call), "uri",
                       totp_uri(arena, auth_settings.issuer, user->email, base32));
        call_reply(call, 0);
    }
    buf_free(&beginning.sealed);
    mem_wipe(secret, sizeof secret);
}

void auth_on_totp_begin(call_t *call, void *arg)
{
    auth_defer(call, arg, s_begin);
}

/* ---- confirming ------------------------------------------------------------------------------ */

typedef struct {
    deed_t deed;
    const user_t *user;
    int64_t step;
    uint8_t hashes[SECOND_RECOVERY_CODES][TOKEN_BYTES];
    bool changed;
} confirmation_t;

static db_status_t s_confirm_work(db_conn_t *conn, void *arg)
{
    confirmation_t *self = arg;
    db_status_t status = auth_store_confirm_factor(conn, self->user->id, self->step,
                                                   self->deed.now_ms, &self->changed);
    if (status != DB_OK || !self->changed)
        return status;
    for (size_t i = 0; i < SECOND_RECOVERY_CODES && status == DB_OK; i++)
        status = auth_store_add_recovery(conn, self->user->id, self->hashes[i]);
    if (status == DB_OK)
        status = s_tell(conn, &self->deed, self->user, "second_factor_on");
    return status == DB_OK ? auth_record(conn, &self->deed) : status;
}

static void s_confirm(call_t *call, auth_t *self, confirmation_t *confirmation)
{
    char codes[SECOND_RECOVERY_CODES][SECOND_RECOVERY_SIZE];
    pack_t *pack = call_pack(call);
    for (size_t i = 0; i < SECOND_RECOVERY_CODES; i++) {
        second_make_recovery(codes[i]);
        second_hash_recovery(confirmation->user->id, codes[i], confirmation->hashes[i]);
    }
    if (!auth_require_write(call, self, s_confirm_work, confirmation)) {
        /* it has been answered */
    } else if (!confirmation->changed) {
        call_fail(call, ERROR_CONFLICT, "The second factor has been confirmed already");
    } else {
        pack_map(pack, 1);
        pack_text(pack, "recovery_codes");
        pack_array(pack, SECOND_RECOVERY_CODES);
        for (size_t i = 0; i < SECOND_RECOVERY_CODES; i++)
            pack_text(pack, codes[i]);
        call_reply(call, 0);
    }
    mem_wipe(codes, sizeof codes);
}

void auth_on_totp_confirm(call_t *call, void *arg)
{
    auth_t *self = arg;
    const factor_t *factor;
    uint8_t secret[TOTP_SECRET_BYTES];
    const user_t *user = auth_require_user(call);
    db_conn_t *conn = user ? auth_require_conn(call) : NULL;
    if (!conn ||
        !auth_require_ok(call, auth_store_factor(conn, call_arena(call), user->id, &factor)))
        return;
    if (!factor || !second_open(&self->vault, user->id, factor, secret)) {
        call_fail(call, ERROR_NOT_FOUND, "There is nothing to confirm: begin first");
        return;
    }
    confirmation_t confirmation = {
        .deed = auth_deed(call, self, "second_factor.confirmed", user->id, NULL), .user = user
    };
    confirmation.step = totp_step(secret, call_text(call, "code"), confirmation.deed.now_ms, 0);
    mem_wipe(secret, sizeof secret);
    if (confirmation.step)
        s_confirm(call, self, &confirmation);
    else
        call_fail(call, ERROR_UNPROCESSABLE, "The code is wrong: look whether the clock is right");
}

/* ---- giving it up ---------------------------------------------------------------------------- */

typedef struct {
    deed_t deed;
    proof_t proof;
    bool good;
} ending_t;

static db_status_t s_end_work(db_conn_t *conn, void *arg)
{
    ending_t *self = arg;
    bool dropped;
    const user_t *user = self->proof.user;
    db_status_t status = second_use_proof(conn, &self->proof, &self->good);
    if (status != DB_OK || !self->good)
        return status;
    status = auth_store_drop_factor(conn, user->id, &dropped);
    if (status == DB_OK)
        status = s_tell(conn, &self->deed, user, "second_factor_off");
    return status == DB_OK ? auth_record(conn, &self->deed) : status;
}

static void s_end(call_t *call, void *arg)
{
    auth_t *self = arg;
    const user_t *user = auth_require_user(call);
    if (!user)
        return;
    if (!user->factor_ms) {
        call_fail(call, ERROR_NOT_FOUND, "There is no second factor");
        return;
    }
    ending_t ending = { .deed = auth_deed(call, self, "second_factor.ended", user->id, NULL) };
    if (second_require_proof(call, &ending.deed, user, &ending.proof) &&
        auth_require_write(call, self, s_end_work, &ending))
        second_end_proof(call, &ending.proof, ending.good);
}

void auth_on_totp_end(call_t *call, void *arg)
{
    auth_defer(call, arg, s_end);
}
