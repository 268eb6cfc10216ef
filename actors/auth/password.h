/* SPDX-License-Identifier: MPL-2.0
 *
 * password - which passwords are taken, and how they are kept
 *
 * NIST SP 800-63B-4, 3.1.1: length counts, in code points; all characters are allowed, nothing is
 * demanded of them and nothing is cut; what is common, or made of the user's own name or address,
 * is refused with a reason. Kept as Argon2id (RFC 9106) by libsodium.
 */
#ifndef SIGNALBOX_AUTH_PASSWORD_H
#define SIGNALBOX_AUTH_PASSWORD_H

#include "actors/base/base.h"

#define PASSWORD_HASH_SIZE 128 /* with its NUL: crypto_pwhash_STRBYTES */

typedef struct {
    uint64_t passes;
    size_t memory_bytes;
} password_cost_t;

/* NULL when the password is good, else a sentence that says why not. `words` are the user's own,
 * ending with NULL; each may be "". */
const char *password_refusal(const char *password, int64_t least, const char *const *words);

/* A new hash. Takes tens of milliseconds. */
void password_hash(const password_cost_t *cost, const char *password,
                   char hash[PASSWORD_HASH_SIZE]);

/* Whether the password is the hash's, in the time of the hash's cost. */
bool password_fits(const char *hash, const char *password);

/* Whether the hash was made with another cost than this. */
bool password_is_outdated(const password_cost_t *cost, const char *hash);

#endif
