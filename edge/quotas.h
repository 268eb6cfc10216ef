/* SPDX-License-Identifier: MPL-2.0
 *
 * quotas - the rate limits in force, as the limiter publishes them
 *
 * Immutable, shared by counting references: the limiter sends a whole new set when one changes.
 */
#ifndef SIGNALBOX_EDGE_QUOTAS_H
#define SIGNALBOX_EDGE_QUOTAS_H

#include "actors/base/base.h"
#include "proto/limiter.h"

#define QUOTAS_MAX 1024

typedef struct {
    char name[LIMITER_NAME_BYTES + 1];
    int64_t limit, window_ms;
} quota_t;

typedef struct quotas quotas_t;

/* Reads an event of the topic `limiter.policies`; NULL when it is none. One reference for the
 * caller. */
quotas_t *quotas_read(const void *bytes, size_t size);
quotas_t *quotas_hold(quotas_t *self);
void quotas_drop(quotas_t **self_p);

/* Grows with every change. */
int64_t quotas_version(const quotas_t *self);

/* The policy of that name, or NULL; borrowed from the set. */
const quota_t *quotas_find(const quotas_t *self, const char *name);

/* What holds for a rate class: "<general>.<class>" if there is such a policy, else "<class>", else
 * NULL; `general` is a tier, or "address". */
const quota_t *quotas_of_class(const quotas_t *self, const char *general, const char *rate_class);

#endif
