/* SPDX-License-Identifier: MPL-2.0
 *
 * jwt - access tokens: signed by the auth actor, verified by the edge
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "actors/base/text.h"
#include "proto/json.h"
#include "proto/jwt.h"

#define VARIANT         sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define SIGNATURE_CHARS 86 /* of 64 bytes */
#define HEADER_MEMBERS  3
#define MS_PER_S        1000

_Static_assert(JWT_SEED_BYTES == crypto_sign_SEEDBYTES, "an Ed25519 seed");
_Static_assert(JWT_PUBLIC_BYTES == crypto_sign_PUBLICKEYBYTES, "an Ed25519 public key");

/* The three parts of the compact form. */
typedef struct {
    const char *header, *payload, *signature;
    size_t header_size, payload_size, signature_size;
} parts_t;

static bool s_split(parts_t *parts, const char *token, size_t size)
{
    if (size == 0)
        return false;
    const char *first = memchr(token, '.', size), *end = token + size;
    const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
    if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
        return false;
    *parts = (parts_t){ .header = token,
                        .header_size = (size_t)(first - token),
                        .payload = first + 1,
                        .payload_size = (size_t)(second - first - 1),
                        .signature = second + 1,
                        .signature_size = (size_t)(end - second - 1) };
    return true;
}

static bool s_decode(void *to, size_t room, const char *text, size_t size, size_t *decoded)
{
    return sodium_base642bin(to, room, text, size, NULL, decoded, NULL, VARIANT) == 0;
}

/* A part as a JSON object; NULL when it is none. */
static const value_t *s_read_part(arena_t *arena, const char *text, size_t size)
{
    static const value_limits_t limits = { .depth = 2, .nodes = 96 };
    char *json = arena_alloc(arena, size + 1);
    json_error_t error;
    buf_t packed = { 0 };
    size_t json_size;
    value_verdict_t verdict;
    const value_t *value = NULL;
    if (s_decode(json, size, text, size, &json_size) &&
        json_to_msgpack(json, json_size, limits, 0, &packed, &error)) {
        uint8_t *bytes = arena_alloc(arena, packed.size);
        memcpy(bytes, packed.bytes, packed.size);
        value = value_parse(arena, bytes, packed.size, limits, &verdict);
    }
    buf_free(&packed);
    return value_is_type(value, VALUE_MAP) ? value : NULL;
}

static bool s_header_fits(const value_t *header)
{
    return header->count == HEADER_MEMBERS && value_is(value_get(header, "alg"), "EdDSA") &&
           value_is(value_get(header, "typ"), "at+jwt") &&
           value_is_type(value_get(header, "kid"), VALUE_TEXT);
}

static const jwt_key_t *s_find_key(const jwt_verifier_t *verifier, const value_t *kid,
                                   int64_t now_ms)
{
    for (size_t i = 0; i < verifier->key_count; i++) {
        const jwt_key_t *key = &verifier->keys[i];
        if (value_is(kid, key->kid) && now_ms < key->expires_at_ms &&
            now_ms + JWT_LEEWAY_S * INT64_C(1000) >= key->not_before_ms)
            return key;
    }
    return NULL;
}

static bool s_signature_fits(const parts_t *parts, const jwt_key_t *key)
{
    uint8_t signature[crypto_sign_BYTES];
    size_t size;
    return parts->signature_size == SIGNATURE_CHARS &&
           s_decode(signature, sizeof signature, parts->signature, parts->signature_size, &size) &&
           size == sizeof signature &&
           crypto_sign_verify_detached(signature, (const uint8_t *)parts->header,
                                       parts->header_size + 1 + parts->payload_size, key->x) == 0;
}

/* ---- claims --------------------------------------------------------------------------------- */

static bool s_take_text(const value_t *claims, const char *name, char *to, size_t room)
{
    size_t size;
    const char *text = value_get_text(claims, name, &size);
    return text && size > 0 && text_copy(to, room, text, size);
}

static bool s_take_time(const value_t *claims, const char *name, int64_t *to)
{
    const value_t *value = value_get(claims, name);
    if (!value_is_type(value, VALUE_INT) || value->integer < 0 ||
        value->integer > INT64_MAX / MS_PER_S)
        return false;
    *to = value->integer;
    return true;
}

