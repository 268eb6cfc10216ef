/* SPDX-License-Identifier: MPL-2.0
 *
 * keyring - the keys that access tokens are signed with, as one instance knows them
 *
 * The keys lie in the database, sealed; all instances share them and read them again every few
 * seconds. A new key is published first and signed with later, when every edge and every other
 * instance has it; an old one is kept until the last token signed with it has expired.
 */
#ifndef SIGNALBOX_AUTH_KEYRING_H
#define SIGNALBOX_AUTH_KEYRING_H

#include <pthread.h>

#include "actors/auth/store.h"
#include "proto/jwt.h"

typedef struct {
    pthread_mutex_t mutex;
    size_t count;
    struct {
        jwt_key_t key;
        uint8_t seed[JWT_SEED_BYTES];
        int64_t signs_from_ms;
    } list[STORE_SIGNING_KEYS];
} keyring_t;

void keyring_init(keyring_t *self);
void keyring_free(keyring_t *self);

/* Reads the keys. False with a sentence in `why` when the database does not answer, or holds what
 * another secret sealed: the keys are as before then. */
bool keyring_load(keyring_t *self, db_t *db, const vault_t *vault, char *why,
                  size_t why_size) MUST_CHECK;

/* When the newest key begins to sign; 0 when there is none. */
int64_t keyring_newest_ms(keyring_t *self);

/* How long keys live. */
typedef struct {
    int64_t lead_ms;  /* between being published and being signed with */
    int64_t after_ms; /* how long it is kept when the next one signs */
} keyring_times_t;

typedef struct {
    char kid[JWT_KID_SIZE];
    int64_t signs_from_ms;
    bool is_full; /* too many keys are kept already: nothing was done */
} rotated_t;

/* Makes the next key, in the transaction of the caller; `newer_than_ms`: only when the newest key
 * there is began before (INT64_MAX: always), so that of several instances one rotates. `kid` is ""
 * when nothing was to be done. */
db_status_t keyring_rotate(db_conn_t *conn, const vault_t *vault, const keyring_times_t *times,
                           int64_t now_ms, int64_t newer_than_ms, rotated_t *rotated);

/* Appends an access token to `out`. */
void keyring_sign(keyring_t *self, const char *issuer, const char *audience,
                  const jwt_claims_t *claims, int64_t now_ms, buf_t *out);

/* Packs the array that `auth.keys` has under `keys`, or the JWK set of RFC 7517. */
void keyring_write(keyring_t *self, int64_t now_ms, pack_t *pack);
void keyring_write_jwks(keyring_t *self, int64_t now_ms, pack_t *pack);

#endif
