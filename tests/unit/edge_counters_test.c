/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include "edge/counters.h"
#include "proto/view.h"
#include "tests/tap.h"

/* The edge's table is one that whoever reads snapshots takes as it is. */
static void test_rows(void)
{
    stats_t stats;
    buf_t bytes = { 0 };
    pack_t pack;
    const char *const labels[] = { "GET", "/v1/ping", "200" };
    stats_init(&stats, counter_rows);
    is_int(stats.count, COUNT_ROWS);
    series_add(stats_at(&stats, COUNT_REQUESTS, labels), 1);
    series_record(stats_at(&stats, COUNT_REQUEST_TIME, labels), 100);
    snapshot_t snapshot = {
        .part = "edge", .instance = "edge-1", .boot = 1, .sequence = 1, .interval_ms = 5000
    };
    snapshot_add(&snapshot, &stats);
    pack_init(&pack, &bytes);
    snapshot_write(&snapshot, &pack);
    view_t *view = view_read(bytes.bytes, bytes.size);
    ok(view != NULL);
    is_int(view->left_out, 0);
    const view_family_t *requests = view_family(view, "http_requests_total");
    is_text(requests->series[0].labels, "method=\"GET\",route=\"/v1/ping\",status=\"200\"");
    is_int(view_family(view, "edge_problems_total")->count, ERROR_COUNT);
    view_drop(&view);
    buf_free(&bytes);
    stats_free(&stats);
}

TESTS({ "rows", test_rows })
