/* SPDX-License-Identifier: MPL-2.0
 *
 * vault - what only this system can read, make or recognise
 *
 * Keys that follow from the service's secret (actors/runtime/secret.h), one for each use.
 */
#ifndef SIGNALBOX_AUTH_VAULT_H
#define SIGNALBOX_AUTH_VAULT_H

#include "actors/runtime/secret.h"

#define VAULT_KEY_BYTES  32
#define VAULT_HASH_BYTES 32
#define VAULT_OVERHEAD   40 /* bytes sealing adds */

typedef struct {
    uint8_t sealing[VAULT_KEY_BYTES], refreshing[VAULT_KEY_BYTES], auditing[VAULT_KEY_BYTES],
        veiling[VAULT_KEY_BYTES];
} vault_t;

/* `hex` is the setting, 64 digits, or "" for the file. False with a sentence in `why`. */
bool vault_open(vault_t *self, const char *hex, const char *data_folder, char *why,
                size_t why_size) MUST_CHECK;
void vault_close(vault_t *self);

/* Seals `plain`, bound to `name`: it opens under that name only (XChaCha20-Poly1305). Appends to
 * `out`. */
void vault_seal(const vault_t *self, const char *name, const void *plain, size_t size, buf_t *out);

/* Opens what `vault_seal` wrote into `plain`, which holds `size` less VAULT_OVERHEAD bytes. False
 * when it was sealed with another secret or under another name, or changed since. */
bool vault_unseal(const vault_t *self, const char *name, const void *sealed, size_t size,
                  void *plain) MUST_CHECK;

/* The same with a key that `veil` takes part in: when the veil is gone, nobody opens it, though
 * they had the secret. */
void vault_veil(const vault_t *self, const uint8_t veil[VAULT_KEY_BYTES], const void *plain,
                size_t size, buf_t *out);
bool vault_unveil(const vault_t *self, const uint8_t veil[VAULT_KEY_BYTES], const void *sealed,
                  size_t size, void *plain) MUST_CHECK;

/* The refresh token that follows another one: the same for whoever asks twice. */
void vault_next_token(const vault_t *self, const uint8_t token[VAULT_KEY_BYTES],
                      uint8_t next[VAULT_KEY_BYTES]);

/* The hash of an entry of the audit log, which covers the one before. */
void vault_chain(const vault_t *self, const uint8_t previous[VAULT_HASH_BYTES], const void *entry,
                 size_t size, uint8_t hash[VAULT_HASH_BYTES]);

#endif
