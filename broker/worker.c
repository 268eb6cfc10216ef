/* SPDX-License-Identifier: MPL-2.0
 *
 * worker - an instance's life: registering, beating, leaving
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/log.h"
#include "actors/base/text.h"
#include "broker/registry.h"
#include "broker/worker.h"

#define WORKER_CREDIT_MAX       10000
#define WORKER_WEIGHT_MAX       100
#define WORKER_HEARTBEAT_MIN_MS 50
#define WORKER_HEARTBEAT_MAX_MS 60000
#define REFUSALS_LOGGED         10 /* of an interval */
#define REFUSALS_INTERVAL_MS    1000

/* ---- registering ---------------------------------------------------------------------------- */

/* Names the broker keeps for itself. */
static bool s_is_reserved(const char *name, size_t size)
{
    return (size > 0 && name[0] == '$') || (size >= 4 && memcmp(name, "mmi.", 4) == 0);
}

/* Why the peer may not join as this instance; NULL when it may. */
static const char *s_objection(broker_t *broker, const peer_t *peer, const char *name, size_t size,
                               const char *instance, error_code_t *code)
{
    *code = ERROR_BAD_REQUEST;
    if (peer->worker)
        return "this connection has registered already: a second READY is a fault (RFC 7)";
    if (s_is_reserved(name, size)) {
        *code = ERROR_FORBIDDEN;
        return "names that start with '$' or 'mmi.' are the broker's";
    }
    if (!id_is_name(name, size, METHOD_NAME_BYTES))
        return "a service's name is 1 to 64 letters, digits, '.', '_', '-'";
    *code = ERROR_OVERLOADED;
    broker_service_t *service = service_make(broker, name, size);
    if (!service)
        return "the broker has as many services as it may";
    if (service->worker_count >= broker->settings->instances)
        return "the service has as many instances as it may";
    *code = ERROR_CONFLICT;
    worker_t *same = instance ? service_instance(service, instance) : NULL;
    if (!same)
        return NULL;
    /* a crashed instance that was restarted under its name: the old connection shows as gone as
     * soon as something is sent over it, and the newcomer is let in at its next try */
    peer_send(broker, same->peer, &(frame_t){ .command = FRAME_HEARTBEAT }, NULL);
    return "an instance of that name is registered; it is dropped as soon as it is found dead";
}

static void s_joined(broker_t *broker, worker_t *worker)
{
    worker->beaten_ms = worker->peer->heard_ms = broker->now_ms;
    wheel_add(&broker->beats, &worker->timer,
              broker->now_ms + (uint64_t)broker->settings->probe_ms);
    registry_publish(broker, worker->service);
    LOG(LOG_INFO, "instance.joined", LOG_TEXT("service", worker->service->name),
        LOG_TEXT("instance", worker->instance), LOG_INT("credit", worker->credit));
    dispatch_queued(broker, worker);
}

/* Whoever is refused may try again at once and for ever: so many lines a second say enough. */
static void s_note_refusal(broker_t *broker, const char *service, size_t size, const char *why)
{
    broker_count(broker, BROKER_REFUSED_READY);
    if (broker->now_ms - broker->refusals_ms >= REFUSALS_INTERVAL_MS) {
        if (broker->refusals > REFUSALS_LOGGED)
            LOG(LOG_WARN, "registration.refused_often",
                LOG_INT("not_logged", broker->refusals - REFUSALS_LOGGED));
        broker->refusals_ms = broker->now_ms;
        broker->refusals = 0;
    }
    if (broker->refusals++ < REFUSALS_LOGGED)
        LOG(LOG_WARN, "registration.refused", LOG_BYTES("service", service, size),
            LOG_TEXT("why", why));
}

static void s_refuse(broker_t *broker, peer_t *peer, const frame_t *frame, error_code_t code,
                     const char *why)
{
    buf_t body = { 0 };
    pack_t pack;
    failure_t failure = { .code = code };
    text_copy(failure.detail, sizeof failure.detail, why, strlen(why));
    pack_init(&pack, &body);
    failure_write(&failure, &pack);
    frame_t answer = { .command = FRAME_ERROR,
                       .id = frame->id,
                       .detail = error_row(code)->bus_status,
                       .flags = error_row(code)->retry ? FRAME_RETRYABLE : 0 };
    peer_send(broker, peer, &answer, &body);
    buf_free(&body);
    s_note_refusal(broker, frame->service, frame->service_size, why);
}

