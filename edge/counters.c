/* SPDX-License-Identifier: MPL-2.0
 *
 * counters - what the edge counts, and tells: every refusal and every drop has a row
 */
#include "config.h"

#include "actors/base/process.h"
#include "edge/counters.h"
#include "edge/state.h"

const stats_row_t counter_rows[COUNT_ROWS + 1] = {
    [COUNT_CONNECTIONS] = { "edge_connections_total", STATS_COUNTER, "Connections accepted" },
    [COUNT_CONNECTIONS_LIVE] = { "edge_connections_open", STATS_GAUGE, "Connections open now" },
    [COUNT_REFUSED_FULL] = { "edge_connections_refused_total{reason=\"full\"}", STATS_COUNTER,
                             "Connections answered 503 at once" },
    [COUNT_REFUSED_ADDRESS] = { "edge_connections_refused_total{reason=\"address\"}", STATS_COUNTER,
                                "Connections answered 503 at once" },
    [COUNT_REFUSED_DRAINING] = { "edge_connections_refused_total{reason=\"draining\"}",
                                 STATS_COUNTER, "Connections answered 503 at once" },
    [COUNT_ACCEPT_FAILURES] = { "edge_accept_failures_total", STATS_COUNTER,
                                "Connections the system could not hand over" },
    [COUNT_SHUT_IDLE] = { "edge_connections_shut_total{reason=\"idle\"}", STATS_COUNTER,
                          "Connections ended early because most threads were in use" },
    [COUNT_SHUT_SLOW] = { "edge_connections_shut_total{reason=\"slow\"}", STATS_COUNTER,
                          "Connections ended early because most threads were in use" },
    [COUNT_LATE_HEADS] = { "edge_late_total{what=\"head\"}", STATS_COUNTER,
                           "Requests that did not arrive in time" },
    [COUNT_LATE_BODIES] = { "edge_late_total{what=\"body\"}", STATS_COUNTER,
                            "Requests that did not arrive in time" },
    [COUNT_WRITE_FAILURES] = { "edge_write_failures_total", STATS_COUNTER,
                               "Answers that could not be written to the end" },
    [COUNT_BAD_HEADS] = { "edge_bad_heads_total", STATS_COUNTER,
                          "Requests refused before they were parsed" },
    [COUNT_PARSER_REFUSALS] = { "edge_parser_refusals_total", STATS_COUNTER,
                                "Requests that passed the guard and failed in the server's "
                                "parser" },
    [COUNT_REQUESTS] = { "http_requests_total{method,route,status}", STATS_COUNTER,
                         "Requests answered" },
    [COUNT_REQUEST_TIME] = { "http_request_duration_seconds{method,route}", STATS_TRACED,
                             "Time from the end of a request's head to the end of its answer" },
    [COUNT_SLOW] = { "http_requests_slow_total", STATS_COUNTER,
                     "Requests that took longer than edge.slow_ms" },
    [COUNT_IN_FLIGHT] = { "http_requests_in_flight", STATS_GAUGE, "Requests being answered" },
    [COUNT_BYTES_IN] = { "edge_body_bytes_total{direction=\"in\"}", STATS_COUNTER,
                         "Bytes of bodies" },
    [COUNT_BYTES_OUT] = { "edge_body_bytes_total{direction=\"out\"}", STATS_COUNTER,
                          "Bytes of bodies" },
    [COUNT_BAD_REPLIES] = { "edge_bad_replies_total", STATS_COUNTER,
                            "Replies of services that were not what they may be" },
    [COUNT_REGISTRY_EVENTS] = { "edge_registry_events_total", STATS_COUNTER,
                                "Registry events received" },
    [COUNT_REGISTRY_BAD] = { "edge_registry_bad_total", STATS_COUNTER,
                             "Registry events that could not be read" },
    [COUNT_REGISTRY_DROPS] = { "edge_registry_drops_total", STATS_COUNTER,
                               "Registry events of more services than are kept" },
    [COUNT_DESCRIPTORS_REFUSED] = { "edge_descriptors_refused_total", STATS_COUNTER,
                                    "Descriptors that were not acceptable" },
    [COUNT_SCHEMA_CONFLICTS] = { "edge_schema_conflicts_total", STATS_COUNTER,
                                 "Versions of services announced with two different schemas" },
    [COUNT_ROUTES_REFUSED] = { "edge_routes_refused_total", STATS_COUNTER,
                               "Routes a service may not bind" },
    [COUNT_ROUTES] = { "edge_routes", STATS_GAUGE, "Routes bound now" },
    [COUNT_STREAMS] = { "edge_streams", STATS_GAUGE, "Event streams open now" },
    [COUNT_STREAMS_REFUSED] = { "edge_streams_refused_total", STATS_COUNTER,
                                "Event streams refused because there were too many" },
    [COUNT_STREAM_EVENTS] = { "edge_stream_events_total", STATS_COUNTER,
                              "Events written to streams" },
    [COUNT_STREAM_DROPS] = { "edge_stream_drops_total", STATS_COUNTER,
                             "Events a slow stream did not get" },
    [COUNT_LIMITS_ASKED] = { "edge_limits_asked_total", STATS_COUNTER,
                             "Questions to the limiter that a request waited for" },
    [COUNT_LIMITS_REFUNDS] = { "edge_limits_refunds_total", STATS_COUNTER,
                               "Messages that gave the limiter something back" },
    [COUNT_LIMITS_REFUSED] = { "rate_limit_exceeded_total{tier}", STATS_COUNTER,
                               "Requests refused because a limit was reached" },
    [COUNT_LIMITS_DEGRADED] = { "edge_limits_degraded_total", STATS_COUNTER,
                                "Requests that no limiter counted" },
    [COUNT_CACHE_COPIES] = { "edge_cache_total{result=\"copy\"}", STATS_COUNTER,
                             "Requests whose answer may be given again, by what it was" },
    [COUNT_CACHE_HITS] = { "edge_cache_total{result=\"hit\"}", STATS_COUNTER,
                           "Requests whose answer may be given again, by what it was" },
    [COUNT_CACHE_STALE] = { "edge_cache_total{result=\"stale\"}", STATS_COUNTER,
                            "Requests whose answer may be given again, by what it was" },
    [COUNT_CACHE_MISSES] = { "edge_cache_total{result=\"miss\"}", STATS_COUNTER,
                             "Requests whose answer may be given again, by what it was" },
    [COUNT_IDENTITIES_ASKED] = { "edge_identities_asked_total", STATS_COUNTER,
                                 "Questions to auth about whose a token or key is" },
    [COUNT_IDENTITIES_CLEARED] = { "edge_identities_cleared_total", STATS_COUNTER,
                                   "Times that all callers were forgotten, since news of revoked "
                                   "rights may have been missed" },
    [COUNT_CREDENTIALS_REFUSED] = { "edge_credentials_refused_total", STATS_COUNTER,
                                    "Requests with a token or key that is nobody's" },
    [COUNT_AUDIT_WAITING] = { "edge_audit_waiting", STATS_GAUGE,
                              "Entries that the audit log has not got yet" },
    [COUNT_AUDIT_LOST] = { "edge_audit_lost_total", STATS_COUNTER,
                           "Entries that the audit log will never get" },
#define ERROR(symbol, bus, http, retry, sentence)                                                  \
    [COUNT_PROBLEMS + ERROR_##symbol] = { "edge_problems_total{code=\"" #symbol "\"}",             \
                                          STATS_COUNTER, "Requests answered with a problem" },
#include "proto/error.def"
#undef ERROR
    [COUNT_PROBLEMS + ERROR_NONE] = { "edge_problems_total{code=\"NONE\"}", STATS_COUNTER,
                                      "Requests answered with a problem" },
};

