/* SPDX-License-Identifier: MPL-2.0
 *
 * second - the second factor: a code of an authenticator app, or a recovery code
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "actors/auth/second.h"
#include "actors/base/log.h"

#define RECOVERY_BYTES 10
#define RECOVERY_CHARS 16 /* of them in base32 */
#define NAME_SIZE      64

static const char *s_name(const char *user_id, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "totp %s", user_id);
    return name;
}

void second_seal(const vault_t *vault, const char *user_id, const uint8_t secret[TOTP_SECRET_BYTES],
                 buf_t *sealed)
{
    char name[NAME_SIZE];
    vault_seal(vault, s_name(user_id, name), secret, TOTP_SECRET_BYTES, sealed);
}

bool second_open(const vault_t *vault, const char *user_id, const factor_t *factor,
                 uint8_t secret[TOTP_SECRET_BYTES])
{
    char name[NAME_SIZE];
    return factor->secret_size == TOTP_SECRET_BYTES + VAULT_OVERHEAD &&
           vault_unseal(vault, s_name(user_id, name), factor->secret, factor->secret_size, secret);
}

/* ---- recovery codes -------------------------------------------------------------------------- */

void second_make_recovery(char text[SECOND_RECOVERY_SIZE])
{
    arena_t arena = { 0 };
    uint8_t bytes[RECOVERY_BYTES];
    id_random(bytes, sizeof bytes);
    const char *from = totp_base32(&arena, bytes, sizeof bytes);
    for (size_t i = 0; i < RECOVERY_CHARS; i++) {
        if (i > 0 && i % 4 == 0)
            *text++ = '-';
        *text++ = (char)tolower((unsigned char)from[i]);
    }
    *text = '\0';
    mem_wipe(bytes, sizeof bytes);
    arena_free(&arena);
}

void second_hash_recovery(const char *user_id, const char *text, uint8_t hash[TOKEN_BYTES])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, TOKEN_BYTES);
    crypto_generichash_update(&state, (const uint8_t *)user_id, strlen(user_id));
    for (; *text; text++) {
        const uint8_t letter = (uint8_t)tolower((unsigned char)*text);
        if (letter != '-' && letter != ' ')
            crypto_generichash_update(&state, &letter, 1);
    }
    crypto_generichash_final(&state, hash, TOKEN_BYTES);
}

/* ---- a code that was shown ------------------------------------------------------------------- */

db_status_t second_look(db_conn_t *conn, const deed_t *deed, const char *user_id, const char *code,
                        second_t *shown)
{
    const factor_t *factor;
    uint8_t secret[TOTP_SECRET_BYTES];
    *shown = (second_t){ 0 };
    db_status_t status = auth_store_factor(conn, deed->arena, user_id, &factor);
    if (status != DB_OK || !factor)
        return status;
    second_hash_recovery(user_id, code, shown->recovery);
    if (second_open(&deed->auth->vault, user_id, factor, secret))
        shown->step = totp_step(secret, code, deed->now_ms, factor->last_step);
    else
        LOG(LOG_ERROR, "auth.factor_not_opened", LOG_TEXT("user", user_id));
    mem_wipe(secret, sizeof secret);
    return DB_OK;
}

db_status_t second_use(db_conn_t *conn, const char *user_id, const second_t *shown, bool *good)
{
    return shown->step ? auth_store_step_factor(conn, user_id, shown->step, good)
                       : auth_store_take_recovery(conn, user_id, shown->recovery, good);
}

/* ---- password and code of whoever is signed in ----------------------------------------------- */

bool second_require_proof(call_t *call, const deed_t *deed, const user_t *user, proof_t *proof)
{
    const char *code = call_text(call, "code");
    *proof = (proof_t){ .user = user };
    if (!auth_require_own_password(call, deed->auth, user, call_text(call, "password")))
        return false;
    if (!user->factor_ms)
        return true;
    if (!code) {
        auth_fail_field(call, "/code", "is needed, since the user has a second factor");
        return false;
    }
    db_conn_t *conn = auth_require_conn(call);
    return conn && throttle_require(call, user->id, &proof->taken) &&
           auth_require_ok(call, second_look(conn, deed, user->id, code, &proof->code));
}

db_status_t second_use_proof(db_conn_t *conn, const proof_t *proof, bool *good)
{
    *good = true;
    return proof->user->factor_ms ? second_use(conn, proof->user->id, &proof->code, good) : DB_OK;
}

void second_end_proof(call_t *call, const proof_t *proof, bool good)
{
    actor_t *actor = call_actor(call);
    if (good) {
        call_reply(call, 0);
        throttle_give_back(actor, &proof->taken);
    } else {
        call_fail(call, ERROR_UNAUTHENTICATED, "The code is wrong, or has been used");
    }
}