static uint32_t s_bounded(const value_t *map, const char *key, int64_t preset, int64_t min,
                          int64_t max)
{
    int64_t number = value_get_int(map, key, preset);
    return (uint32_t)(number < min ? min : number > max ? max : number);
}

/* Reads the descriptor of a READY; false with a sentence when it is not acceptable. A service
 * without one is fine. */
static bool s_read_descriptor(const value_t *ready, const frame_t *frame, descriptor_t **descriptor,
                              char why[DESCRIPTOR_WHY_SIZE])
{
    const value_t *bytes = value_get(ready, "descriptor");
    *descriptor = NULL;
    if (!bytes || bytes->type == VALUE_NIL)
        return true;
    if (bytes->type != VALUE_BINARY) {
        snprintf(why, DESCRIPTOR_WHY_SIZE, "'descriptor' must be binary");
        return false;
    }
    *descriptor = descriptor_read(bytes->bytes, bytes->count, why);
    if (*descriptor && (strlen((*descriptor)->service) != frame->service_size ||
                        memcmp((*descriptor)->service, frame->service, frame->service_size) != 0)) {
        snprintf(why, DESCRIPTOR_WHY_SIZE, "the descriptor is of service '%s'",
                 (*descriptor)->service);
        descriptor_destroy(descriptor);
    }
    return *descriptor != NULL;
}

static void s_welcome(broker_t *broker, peer_t *peer, const frame_t *frame, const worker_t *worker)
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 3);
    pack_pair_text(&pack, "broker", broker->name);
    pack_pair_int(&pack, "version", FRAME_VERSION);
    pack_pair_int(&pack, "heartbeat_ms", worker->heartbeat_ms);
    peer_send(broker, peer, &(frame_t){ .command = FRAME_READY, .id = frame->id }, &body);
    buf_free(&body);
}

void worker_ready(broker_t *broker, peer_t *peer, const frame_t *frame, const void *body,
                  size_t size)
{
    arena_t arena = { 0 };
    value_verdict_t verdict;
    char why[DESCRIPTOR_WHY_SIZE];
    descriptor_t *descriptor = NULL;
    error_code_t code = ERROR_BAD_REQUEST;
    const value_t *ready =
        value_parse(&arena, body, size, (value_limits_t){ .depth = 2, .nodes = 64 }, &verdict);
    const char *instance = value_dup_text(&arena, ready, "instance");
    const char *objection = NULL;

    if (!ready)
        objection = value_verdict_text(verdict);
    else if (!instance || !id_is_name(instance, strlen(instance), ID_INSTANCE_SIZE - 1))
        objection = "'instance' must be a name of 1 to 63 letters, digits, '.', '_', '-'";
    else if (!s_read_descriptor(ready, frame, &descriptor, why))
        objection = why;
    else
        objection = s_objection(broker, peer, frame->service, frame->service_size, instance, &code);

    if (objection) {
        s_refuse(broker, peer, frame, code, objection);
        descriptor_destroy(&descriptor);
    } else {
        broker_service_t *service = service_find(broker, frame->service, frame->service_size);
        service_join_t join = { .instance = instance, .descriptor = descriptor };
        join.boot_ms = value_get_int(ready, "boot", 0);
        join.credit = s_bounded(ready, "credit", 1, 0, WORKER_CREDIT_MAX);
        join.weight = s_bounded(ready, "weight", 1, 1, WORKER_WEIGHT_MAX);
        join.heartbeat_ms = s_bounded(ready, "heartbeat_ms", broker->settings->heartbeat_ms,
                                      WORKER_HEARTBEAT_MIN_MS, WORKER_HEARTBEAT_MAX_MS);
        worker_t *worker = service_join(broker, service, peer, &join);
        s_welcome(broker, peer, frame, worker);
        s_joined(broker, worker);
    }
    arena_free(&arena);
}

