/* SPDX-License-Identifier: MPL-2.0
 *
 * signature - whether a sensitive request is signed, where its key asks for that
 *
 * A key that has a signing secret signs what is sensitive (docs/signing.md), so that whoever has
 * seen the key alone can do no lasting harm with it, and a request that was seen cannot be sent
 * again. The secret is known to auth alone, which is asked each time.
 */
#ifndef SIGNALBOX_EDGE_SIGNATURE_H
#define SIGNALBOX_EDGE_SIGNATURE_H

#include "edge/exchange.h"

#define SIGNATURE_HEADER "X-Signature"

/* What the header says: "t=1767225600,n=4f1c9a0be2d35678,v1=<64 hex digits>". */
typedef struct {
    int64_t time_s;
    char nonce[65];
    char mac[65];
} signature_t;

/* Reads the header, whose parts may stand in any order; false when it is none. */
bool signature_read(signature_t *self, const char *header) MUST_CHECK;

/* The step of serve.c, once the body has been read. False with a failure set. */
bool signature_check(exchange_t *exchange) MUST_CHECK;

#endif
