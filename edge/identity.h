/* SPDX-License-Identifier: MPL-2.0
 *
 * identity - on whose behalf a request is made, packed once
 *
 * What of a principal stays the same for all requests of a caller is packed when the caller becomes
 * known; each request then adds its own id and trace state to a copy of the bytes.
 */
#ifndef SIGNALBOX_EDGE_IDENTITY_H
#define SIGNALBOX_EDGE_IDENTITY_H

#include "proto/principal.h"

typedef struct {
    principal_t principal; /* without request id and tracestate */
    buf_t packed;
} identity_t;

/* The caller that has not signed in: account, user and tier `anonymous`, no roles, no scopes. */
void identity_init_anonymous(identity_t *self);
void identity_free(identity_t *self);

/* The principal of one request; `tracestate` may be "". Replaces what is in `out`. */
void identity_pack(const identity_t *self, const char *request_id, const char *tracestate,
                   buf_t *out);

#endif
