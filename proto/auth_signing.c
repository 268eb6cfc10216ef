/* SPDX-License-Identifier: MPL-2.0
 *
 * auth_signing - the rows of the auth service for signed requests
 */
#include "config.h"

#include "proto/auth_fields.h"

static const error_code_t s_missing[] = { ERROR_NOT_FOUND, ERROR_NONE };
static const error_code_t s_wrong[] = { ERROR_UNAUTHENTICATED, ERROR_NONE };

#define SIGNING_COMMON                                                                             \
    .request = auth_id_request, .errors = s_missing, .access = ACCESS_USER, .scope = "account",    \
    .rate = "read", .sensitive = true

static const field_t s_secret_reply[] = {
    { "id", FIELD_STRING, .required = true, .format = "uuid", .about = "The key" },
    { "secret", FIELD_STRING, .required = true,
      .about = "What requests are signed with, shown this once" },
    { 0 },
};

const method_t auth_signing_create = {
    .name = "signing_create",
    .summary = "Gives an API key a signing secret",
    .about = "From now on sensitive requests with this key must be signed with it. It takes the "
             "place of the one before.",
    .reply = s_secret_reply,
    SIGNING_COMMON,
    .http = { .route = "POST /v1/keys/{id}/signing-secret", .status = 201 },
};

const method_t auth_signing_delete = {
    .name = "signing_delete",
    .summary = "Takes the signing secret of an API key away",
    SIGNING_COMMON,
    .http = { .route = "DELETE /v1/keys/{id}/signing-secret", .status = 204 },
};

static const field_t s_check_request[] = {
    { "key_id", FIELD_STRING, .required = true, .format = "uuid", .about = "Who asks" },
    { "method", FIELD_STRING, .required = true, .min = 1, .max = 16, .about = "Of HTTP" },
    { "target", FIELD_STRING, .required = true, .min = 1, .max = 65536,
      .about = "Path and query, as they were sent" },
    { "digest", FIELD_STRING, .required = true, .pattern = "^[0-9a-f]{64}$",
      .about = "SHA-256 of the body" },
    { "time", FIELD_INTEGER, .required = true, .min = 0, .max = 9007199254740991,
      .about = "When it was signed, in seconds since 1970" },
    { "nonce", FIELD_STRING, .required = true, .pattern = AUTH_NONCE_PATTERN,
      .about = "Used once" },
    { "mac", FIELD_STRING, .required = true, .pattern = "^[0-9a-f]{64}$",
      .about = "The signature" },
    { 0 },
};

const method_t auth_signature_check = {
    .name = "signature_check",
    .summary = "Whether a request is signed with its key's secret, now, and for the first time",
    .request = s_check_request,
    .errors = s_wrong,
    .access = ACCESS_INTERNAL,
    .deadline_ms = 2000,
};
