/* SPDX-License-Identifier: MPL-2.0
 *
 * content - whether a request's body is of a kind that is read here
 */
#ifndef SIGNALBOX_EDGE_CONTENT_H
#define SIGNALBOX_EDGE_CONTENT_H

#include "edge/exchange.h"

/* Whether there is no body, or one of JSON in UTF-8 that is not packed. False with a failure set.
 */
bool content_check(exchange_t *exchange) MUST_CHECK;

#endif
