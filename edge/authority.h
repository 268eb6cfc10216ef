/* SPDX-License-Identifier: MPL-2.0
 *
 * authority - whose a token or an API key is
 *
 * Access tokens are verified here, with the keys that auth publishes (proto/jwt.h); then auth is
 * asked once what the session may do now, as it is once for an API key, and the answer is
 * remembered until it expires or something changes (edge/watch.h).
 */
#ifndef SIGNALBOX_EDGE_AUTHORITY_H
#define SIGNALBOX_EDGE_AUTHORITY_H

#include "actors/base/stats.h"
#include "edge/identities.h"
#include "edge/inquiry.h"
#include "edge/watch.h"
#include "proto/jwt.h"

#define AUTHORITY_KEYS_MAX 16
#define AUTHORITY_KEY_MAX  128 /* bytes of an API key */

typedef struct {
    char issuer[256], audience[256];
    jwt_key_t list[AUTHORITY_KEYS_MAX];
    size_t count; /* 0: none are known yet */
} authority_keys_t;

typedef struct {
    inquiry_t auth;
    identities_t identities;
    stats_t *stats;
    pthread_mutex_t mutex; /* over what follows */
    authority_keys_t keys;
    watch_t watch;
} authority_t;

void authority_init(authority_t *self, stats_t *stats);
void authority_free(authority_t *self);

/* Before the first request: the bus on which auth is. */
void authority_connect(authority_t *self, client_t *bus);

/* The periodic work: looks for silence. */
void authority_tick(authority_t *self, uint64_t now_ms);

/* Whether all that was taken away from anybody has been heard of. */
bool authority_is_in_order(authority_t *self);

/* ---- one request ---------------------------------------------------------------------------- */

typedef enum {
    CREDENTIAL_NONE,    /* none was sent */
    CREDENTIAL_GOOD,    /* it is somebody's */
    CREDENTIAL_BAD,     /* it is nobody's, or no credential at all */
    CREDENTIAL_UNKNOWN, /* auth cannot be asked */
} credential_state_t;

/* What a caller sent; texts are borrowed from its headers. */
typedef struct {
    const char *token;   /* NULL: it is a key */
    const char *api_key; /* NULL: it is a token */
    size_t size;
    uint8_t hash[IDENTITIES_BYTES];
} credential_t;

/* Reads `Authorization` and `X-API-Key`, each may be NULL. GOOD: there is one that may be good. */
credential_state_t credential_read(credential_t *self, const char *authorization,
                                   const char *api_key);

/* The caller if it is remembered, else NULL; with a reference. */
identity_t *authority_recall(authority_t *self, const credential_t *credential);

/* Finds out; GOOD with an identity and a reference to it. */
credential_state_t authority_identify(authority_t *self, const credential_t *credential,
                                      identity_t **identity);

#endif
