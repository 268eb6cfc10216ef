/* SPDX-License-Identifier: MPL-2.0
 *
 * Access tokens: what is signed is verified, and every way to forge one is refused for its reason.
 */
#include "config.h"

#include <sodium.h>

#include "proto/jwt.h"
#include "tests/tap.h"

#define NOW_S   INT64_C(1790000000)
#define NOW_MS  (NOW_S * 1000)
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

#define HEADER "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}"
#define CLAIMS(more)                                                                               \
    "{\"iss\":\"signalbox\",\"aud\":\"api\",\"sub\":\"u1\",\"acc\":\"a1\",\"sid\":\"s1\","         \
    "\"jti\":\"j1\",\"iat\":1790000000,\"exp\":1790000600,\"tier\":\"free\",\"roles\":[\"user\"]," \
    "\"scope\":\"*\"" more "}"

static jwt_signer_t s_signer = {
    .issuer = "signalbox", .audience = "api", .kid = "k1", .seed = { 1, 2, 3 }
};
static jwt_key_t s_keys[2] = { { .kid = "k1", .not_before_ms = 0, .expires_at_ms = INT64_MAX },
                               { .kid = "k2", .not_before_ms = 0, .expires_at_ms = INT64_MAX } };
static const jwt_verifier_t s_verifier = {
    .issuer = "signalbox", .audience = "api", .keys = s_keys, .key_count = 2
};

static void s_make_keys(void)
{
    static const uint8_t other[JWT_SEED_BYTES] = { 9 };
    jwt_public(s_signer.seed, s_keys[0].x);
    jwt_public(other, s_keys[1].x);
}

static void s_encode(buf_t *out, const void *bytes, size_t size)
{
    size_t room = sodium_base64_encoded_len(size, VARIANT);
    sodium_bin2base64((char *)buf_reserve(out, room), room, bytes, size, VARIANT);
    out->size += room - 1;
}

typedef enum { SIGN_GOOD, SIGN_NONE, SIGN_HMAC, SIGN_FLIPPED } sign_t;

/* A token put together by hand, as a forger would. */
static buf_t s_forge(const char *header, const char *claims, sign_t how)
{
    buf_t token = { 0 };
    uint8_t public[32], secret[64], signature[64];
    size_t size = sizeof signature;
    s_encode(&token, header, strlen(header));
    buf_add_byte(&token, '.');
    s_encode(&token, claims, strlen(claims));
    crypto_sign_seed_keypair(public, secret, s_signer.seed);
    crypto_sign_detached(signature, NULL, token.bytes, token.size, secret);
    if (how == SIGN_HMAC) {
        crypto_auth_hmacsha256(signature, token.bytes, token.size, public);
        size = crypto_auth_hmacsha256_BYTES;
    } else if (how == SIGN_FLIPPED) {
        signature[10] ^= 1;
    } else if (how == SIGN_NONE) {
        size = 0;
    }
    buf_add_byte(&token, '.');
    s_encode(&token, signature, size);
    return token;
}

static jwt_verdict_t s_judge(buf_t *token, int64_t now_ms)
{
    jwt_claims_t claims;
    jwt_verdict_t verdict =
        jwt_verify(&s_verifier, (const char *)token->bytes, token->size, now_ms, &claims);
    if (verdict != JWT_GOOD)
        ok(claims.principal.user[0] == '\0' && claims.expires_s == 0);
    buf_free(token);
    return verdict;
}

static jwt_claims_t s_claims(void)
{
    return (jwt_claims_t){ .principal = { .account = "a1",
                                          .user = "u1",
                                          .tier = "pro",
                                          .session = "s1",
                                          .role_count = 2,
                                          .roles = { "user", "owner" },
                                          .scope_count = 2,
                                          .scopes = { "account", "*" } },
                           .id = "j1",
                           .issued_s = NOW_S,
                           .expires_s = NOW_S + 600 };
}

static void test_round_trip(void)
{
    s_make_keys();
    const jwt_claims_t claims = s_claims();
    jwt_claims_t read;
    buf_t token = { 0 };
    jwt_sign(&s_signer, &claims, &token);
    is_int(jwt_verify(&s_verifier, (const char *)token.bytes, token.size, NOW_MS, &read), JWT_GOOD);
    is_text(read.principal.user, "u1");
    is_text(read.principal.account, "a1");
    is_text(read.principal.session, "s1");
    is_text(read.principal.tier, "pro");
    is_text(read.id, "j1");
    is_int(read.expires_s, NOW_S + 600);
    ok(principal_has_role(&read.principal, "owner") &&
       !principal_has_role(&read.principal, "admin"));
    ok(principal_has_scope(&read.principal, "anything")); /* by `*` */
    buf_free(&token);
}

