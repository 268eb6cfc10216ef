/* SPDX-License-Identifier: MPL-2.0
 *
 * totp - one-time passwords that follow the clock
 *
 * HMAC-SHA-1 is not in libsodium; liboath has it and nothing else to depend on.
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <liboath/oath.h>
#include <sodium.h>

#include "actors/auth/totp.h"

void totp_code(const uint8_t secret[TOTP_SECRET_BYTES], int64_t step, char code[TOTP_DIGITS + 1])
{
    insist(oath_hotp_generate((const char *)secret, TOTP_SECRET_BYTES, (uint64_t)step, TOTP_DIGITS,
                              false, OATH_HOTP_DYNAMIC_TRUNCATION, code) == OATH_OK);
}

int64_t totp_step(const uint8_t secret[TOTP_SECRET_BYTES], const char *code, int64_t now_ms,
                  int64_t last_step)
{
    const int64_t now = now_ms / TOTP_STEP_MS;
    int64_t found = 0;
    char expected[TOTP_DIGITS + 1];
    if (strlen(code) != TOTP_DIGITS)
        return 0;
    for (int64_t step = now - 1; step <= now + 1; step++) {
        totp_code(secret, step, expected);
        if (sodium_memcmp(code, expected, TOTP_DIGITS) == 0 && step > last_step)
            found = step;
    }
    sodium_memzero(expected, sizeof expected);
    return found;
}

const char *totp_base32(arena_t *arena, const void *bytes, size_t size)
{
    char *text;
    size_t length;
    insist(size % 5 == 0 && oath_base32_encode(bytes, size, &text, &length) == OATH_OK);
    const char *copy = arena_text(arena, text, length);
    sodium_memzero(text, length);
    free(text);
    return copy;
}

/* RFC 3986, 2.1: all but what is unreserved. */
static const char *s_escape(arena_t *arena, const char *text)
{
    char *escaped = arena_alloc(arena, 3 * strlen(text) + 1), *at = escaped;
    for (; *text; text++)
        at += isalnum((unsigned char)*text) || strchr("-._~", *text)
                  ? sprintf(at, "%c", *text)
                  : sprintf(at, "%%%02X", (unsigned char)*text);
    *at = '\0';
    return escaped;
}

const char *totp_uri(arena_t *arena, const char *issuer, const char *user, const char *secret)
{
    issuer = s_escape(arena, issuer);
    return arena_format(arena,
                        "otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1&digits=%d"
                        "&period=%d",
                        issuer, s_escape(arena, user), secret, issuer, TOTP_DIGITS,
                        (int)(TOTP_STEP_MS / 1000));
}
