/* SPDX-License-Identifier: MPL-2.0
 *
 * runtime_methods - what every actor answers: how it is, and what it has counted
 */
#include "config.h"

#include "actors/base/clock.h"
#include "actors/runtime/state.h"
#include "proto/snapshot.h"

static const field_t s_check_fields[] = {
    { "name", FIELD_STRING, .required = true, .about = "What was looked at" },
    { "status", FIELD_STRING, .required = true, .choices = "ok warning error",
      .about = "How it is" },
    { "latency_us", FIELD_INTEGER, .about = "How long looking took" },
    { 0 },
};

static const field_t s_health_reply[] = {
    { "instance", FIELD_STRING, .required = true, .about = "The instance that answers" },
    { "status", FIELD_STRING, .required = true, .choices = "ok error", .about = "The worst check" },
    { "checks", FIELD_ARRAY, .required = true, .fields = s_check_fields,
      .about = "Each dependency" },
    { 0 },
};

const method_t runtime_health = {
    .name = "_health",
    .summary = "Says how this instance and what it depends on are",
    .reply = s_health_reply,
    .access = ACCESS_INTERNAL,
    .idempotent = true,
    .deadline_ms = 2000,
};

static const field_t s_stats_reply[] = {
    { "part", FIELD_STRING, .required = true, .about = "The service" },
    { "instance", FIELD_STRING, .required = true, .about = "The instance that answers" },
    { "boot", FIELD_INTEGER, .required = true, .about = "When it started, in ms since 1970" },
    { "values", FIELD_OBJECT, .required = true, .open = true, .about = "Counters by name" },
    { 0 },
};

const method_t runtime_stats = {
    .name = "_stats",
    .summary = "Says what this instance has counted",
    .reply = s_stats_reply,
    .access = ACCESS_INTERNAL,
    .idempotent = true,
    .deadline_ms = 2000,
};

void runtime_on_health(call_t *call, void *self)
{
    (void)self;
    db_t *db = call_db(call);
    uint64_t latency_us = 0;
    bool good = !db || db_ping(db, &latency_us);
    pack_t *pack = call_pack(call);
    pack_map(pack, 3);
    pack_pair_text(pack, "instance", actor_instance(call_actor(call)));
    pack_pair_text(pack, "status", good ? "ok" : "error");
    pack_text(pack, "checks");
    pack_array(pack, db ? 1 : 0);
    if (db) {
        pack_map(pack, 3);
        pack_pair_text(pack, "name", "database");
        pack_pair_text(pack, "status", good ? "ok" : "error");
        pack_pair_int(pack, "latency_us", (int64_t)latency_us);
    }
    call_reply(call, 0);
}

void runtime_on_stats(call_t *call, void *self)
{
    (void)self;
    actor_t *actor = call_actor(call);
    snapshot_t snapshot = { .part = actor->spec->service->name,
                            .instance = actor->instance,
                            .boot = actor->boot_ms,
                            .sets = { &actor->stats, &actor->own_stats, client_stats(actor->client),
                                      actor->db ? db_stats(actor->db) : NULL } };
    snapshot_write(&snapshot, call_pack(call));
    call_reply(call, 0);
}