static void test_forgeries(void)
{
    static const struct {
        const char *name, *header, *claims;
        sign_t how;
        jwt_verdict_t expected;
    } cases[] = {
        { "the real thing", HEADER, CLAIMS(""), SIGN_GOOD, JWT_GOOD },
        { "unknown claims are fine", HEADER, CLAIMS(",\"x\":[1]"), SIGN_GOOD, JWT_GOOD },
        { "alg none", "{\"alg\":\"none\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}", CLAIMS(""), SIGN_NONE,
          JWT_BAD_HEADER },
        { "no signature", HEADER, CLAIMS(""), SIGN_NONE, JWT_BAD_SIGNATURE },
        { "HS256 with the public key", "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}",
          CLAIMS(""), SIGN_HMAC, JWT_BAD_HEADER },
        { "a MAC under our header", HEADER, CLAIMS(""), SIGN_HMAC, JWT_BAD_SIGNATURE },
        { "a changed signature", HEADER, CLAIMS(""), SIGN_FLIPPED, JWT_BAD_SIGNATURE },
        { "another of our keys", "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k2\"}",
          CLAIMS(""), SIGN_GOOD, JWT_BAD_SIGNATURE },
        { "a key nobody has", "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k3\"}", CLAIMS(""),
          SIGN_GOOD, JWT_UNKNOWN_KEY },
        { "no kid", "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"}", CLAIMS(""), SIGN_GOOD,
          JWT_BAD_HEADER },
        { "typ JWT", "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"k1\"}", CLAIMS(""), SIGN_GOOD,
          JWT_BAD_HEADER },
        { "jku", "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k1\",\"jku\":\"https://x\"}",
          CLAIMS(""), SIGN_GOOD, JWT_BAD_HEADER },
        { "jwk", "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k1\",\"jwk\":{}}", CLAIMS(""),
          SIGN_GOOD, JWT_BAD_HEADER },
        { "x5u", "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k1\",\"x5u\":\"https://x\"}",
          CLAIMS(""), SIGN_GOOD, JWT_BAD_HEADER },
        { "crit", "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k1\",\"crit\":[\"exp\"]}",
          CLAIMS(""), SIGN_GOOD, JWT_BAD_HEADER },
        { "a duplicate header",
          "{\"alg\":\"none\",\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"k1\"}", CLAIMS(""),
          SIGN_GOOD, JWT_MALFORMED },
        { "a header that is no object", "[\"EdDSA\"]", CLAIMS(""), SIGN_GOOD, JWT_MALFORMED },
        { "a duplicate claim", HEADER, CLAIMS(",\"sub\":\"root\""), SIGN_GOOD, JWT_MALFORMED },
        { "claims that are no object", HEADER, "[]", SIGN_GOOD, JWT_MALFORMED },
        { "behind the object something", HEADER, CLAIMS("") "x", SIGN_GOOD, JWT_MALFORMED },
        { "another issuer", HEADER, "{\"iss\":\"evil\",\"aud\":\"api\"}", SIGN_GOOD,
          JWT_BAD_ISSUER },
        { "no issuer", HEADER, "{\"aud\":\"api\"}", SIGN_GOOD, JWT_BAD_ISSUER },
        { "another audience", HEADER, "{\"iss\":\"signalbox\",\"aud\":\"mail\"}", SIGN_GOOD,
          JWT_BAD_AUDIENCE },
        { "several audiences", HEADER, "{\"iss\":\"signalbox\",\"aud\":[\"api\",\"mail\"]}",
          SIGN_GOOD, JWT_BAD_AUDIENCE },
        { "no times", HEADER, "{\"iss\":\"signalbox\",\"aud\":\"api\"}", SIGN_GOOD,
          JWT_BAD_CLAIMS },
        { "not before later", HEADER, CLAIMS(",\"nbf\":1790000031"), SIGN_GOOD, JWT_NOT_YET },
        { "not before within the leeway", HEADER, CLAIMS(",\"nbf\":1790000030"), SIGN_GOOD,
          JWT_GOOD },
        { "not before as text", HEADER, CLAIMS(",\"nbf\":\"1\""), SIGN_GOOD, JWT_BAD_CLAIMS },
    };
    s_make_keys();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        buf_t token = s_forge(cases[i].header, cases[i].claims, cases[i].how);
        jwt_verdict_t verdict = s_judge(&token, NOW_MS);
        if (!ok_named(verdict == cases[i].expected, cases[i].name))
            note("got: %s", jwt_verdict_text(verdict));
    }
}

