/* SPDX-License-Identifier: MPL-2.0
 *
 * message - a mail as it is sent (RFC 5322, MIME: RFC 2045 to 2047)
 *
 * Everything that does not fit into 7 bits and short lines is encoded, so that no server on the way
 * has to change it. What would end a header early is refused where it comes in, never repaired.
 */
#ifndef SIGNALBOX_MAIL_MESSAGE_H
#define SIGNALBOX_MAIL_MESSAGE_H

#include "actors/base/buf.h"

typedef struct {
    const char *from, *from_name; /* the name may be "" */
    const char *const *to;        /* ends with NULL */
    const char *reply_to;         /* NULL: none */
    const char *subject;
    const char *id;   /* of the message, without domain: the same mail has the same again */
    const char *text; /* and, perhaps, */
    const char *html; /* NULL: none */
    int64_t date_s;   /* since 1970 */
} message_t;

/* Whether a text may stand in a header: UTF-8 without control characters. */
bool message_is_safe(const char *text);

/* Appends the message, ready to be sent. Addresses are ASCII and valid. */
void message_write(const message_t *self, buf_t *out);

#endif
