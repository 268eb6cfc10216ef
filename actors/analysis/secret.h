/* SPDX-License-Identifier: MPL-2.0
 *
 * secret - credentials written into a text
 *
 * Recognised are the forms that services give their keys (a prefix, an alphabet, a length), private
 * keys, passwords inside addresses, and any random-looking text that stands under a name such as
 * "Authorization" or "apiKey". Placeholders, expressions and public keys are not.
 *
 * Nothing of a secret may leave the analysis but its form's prefix, its length, and the start of
 * its hash, by which its owner finds it again.
 */
#ifndef SIGNALBOX_ANALYSIS_SECRET_H
#define SIGNALBOX_ANALYSIS_SECRET_H

#include "actors/analysis/slice.h"

#define SECRET_HASH_SIZE 9 /* 8 hex digits and the NUL */

typedef struct {
    const char *what;   /* "an OpenAI key" */
    const char *prefix; /* what may be shown; "" for none */
    slice_t text;       /* all of it: never to be shown */
} secret_t;

/* The next secret in `text` at or behind `*from`, which is moved behind it; false when there is
 * none. `label` is the name the text stands under. Linear in the text. */
bool secret_next(slice_t text, slice_t label, uint32_t *from, secret_t *found);

/* The first 8 hex digits of its SHA-256; returns `hash`. */
const char *secret_hash(slice_t secret, char hash[SECRET_HASH_SIZE]);

#endif
