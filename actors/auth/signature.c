/* SPDX-License-Identifier: MPL-2.0
 *
 * signature - what a signed request is signed over
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "actors/auth/signature.h"

#define SCHEME "sbx-hmac-sha256-v1"

_Static_assert(SIGNATURE_BYTES == crypto_auth_hmacsha256_BYTES, "HMAC-SHA256");

void signature_make(const signed_t *what, const void *secret, size_t size,
                    uint8_t mac[SIGNATURE_BYTES])
{
    char time[24];
    const char *const lines[] = { SCHEME,       what->method, what->target,
                                  what->digest, time,         what->nonce };
    crypto_auth_hmacsha256_state state;
    snprintf(time, sizeof time, "%" PRId64, what->time_s);
    crypto_auth_hmacsha256_init(&state, secret, size);
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        if (i)
            crypto_auth_hmacsha256_update(&state, (const uint8_t *)"\n", 1);
        crypto_auth_hmacsha256_update(&state, (const uint8_t *)lines[i], strlen(lines[i]));
    }
    crypto_auth_hmacsha256_final(&state, mac);
    mem_wipe(&state, sizeof state);
}

bool signature_is(const signed_t *what, const void *secret, size_t size, const char *hex)
{
    uint8_t mac[SIGNATURE_BYTES], given[SIGNATURE_BYTES];
    size_t length;
    if (sodium_hex2bin(given, sizeof given, hex, strlen(hex), NULL, &length, NULL) != 0 ||
        length != sizeof given)
        return false;
    signature_make(what, secret, size, mac);
    return sodium_memcmp(mac, given, sizeof mac) == 0;
}
