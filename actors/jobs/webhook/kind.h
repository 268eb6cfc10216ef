/* SPDX-License-Identifier: MPL-2.0
 *
 * kind - kinds of events, and which of them a subscription wants
 *
 * A kind is dotted text, "analysis.finished". What is wanted is a kind, all that begins as
 * "analysis.*" does, or "*".
 */
#ifndef SIGNALBOX_WEBHOOK_KIND_H
#define SIGNALBOX_WEBHOOK_KIND_H

#include "proto/value.h"

/* Whether a text says what is wanted. */
bool kind_is_wish(const char *text, size_t size);

/* Each of the wishes, a JSON array of texts. */
typedef void (*kind_each_t)(void *arg, const char *wish, size_t size);
void kind_each(const char *wishes, kind_each_t each, void *arg);

/* Whether one of the wishes, a JSON array of texts, is for this kind. */
bool kind_is_wanted(const char *wishes, const char *kind);

#endif
