/* SPDX-License-Identifier: MPL-2.0
 *
 * vault - what only this system can read, make or recognise
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "actors/auth/vault.h"
#include "actors/base/id.h"

#define FILE_NAME   "auth.secret"
#define HEX_CHARS   (2 * VAULT_KEY_BYTES)
#define CONTEXT     "sbx-auth" /* crypto_kdf_CONTEXTBYTES */
#define VEIL_NAME   "veil"
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES

_Static_assert(VAULT_OVERHEAD == NONCE_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "what sealing adds");

enum { USE_SEALING = 1, USE_REFRESHING = 2, USE_AUDITING = 3, USE_VEILING = 4 };

/* ---- the secret ------------------------------------------------------------------------------ */

static bool s_read_hex(const char *hex, uint8_t secret[VAULT_KEY_BYTES])
{
    size_t size;
    return strlen(hex) == HEX_CHARS &&
           sodium_hex2bin(secret, VAULT_KEY_BYTES, hex, HEX_CHARS, NULL, &size, NULL) == 0 &&
           size == VAULT_KEY_BYTES;
}

/* Makes the file whole or not at all: it is written beside and then given its name, which another
 * process that starts at the same time may have done before. */
static bool s_make_file(const char *path, char *why, size_t why_size)
{
    uint8_t secret[VAULT_KEY_BYTES];
    char hex[HEX_CHARS + 2];
    char *beside = mem_format("%s.%ld", path, (long)getpid());
    id_random(secret, sizeof secret);
    id_hex(secret, sizeof secret, hex);
    memcpy(hex + HEX_CHARS, "\n", 2);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, hex, HEX_CHARS + 1) == HEX_CHARS + 1 && fsync(fd) == 0 &&
                (link(beside, path) == 0 || errno == EEXIST);
    if (!good)
        snprintf(why, why_size, "cannot make '%s': %s", path, strerror(errno));
    if (fd >= 0) {
        close(fd);
        unlink(beside);
    }
    mem_wipe(secret, sizeof secret);
    mem_wipe(hex, sizeof hex);
    mem_free(beside);
    return good;
}

static bool s_read_file(const char *path, uint8_t secret[VAULT_KEY_BYTES], char *why,
                        size_t why_size)
{
    char text[HEX_CHARS + 2] = "";
    struct stat status;
    bool good = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0) {
        snprintf(why, why_size, "cannot read '%s': %s", path, strerror(errno));
    } else if (status.st_mode & (S_IRWXG | S_IRWXO)) {
        snprintf(why, why_size, "others may read '%s': chmod 600 it", path);
    } else {
        ssize_t size = read(fd, text, sizeof text - 1);
        if (size > HEX_CHARS && text[HEX_CHARS] == '\n')
            text[HEX_CHARS] = '\0';
        good = size >= HEX_CHARS && s_read_hex(text, secret);
        if (!good)
            snprintf(why, why_size, "'%s' does not hold %d hex digits", path, HEX_CHARS);
    }
    if (fd >= 0)
        close(fd);
    mem_wipe(text, sizeof text);
    return good;
}

bool vault_open(vault_t *self, const char *hex, const char *data_folder, char *why, size_t why_size)
{
    uint8_t secret[VAULT_KEY_BYTES];
    char *path = mem_format("%s/%s", data_folder, FILE_NAME);
    bool good;
    if (hex[0]) {
        good = s_read_hex(hex, secret);
        if (!good)
            snprintf(why, why_size, "auth.secret is not %d hex digits", HEX_CHARS);
    } else {
        good = (access(path, F_OK) == 0 || s_make_file(path, why, why_size)) &&
               s_read_file(path, secret, why, why_size);
    }
    if (good) {
        crypto_kdf_derive_from_key(self->sealing, VAULT_KEY_BYTES, USE_SEALING, CONTEXT, secret);
        crypto_kdf_derive_from_key(self->refreshing, VAULT_KEY_BYTES, USE_REFRESHING, CONTEXT,
                                   secret);
        crypto_kdf_derive_from_key(self->auditing, VAULT_KEY_BYTES, USE_AUDITING, CONTEXT, secret);
        crypto_kdf_derive_from_key(self->veiling, VAULT_KEY_BYTES, USE_VEILING, CONTEXT, secret);
    }
    mem_wipe(secret, sizeof secret);
    mem_free(path);
    return good;
}

void vault_close(vault_t *self)
{
    mem_wipe(self, sizeof *self);
}

/* ---- its uses -------------------------------------------------------------------------------- */

static void s_seal(const uint8_t key[VAULT_KEY_BYTES], const char *name, const void *plain,
                   size_t size, buf_t *out)
{
    uint8_t *at = buf_reserve(out, size + VAULT_OVERHEAD);
    unsigned long long sealed;
    id_random(at, NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(at + NONCE_BYTES, &sealed, plain, size,
                                               (const uint8_t *)name, strlen(name), NULL, at, key);
    out->size += NONCE_BYTES + (size_t)sealed;
}

static bool s_unseal(const uint8_t key[VAULT_KEY_BYTES], const char *name, const void *sealed,
                     size_t size, void *plain)
{
    const uint8_t *at = sealed;
    return size >= VAULT_OVERHEAD && crypto_aead_xchacha20poly1305_ietf_decrypt(
                                         plain, NULL, NULL, at + NONCE_BYTES, size - NONCE_BYTES,
                                         (const uint8_t *)name, strlen(name), at, key) == 0;
}

void vault_seal(const vault_t *self, const char *name, const void *plain, size_t size, buf_t *out)
{
    s_seal(self->sealing, name, plain, size, out);
}

bool vault_unseal(const vault_t *self, const char *name, const void *sealed, size_t size,
                  void *plain)
{
    return s_unseal(self->sealing, name, sealed, size, plain);
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
    s_seal(key, VEIL_NAME, plain, size, out);
    mem_wipe(key, sizeof key);
}

bool vault_unveil(const vault_t *self, const uint8_t veil[VAULT_KEY_BYTES], const void *sealed,
                  size_t size, void *plain)
{
    uint8_t key[VAULT_KEY_BYTES];
    s_veil_key(self, veil, key);
    const bool good = s_unseal(key, VEIL_NAME, sealed, size, plain);
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
