/* SPDX-License-Identifier: MPL-2.0
 *
 * keyring - the keys that access tokens are signed with, as one instance knows them
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "actors/auth/keyring.h"

#define KID_BYTES 12
#define VARIANT   sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define X_CHARS   44 /* base64url of a public key, with its NUL */

void keyring_init(keyring_t *self)
{
    self->count = 0;
    pthread_mutex_init(&self->mutex, NULL);
}

void keyring_free(keyring_t *self)
{
    mem_wipe(self->list, sizeof self->list);
    self->count = 0;
    pthread_mutex_destroy(&self->mutex);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void s_free(signing_key_t *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_free(&keys[i].seed);
}

static bool s_take(keyring_t *self, const vault_t *vault, const signing_key_t *keys, size_t count)
{
    uint8_t seeds[STORE_SIGNING_KEYS][JWT_SEED_BYTES];
    bool good = true;
    for (size_t i = 0; i < count && good; i++)
        good =
            keys[i].seed.size == JWT_SEED_BYTES + VAULT_OVERHEAD &&
            vault_unseal(vault, keys[i].key.kid, keys[i].seed.bytes, keys[i].seed.size, seeds[i]);
    if (good) {
        pthread_mutex_lock(&self->mutex);
        for (size_t i = 0; i < count; i++) {
            self->list[i].key = keys[i].key;
            self->list[i].signs_from_ms = keys[i].signs_from_ms;
            memcpy(self->list[i].seed, seeds[i], JWT_SEED_BYTES);
        }
        self->count = count;
        pthread_mutex_unlock(&self->mutex);
    }
    mem_wipe(seeds, sizeof seeds);
    return good;
}

bool keyring_load(keyring_t *self, db_t *db, const vault_t *vault, char *why, size_t why_size)
{
    signing_key_t keys[STORE_SIGNING_KEYS] = { 0 };
    size_t count = 0;
    db_conn_t *conn = db_conn(db);
    bool good = conn && auth_store_signing_keys(conn, keys, &count) == DB_OK;
    if (!good) {
        snprintf(why, why_size, "the signing keys cannot be read from the database");
    } else if (!s_take(self, vault, keys, count)) {
        snprintf(why, why_size,
                 "the signing keys were sealed with another secret: every instance needs the same "
                 "auth.secret, or the file auth.secret of the data folder they were made with");
        good = false;
    }
    s_free(keys, count);
    return good;
}

int64_t keyring_newest_ms(keyring_t *self)
{
    pthread_mutex_lock(&self->mutex);
    int64_t newest_ms = self->count ? self->list[self->count - 1].signs_from_ms : 0;
    pthread_mutex_unlock(&self->mutex);
    return newest_ms;
}

/* ---- rotating -------------------------------------------------------------------------------- */

static db_status_t s_add(db_conn_t *conn, const vault_t *vault, int64_t now_ms,
                         int64_t signs_from_ms, char kid[JWT_KID_SIZE])
{
    uint8_t seed[JWT_SEED_BYTES], name[KID_BYTES];
    signing_key_t key = { .signs_from_ms = signs_from_ms };
    id_random(seed, sizeof seed);
    id_random(name, sizeof name);
    id_hex(name, sizeof name, key.key.kid);
    jwt_public(seed, key.key.x);
    vault_seal(vault, key.key.kid, seed, sizeof seed, &key.seed);
    mem_wipe(seed, sizeof seed);
    memcpy(kid, key.key.kid, JWT_KID_SIZE);
    db_status_t status = auth_store_add_signing_key(conn, &key, now_ms);
    buf_free(&key.seed);
    return status;
}

db_status_t keyring_rotate(db_conn_t *conn, const vault_t *vault, const keyring_times_t *times,
                           int64_t now_ms, int64_t newer_than_ms, rotated_t *rotated)
{
    signing_key_t keys[STORE_SIGNING_KEYS] = { 0 };
    int64_t sequence;
    uint8_t hash[VAULT_HASH_BYTES];
    size_t count = 0;
    *rotated = (rotated_t){ 0 };
    /* whoever rotates holds the head of the audit log: another instance waits, and then sees */
    db_status_t status = auth_store_lock_audit_head(conn, &sequence, hash);
    if (status == DB_OK)
        status = auth_store_signing_keys(conn, keys, &count);
    s_free(keys, count);
    if (status != DB_OK || (count > 0 && keys[count - 1].signs_from_ms >= newer_than_ms))
        return status;
    rotated->is_full = count == STORE_SIGNING_KEYS;
    if (rotated->is_full)
        return DB_OK;
    rotated->signs_from_ms = now_ms + (count > 0 ? times->lead_ms : 0);
    status = auth_store_end_signing_keys(conn, rotated->signs_from_ms + times->after_ms);
    return status == DB_OK ? s_add(conn, vault, now_ms, rotated->signs_from_ms, rotated->kid)
                           : status;
}

/* ---- using ----------------------------------------------------------------------------------- */

void keyring_sign(keyring_t *self, const char *issuer, const char *audience,
                  const jwt_claims_t *claims, int64_t now_ms, buf_t *out)
{
    jwt_signer_t signer = { .issuer = issuer, .audience = audience };
    char kid[JWT_KID_SIZE];
    pthread_mutex_lock(&self->mutex);
    insist(self->count > 0); /* the actor does not start without one */
    size_t chosen = 0;
    for (size_t i = 1; i < self->count; i++)
        if (self->list[i].signs_from_ms <= now_ms)
            chosen = i;
    memcpy(kid, self->list[chosen].key.kid, sizeof kid);
    memcpy(signer.seed, self->list[chosen].seed, sizeof signer.seed);
    pthread_mutex_unlock(&self->mutex);
    signer.kid = kid;
    jwt_sign(&signer, claims, out);
    mem_wipe(&signer, sizeof signer);
}

void keyring_write(keyring_t *self, int64_t now_ms, pack_t *pack)
{
    size_t kept = 0;
    size_t position = pack_open_array(pack);
    pthread_mutex_lock(&self->mutex);
    for (size_t i = 0; i < self->count; i++) {
        const jwt_key_t *key = &self->list[i].key;
        if (key->expires_at_ms <= now_ms)
            continue;
        pack_map(pack, 4);
        pack_pair_text(pack, "kid", key->kid);
        pack_text(pack, "x");
        pack_bytes(pack, key->x, sizeof key->x);
        pack_pair_int(pack, "not_before_ms", key->not_before_ms);
        pack_pair_int(pack, "expires_at_ms", key->expires_at_ms);
        kept++;
    }
    pthread_mutex_unlock(&self->mutex);
    pack_close(pack, position, kept);
}

void keyring_write_jwks(keyring_t *self, int64_t now_ms, pack_t *pack)
{
    size_t kept = 0;
    size_t position = pack_open_array(pack);
    pthread_mutex_lock(&self->mutex);
    for (size_t i = 0; i < self->count; i++) {
        const jwt_key_t *key = &self->list[i].key;
        char x[X_CHARS];
        if (key->expires_at_ms <= now_ms)
            continue;
        sodium_bin2base64(x, sizeof x, key->x, sizeof key->x, VARIANT);
        pack_map(pack, 6);
        pack_pair_text(pack, "kty", "OKP");
        pack_pair_text(pack, "crv", "Ed25519");
        pack_pair_text(pack, "alg", "EdDSA");
        pack_pair_text(pack, "use", "sig");
        pack_pair_text(pack, "kid", key->kid);
        pack_pair_text(pack, "x", x);
        kept++;
    }
    pthread_mutex_unlock(&self->mutex);
    pack_close(pack, position, kept);
}
