/* SPDX-License-Identifier: MPL-2.0
 *
 * jwt - access tokens: signed by the auth actor, verified by the edge
 *
 * One kind of token and no choice: a JWT (RFC 7519) in compact form, `alg` EdDSA over Ed25519
 * (RFC 8037), `typ` at+jwt (RFC 9068). The verifier looks for reasons to refuse: the header has
 * exactly `alg`, `typ` and `kid`, so nobody brings a key of their own (jku, jwk, x5u) or an
 * extension (crit); the key is one of those given; base64url has no padding, no white space and no
 * loose bits; JSON has no duplicate names; issuer, audience and times are checked; the size is
 * limited before anything is decoded. Nothing of a token is looked at further before its signature
 * is good.
 */
#ifndef SIGNALBOX_JWT_H
#define SIGNALBOX_JWT_H

#include "actors/base/buf.h"
#include "proto/principal.h"

#define JWT_BYTES_MAX    4096
#define JWT_KID_SIZE     33
#define JWT_PUBLIC_BYTES 32
#define JWT_SEED_BYTES   32
#define JWT_LEEWAY_S     30 /* how far the clocks of two machines may be apart */

/* A public key. It is used from a little before `not_before_ms` until `expires_at_ms`. */
typedef struct {
    char kid[JWT_KID_SIZE];
    uint8_t x[JWT_PUBLIC_BYTES];
    int64_t not_before_ms, expires_at_ms;
} jwt_key_t;

typedef struct {
    const char *issuer, *audience;
    const jwt_key_t *keys;
    size_t key_count;
} jwt_verifier_t;

typedef struct {
    const char *issuer, *audience, *kid;
    uint8_t seed[JWT_SEED_BYTES]; /* RFC 8032, 5.1.5 */
} jwt_signer_t;

/* What a token says. Of the principal account, user, tier, session, roles and scopes are used. */
typedef struct {
    principal_t principal;
    char id[PRINCIPAL_NAME_BYTES + 1]; /* `jti` */
    int64_t issued_s, expires_s;
} jwt_claims_t;

typedef enum {
    JWT_GOOD,
    JWT_TOO_LARGE,
    JWT_MALFORMED,  /* not three parts of strict base64url, or not JSON objects */
    JWT_BAD_HEADER, /* another algorithm or type, or a member that has no business there */
    JWT_UNKNOWN_KEY,
    JWT_BAD_SIGNATURE,
    JWT_BAD_CLAIMS, /* missing, or of another type or size */
    JWT_BAD_ISSUER,
    JWT_BAD_AUDIENCE,
    JWT_EXPIRED,
    JWT_NOT_YET,
} jwt_verdict_t;

/* Whether the token is good at `now_ms` (wall clock); fills `claims`, which are empty otherwise. */
jwt_verdict_t jwt_verify(const jwt_verifier_t *verifier, const char *token, size_t size,
                         int64_t now_ms, jwt_claims_t *claims) MUST_CHECK;

/* A sentence for each verdict, for the log: callers are told only that the token is not valid. */
const char *jwt_verdict_text(jwt_verdict_t verdict);

/* Appends the token to `out`. */
void jwt_sign(const jwt_signer_t *signer, const jwt_claims_t *claims, buf_t *out);

/* The public key of a seed. */
void jwt_public(const uint8_t seed[JWT_SEED_BYTES], uint8_t x[JWT_PUBLIC_BYTES]);

#endif
