/* SPDX-License-Identifier: MPL-2.0
 *
 * inspect - what the broker answers itself: $SRV and $BROKER
 */
#include "config.h"

#include <string.h>

#include "actors/base/text.h"
#include "broker/inspect.h"
#include "broker/worker.h"
#include "proto/snapshot.h"

typedef struct {
    const request_in_t *in;
    const char *service, *instance; /* filters; NULL: all */
    pack_t pack;
} inspection_t;

static bool s_is_wanted(const inspection_t *self, const broker_service_t *service)
{
    return !self->service || strcmp(self->service, service->name) == 0;
}

static bool s_is_wanted_instance(const inspection_t *self, const worker_t *worker)
{
    return !self->instance || strcmp(self->instance, worker->instance) == 0;
}

/* Packs "services": one map for each that is wanted. */
static void s_pack_services(broker_t *broker, inspection_t *self,
                            void (*pack_service)(inspection_t *, const broker_service_t *))
{
    broker_service_t *service, *next;
    pack_text(&self->pack, "services");
    size_t position = pack_open_array(&self->pack), count = 0;
    HASH_ITER(hh, broker->services, service, next)
    {
        if (!s_is_wanted(self, service))
            continue;
        pack_service(self, service);
        count++;
    }
    pack_close(&self->pack, position, count);
}

static void s_pack_instances(inspection_t *self, const broker_service_t *service,
                             void (*pack_instance)(inspection_t *, const worker_t *))
{
    const worker_t *worker;
    pack_text(&self->pack, "instances");
    size_t position = pack_open_array(&self->pack), count = 0;
    TAILQ_FOREACH(worker, &service->workers, entry)
    {
        if (!s_is_wanted_instance(self, worker))
            continue;
        pack_instance(self, worker);
        count++;
    }
    pack_close(&self->pack, position, count);
}

/* ---- PING ----------------------------------------------------------------------------------- */

static void s_ping_service(inspection_t *self, const broker_service_t *service)
{
    pack_map(&self->pack, 2);
    pack_pair_text(&self->pack, "service", service->name);
    pack_pair_int(&self->pack, "live", service_live_count(service));
}

static bool s_ping(broker_t *broker, inspection_t *self)
{
    pack_map(&self->pack, 2);
    pack_pair_text(&self->pack, "broker", broker->name);
    s_pack_services(broker, self, s_ping_service);
    return true;
}

/* ---- INFO ----------------------------------------------------------------------------------- */

static void s_info_instance(inspection_t *self, const worker_t *worker)
{
    static const char *const dialects[] = { [DIALECT_NATIVE] = "native", [DIALECT_MDP] = "mdp" };
    pack_t *pack = &self->pack;
    pack_map(pack, 10);
    pack_pair_text(pack, "instance", worker->instance);
    pack_pair_text(pack, "version", worker->version ? worker->version->descriptor->version : NULL);
    pack_pair_text(pack, "dialect", dialects[worker->peer->dialect]);
    pack_pair_int(pack, "credit", worker->credit);
    pack_pair_int(pack, "weight", worker->weight);
    pack_pair_int(pack, "outstanding", worker->outstanding);
    pack_pair_int(pack, "oldest_ms", worker->oldest_ms);
    pack_pair_bool(pack, "draining", worker->is_draining);
    pack_pair_int(pack, "since_ms", worker->since_ms);
    pack_pair_int(pack, "boot", worker->boot_ms);
}

static void s_info_service(inspection_t *self, const broker_service_t *service)
{
    pack_t *pack = &self->pack;
    const version_t *version = service->versions;
    pack_map(pack, 6);
    pack_pair_text(pack, "service", service->name);
    pack_pair_text(pack, "version", version ? version->descriptor->version : NULL);
    pack_pair_int(pack, "queued", service->queued);
    pack_pair_int(pack, "empty_since_ms", service->empty_since_ms);
    pack_text(pack, "methods");
    pack_array(pack, version ? version->descriptor->method_count : 0);
    for (uint32_t i = 0; version && i < version->descriptor->method_count; i++)
        pack_text(pack, version->descriptor->methods[i].name);
    s_pack_instances(self, service, s_info_instance);
}

static bool s_info(broker_t *broker, inspection_t *self)
{
    pack_map(&self->pack, 2);
    pack_pair_text(&self->pack, "broker", broker->name);
    s_pack_services(broker, self, s_info_service);
    return true;
}

/* ---- STATS ---------------------------------------------------------------------------------- */

