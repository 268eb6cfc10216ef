/* SPDX-License-Identifier: MPL-2.0
 *
 * signature - proof that a webhook comes from who shares a secret, made and verified
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "actors/base/id.h"
#include "actors/base/text.h"
#include "actors/jobs/outbound/signature.h"

#define PREFIX      "whsec_"
#define MAC_BYTES   crypto_auth_hmacsha256_BYTES
#define BASE64_SIZE 45 /* of a MAC, with its NUL */
#define WORDS_MAX   16 /* signatures looked at in one header */

static const int s_base64 = sodium_base64_VARIANT_ORIGINAL;

/* ---- secrets --------------------------------------------------------------------------------- */

bool signature_read_key(signature_key_t *key, const char *text)
{
    if (!text_starts(text, PREFIX))
        return false;
    text += strlen(PREFIX);
    return sodium_base642bin(key->bytes, sizeof key->bytes, text, strlen(text), NULL, &key->size,
                             NULL, s_base64) == 0 &&
           key->size >= SIGNATURE_KEY_MIN;
}

bool signature_plain_key(signature_key_t *key, const char *text)
{
    key->size = strlen(text);
    if (key->size == 0 || key->size > sizeof key->bytes)
        return false;
    memcpy(key->bytes, text, key->size);
    return true;
}

const char *signature_new_secret(char text[SIGNATURE_TEXT_SIZE])
{
    uint8_t secret[SIGNATURE_SECRET_BYTES];
    id_random(secret, sizeof secret);
    memcpy(text, PREFIX, strlen(PREFIX));
    sodium_bin2base64(text + strlen(PREFIX), SIGNATURE_TEXT_SIZE - strlen(PREFIX), secret,
                      sizeof secret, s_base64);
    mem_wipe(secret, sizeof secret);
    return text;
}

/* ---- signing --------------------------------------------------------------------------------- */

/* Over the texts, with dots between them, and the body. */
static void s_mac(const signature_key_t *key, const char *const *texts, const void *body,
                  size_t size, uint8_t mac[MAC_BYTES])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key->bytes, key->size);
    for (; *texts; texts++) {
        crypto_auth_hmacsha256_update(&state, (const uint8_t *)*texts, strlen(*texts));
        crypto_auth_hmacsha256_update(&state, (const uint8_t *)".", 1);
    }
    crypto_auth_hmacsha256_update(&state, body, size);
    crypto_auth_hmacsha256_final(&state, mac);
    mem_wipe(&state, sizeof state);
}

void signature_write(buf_t *out, const signature_key_t *keys, size_t count, const char *id,
                     int64_t timestamp_s, const void *body, size_t size)
{
    uint8_t mac[MAC_BYTES];
    char timestamp[24], word[BASE64_SIZE];
    snprintf(timestamp, sizeof timestamp, "%lld", (long long)timestamp_s);
    for (size_t i = 0; i < count; i++) {
        s_mac(&keys[i], (const char *const[]){ id, timestamp, NULL }, body, size, mac);
        sodium_bin2base64(word, sizeof word, mac, sizeof mac, s_base64);
        buf_printf(out, "%sv1,%s", i ? " " : "", word);
    }
}

/* ---- verifying ------------------------------------------------------------------------------- */

/* What a scheme makes of the headers. */
typedef struct {
    const char *texts[3]; /* that are signed before the body; ends with NULL */
    char timestamp[24];
    struct {
        const char *text;
        size_t size;
    } words[WORDS_MAX]; /* the signatures as they are written */
    size_t count;
    bool is_hex;
} reading_t;

static void s_add_word(reading_t *self, const char *text, size_t size)
{
    if (self->count == WORDS_MAX)
        return;
    self->words[self->count].text = text;
    self->words[self->count++].size = size;
}

