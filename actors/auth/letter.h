/* SPDX-License-Identifier: MPL-2.0
 *
 * letter - what the mails of the outbox say
 */
#ifndef SIGNALBOX_AUTH_LETTER_H
#define SIGNALBOX_AUTH_LETTER_H

#include "actors/base/buf.h"

typedef struct {
    const char *kind; /* as the outbox has it: "password_reset" */
    const char *name; /* of whoever gets it; NULL: not known */
    const char *code; /* that it carries; NULL: none */
    int64_t expires_ms;
} letter_t;

/* Its subject; NULL: no mail of that kind is known. */
const char *letter_subject(const letter_t *self);

void letter_write(const letter_t *self, buf_t *text);

#endif
