/* SPDX-License-Identifier: MPL-2.0
 *
 * cache - the contract of the service that keeps answers which need not be computed twice
 *
 * A key belongs to one instance, found by its route key: callers send FRAME_ROUTE_KEY with
 * `cache_route_key`. That is what makes one computation of many equal misses without a lock between
 * instances. Keys are the caller's business; whoever keeps data of several tenants puts the tenant
 * into the key.
 *
 * How a caller uses it (leases: Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013):
 *
 *     get    hit, or stale without a lease: use the value
 *            miss or stale with a lease: compute, then `set` with the lease, or `release` it
 *            miss without a lease: nobody's result came in time; compute, and keep it to yourself
 *
 * A request without an answer from the cache is a miss without a lease: the cache is never needed.
 */
#ifndef SIGNALBOX_PROTO_CACHE_H
#define SIGNALBOX_PROTO_CACHE_H

#include "actors/base/id.h"
#include "proto/method.h"

#define CACHE_KEY_BYTES    512
#define CACHE_TAG_BYTES    128
#define CACHE_TAGS_MAX     16  /* of one value */
#define CACHE_DROPS_MAX    100 /* tags, and keys, of one invalidation */
#define CACHE_WARM_MAX     100 /* values of one `warm` */
#define CACHE_TTL_MAX_S    86400
#define CACHE_WAIT_MAX_MS  30000
#define CACHE_LEASE_MAX_MS 60000

/* Names of the classes of times to live, as the configuration sets them. */
#define CACHE_CLASSES "short medium long result static session"

extern const method_t cache_get, cache_set, cache_release, cache_delete, cache_warm,
    cache_invalidate, cache_drop, cache_stats, cache_report;

extern const service_t cache_service;

/* Which instance a key belongs to: FNV-1a, 64 bits, of its bytes. */
static inline uint64_t cache_route_key(const void *key, size_t size)
{
    return id_hash(key, size);
}

#endif