static bool s_read_standard(reading_t *self, const signature_message_t *message)
{
    if (!message->id || !message->timestamp ||
        !text_copy(self->timestamp, sizeof self->timestamp, message->timestamp,
                   strlen(message->timestamp)))
        return false;
    self->texts[0] = message->id;
    self->texts[1] = self->timestamp;
    for (const char *at = message->signature; *(at += strspn(at, " "));) {
        size_t size = strcspn(at, " ");
        if (size > 3 && memcmp(at, "v1,", 3) == 0)
            s_add_word(self, at + 3, size - 3);
        at += size;
    }
    return true;
}

static bool s_read_stripe(reading_t *self, const signature_message_t *message)
{
    for (const char *at = message->signature; *(at += strspn(at, ", "));) {
        size_t size = strcspn(at, ",");
        if (size > 2 && memcmp(at, "t=", 2) == 0 &&
            !text_copy(self->timestamp, sizeof self->timestamp, at + 2, size - 2))
            return false;
        if (size > 3 && memcmp(at, "v1=", 3) == 0)
            s_add_word(self, at + 3, size - 3);
        at += size;
    }
    self->texts[0] = self->timestamp;
    self->is_hex = true;
    return self->timestamp[0] != '\0';
}

static bool s_read_plain(reading_t *self, const signature_message_t *message)
{
    static const char prefix[] = "sha256=";
    const char *text = message->signature;
    text += text_starts(text, prefix) ? sizeof prefix - 1 : 0;
    s_add_word(self, text, strlen(text));
    self->is_hex = true;
    return true;
}

static bool (*const s_readers[])(reading_t *self, const signature_message_t *message) = {
    [SIGNATURE_STANDARD] = s_read_standard,
    [SIGNATURE_STRIPE] = s_read_stripe,
    [SIGNATURE_PLAIN] = s_read_plain,
};

static bool s_decode(const reading_t *self, size_t which, uint8_t mac[MAC_BYTES])
{
    const char *text = self->words[which].text;
    size_t size = self->words[which].size, read = 0;
    int status = self->is_hex
                     ? sodium_hex2bin(mac, MAC_BYTES, text, size, NULL, &read, NULL)
                     : sodium_base642bin(mac, MAC_BYTES, text, size, NULL, &read, NULL, s_base64);
    return status == 0 && read == MAC_BYTES;
}

/* All are compared with all, however early one fits. */
static bool s_is_signed(const reading_t *self, const signature_message_t *message,
                        const signature_key_t *keys, size_t count)
{
    uint8_t mac[MAC_BYTES], given[MAC_BYTES];
    bool fits = false;
    for (size_t i = 0; i < count; i++) {
        s_mac(&keys[i], self->texts, message->body, message->size, mac);
        for (size_t j = 0; j < self->count; j++)
            fits |= s_decode(self, j, given) && sodium_memcmp(mac, given, sizeof mac) == 0;
    }
    mem_wipe(mac, sizeof mac);
    return fits;
}

signature_verdict_t signature_verify(signature_scheme_t scheme, const signature_message_t *message,
                                     const signature_key_t *keys, size_t count, int64_t now_s)
{
    reading_t reading = { 0 };
    int64_t at_s = now_s;
    if (!message->signature || !s_readers[scheme](&reading, message) || reading.count == 0)
        return SIGNATURE_MISSING;
    if (scheme != SIGNATURE_PLAIN &&
        !text_to_i64(reading.timestamp, strlen(reading.timestamp), &at_s))
        return SIGNATURE_MISSING;
    if (!s_is_signed(&reading, message, keys, count))
        return SIGNATURE_WRONG;
    bool is_near = at_s >= now_s - SIGNATURE_TOLERANCE_S && at_s <= now_s + SIGNATURE_TOLERANCE_S;
    return is_near ? SIGNATURE_GOOD : SIGNATURE_STALE;
}

const char *signature_verdict_text(signature_verdict_t verdict)
{
    static const char *const sentences[] = {
        [SIGNATURE_GOOD] = "The signature is good",
        [SIGNATURE_MISSING] = "The signature's headers are missing or cannot be read",
        [SIGNATURE_STALE] = "The signature is older, or newer, than five minutes",
        [SIGNATURE_WRONG] = "The signature fits none of the secrets",
    };
    return sentences[verdict];
}
