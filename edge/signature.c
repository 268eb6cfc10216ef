/* SPDX-License-Identifier: MPL-2.0
 *
 * signature - whether a sensitive request is signed, where its key asks for that
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "actors/base/id.h"
#include "actors/base/text.h"
#include "edge/signature.h"
#include "edge/state.h"
#include "proto/auth.h"

#define CHECK_MS    2000
#define TIME_DIGITS 12
#define TIME_CHARS  "0123456789"
#define MAC_CHARS   "0123456789abcdef"
#define NONCE_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

/* ---- the header ------------------------------------------------------------------------------ */

/* Takes the value of a part, of `least` to `most` characters of these; false when it is not. */
static bool s_take(char *to, const char *value, size_t size, size_t least, size_t most,
                   const char *chars)
{
    return !to[0] && size >= least && size <= most && strspn(value, chars) >= size &&
           text_copy(to, most + 1, value, size);
}

bool signature_read(signature_t *self, const char *header)
{
    char time[TIME_DIGITS + 1] = "";
    *self = (signature_t){ .nonce = "" };
    while (*(header += strspn(header, " ,"))) {
        const size_t size = strcspn(header, " ,"), name = strcspn(header, "=");
        const char *value = header + name + 1;
        if (name >= size)
            return false;
        const size_t length = size - name - 1;
        const bool good =
            (text_starts(header, "t=") &&
             s_take(time, value, length, 1, TIME_DIGITS, TIME_CHARS)) ||
            (text_starts(header, "n=") &&
             s_take(self->nonce, value, length, 16, sizeof self->nonce - 1, NONCE_CHARS)) ||
            (text_starts(header, "v1=") && s_take(self->mac, value, length, sizeof self->mac - 1,
                                                  sizeof self->mac - 1, MAC_CHARS));
        if (!good)
            return false;
        header += size;
    }
    for (const char *digit = time; *digit; digit++)
        self->time_s = self->time_s * 10 + (*digit - '0');
    return time[0] && self->nonce[0] && self->mac[0];
}

/* ---- the request ----------------------------------------------------------------------------- */

static void s_pack(exchange_t *x, const signature_t *signature, buf_t *body)
{
    uint8_t digest[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof digest + 1];
    pack_t pack;
    crypto_hash_sha256(digest, x->body.bytes, x->body.size);
    pack_init(&pack, body);
    pack_map(&pack, 7);
    pack_pair_text(&pack, "key_id", x->identity->key_id);
    pack_pair_text(&pack, "method", http_verb_name(x->verb));
    pack_pair_text(&pack, "target",
                   x->query ? arena_format(&x->arena, "%s?%s", x->target, x->query) : x->target);
    pack_pair_text(&pack, "digest", id_hex(digest, sizeof digest, hex));
    pack_pair_int(&pack, "time", signature->time_s);
    pack_pair_text(&pack, "nonce", signature->nonce);
    pack_pair_text(&pack, "mac", signature->mac);
}

/* Not to be sent twice: the second time it would be refused as a repetition. */
static bool s_ask(exchange_t *x, const signature_t *signature)
{
    answer_t answer;
    buf_t body = { 0 };
    s_pack(x, signature, &body);
    const question_t question = { .method = auth_signature_check.name,
                                  .body = &body,
                                  .deadline_ms = CHECK_MS };
    bool good = inquire(&x->edge->authority.auth, &question, &answer);
    if (!good && answer.failure.code == ERROR_UNAUTHENTICATED)
        exchange_fail(x, ERROR_UNAUTHENTICATED, "%s", answer.failure.detail);
    else if (!good)
        exchange_fail(x, ERROR_UNAVAILABLE, "Nobody can say now whether the signature is right");
    answer_close(&answer);
    return good;
}

bool signature_check(exchange_t *x)
{
    signature_t signature;
    const char *header = x->headers[HEADER_X_SIGNATURE];
    if (!x->route->method->sensitive || !x->identity->signs)
        return true;
    if (!header)
        return exchange_fail(
            x, ERROR_UNAUTHENTICATED,
            "With this key, what is sensitive must be signed: the header " SIGNATURE_HEADER
            " is missing");
    if (!signature_read(&signature, header))
        return exchange_fail(x, ERROR_UNAUTHENTICATED,
                             SIGNATURE_HEADER " is not like 't=1767225600,n=4f1c9a0be2d35678,"
                                              "v1=<64 hex digits>'");
    return s_ask(x, &signature);
}
