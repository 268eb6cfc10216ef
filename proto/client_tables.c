/* SPDX-License-Identifier: MPL-2.0
 *
 * client_tables - what can be set of a client, and what it counts
 */
#include "config.h"

#include "proto/client_state.h"

#define ROW(field) offsetof(client_settings_t, field)

const setting_t client_setting_rows[] = {
    { "brokers", SETTING_TEXT, ROW(brokers),
      .about =
          "Request endpoints of the brokers, separated by commas; empty for bus.sock in the data "
          "folder." },
    { "events", SETTING_TEXT, ROW(events),
      .about =
          "Event endpoints of the same brokers, in the same order; empty for events.sock in the "
          "data folder." },
    { "heartbeat_ms", SETTING_INT, ROW(heartbeat_ms), "1000", 50, 60000, "ms",
      .about = "Time between heartbeats; four missed ones are a loss." },
    { "outstanding", SETTING_INT, ROW(outstanding), "50000", 1, 1000000, NULL,
      .about = "Calls one part may have under way." },
    { "snapshot_ms", SETTING_INT, ROW(snapshot_ms), "5000", 100, 60000, "ms",
      .about = "How often a part publishes what it counts." },
    { "trace_per_million", SETTING_INT, ROW(trace_per_million), "10000", 0, TRACE_RATIO_ALL, NULL,
      .about = "Of a million traces, how many are kept whatever comes of them." },
    { "trace_slow_ms", SETTING_INT, ROW(trace_slow_ms), "1000", 0, 600000, "ms",
      .about = "What takes longer has its trace kept; 0 for nothing." },
    { "trace_ring", SETTING_INT, ROW(trace_ring), "2048", 0, 1000000, "spans",
      .about = "Spans each part remembers, in case their trace turns out to be one to keep; 0 for "
               "none." },
    { "trace_follow", SETTING_BOOL, ROW(trace_follow), "false",
      .about = "Whether a trace is kept because its caller from outside says that it keeps it "
               "(the sampled flag of `traceparent`)." },
    { 0 },
};

#undef ROW

const stats_row_t client_stats_rows[CLIENT_STATS + 1] = {
#define COUNTER(row, name, about) [row] = { "bus_" name "_total", STATS_COUNTER, about }
    COUNTER(CLIENT_CALLS, "calls", "Calls made"),
    [CLIENT_CALL_TIME] = { "bus_call_duration_seconds", STATS_HISTOGRAM,
                           "Time from a call to its end" },
    COUNTER(CLIENT_FAILURES, "call_failures", "Calls that failed"),
    COUNTER(CLIENT_LATE_ANSWERS, "late_answers", "Answers nobody waited for any more"),
    COUNTER(CLIENT_BAD_MESSAGES, "bad_messages", "Messages that could not be read"),
    COUNTER(CLIENT_SEND_DROPS, "send_drops", "Messages the broker took no more"),
    COUNTER(CLIENT_EVENTS, "events", "Events received"),
    COUNTER(CLIENT_EVENT_GAPS, "event_gaps", "Events that did not arrive"),
    COUNTER(CLIENT_EVENT_DUPLICATES, "event_duplicates", "Events received before"),
    COUNTER(CLIENT_BROKERS_LOST, "brokers_lost", "Brokers that fell silent"),
    COUNTER(CLIENT_FAULTS_TOLD, "faults_told", "Failures of ours published on the topic error"),
    COUNTER(CLIENT_FAULTS_UNTOLD, "faults_untold", "Failures of ours that were too many for it"),
    COUNTER(CLIENT_SPANS_KEPT, "spans", "Spans published"),
    COUNTER(CLIENT_SPANS_LOST, "spans_lost", "Spans that were too many to be published"),
    COUNTER(CLIENT_TRACES_NAMED, "traces_named",
            "Traces kept because something here failed or was slow"),
#undef COUNTER
};
