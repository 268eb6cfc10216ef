/* SPDX-License-Identifier: MPL-2.0
 *
 * secret - the secret of a service that its instances share, and sealing with what follows from it
 *
 * 32 bytes: the setting `<service>.secret`, or else a file in the data folder, made at the first
 * start and readable by its owner alone. It does not lie in the database, so that a copy of the
 * database gives nobody what is sealed there. The secret itself is used for nothing: for each use a
 * key is derived.
 */
#ifndef SIGNALBOX_SECRET_H
#define SIGNALBOX_SECRET_H

#include "actors/base/buf.h"

#define SECRET_BYTES    32
#define SECRET_OVERHEAD 40 /* bytes sealing adds */

/* `hex` is the setting, 64 digits, or "" for the file. False with a sentence in `why`. */
bool secret_open(uint8_t secret[SECRET_BYTES], const char *service, const char *hex,
                 const char *data_folder, char *why, size_t why_size) MUST_CHECK;

/* The key for one use (libsodium's crypto_kdf); of the service's name the first 4 bytes count. */
void secret_derive(const uint8_t secret[SECRET_BYTES], const char *service, uint64_t use,
                   uint8_t key[SECRET_BYTES]);

/* Seals `plain`, bound to `name`: it opens under that name only (XChaCha20-Poly1305). Appends to
 * `out`. */
void secret_seal(const uint8_t key[SECRET_BYTES], const char *name, const void *plain, size_t size,
                 buf_t *out);

/* Opens what `secret_seal` wrote into `plain`, which holds `size` less SECRET_OVERHEAD bytes. False
 * when it was sealed with another key or under another name, or changed since. */
bool secret_unseal(const uint8_t key[SECRET_BYTES], const char *name, const void *sealed,
                   size_t size, void *plain) MUST_CHECK;

#endif
