/* SPDX-License-Identifier: MPL-2.0
 *
 * method - one method of a service, described once
 *
 * A row says everything about a method but its code. Validation at the edge and in the actor, the
 * HTTP route, the OpenAPI document and the permission check all read it; a handler cannot forget
 * what the row decides.
 */
#ifndef SIGNALBOX_METHOD_H
#define SIGNALBOX_METHOD_H

#include "proto/error.h"
#include "proto/field.h"

typedef enum {
    ACCESS_INTERNAL, /* other services only, never over HTTP */
    ACCESS_PUBLIC,   /* anybody */
    ACCESS_USER,     /* whoever is signed in; `role` and `scope` may ask for more */
    ACCESS_COUNT
} access_t;

/* When the answer may be served again without asking the service. A GET's is; that of another verb
 * only if the method is idempotent by content and answers 200, rather than its own status, when the
 * same was done before. A method with tags and no time to live makes void what has these tags. */
typedef struct {
    uint32_t ttl_s;   /* 0: not cached */
    const char *vary; /* "account", "user", or NULL when the same for everybody */
    const char *tags; /* "analysis:{id}", several separated by spaces; names in braces are fields of
                         the request, or, where an answer to another verb than GET is kept, of the
                         reply */
} cache_rule_t;

/* How HTTP reaches the method; `route` NULL: it does not. */
typedef struct {
    const char *route;    /* "POST /v1/analyses", path parameters in braces */
    uint16_t status;      /* of success; 0 is 200. The handler may answer another 2xx */
    const char *body;     /* field that takes the whole body; NULL: the body's members are fields */
    const char *headers;  /* field that takes the headers, but for those that say who calls; the
                             field `body` then takes the body as text, whatever its type. For what
                             is signed as it stands */
    const char *location; /* Location header of a 201, fields of the reply in braces */
    const char *accepted; /* likewise of a 202, which is then a job that answers later */
    const char *media;    /* media type when the answer is not JSON: the reply is then one text
                             field, `content` */
    const char *sunset;   /* date-time after which the route goes (RFC 8594); NULL: it stays */
} http_binding_t;

typedef struct {
    const char *name;    /* "submit"; the full name is "analysis.submit" */
    const char *summary; /* a few words */
    const char *about;   /* sentences; may be NULL */
    const field_t *request, *reply;
    const error_code_t *errors; /* it may return besides the general ones; ends with ERROR_NONE */
    access_t access;
    const char *role;     /* that the caller must have; NULL: any */
    const char *scope;    /* that a key must have; NULL: any */
    const char *rate;     /* rate class: "read", "analysis" ...; NULL: none */
    uint32_t cost;        /* tokens of that class; 0 is 1 */
    const char *cost_per; /* array field of the request: each of its items costs that; NULL: the
                             request as a whole does */
    const char *flag;     /* feature flag that must be on for the caller; NULL: none */
    bool sensitive;       /* recorded in the audit log, and signed by keys that sign */
    bool idempotent;      /* a request may be sent again when its instance was lost */
    uint32_t deadline_ms; /* when the caller gives none; 0 is METHOD_DEADLINE_MS */
    cache_rule_t cache;
    http_binding_t http;
} method_t;

#define METHOD_DEADLINE_MS 10000
#define METHOD_NAME_BYTES  64 /* of a service's or a method's name */

typedef struct {
    const char *name;    /* "analysis" */
    const char *version; /* of the interface: "1.0.0" */
    const char *about;
    const method_t *const *methods; /* ends with NULL */
} service_t;

#endif
