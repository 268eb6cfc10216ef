/* SPDX-License-Identifier: MPL-2.0
 *
 * on_signing - signing secrets of API keys, and requests that are signed with them
 *
 * The secret lies sealed in the database and is opened here alone: edges ask whether a signature is
 * right. A nonce is marked as used in the database, so that whichever edge and instance a request
 * comes to again, it is refused.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "actors/auth/auth.h"
#include "actors/auth/signature.h"
#include "actors/base/clock.h"

#define FRESH_MS (INT64_C(1000) * AUTH_FRESH_S)

/* What a secret is sealed as: the key's, and no other's. */
static const char *s_name(arena_t *arena, const char *key_id)
{
    return arena_format(arena, "signing %s", key_id);
}

/* ---- giving and taking ----------------------------------------------------------------------- */

typedef struct {
    deed_t deed;
    const char *user_id;
    buf_t sealed; /* empty: it is taken away */
    bool changed;
} signing_t;

static db_status_t s_change_work(db_conn_t *conn, void *arg)
{
    signing_t *self = arg;
    const char *key_id = self->deed.audit.target;
    db_status_t status =
        self->sealed.size ? auth_store_set_signing(conn, self->user_id, key_id, &self->sealed,
                                                   self->deed.now_ms, &self->changed)
                          : auth_store_delete_signing(conn, self->user_id, key_id, &self->changed);
    return status == DB_OK && self->changed ? auth_record(conn, &self->deed) : status;
}

/* False: the call has been answered. */
static bool s_require_change(call_t *call, auth_t *self, signing_t *signing)
{
    bool good = auth_require_write(call, self, s_change_work, signing);
    buf_free(&signing->sealed);
    if (good && !signing->changed)
        call_fail(call, ERROR_NOT_FOUND, "There is no such key that works, or it has no secret");
    return good && signing->changed;
}

void auth_on_signing_create(call_t *call, void *arg)
{
    auth_t *self = arg;
    char text[TOKEN_SIZE];
    uint8_t secret[TOKEN_BYTES];
    const char *key_id = call_text(call, "id");
    const user_t *user = auth_require_user(call);
    if (!user)
        return;
    signing_t signing = { .deed = auth_deed(call, self, "key.signing_set", key_id, "key"),
                          .user_id = user->id };
    id_random(secret, sizeof secret);
    token_write(TOKEN_SIGNING, secret, text);
    vault_seal(&self->vault, s_name(call_arena(call), key_id), text, strlen(text), &signing.sealed);
    if (s_require_change(call, self, &signing)) {
        pack_map(call_pack(call), 2);
        pack_pair_text(call_pack(call), "id", key_id);
        pack_pair_text(call_pack(call), "secret", text);
        call_reply(call, 0);
    }
    mem_wipe(text, sizeof text);
    mem_wipe(secret, sizeof secret);
}

void auth_on_signing_delete(call_t *call, void *arg)
{
    auth_t *self = arg;
    const user_t *user = auth_require_user(call);
    if (!user)
        return;
    signing_t signing = {
        .deed = auth_deed(call, self, "key.signing_removed", call_text(call, "id"), "key"),
        .user_id = user->id,
    };
    if (s_require_change(call, self, &signing))
        call_reply(call, 0);
}

/* ---- checking -------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    int64_t expires_ms;
    bool is_first;
} nonce_t;

static db_status_t s_use_work(db_conn_t *conn, void *arg)
{
    nonce_t *self = arg;
    return auth_store_once(conn, self->name, self->expires_ms, &self->is_first);
}

/* NULL: the signature is right. Else what to tell whoever has signed. */
static const char *s_fault(const vault_t *vault, const signed_t *what, const char *name,
                           const buf_t *sealed, const char *mac, int64_t now_ms)
{
    char secret[TOKEN_SIZE];
    if (!sealed->size)
        return "The key has no signing secret (any more)";
    const size_t size = sealed->size - VAULT_OVERHEAD;
    if (size >= sizeof secret || !vault_unseal(vault, name, sealed->bytes, sealed->size, secret))
        return "The signing secret cannot be opened: make a new one";
    bool is_right = signature_is(what, secret, size, mac);
    mem_wipe(secret, sizeof secret);
    if (!is_right)
        return "The signature does not fit the request";
    if (llabs(now_ms / 1000 - what->time_s) > AUTH_FRESH_S)
        return "The signature's time is more than five minutes from now";
    return NULL;
}

void auth_on_signature_check(call_t *call, void *arg)
{
    auth_t *self = arg;
    arena_t *arena = call_arena(call);
    const char *key_id = call_text(call, "key_id");
    const int64_t now_ms = clock_wall_ms();
    const signed_t what = { .method = call_text(call, "method"),
                            .target = call_text(call, "target"),
                            .digest = call_text(call, "digest"),
                            .nonce = call_text(call, "nonce"),
                            .time_s = call_int(call, "time") };
    nonce_t nonce = { .name = arena_format(arena, "nonce %s %s", key_id, what.nonce),
                      .expires_ms = now_ms + 3 * FRESH_MS };
    buf_t sealed = { 0 };
    db_conn_t *conn = auth_require_conn(call);
    if (!conn || !auth_require_ok(call, auth_store_signing(conn, key_id, now_ms, &sealed)))
        return;
    const char *fault = s_fault(&self->vault, &what, s_name(arena, key_id), &sealed,
                                call_text(call, "mac"), now_ms);
    buf_free(&sealed);
    /* only what is right uses up its nonce */
    if (!fault && !auth_require_ok(call, db_write(self->db, s_use_work, &nonce)))
        return;
    if (!fault && !nonce.is_first)
        fault = "The nonce has been used before: sign anew";
    auth_count(call, fault ? AUTH_SIGNATURES_REFUSED : AUTH_SIGNATURES);
    if (fault)
        call_fail(call, ERROR_UNAUTHENTICATED, "%s", fault);
    else
        call_reply(call, 0);
}
