/* SPDX-License-Identifier: MPL-2.0
 *
 * signature - proof that a webhook comes from who shares a secret, made and verified
 *
 * Three schemes, all HMAC-SHA256 (RFC 2104) and compared in constant time:
 *
 * Standard Webhooks 1.0.0: over "id.timestamp.body", base64; the header holds "v1,<signature>"
 * words, one for each secret that is good at the moment, so that secrets are changed without a gap.
 * Secrets are written "whsec_" and base64.
 *
 * Stripe: over "timestamp.body", hex; the header is "t=<timestamp>,v1=<signature>,...".
 *
 * Plain: over the body, hex, perhaps behind "sha256=" (GitHub and many others).
 *
 * Pure: time is passed in. A verdict says why, for whoever sets the other side up; the secret is
 * not told.
 */
#ifndef SIGNALBOX_OUTBOUND_SIGNATURE_H
#define SIGNALBOX_OUTBOUND_SIGNATURE_H

#include "actors/base/buf.h"

#define SIGNATURE_SECRETS_MAX  4  /* good at the same time */
#define SIGNATURE_KEY_MAX      64 /* bytes of a secret */
#define SIGNATURE_KEY_MIN      16
#define SIGNATURE_SECRET_BYTES 32  /* of a new one */
#define SIGNATURE_TEXT_SIZE    128 /* of a secret as text, with its NUL */
#define SIGNATURE_TOLERANCE_S  300 /* what a clock may differ, as the specifications advise */

typedef struct {
    uint8_t bytes[SIGNATURE_KEY_MAX];
    size_t size;
} signature_key_t;

/* Reads "whsec_..." ; false when it is none, or shorter than SIGNATURE_KEY_MIN bytes. */
bool signature_read_key(signature_key_t *key, const char *text) MUST_CHECK;

/* A secret of any bytes, as Stripe and the plain scheme have it: the text itself. False when it is
 * empty or too long. */
bool signature_plain_key(signature_key_t *key, const char *text) MUST_CHECK;

/* Makes a new one; returns `text`. */
const char *signature_new_secret(char text[SIGNATURE_TEXT_SIZE]);

/* Appends the value of the header webhook-signature. */
void signature_write(buf_t *out, const signature_key_t *keys, size_t count, const char *id,
                     int64_t timestamp_s, const void *body, size_t size);

typedef enum { SIGNATURE_STANDARD, SIGNATURE_STRIPE, SIGNATURE_PLAIN } signature_scheme_t;

typedef enum {
    SIGNATURE_GOOD,
    SIGNATURE_MISSING, /* a header is, or cannot be read */
    SIGNATURE_STALE,   /* the timestamp is too far from now */
    SIGNATURE_WRONG,
} signature_verdict_t;

/* What came with a webhook; what a scheme does not use may be NULL. */
typedef struct {
    const char *id, *timestamp; /* webhook-id, webhook-timestamp */
    const char *signature;
    const void *body;
    size_t size;
} signature_message_t;

/* Whether one of the keys has signed the message, not longer ago than the tolerance (the plain
 * scheme knows no time). */
signature_verdict_t signature_verify(signature_scheme_t scheme, const signature_message_t *message,
                                     const signature_key_t *keys, size_t count, int64_t now_s);

/* A sentence for each verdict. */
const char *signature_verdict_text(signature_verdict_t verdict);

#endif