static bool s_take_roles(const value_t *claims, principal_t *to)
{
    const value_t *list = value_get(claims, "roles"), *item;
    if (!value_is_type(list, VALUE_ARRAY) || list->count > PRINCIPAL_LISTS_MAX)
        return false;
    for (uint32_t i = 0; (item = value_item(list, i)); i++)
        if (item->type != VALUE_TEXT || item->count == 0 ||
            !text_copy(to->roles[to->role_count++], sizeof to->roles[0], item->text, item->count))
            return false;
    return true;
}

/* Names separated by one space each (RFC 8693, 4.2); may be empty. */
static bool s_take_scopes(const value_t *claims, principal_t *to)
{
    size_t left;
    const char *at = value_get_text(claims, "scope", &left);
    if (!at)
        return false;
    while (left > 0) {
        const char *space = memchr(at, ' ', left);
        size_t size = space ? (size_t)(space - at) : left;
        if (size == 0 || to->scope_count == PRINCIPAL_LISTS_MAX ||
            !text_copy(to->scopes[to->scope_count++], sizeof to->scopes[0], at, size) ||
            (space && left == size + 1))
            return false;
        left -= space ? size + 1 : size;
        at += space ? size + 1 : size;
    }
    return true;
}

static jwt_verdict_t s_check_times(const value_t *claims, int64_t now_ms, const jwt_claims_t *self)
{
    int64_t not_before_s, now_s = now_ms / 1000;
    if (value_get(claims, "nbf")) {
        if (!s_take_time(claims, "nbf", &not_before_s))
            return JWT_BAD_CLAIMS;
        if (not_before_s > now_s + JWT_LEEWAY_S)
            return JWT_NOT_YET;
    }
    if (self->expires_s <= self->issued_s)
        return JWT_BAD_CLAIMS;
    if (now_s >= self->expires_s)
        return JWT_EXPIRED;
    return self->issued_s > now_s + JWT_LEEWAY_S ? JWT_NOT_YET : JWT_GOOD;
}

static jwt_verdict_t s_read_claims(const jwt_verifier_t *verifier, const value_t *claims,
                                   int64_t now_ms, jwt_claims_t *to)
{
    principal_t *who = &to->principal;
    if (!value_is(value_get(claims, "iss"), verifier->issuer))
        return JWT_BAD_ISSUER;
    if (!value_is(value_get(claims, "aud"), verifier->audience))
        return JWT_BAD_AUDIENCE;
    if (!s_take_time(claims, "iat", &to->issued_s) || !s_take_time(claims, "exp", &to->expires_s) ||
        !s_take_text(claims, "jti", to->id, sizeof to->id) ||
        !s_take_text(claims, "sub", who->user, sizeof who->user) ||
        !s_take_text(claims, "acc", who->account, sizeof who->account) ||
        !s_take_text(claims, "sid", who->session, sizeof who->session) ||
        !s_take_text(claims, "tier", who->tier, sizeof who->tier) || !s_take_roles(claims, who) ||
        !s_take_scopes(claims, who))
        return JWT_BAD_CLAIMS;
    return s_check_times(claims, now_ms, to);
}

/* ---- verifying ------------------------------------------------------------------------------ */

static jwt_verdict_t s_verify(arena_t *arena, const jwt_verifier_t *verifier, const char *token,
                              size_t size, int64_t now_ms, jwt_claims_t *claims)
{
    parts_t parts;
    if (!s_split(&parts, token, size))
        return JWT_MALFORMED;
    const value_t *header = s_read_part(arena, parts.header, parts.header_size);
    if (!header)
        return JWT_MALFORMED;
    if (!s_header_fits(header))
        return JWT_BAD_HEADER;
    const jwt_key_t *key = s_find_key(verifier, value_get(header, "kid"), now_ms);
    if (!key)
        return JWT_UNKNOWN_KEY;
    if (!s_signature_fits(&parts, key))
        return JWT_BAD_SIGNATURE;
    const value_t *payload = s_read_part(arena, parts.payload, parts.payload_size);
    return payload ? s_read_claims(verifier, payload, now_ms, claims) : JWT_MALFORMED;
}

jwt_verdict_t jwt_verify(const jwt_verifier_t *verifier, const char *token, size_t size,
                         int64_t now_ms, jwt_claims_t *claims)
{
    arena_t arena = { 0 };
    *claims = (jwt_claims_t){ 0 };
    if (size > JWT_BYTES_MAX)
        return JWT_TOO_LARGE;
    jwt_verdict_t verdict = s_verify(&arena, verifier, token, size, now_ms, claims);
    if (verdict != JWT_GOOD)
        *claims = (jwt_claims_t){ 0 };
    arena_free(&arena);
    return verdict;
}

