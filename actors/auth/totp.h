/* SPDX-License-Identifier: MPL-2.0
 *
 * totp - one-time passwords that follow the clock (RFC 6238): six digits, HMAC-SHA-1, 30 seconds
 *
 * What every authenticator app makes of a secret. The clock is passed in.
 */
#ifndef SIGNALBOX_AUTH_TOTP_H
#define SIGNALBOX_AUTH_TOTP_H

#include "actors/base/arena.h"

#define TOTP_SECRET_BYTES 20 /* RFC 4226, 4: as long as the hash */
#define TOTP_DIGITS       6
#define TOTP_STEP_MS      INT64_C(30000)

/* The code of a step, with its NUL. */
void totp_code(const uint8_t secret[TOTP_SECRET_BYTES], int64_t step, char code[TOTP_DIGITS + 1]);

/* The step the code is of: the present one or a neighbour (the clocks differ, people are slow), and
 * later than `last_step`; 0 when it is of none. */
int64_t totp_step(const uint8_t secret[TOTP_SECRET_BYTES], const char *code, int64_t now_ms,
                  int64_t last_step);

/* Bytes in base32 (RFC 4648) without padding; `size` is a multiple of five. */
const char *totp_base32(arena_t *arena, const void *bytes, size_t size);

/* What authenticator apps read as a picture: otpauth://totp/<issuer>:<user>?secret=... */
const char *totp_uri(arena_t *arena, const char *issuer, const char *user, const char *secret);

#endif
