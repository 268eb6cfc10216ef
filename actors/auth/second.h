/* SPDX-License-Identifier: MPL-2.0
 *
 * second - the second factor: a code of an authenticator app, or a recovery code
 *
 * Either works once. The secret that codes are made of is sealed; recovery codes are random and
 * stored as hashes.
 */
#ifndef SIGNALBOX_AUTH_SECOND_H
#define SIGNALBOX_AUTH_SECOND_H

#include "actors/auth/auth.h"
#include "actors/auth/throttle.h"
#include "actors/auth/totp.h"

#define SECOND_RECOVERY_CODES 10
#define SECOND_RECOVERY_SIZE  20 /* of one with its NUL: xxxx-xxxx-xxxx-xxxx, 80 random bits */

/* The secret as it is stored, and opened again. False: with another `auth.secret`. */
void second_seal(const vault_t *vault, const char *user_id, const uint8_t secret[TOTP_SECRET_BYTES],
                 buf_t *sealed);
bool second_open(const vault_t *vault, const char *user_id, const factor_t *factor,
                 uint8_t secret[TOTP_SECRET_BYTES]) MUST_CHECK;

void second_make_recovery(char text[SECOND_RECOVERY_SIZE]);

/* The hash of a recovery code, however it is spelt. */
void second_hash_recovery(const char *user_id, const char *text, uint8_t hash[TOKEN_BYTES]);

/* A code that a user has shown. */
typedef struct {
    int64_t step; /* that it is of; 0: not a code of an app */
    uint8_t recovery[TOKEN_BYTES];
} second_t;

/* What a signed-in user has shown once more, before something that cannot be undone. */
typedef struct {
    const user_t *user;
    second_t code;
    try_t taken;
} proof_t;

/* Looks at a code outside of the transaction that uses it. */
db_status_t second_look(db_conn_t *conn, const deed_t *deed, const char *user_id, const char *code,
                        second_t *shown);

/* Uses it up; `good` tells whether it was one, and not used before. */
db_status_t second_use(db_conn_t *conn, const char *user_id, const second_t *shown, bool *good);

/* Whether the call's `password` is the user's and, where the user has a second factor, its `code`
 * looks right: on the hasher's threads only. False: the call has been answered. */
bool second_require_proof(call_t *call, const deed_t *deed, const user_t *user, proof_t *proof);

/* In the transaction of what it is shown for: uses the code up. */
db_status_t second_use_proof(db_conn_t *conn, const proof_t *proof, bool *good);

/* Ends the call with what became of it; a good code was no failure to be counted. */
void second_end_proof(call_t *call, const proof_t *proof, bool good);

#endif