void worker_ready_mdp(broker_t *broker, peer_t *peer, const char *service, size_t size)
{
    char name[FRAME_NAME_BYTES + 1], instance[ID_INSTANCE_SIZE];
    error_code_t code;
    bool fits = text_copy(name, sizeof name, service, size);
    const char *objection =
        fits ? s_objection(broker, peer, name, size, NULL, &code) : "the name is too long";
    if (objection) {
        s_note_refusal(broker, name, strlen(name), objection);
        peer_send_disconnect(broker, peer);
        if (peer->worker)
            worker_leave(broker, peer->worker);
        return;
    }
    service_join_t join = { .instance = id_instance("mdp", instance), .weight = 1 };
    join.credit = peer->mdp == MDP_WORKER_2 ? (uint32_t)broker->settings->mdp_credit : 1;
    join.heartbeat_ms = (uint32_t)broker->settings->mdp_heartbeat_ms;
    s_joined(broker, service_join(broker, service_find(broker, name, size), peer, &join));
}

/* ---- beating -------------------------------------------------------------------------------- */

/* Counts the beats a silent instance owes: one for each interval, which is
 * counted when it is half an interval late. */
static void s_count_missed(broker_t *broker, worker_t *worker, uint64_t silent_ms)
{
    uint64_t half = worker->heartbeat_ms / 2;
    uint32_t missed = (uint32_t)(silent_ms > half ? (silent_ms - half) / worker->heartbeat_ms : 0);
    if (missed > worker->missed)
        stats_add(&broker->stats, BROKER_BEATS_MISSED, missed - worker->missed);
    worker->missed = missed;
}

void worker_beat(broker_t *broker, worker_t *worker)
{
    const broker_settings_t *settings = broker->settings;
    uint64_t heard_ms = worker->peer->heard_ms;
    uint64_t silent_ms =
        broker->now_ms - (heard_ms > broker->awake_ms ? heard_ms : broker->awake_ms);
    s_count_missed(broker, worker, silent_ms);
    if (silent_ms > (uint64_t)worker->heartbeat_ms * BROKER_LIVENESS) {
        LOG(LOG_WARN, "instance.silent", LOG_TEXT("service", worker->service->name),
            LOG_TEXT("instance", worker->instance), LOG_INT("silent_ms", silent_ms));
        peer_lose(broker, worker->peer);
        return;
    }
    /* a killed peer shows when something is sent to it: a busy one is worth asking often */
    uint64_t interval = (uint64_t)(worker->outstanding && worker->peer->dialect == DIALECT_NATIVE
                                       ? settings->probe_ms
                                       : settings->heartbeat_ms);
    if (broker->now_ms - worker->beaten_ms >= interval) {
        worker->beaten_ms = broker->now_ms;
        if (worker->peer->dialect == DIALECT_NATIVE)
            peer_send(broker, worker->peer, &(frame_t){ .command = FRAME_HEARTBEAT }, NULL);
        else
            peer_send_mdp(broker, worker->peer, MDP_HEARTBEAT);
    }
    wheel_add(&broker->beats, &worker->timer, broker->now_ms + (uint64_t)settings->probe_ms);
}

/* ---- leaving -------------------------------------------------------------------------------- */

void worker_drain(broker_t *broker, worker_t *worker)
{
    if (worker->is_draining)
        return;
    dispatch_drain(broker, worker);
    registry_publish(broker, worker->service);
    LOG(LOG_INFO, "instance.draining", LOG_TEXT("service", worker->service->name),
        LOG_TEXT("instance", worker->instance), LOG_INT("outstanding", worker->outstanding));
}

void worker_leave(broker_t *broker, worker_t *worker)
{
    char name[FRAME_NAME_BYTES + 1];
    broker_service_t *service = worker->service;
    text_copy(name, sizeof name, service->name, strlen(service->name));
    if (worker->outstanding) {
        broker_count(broker, BROKER_WORKERS_LOST);
        LOG(LOG_WARN, "instance.lost", LOG_TEXT("service", name),
            LOG_TEXT("instance", worker->instance), LOG_INT("requests", worker->outstanding));
    } else {
        LOG(LOG_INFO, "instance.left", LOG_TEXT("service", name),
            LOG_TEXT("instance", worker->instance));
    }
    dispatch_lose(broker, worker);
    wheel_remove(&broker->beats, &worker->timer);
    service_leave(broker, worker);
    service = service_find(broker, name, strlen(name));
    if (service) /* it may have gone with its last instance */
        registry_publish(broker, service);
}