static void s_stats_instance(inspection_t *self, const worker_t *worker)
{
    uint64_t ended = worker->requests - worker->outstanding;
    pack_map(&self->pack, 4);
    pack_pair_text(&self->pack, "instance", worker->instance);
    pack_pair_int(&self->pack, "requests", (int64_t)worker->requests);
    pack_pair_int(&self->pack, "failures", (int64_t)worker->failures);
    pack_pair_int(&self->pack, "average_us", ended ? (int64_t)(worker->busy_us / ended) : 0);
}

static void s_stats_service(inspection_t *self, const broker_service_t *service)
{
    pack_map(&self->pack, 6);
    pack_pair_text(&self->pack, "service", service->name);
    pack_pair_int(&self->pack, "requests", (int64_t)service->requests);
    pack_pair_int(&self->pack, "failures", (int64_t)service->failures);
    pack_pair_int(&self->pack, "dropped", (int64_t)service->dropped);
    pack_pair_int(&self->pack, "queued", service->queued);
    s_pack_instances(self, service, s_stats_instance);
}

static bool s_stats(broker_t *broker, inspection_t *self)
{
    pack_map(&self->pack, 3);
    pack_pair_text(&self->pack, "broker", broker->name);
    pack_text(&self->pack, "counters");
    snapshot_write_values(&(snapshot_t){ .sets = { &broker->stats } }, &self->pack);
    s_pack_services(broker, self, s_stats_service);
    return true;
}

/* ---- DRAIN ---------------------------------------------------------------------------------- */

static bool s_drain(broker_t *broker, inspection_t *self)
{
    broker_service_t *service, *next;
    int64_t told = 0;
    if (!self->instance) {
        request_refuse(broker, self->in, ERROR_VALIDATION_FAILED, "'instance' is required");
        return false;
    }
    HASH_ITER(hh, broker->services, service, next)
    {
        worker_t *worker = service_instance(service, self->instance);
        if (!worker)
            continue;
        told++;
        /* the dialect of MDP knows no draining: such a worker is let go when it is idle */
        if (worker->peer->dialect == DIALECT_NATIVE)
            peer_send(broker, worker->peer, &(frame_t){ .command = FRAME_DRAIN }, NULL);
        worker_drain(broker, worker);
    }
    if (!told) {
        request_refuse(broker, self->in, ERROR_NOT_FOUND, "No instance is called '%s'",
                       self->instance);
        return false;
    }
    pack_map(&self->pack, 2);
    pack_pair_text(&self->pack, "instance", self->instance);
    pack_pair_bool(&self->pack, "draining", true);
    return true;
}

static const struct {
    const char *service, *method;
    bool (*answer)(broker_t *broker, inspection_t *self); /* false: it has refused already */
} s_methods[] = {
    { "$SRV", "PING", s_ping },
    { "$SRV", "INFO", s_info },
    { "$SRV", "STATS", s_stats },
    { "$BROKER", "DRAIN", s_drain },
};

static bool s_equals(const char *text, size_t size, const char *name)
{
    return strlen(name) == size && memcmp(text, name, size) == 0;
}

bool inspect_take(broker_t *broker, const request_in_t *in)
{
    const frame_t *frame = &in->frame;
    if (frame->service_size == 0 || frame->service[0] != '$')
        return false;
    arena_t arena = { 0 };
    buf_t body = { 0 };
    inspection_t self = { .in = in };
    bool has_principal = in->mdp == MDP_NONE && frame->flags & FRAME_PRINCIPAL;
    if (in->parcel->count > has_principal) {
        zmq_msg_t *filter = parcel_frame(in->parcel, has_principal);
        value_verdict_t verdict;
        const value_t *map = value_parse(&arena, zmq_msg_data(filter), zmq_msg_size(filter),
                                         (value_limits_t){ .depth = 2, .nodes = 16 }, &verdict);
        self.service = value_dup_text(&arena, map, "service");
        self.instance = value_dup_text(&arena, map, "instance");
    }
    pack_init(&self.pack, &body);
    bool known = false;
    for (size_t i = 0; i < COUNT_OF(s_methods) && !known; i++) {
        known = s_equals(frame->service, frame->service_size, s_methods[i].service) &&
                s_equals(frame->method, frame->method_size, s_methods[i].method);
        if (known && s_methods[i].answer(broker, &self))
            request_reply(broker, in, &body);
    }
    if (!known)
        request_refuse(broker, in, ERROR_NO_METHOD, "The broker has no such method: try $SRV.INFO");
    buf_free(&body);
    arena_free(&arena);
    return true;
}
