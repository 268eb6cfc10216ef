/* SPDX-License-Identifier: MPL-2.0
 *
 * shared - the second level: values in Redis, which instances share
 *
 * The only file with Redis commands. What it uses there:
 *
 *     sbx:cache:v:KEY    a record (record.h), for as long as it is fresh
 *     sbx:cache:t:TAG    the epoch of the tag's last invalidation
 *     sbx:cache:epoch    the epoch of the last invalidation of any tag
 *
 * An epoch is the time of the Redis server in microseconds, made to grow. A record is valid unless
 * one of its tags was invalidated in a later epoch than the record's. So an invalidation by tags
 * costs one small script, however many values have the tag; they are refused when they are read.
 * Keys and prefixes are removed by UNLINK and SCAN.
 *
 * Callbacks run on the connection's thread.
 */
#ifndef SIGNALBOX_CACHE_SHARED_H
#define SIGNALBOX_CACHE_SHARED_H

#include "actors/cache/drop.h"
#include "actors/cache/record.h"
#include "actors/runtime/redis.h"

/* How a look-up ended: `record` is NULL when there is no valid one. `epoch` is the present one, 0
 * when it could not be learnt: then a value computed from now on is refused when it is read, which
 * is the safe side. Borrowed for the call. */
typedef void (*shared_found_fn)(void *arg, const record_t *record, uint64_t epoch);

/* Looks a key up; false when Redis is away: then the callback does not run. */
bool shared_look(redis_t *redis, span_t key, shared_found_fn on_found, void *arg) MUST_CHECK;

/* Keeps a record, and removes keys; best effort, counted by the connection. False when Redis was
 * not told. */
bool shared_put(redis_t *redis, span_t key, const record_t *record);
bool shared_remove(redis_t *redis, span_t key);

/* How a purge ended: whether Redis has carried it all out, the epoch of the tags (0 without any),
 * keys removed. */
typedef void (*shared_purged_fn)(void *arg, bool good, uint64_t epoch, uint64_t removed);

/* Carries an invalidation out, which names something; false when Redis is away. */
bool shared_purge(redis_t *redis, const drop_t *drop, shared_purged_fn on_purged,
                  void *arg) MUST_CHECK;

#endif
