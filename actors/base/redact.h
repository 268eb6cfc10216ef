/* SPDX-License-Identifier: MPL-2.0
 *
 * redact - keeps secrets out of what is written down
 *
 * Two questions: whether a name is one of those under which secrets stand ("password",
 * "refresh_token"), and which stretches of a text look like secrets: our own tokens and keys, those
 * of well-known services, JWTs, credentials behind "Bearer" or in an URL, `password=...`. It finds
 * what has a form: a password that stands alone in a sentence looks like any other word, so whoever
 * has one writes it nowhere.
 */
#ifndef SIGNALBOX_REDACT_H
#define SIGNALBOX_REDACT_H

#include "actors/base/buf.h"

#define REDACT_MASK "***"

/* Whether one of the words of the name (parted by anything that is no letter) says that it names a
 * secret. Case does not matter. */
bool redact_is_secret_key(const char *key, size_t size);

typedef struct {
    size_t begin, end; /* what is to be hidden: [begin, end) */
} redact_span_t;

/* Finds the first stretch that begins at `from` or behind; false when there is none. What stands
 * before `from` is looked at, too, so pass the whole text every time. */
bool redact_next(const char *text, size_t size, size_t from, redact_span_t *span);

/* Appends the text with every such stretch replaced by REDACT_MASK. */
void redact_text(const char *text, size_t size, buf_t *out);

#endif
