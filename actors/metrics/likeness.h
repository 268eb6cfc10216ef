/* SPDX-License-Identifier: MPL-2.0
 *
 * likeness - what a message says, without what differs each time it is said
 *
 * Words that name one thing are replaced by their kind, so that messages that say the same of
 * different things are alike:
 *
 *     uuids, long hexadecimal, long words of letters and digits    <id>
 *     addresses, with a port or without; e-mail                    <address>
 *     dates with times (RFC 3339)                                  <time>
 *     every other run of digits                                    <n>
 */
#ifndef SIGNALBOX_METRICS_LIKENESS_H
#define SIGNALBOX_METRICS_LIKENESS_H

#include "actors/base/buf.h"

/* Appends it to `out`; never longer than four times the text. */
void likeness_write(const char *text, buf_t *out);

#endif
