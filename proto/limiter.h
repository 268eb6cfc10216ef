/* SPDX-License-Identifier: MPL-2.0
 *
 * limiter - the contract of the service that counts who has used how much
 *
 * A subject is whoever is counted: "address:203.0.113.7", "account:acme". A policy is "at most so
 * much in so long". One `take` counts one subject under several policies, all of them or none. Each
 * subject belongs to one instance, which the broker finds by the route key: a caller of take, peek
 * and refund sends it with FRAME_ROUTE_KEY, or it is counted in the wrong place.
 */
#ifndef SIGNALBOX_PROTO_LIMITER_H
#define SIGNALBOX_PROTO_LIMITER_H

#include <string.h>

#include "actors/base/id.h"
#include "proto/method.h"

#define LIMITER_SUBJECT_LENGTH   128                          /* of a subject, in code points */
#define LIMITER_SUBJECT_SIZE_MAX (4 * LIMITER_SUBJECT_LENGTH) /* in bytes */
#define LIMITER_NAME_BYTES       64                           /* of a policy's name */
#define LIMITER_TAKE_POLICIES    8                            /* that one take may name */
#define LIMITER_COST_MAX         1000
#define LIMITER_LEASE_MAX        1000
#define LIMITER_LIMIT_MAX        1000000
#define LIMITER_WINDOW_MS_MAX    INT64_C(2678400000) /* 31 days */
#define LIMITER_TOP_MAX          100

/* Which instance counts the subject. */
static inline uint64_t limiter_route_key(const char *subject)
{
    return id_hash(subject, strlen(subject));
}

extern const method_t limiter_take, limiter_peek, limiter_refund, limiter_top, limiter_policies,
    limiter_policy_set, limiter_policy_delete;

extern const service_t limiter_service;

#endif