static void test_claims_that_must_be_there(void)
{
    static const char *const members[] = {
        "\"iat\":1790000000", "\"exp\":1790000600",   "\"sub\":\"u1\"",
        "\"acc\":\"a1\"",     "\"sid\":\"s1\"",       "\"jti\":\"j1\"",
        "\"tier\":\"free\"",  "\"roles\":[\"user\"]", "\"scope\":\"*\"",
    };
    static const char *const wrong[] = {
        "\"iat\":1.5", "\"exp\":1790000000", "\"sub\":\"\"",  "\"acc\":1",          "\"sid\":null",
        "\"jti\":[]",  "\"tier\":true",      "\"roles\":[1]", "\"scope\":\"a  b\"",
    };
    s_make_keys();
    for (size_t without = 0; without < COUNT_OF(members); without++)
        for (int is_wrong = 0; is_wrong < 2; is_wrong++) {
            buf_t claims = { 0 };
            buf_add_text(&claims, "{\"iss\":\"signalbox\",\"aud\":\"api\"");
            for (size_t i = 0; i < COUNT_OF(members); i++)
                if (i != without || is_wrong)
                    buf_printf(&claims, ",%s", i == without ? wrong[i] : members[i]);
            buf_add_byte(&claims, '}');
            buf_t token = s_forge(HEADER, buf_text(&claims), SIGN_GOOD);
            ok_named(s_judge(&token, NOW_MS) == JWT_BAD_CLAIMS,
                     is_wrong ? wrong[without] : members[without]);
            buf_free(&claims);
        }
}

static void test_times(void)
{
    static const struct {
        const char *name;
        int64_t at_s;
        jwt_verdict_t expected;
    } cases[] = {
        { "long before", NOW_S - JWT_LEEWAY_S - 1, JWT_NOT_YET },
        { "by a clock that is behind", NOW_S - JWT_LEEWAY_S, JWT_GOOD },
        { "the last second", NOW_S + 599, JWT_GOOD },
        { "expired", NOW_S + 600, JWT_EXPIRED },
    };
    s_make_keys();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        buf_t token = s_forge(HEADER, CLAIMS(""), SIGN_GOOD);
        ok_named(s_judge(&token, cases[i].at_s * 1000) == cases[i].expected, cases[i].name);
    }
    s_keys[0].expires_at_ms = NOW_MS; /* a key that is over takes its tokens with it */
    buf_t token = s_forge(HEADER, CLAIMS(""), SIGN_GOOD);
    is_int(s_judge(&token, NOW_MS), JWT_UNKNOWN_KEY);
    s_keys[0].expires_at_ms = INT64_MAX;
    s_keys[0].not_before_ms = NOW_MS + JWT_LEEWAY_S * 1000 + 1;
    token = s_forge(HEADER, CLAIMS(""), SIGN_GOOD);
    is_int(s_judge(&token, NOW_MS), JWT_UNKNOWN_KEY);
    s_keys[0].not_before_ms = 0;
}

static void test_broken_texts(void)
{
    s_make_keys();
    static const char *const words[] = { "", ".", "..", "...", "a.b", "a.b.c.d", "e30.e30.e30" };
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        buf_t token = { 0 };
        buf_add(&token, words[i], strlen(words[i]));
        ok_named(s_judge(&token, NOW_MS) != JWT_GOOD, words[i]);
    }
    /* padding, white space and loose bits: other spellings of the same bytes are other texts */
    static const char *const tails[] = { "=", "==", " ", "\n", "A" };
    for (size_t i = 0; i < COUNT_OF(tails); i++) {
        buf_t token = s_forge(HEADER, CLAIMS(""), SIGN_GOOD);
        buf_add_text(&token, tails[i]);
        ok_named(s_judge(&token, NOW_MS) == JWT_BAD_SIGNATURE, "a longer signature");
    }
    buf_t token = s_forge(HEADER, CLAIMS(""), SIGN_GOOD);
    uint8_t *last =
        &token.bytes[token.size - 1]; /* carries two bits that count and four that don't */
    *last =
        (uint8_t)(*last == 'A' || *last == 'Q' || *last == 'g' || *last == 'w' ? *last + 1 : 'B');
    is_int(s_judge(&token, NOW_MS), JWT_BAD_SIGNATURE);
    token = s_forge(HEADER "=", CLAIMS(""), SIGN_GOOD);
    is_int(s_judge(&token, NOW_MS), JWT_MALFORMED);

    buf_t huge = { 0 };
    while (huge.size < 1024 * 1024)
        buf_add_text(&huge, "eyJhbGciOiJFZERTQSJ9.");
    is_int(s_judge(&huge, NOW_MS), JWT_TOO_LARGE);
}

/* Every token with one byte changed is refused: nothing in it is without meaning. */
static void test_every_byte_counts(void)
{
    s_make_keys();
    jwt_claims_t claims;
    buf_t token = s_forge(HEADER, CLAIMS(""), SIGN_GOOD);
    size_t accepted = 0;
    for (size_t i = 0; i < token.size; i++)
        for (int bit = 0; bit < 7; bit++) {
            token.bytes[i] ^= (uint8_t)(1 << bit);
            accepted += jwt_verify(&s_verifier, (const char *)token.bytes, token.size, NOW_MS,
                                   &claims) == JWT_GOOD;
            token.bytes[i] ^= (uint8_t)(1 << bit);
        }
    is_int(accepted, 0);
    buf_free(&token);
}

TESTS({ "round trip", test_round_trip }, { "forgeries", test_forgeries },
      { "claims that must be there", test_claims_that_must_be_there }, { "times", test_times },
      { "broken texts", test_broken_texts }, { "every byte counts", test_every_byte_counts })
