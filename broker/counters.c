/* SPDX-License-Identifier: MPL-2.0
 *
 * counters - what the broker counts, and tells
 */
#include "config.h"

#include "actors/base/process.h"
#include "broker/counters.h"
#include "broker/events.h"
#include "broker/service.h"
#include "proto/snapshot.h"

const stats_row_t broker_counter_rows[BROKER_STATS + 1] = {
#define COUNTER(row, name, about) [row] = { "broker_" name "_total", STATS_COUNTER, about }
#define DROP(row, why)                                                                             \
    [row] = { "broker_drops_total{reason=\"" why "\"}", STATS_COUNTER,                             \
              "Requests ended by the broker itself, without an answer of a service" }
#define GAUGE(row, name, about) [row] = { "broker_" name, STATS_GAUGE, about }
    COUNTER(BROKER_REQUESTS, "requests", "Requests received"),
    COUNTER(BROKER_ANSWERED, "answered", "Requests answered"),
    COUNTER(BROKER_FAILED, "failed", "Requests their service answered with an error"),
    DROP(BROKER_NO_SERVICE, "no_service"),
    DROP(BROKER_NO_METHOD, "no_method"),
    DROP(BROKER_FORBIDDEN, "forbidden"),
    DROP(BROKER_BAD_REQUEST, "bad_request"),
    DROP(BROKER_QUEUE_FULL, "queue_full"),
    DROP(BROKER_WORKER_LOST, "worker_lost"),
    DROP(BROKER_NO_INSTANCE, "no_instance"),
    DROP(BROKER_DEADLINE, "deadline"),
    DROP(BROKER_OVERLOADED, "overloaded"),
    DROP(BROKER_CANCELLED, "cancelled"),
    DROP(BROKER_CLIENT_GONE, "client_gone"),
    COUNTER(BROKER_PARTIALS, "partials", "Parts of answers passed on"),
    COUNTER(BROKER_PARTIAL_DROPS, "partial_drops", "Parts dropped for clients that know none"),
    COUNTER(BROKER_RESENT, "resent", "Requests given to a second instance"),
    COUNTER(BROKER_LATE_ANSWERS, "late_answers", "Answers to requests ended before"),
    COUNTER(BROKER_UNKNOWN_ANSWERS, "unknown_answers", "Answers to requests nobody made"),
    COUNTER(BROKER_BAD_MESSAGES, "bad_messages", "Messages that could not be read"),
    COUNTER(BROKER_TOO_LARGE, "too_large", "Messages with too many frames or bytes"),
    COUNTER(BROKER_UNKNOWN_PEERS, "unknown_peers", "Workers' messages from unregistered peers"),
    COUNTER(BROKER_OVERLOADED_PEERS, "overloaded_peers", "Messages of peers beyond the limit"),
    COUNTER(BROKER_REFUSED_READY, "refused_ready", "Registrations refused"),
    COUNTER(BROKER_BLOCKED_SENDS, "blocked_sends", "Messages to peers whose queue was full"),
    COUNTER(BROKER_PRINCIPALS_REMOVED, "principals_removed", "Principals from untrusted peers"),
    COUNTER(BROKER_BEATS_MISSED, "heartbeats_missed", "Heartbeats that instances owed"),
    COUNTER(BROKER_WORKERS_LOST, "workers_lost", "Instances that went away with requests"),
    COUNTER(BROKER_EVENTS, "events", "Events published"),
    COUNTER(BROKER_EVENT_DROPS, "event_drops", "Events that were not acceptable"),
    COUNTER(BROKER_RETAINED_DROPS, "retained_drops", "Last values there was no room for"),
    GAUGE(BROKER_PEERS, "peers", "Connections known"),
    GAUGE(BROKER_SERVICES, "services", "Services known"),
    GAUGE(BROKER_INSTANCES, "instances", "Instances registered"),
    GAUGE(BROKER_PENDING, "pending", "Requests in the broker"),
    GAUGE(BROKER_QUEUED, "queued", "Requests that wait for an instance"),
    GAUGE(BROKER_RETAINED, "retained", "Topics with a last value"),
    [BROKER_ROUTE_TIME] = { "broker_request_duration_seconds", STATS_HISTOGRAM,
                            "Time from a request to its answer, as the broker sees it" },
    [BROKER_DEPTH] = { "broker_queue_depth{service}", STATS_GAUGE,
                       "Requests that wait for an instance of the service" },
    [BROKER_CREDIT] = { "broker_credit{service}", STATS_GAUGE,
                        "Requests that the service's instances would take at once now" },
    [BROKER_LIVE] = { "broker_service_instances{service}", STATS_GAUGE,
                      "Instances of the service that take requests" },
#undef COUNTER
#undef DROP
#undef GAUGE
};

/* ---- telling -------------------------------------------------------------------------------- */

static uint32_t s_free_credit(const broker_service_t *service)
{
    const worker_t *worker;
    uint32_t credit = 0;
    TAILQ_FOREACH(worker, &service->workers, entry)
    if (service_is_live(worker) && worker->credit > worker->outstanding)
        credit += worker->credit - worker->outstanding;
    return credit;
}

/* Services that were forgotten keep their series, at nothing. */
static void s_show_services(broker_t *broker)
{
    static const broker_stat_t rows[] = { BROKER_DEPTH, BROKER_CREDIT, BROKER_LIVE };
    stats_t *stats = &broker->stats;
    broker_service_t *service, *next;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t slot = 0;
        for (series_t *at; (at = family_next(stats->families[rows[i]], &slot));)
            series_set(at, 0);
    }
    HASH_ITER(hh, broker->services, service, next)
    {
        const char *const name[] = { service->name };
        series_set(stats_at(stats, BROKER_DEPTH, name), service->queued);
        series_set(stats_at(stats, BROKER_CREDIT, name), s_free_credit(service));
        series_set(stats_at(stats, BROKER_LIVE, name), service_live_count(service));
    }
}

static void s_publish(broker_t *broker, bool is_last)
{
    char topic[SNAPSHOT_TOPIC_BYTES];
    buf_t body = { 0 };
    pack_t pack;
    snapshot_t snapshot = { .part = "broker",
                            .instance = broker->name,
                            .boot = broker->epoch,
                            .sequence = ++broker->metrics_sequence,
                            .interval_ms = (uint32_t)broker->settings->snapshot_ms,
                            .is_last = is_last };
    s_show_services(broker);
    snapshot_add(&snapshot, &broker->stats);
    snapshot_add(&snapshot, process_stats(broker));
    pack_init(&pack, &body);
    snapshot_write(&snapshot, &pack);
    events_publish_own(broker, snapshot_topic(&snapshot, topic), broker->metrics_sequence, false,
                       &body);
    buf_free(&body);
}

void broker_counters_tick(broker_t *broker)
{
    if (broker->metrics_sequence &&
        broker->now_ms - broker->counted_ms < (uint64_t)broker->settings->snapshot_ms)
        return;
    broker->counted_ms = broker->now_ms;
    s_publish(broker, false);
}

void broker_counters_end(broker_t *broker)
{
    for (int i = 0; i < SNAPSHOT_LAST_TIMES; i++)
        s_publish(broker, true);
    process_leave(broker);
}
