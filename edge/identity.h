/* SPDX-License-Identifier: MPL-2.0
 *
 * identity - on whose behalf a request is made, packed once
 *
 * What of a principal stays the same for all requests of a caller is packed when the caller becomes
 * known; each request then adds its own id, address and trace state to a copy of the bytes.
 * Identities are shared by counting references and never change, but may become void.
 */
#ifndef SIGNALBOX_EDGE_IDENTITY_H
#define SIGNALBOX_EDGE_IDENTITY_H

#include <stdatomic.h>

#include "proto/principal.h"
#include "proto/value.h"

typedef struct {
    _Atomic int references;
    _Atomic bool is_void;  /* something about the caller has changed: it must prove itself anew */
    principal_t principal; /* without request id, address and tracestate */
    char key_id[PRINCIPAL_NAME_BYTES + 1]; /* of an API key; "" */
    bool signs;                            /* its sensitive requests must be signed */
    int64_t expires_ms;                    /* wall clock: until when it may be remembered */
    buf_t packed;
} identity_t;

/* The caller that has not signed in: account, user and tier `anonymous`, no roles, no scopes. With
 * one reference for the caller, as what follows. */
identity_t *identity_new_anonymous(void);

/* Reads a reply to auth.identify; NULL when it is none. */
identity_t *identity_read(const value_t *reply);

identity_t *identity_hold(identity_t *self);
void identity_drop(identity_t **self_p);

/* What of the principal is one request's own; texts may be "". */
typedef struct {
    const char *request_id, *address, *tracestate;
} identity_request_t;

/* The principal of one request. Replaces what is in `out`. */
void identity_pack(const identity_t *self, const identity_request_t *request, buf_t *out);

#endif
