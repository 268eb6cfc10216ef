/* SPDX-License-Identifier: MPL-2.0
 *
 * descriptor - a service's description as it travels
 *
 * A service sends its descriptor when it registers; the broker passes it on, the edge makes routes
 * and documentation of it. It is a msgpack map; docs/protocol.md lists its members. Descriptors
 * come from other teams' processes too, so reading one bounds everything and refuses, with a
 * sentence, what would not be enforced.
 */
#ifndef SIGNALBOX_DESCRIPTOR_H
#define SIGNALBOX_DESCRIPTOR_H

#include "proto/method.h"

#define DESCRIPTOR_BYTES_MAX   (256 * 1024)
#define DESCRIPTOR_METHODS_MAX 128
#define DESCRIPTOR_PATH_BYTES  200
#define DESCRIPTOR_WHY_SIZE    300

typedef struct {
    const char *name;
    const char *summary, *about; /* "" when not given */
    access_t access;
    const char *role, *scope, *rate, *flag; /* NULL when not given */
    uint32_t cost;
    const char *cost_per; /* NULL when not given */
    bool sensitive;
    bool idempotent;
    uint32_t deadline_ms;
    cache_rule_t cache;
    const char *verb; /* "POST"; NULL: no HTTP binding */
    const char *path; /* "/v1/analyses/{id}" */
    uint16_t status;
    /* NULL when not given */
    const char *body, *headers, *location, *accepted, *media, *sunset;
    const value_t *request_json, *reply_json; /* the JSON Schemas */
    const schema_t *request, *reply;          /* compiled; reply may be NULL: anything */
    const value_t *errors;                    /* array of symbols, or NULL */
} descriptor_method_t;

typedef struct {
    const char *service, *version, *about;
    descriptor_method_t *methods;
    uint32_t method_count;
    const value_t *components; /* map of JSON Schemas, or NULL */
    uint64_t hash;             /* BLAKE2b-64 of the bytes: equal hash, equal schemas */
    const uint8_t *bytes;
    size_t size;
    arena_t arena; /* holds all of the above */
    schema_set_t *schemas;
} descriptor_t;

/* How an access_t is written. */
extern const char *const descriptor_accesses[ACCESS_COUNT];

/* Packs the descriptor of a service of ours. */
void descriptor_write(const service_t *service, pack_t *out);

/* Reads a descriptor; NULL with a sentence in `why` when it is not acceptable. Copies the bytes. */
descriptor_t *descriptor_read(const void *bytes, size_t size, char why[DESCRIPTOR_WHY_SIZE]);

void descriptor_destroy(descriptor_t **self_p);

/* The method of that name, or NULL. */
const descriptor_method_t *descriptor_method(const descriptor_t *self, const char *name,
                                             size_t size);

/* Orders versions "1.10.0" > "1.9.3" by their numbers; text that is none sorts lowest. */
int descriptor_compare_versions(const char *a, const char *b);

#endif
