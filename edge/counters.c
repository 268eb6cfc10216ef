/* SPDX-License-Identifier: MPL-2.0
 *
 * counters - what the edge counts: every refusal and every drop has a row
 */
#include "config.h"

#include "edge/counters.h"

const stats_row_t counter_rows[COUNT_ROWS + 1] = {
    [COUNT_CONNECTIONS] = { "edge_connections_total", STATS_COUNTER, "Connections accepted" },
    [COUNT_CONNECTIONS_LIVE] = { "edge_connections", STATS_GAUGE, "Connections open now" },
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
    [COUNT_LATE_HEADS] = { "edge_late_total{part=\"head\"}", STATS_COUNTER,
                           "Requests that did not arrive in time" },
    [COUNT_LATE_BODIES] = { "edge_late_total{part=\"body\"}", STATS_COUNTER,
                            "Requests that did not arrive in time" },
    [COUNT_WRITE_FAILURES] = { "edge_write_failures_total", STATS_COUNTER,
                               "Answers that could not be written to the end" },
    [COUNT_BAD_HEADS] = { "edge_bad_heads_total", STATS_COUNTER,
                          "Requests refused before they were parsed" },
    [COUNT_PARSER_REFUSALS] = { "edge_parser_refusals_total", STATS_COUNTER,
                                "Requests that passed the guard and failed in the server's "
                                "parser" },
    [COUNT_REQUESTS] = { "edge_requests_total", STATS_COUNTER, "Requests answered" },
    [COUNT_REQUEST_TIME] = { "edge_request_microseconds", STATS_HISTOGRAM,
                             "Time from the end of a request's head to the end of its answer" },
    [COUNT_BYTES_IN] = { "edge_body_bytes_total{direction=\"in\"}", STATS_COUNTER,
                         "Bytes of bodies" },
    [COUNT_BYTES_OUT] = { "edge_body_bytes_total{direction=\"out\"}", STATS_COUNTER,
                          "Bytes of bodies" },
    [COUNT_ANSWERS_2XX] = { "edge_answers_total{class=\"2xx\"}", STATS_COUNTER,
                            "Answers, by class of status" },
    [COUNT_ANSWERS_3XX] = { "edge_answers_total{class=\"3xx\"}", STATS_COUNTER,
                            "Answers, by class of status" },
    [COUNT_ANSWERS_4XX] = { "edge_answers_total{class=\"4xx\"}", STATS_COUNTER,
                            "Answers, by class of status" },
    [COUNT_ANSWERS_5XX] = { "edge_answers_total{class=\"5xx\"}", STATS_COUNTER,
                            "Answers, by class of status" },
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
#define ERROR(symbol, bus, http, retry, sentence)                                                  \
    [COUNT_PROBLEMS + ERROR_##symbol] = { "edge_problems_total{code=\"" #symbol "\"}",             \
                                          STATS_COUNTER, "Requests answered with a problem" },
#include "proto/error.def"
#undef ERROR
    [COUNT_PROBLEMS + ERROR_NONE] = { "edge_problems_total{code=\"NONE\"}", STATS_COUNTER,
                                      "Requests answered with a problem" },
};
