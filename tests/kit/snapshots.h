/* SPDX-License-Identifier: MPL-2.0
 *
 * snapshots - views of snapshots that a test makes of JSON or of a set of counters
 */
#ifndef SIGNALBOX_TEST_SNAPSHOTS_H
#define SIGNALBOX_TEST_SNAPSHOTS_H

#include "proto/json.h"
#include "proto/snapshot.h"
#include "proto/view.h"

/* The view of a snapshot given as JSON; NULL when it is refused. */
static inline view_t *snapshots_of_json(const char *text)
{
    buf_t bytes = { 0 };
    json_error_t error;
    insist(json_to_msgpack(text, strlen(text), VALUE_LIMITS, 0, &bytes, &error));
    view_t *view = view_read(bytes.bytes, bytes.size);
    buf_free(&bytes);
    return view;
}

/* The view of what a set counts now. */
static inline view_t *snapshots_of_stats(const stats_t *stats, snapshot_t snapshot)
{
    buf_t bytes = { 0 };
    pack_t pack;
    if (!snapshot.interval_ms)
        snapshot.interval_ms = 5000;
    snapshot_add(&snapshot, stats);
    pack_init(&pack, &bytes);
    snapshot_write(&snapshot, &pack);
    view_t *view = view_read(bytes.bytes, bytes.size);
    insist(view);
    buf_free(&bytes);
    return view;
}

#endif
