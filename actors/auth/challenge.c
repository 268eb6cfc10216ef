/* SPDX-License-Identifier: MPL-2.0
 *
 * challenge - what somebody has who has shown a password, and is still to show a code
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "actors/auth/challenge.h"
#include "actors/base/text.h"

#define PREFIX  "sbc_"
#define NAME    "login challenge"
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* What is sealed: no byte of it is left to the compiler. */
#define ID_CHARS    (ID_UUID_SIZE - 1)
#define PLAIN_BYTES (ID_CHARS + TOKEN_BYTES + 8)

_Static_assert(sizeof PREFIX - 1 +
                       sodium_base64_ENCODED_LEN(PLAIN_BYTES + VAULT_OVERHEAD,
                                                 sodium_base64_VARIANT_URLSAFE_NO_PADDING) <=
                   CHALLENGE_SIZE,
               "there is room for the text");

static void s_hash_password(const char *stored, uint8_t hash[TOKEN_BYTES])
{
    crypto_generichash(hash, TOKEN_BYTES, (const uint8_t *)stored, strlen(stored), NULL, 0);
}

challenge_t challenge_make(const char *user_id, const char *stored, int64_t now_ms)
{
    challenge_t self = { .expires_ms = now_ms + CHALLENGE_MS };
    text_copy(self.user_id, sizeof self.user_id, user_id, strlen(user_id));
    s_hash_password(stored, self.password);
    return self;
}

bool challenge_is_of(const challenge_t *self, const char *stored)
{
    uint8_t hash[TOKEN_BYTES];
    s_hash_password(stored, hash);
    return sodium_memcmp(hash, self->password, sizeof hash) == 0;
}

const char *challenge_write(const challenge_t *self, const vault_t *vault,
                            char text[CHALLENGE_SIZE])
{
    const size_t prefix = strlen(PREFIX);
    uint8_t plain[PLAIN_BYTES];
    buf_t sealed = { 0 };
    memcpy(plain, self->user_id, ID_CHARS);
    memcpy(plain + ID_CHARS, self->password, TOKEN_BYTES);
    memcpy(plain + ID_CHARS + TOKEN_BYTES, &self->expires_ms, 8);
    vault_seal(vault, NAME, plain, sizeof plain, &sealed);
    memcpy(text, PREFIX, prefix);
    sodium_bin2base64(text + prefix, CHALLENGE_SIZE - prefix, sealed.bytes, sealed.size, VARIANT);
    buf_free(&sealed);
    return text;
}

bool challenge_read(challenge_t *self, const vault_t *vault, const char *text, int64_t now_ms)
{
    uint8_t sealed[PLAIN_BYTES + VAULT_OVERHEAD], plain[PLAIN_BYTES];
    size_t size;
    *self = (challenge_t){ 0 };
    if (!text_starts(text, PREFIX))
        return false;
    text += strlen(PREFIX);
    if (sodium_base642bin(sealed, sizeof sealed, text, strlen(text), NULL, &size, NULL, VARIANT) !=
            0 ||
        size != sizeof sealed || !vault_unseal(vault, NAME, sealed, size, plain))
        return false;
    memcpy(self->user_id, plain, ID_CHARS);
    memcpy(self->password, plain + ID_CHARS, TOKEN_BYTES);
    memcpy(&self->expires_ms, plain + ID_CHARS + TOKEN_BYTES, 8);
    return self->expires_ms > now_ms;
}
