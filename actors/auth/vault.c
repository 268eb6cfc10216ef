/* SPDX-License-Identifier: MPL-2.0
 *
 * vault - what only this system can read, make or recognise
 */
#include "config.h"

#include <string.h>

#include <sodium.h>

#include "actors/auth/vault.h"

#define VEIL_NAME "veil"

_Static_assert(VAULT_KEY_BYTES == SECRET_BYTES && VAULT_OVERHEAD == SECRET_OVERHEAD,
               "one size of keys");

enum { USE_SEALING = 1, USE_REFRESHING = 2, USE_AUDITING = 3, USE_VEILING = 4 };

bool vault_open(vault_t *self, const char *hex, const char *data_folder, char *why, size_t why_size)
{
    static const char service[] = "auth";
    uint8_t secret[SECRET_BYTES];
    bool good = secret_open(secret, service, hex, data_folder, why, why_size);
    if (good) {
        secret_derive(secret, service, USE_SEALING, self->sealing);
        secret_derive(secret, service, USE_REFRESHING, self->refreshing);
        secret_derive(secret, service, USE_AUDITING, self->auditing);
        secret_derive(secret, service, USE_VEILING, self->veiling);
    }
    mem_wipe(secret, sizeof secret);
    return good;
}

void vault_close(vault_t *self)
{
    mem_wipe(self, sizeof *self);
}

void vault_seal(const vault_t *self, const char *name, const void *plain, size_t size, buf_t *out)
{
    secret_seal(self->sealing, name, plain, size, out);
}

bool vault_unseal(const vault_t *self, const char *name, const void *sealed, size_t size,
                  void *plain)
{
    return secret_unseal(self->sealing, name, sealed, size, plain);
}

static void s_veil_key(const vault_t *self, const uint8_t veil[VAULT_KEY_BYTES],
                       uint8_t key[VAULT_KEY_BYTES])
{
    crypto_generichash(key, VAULT_KEY_BYTES, veil, VAULT_KEY_BYTES, self->veiling, VAULT_KEY_BYTES);
}

void vault_veil(const vault_t *self, const uint8_t veil[VAULT_KEY_BYTES], const void *plain,
                size_t size, buf_t *out)
{
    uint8_t key[VAULT_KEY_BYTES];
    s_veil_key(self, veil, key);
    secret_seal(key, VEIL_NAME, plain, size, out);
    mem_wipe(key, sizeof key);
}

bool vault_unveil(const vault_t *self, const uint8_t veil[VAULT_KEY_BYTES], const void *sealed,
                  size_t size, void *plain)
{
    uint8_t key[VAULT_KEY_BYTES];
    s_veil_key(self, veil, key);
    const bool good = secret_unseal(key, VEIL_NAME, sealed, size, plain);
    mem_wipe(key, sizeof key);
    return good;
}

void vault_next_token(const vault_t *self, const uint8_t token[VAULT_KEY_BYTES],
                      uint8_t next[VAULT_KEY_BYTES])
{
    crypto_generichash(next, VAULT_KEY_BYTES, token, VAULT_KEY_BYTES, self->refreshing,
                       VAULT_KEY_BYTES);
}

void vault_chain(const vault_t *self, const uint8_t previous[VAULT_HASH_BYTES], const void *entry,
                 size_t size, uint8_t hash[VAULT_HASH_BYTES])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, self->auditing, VAULT_KEY_BYTES, VAULT_HASH_BYTES);
    crypto_generichash_update(&state, previous, VAULT_HASH_BYTES);
    crypto_generichash_update(&state, entry, size);
    crypto_generichash_final(&state, hash, VAULT_HASH_BYTES);
}
