/* SPDX-License-Identifier: MPL-2.0
 *
 * challenge - what somebody has who has shown a password, and is still to show a code
 *
 * It is sealed (vault.h) and stored nowhere: it says whose password was shown, which password it
 * was, and until when that counts. A password that is changed meanwhile makes it void.
 */
#ifndef SIGNALBOX_AUTH_CHALLENGE_H
#define SIGNALBOX_AUTH_CHALLENGE_H

#include "actors/auth/token.h"
#include "actors/auth/vault.h"

#define CHALLENGE_MS   INT64_C(300000)
#define CHALLENGE_SIZE 160 /* of the text with its NUL */

typedef struct {
    char user_id[ID_UUID_SIZE];
    uint8_t password[TOKEN_BYTES]; /* hash of the hash that is stored */
    int64_t expires_ms;
} challenge_t;

/* For the user whose stored password this is. */
challenge_t challenge_make(const char *user_id, const char *stored, int64_t now_ms);

const char *challenge_write(const challenge_t *self, const vault_t *vault,
                            char text[CHALLENGE_SIZE]);

/* False when it is none of ours, or its time is over. */
bool challenge_read(challenge_t *self, const vault_t *vault, const char *text,
                    int64_t now_ms) MUST_CHECK;

/* Whether that is still the password that was shown. */
bool challenge_is_of(const challenge_t *self, const char *stored);

#endif
