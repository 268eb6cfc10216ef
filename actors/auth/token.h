/* SPDX-License-Identifier: MPL-2.0
 *
 * token - opaque secrets that are handed out: refresh tokens, invitations, codes, API keys
 *
 * 256 random bits behind a prefix that says what it is, so that scanners for leaked secrets find
 * it. Only the hash is stored; since the secret is random, a fast one is enough.
 */
#ifndef SIGNALBOX_AUTH_TOKEN_H
#define SIGNALBOX_AUTH_TOKEN_H

#include "actors/base/id.h"

#define TOKEN_BYTES 32 /* of the secret, and of its hash */
#define TOKEN_SIZE  48 /* of the text with its NUL */

#define TOKEN_REFRESH "sbr_"
#define TOKEN_INVITE  "sbi_"
#define TOKEN_RESET   "sbp_"
#define TOKEN_SIGNING "sbs_"
#define TOKEN_VERIFY  "sbv_"

/* The text of a secret; returns `text`. */
const char *token_write(const char *prefix, const uint8_t secret[TOKEN_BYTES],
                        char text[TOKEN_SIZE]);

/* False when the text is none of this prefix, exactly as it would be written. */
bool token_read(const char *prefix, const char *text, uint8_t secret[TOKEN_BYTES]) MUST_CHECK;

void token_hash(const uint8_t secret[TOKEN_BYTES], uint8_t hash[TOKEN_BYTES]);

/* API keys: sbx_live_<id>_<secret>, the id being a UUID without its dashes. */
#define TOKEN_KEY_SIZE 86 /* of the text with its NUL */
const char *token_write_key(const char *id, const uint8_t secret[TOKEN_BYTES],
                            char text[TOKEN_KEY_SIZE]);
bool token_read_key(const char *text, char id[ID_UUID_SIZE],
                    uint8_t secret[TOKEN_BYTES]) MUST_CHECK;

#endif
