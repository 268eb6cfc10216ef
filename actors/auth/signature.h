/* SPDX-License-Identifier: MPL-2.0
 *
 * signature - what a signed request is signed over
 *
 * HMAC-SHA256 (RFC 2104) with the secret's text as the key, over these lines, with a line feed
 * between them and none behind the last:
 *
 *     sbx-hmac-sha256-v1
 *     the method
 *     the target: path and query as they were sent
 *     the SHA-256 of the body, in hex
 *     the time in seconds since 1970
 *     the nonce
 *
 * None of them can hold a line feed, so that no two requests are the same lines.
 */
#ifndef SIGNALBOX_AUTH_SIGNATURE_H
#define SIGNALBOX_AUTH_SIGNATURE_H

#include "actors/base/base.h"

#define SIGNATURE_BYTES 32

typedef struct {
    const char *method, *target, *digest, *nonce;
    int64_t time_s;
} signed_t;

void signature_make(const signed_t *what, const void *secret, size_t size,
                    uint8_t mac[SIGNATURE_BYTES]);

/* Whether the hex digits are that signature; takes the same time wherever they differ. */
bool signature_is(const signed_t *what, const void *secret, size_t size, const char *hex);

#endif
