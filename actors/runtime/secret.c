/* SPDX-License-Identifier: MPL-2.0
 *
 * secret - the secret of a service that its instances share, and sealing with what follows from it
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "actors/base/id.h"
#include "actors/runtime/secret.h"

#define HEX_CHARS   (2 * SECRET_BYTES)
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES

_Static_assert(SECRET_OVERHEAD == NONCE_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES,
               "what sealing adds");

static bool s_read_hex(const char *hex, uint8_t secret[SECRET_BYTES])
{
    size_t size;
    return strlen(hex) == HEX_CHARS &&
           sodium_hex2bin(secret, SECRET_BYTES, hex, HEX_CHARS, NULL, &size, NULL) == 0 &&
           size == SECRET_BYTES;
}

/* Makes the file whole or not at all: it is written beside and then given its name, which another
 * process that starts at the same time may have done before. */
static bool s_make_file(const char *path, char *why, size_t why_size)
{
    uint8_t secret[SECRET_BYTES];
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

static bool s_read_file(const char *path, uint8_t secret[SECRET_BYTES], char *why, size_t why_size)
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

bool secret_open(uint8_t secret[SECRET_BYTES], const char *service, const char *hex,
                 const char *data_folder, char *why, size_t why_size)
{
    char *path = mem_format("%s/%s.secret", data_folder, service);
    bool good;
    if (hex[0]) {
        good = s_read_hex(hex, secret);
        if (!good)
            snprintf(why, why_size, "%s.secret is not %d hex digits", service, HEX_CHARS);
    } else {
        good = (access(path, F_OK) == 0 || s_make_file(path, why, why_size)) &&
               s_read_file(path, secret, why, why_size);
    }
    mem_free(path);
    return good;
}

void secret_derive(const uint8_t secret[SECRET_BYTES], const char *service, uint64_t use,
                   uint8_t key[SECRET_BYTES])
{
    char context[crypto_kdf_CONTEXTBYTES + 1] = "";
    snprintf(context, sizeof context, "sbx-%.4s", service);
    crypto_kdf_derive_from_key(key, SECRET_BYTES, use, context, secret);
}

void secret_seal(const uint8_t key[SECRET_BYTES], const char *name, const void *plain, size_t size,
                 buf_t *out)
{
    uint8_t *at = buf_reserve(out, size + SECRET_OVERHEAD);
    unsigned long long sealed;
    id_random(at, NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(at + NONCE_BYTES, &sealed, plain, size,
                                               (const uint8_t *)name, strlen(name), NULL, at, key);
    out->size += NONCE_BYTES + (size_t)sealed;
}

bool secret_unseal(const uint8_t key[SECRET_BYTES], const char *name, const void *sealed,
                   size_t size, void *plain)
{
    const uint8_t *at = sealed;
    return size >= SECRET_OVERHEAD && crypto_aead_xchacha20poly1305_ietf_decrypt(
                                          plain, NULL, NULL, at + NONCE_BYTES, size - NONCE_BYTES,
                                          (const uint8_t *)name, strlen(name), at, key) == 0;
}