const char *jwt_verdict_text(jwt_verdict_t verdict)
{
    static const char *const texts[] = {
        [JWT_GOOD] = "good",
        [JWT_TOO_LARGE] = "too large",
        [JWT_MALFORMED] = "not a token",
        [JWT_BAD_HEADER] = "a header that is not ours",
        [JWT_UNKNOWN_KEY] = "no such key",
        [JWT_BAD_SIGNATURE] = "the signature does not fit",
        [JWT_BAD_CLAIMS] = "a claim is missing or not as it should be",
        [JWT_BAD_ISSUER] = "another issuer",
        [JWT_BAD_AUDIENCE] = "for another audience",
        [JWT_EXPIRED] = "expired",
        [JWT_NOT_YET] = "not valid yet",
    };
    return texts[verdict];
}

/* ---- signing -------------------------------------------------------------------------------- */

static void s_add_part(buf_t *out, const buf_t *json)
{
    size_t room = sodium_base64_encoded_len(json->size, VARIANT);
    sodium_bin2base64((char *)buf_reserve(out, room), room, json->bytes, json->size, VARIANT);
    out->size += room - 1; /* without the NUL */
}

static void s_add_member(buf_t *json, const char *name, const char *text)
{
    buf_add_byte(json, json->size == 0 ? '{' : ',');
    json_add_text(json, name, strlen(name));
    buf_add_byte(json, ':');
    json_add_text(json, text, strlen(text));
}

static void s_add_roles(buf_t *json, const principal_t *who)
{
    buf_add_text(json, ",\"roles\":[");
    for (size_t i = 0; i < who->role_count; i++) {
        if (i > 0)
            buf_add_byte(json, ',');
        json_add_text(json, who->roles[i], strlen(who->roles[i]));
    }
    buf_add_byte(json, ']');
}

static void s_add_scopes(buf_t *json, const principal_t *who)
{
    char all[PRINCIPAL_LISTS_MAX * (PRINCIPAL_NAME_BYTES + 1) + 1] = "";
    size_t size = 0;
    for (size_t i = 0; i < who->scope_count; i++)
        size += (size_t)snprintf(all + size, sizeof all - size, "%s%s", i > 0 ? " " : "",
                                 who->scopes[i]);
    s_add_member(json, "scope", all);
}

static void s_write_claims(const jwt_signer_t *signer, const jwt_claims_t *claims, buf_t *json)
{
    const principal_t *who = &claims->principal;
    s_add_member(json, "iss", signer->issuer);
    s_add_member(json, "aud", signer->audience);
    s_add_member(json, "sub", who->user);
    s_add_member(json, "acc", who->account);
    s_add_member(json, "sid", who->session);
    s_add_member(json, "jti", claims->id);
    buf_printf(json, ",\"iat\":%lld,\"exp\":%lld", (long long)claims->issued_s,
               (long long)claims->expires_s);
    s_add_member(json, "tier", who->tier);
    s_add_roles(json, who);
    s_add_scopes(json, who);
    buf_add_byte(json, '}');
}

void jwt_sign(const jwt_signer_t *signer, const jwt_claims_t *claims, buf_t *out)
{
    uint8_t public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    buf_t json = { 0 }, signature = { 0 };
    const size_t start = out->size;
    s_add_member(&json, "alg", "EdDSA");
    s_add_member(&json, "typ", "at+jwt");
    s_add_member(&json, "kid", signer->kid);
    buf_add_byte(&json, '}');
    s_add_part(out, &json);
    json.size = 0;
    s_write_claims(signer, claims, &json);
    buf_add_byte(out, '.');
    s_add_part(out, &json);

    crypto_sign_seed_keypair(public, secret, signer->seed);
    crypto_sign_detached(buf_reserve(&signature, crypto_sign_BYTES), NULL, out->bytes + start,
                         out->size - start, secret);
    signature.size = crypto_sign_BYTES;
    mem_wipe(secret, sizeof secret);
    buf_add_byte(out, '.');
    s_add_part(out, &signature);
    buf_free(&json);
    buf_free(&signature);
}

void jwt_public(const uint8_t seed[JWT_SEED_BYTES], uint8_t x[JWT_PUBLIC_BYTES])
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    crypto_sign_seed_keypair(x, secret, seed);
    mem_wipe(secret, sizeof secret);
}
