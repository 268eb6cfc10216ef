/* SPDX-License-Identifier: MPL-2.0
 *
 * token - opaque secrets that are handed out
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "actors/auth/token.h"
#include "actors/base/text.h"
#include "proto/auth.h"

#define VARIANT      sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define SECRET_CHARS 43 /* of TOKEN_BYTES */
#define ID_CHARS     32

static bool s_read_secret(const char *text, uint8_t secret[TOKEN_BYTES])
{
    size_t size;
    return strlen(text) == SECRET_CHARS &&
           sodium_base642bin(secret, TOKEN_BYTES, text, SECRET_CHARS, NULL, &size, NULL, VARIANT) ==
               0 &&
           size == TOKEN_BYTES;
}

const char *token_write(const char *prefix, const uint8_t secret[TOKEN_BYTES],
                        char text[TOKEN_SIZE])
{
    char base64[SECRET_CHARS + 1];
    sodium_bin2base64(base64, sizeof base64, secret, TOKEN_BYTES, VARIANT);
    snprintf(text, TOKEN_SIZE, "%s%s", prefix, base64);
    mem_wipe(base64, sizeof base64);
    return text;
}

bool token_read(const char *prefix, const char *text, uint8_t secret[TOKEN_BYTES])
{
    return text_starts(text, prefix) && s_read_secret(text + strlen(prefix), secret);
}

void token_hash(const uint8_t secret[TOKEN_BYTES], uint8_t hash[TOKEN_BYTES])
{
    crypto_generichash(hash, TOKEN_BYTES, secret, TOKEN_BYTES, NULL, 0);
}

const char *token_write_key(const char *id, const uint8_t secret[TOKEN_BYTES],
                            char text[TOKEN_KEY_SIZE])
{
    char *at = text + snprintf(text, TOKEN_KEY_SIZE, "%s", AUTH_KEY_PREFIX);
    for (; *id; id++)
        if (*id != '-')
            *at++ = *id;
    *at++ = '_';
    sodium_bin2base64(at, SECRET_CHARS + 1, secret, TOKEN_BYTES, VARIANT);
    return text;
}

bool token_read_key(const char *text, char id[ID_UUID_SIZE], uint8_t secret[TOKEN_BYTES])
{
    const size_t prefix = strlen(AUTH_KEY_PREFIX);
    if (!text_starts(text, AUTH_KEY_PREFIX) || strlen(text) != TOKEN_KEY_SIZE - 1 ||
        text[prefix + ID_CHARS] != '_' || strspn(text + prefix, "0123456789abcdef") != ID_CHARS)
        return false;
    const char *hex = text + prefix;
    snprintf(id, ID_UUID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
             hex + 20);
    return s_read_secret(hex + ID_CHARS + 1, secret);
}
