/* SPDX-License-Identifier: MPL-2.0
 *
 * principal - on whose behalf a request is made
 *
 * Only the edge's socket may assert one; the broker takes it out of anybody else's messages. A
 * request without one comes from a service and acts for itself.
 */
#ifndef SIGNALBOX_PRINCIPAL_H
#define SIGNALBOX_PRINCIPAL_H

#include "proto/pack.h"

#define PRINCIPAL_NAME_BYTES  64
#define PRINCIPAL_LISTS_MAX   16  /* roles, and scopes */
#define PRINCIPAL_STATE_BYTES 512 /* of W3C tracestate */
#define PRINCIPAL_BYTES_MAX   4096

typedef struct {
    char account[PRINCIPAL_NAME_BYTES + 1]; /* the tenant whose data the request may touch */
    char user[PRINCIPAL_NAME_BYTES + 1];
    char tier[PRINCIPAL_NAME_BYTES + 1];
    char session[PRINCIPAL_NAME_BYTES + 1];    /* signed in with; "" with an API key */
    char address[PRINCIPAL_NAME_BYTES + 1];    /* of the client, for the audit log */
    char request_id[PRINCIPAL_NAME_BYTES + 1]; /* of the HTTP request, for the logs */
    char tracestate[PRINCIPAL_STATE_BYTES + 1];
    uint8_t role_count, scope_count;
    char roles[PRINCIPAL_LISTS_MAX][PRINCIPAL_NAME_BYTES + 1];
    char scopes[PRINCIPAL_LISTS_MAX][PRINCIPAL_NAME_BYTES + 1];
} principal_t;

void principal_write(const principal_t *self, pack_t *out);

/* False when the bytes are no principal; the principal is empty then. */
bool principal_read(principal_t *self, const void *bytes, size_t size) MUST_CHECK;

/* A caller with the scope `*` has every scope; roles are had one by one. */
bool principal_has_role(const principal_t *self, const char *role);
bool principal_has_scope(const principal_t *self, const char *scope);

#endif