/* ---- telling -------------------------------------------------------------------------------- */

snapshot_t counters_snapshot(edge_t *edge)
{
    snapshot_t snapshot = { .part = "edge",
                            .instance = edge->instance,
                            .boot = edge->boot_ms,
                            .sequence = edge->snapshots + 1,
                            .interval_ms = (uint32_t)edge->bus_settings->snapshot_ms };
    snapshot_add(&snapshot, &edge->stats);
    snapshot_add(&snapshot, client_stats(edge->bus));
    snapshot_add(&snapshot, process_stats(edge));
    return snapshot;
}

static void s_publish(edge_t *edge, bool is_last)
{
    char topic[SNAPSHOT_TOPIC_BYTES];
    buf_t body = { 0 };
    pack_t pack;
    snapshot_t snapshot = counters_snapshot(edge);
    snapshot.is_last = is_last;
    edge->snapshots++;
    pack_init(&pack, &body);
    snapshot_write(&snapshot, &pack);
    client_publish(edge->bus, snapshot_topic(&snapshot, topic), false, &body);
}

void counters_tick(edge_t *edge, uint64_t now_ms)
{
    if (edge->snapshots && now_ms - edge->counted_ms < (uint64_t)edge->bus_settings->snapshot_ms)
        return;
    edge->counted_ms = now_ms;
    s_publish(edge, false);
}

void counters_end(edge_t *edge)
{
    for (int i = 0; i < SNAPSHOT_LAST_TIMES; i++)
        s_publish(edge, true);
    process_leave(edge);
}
