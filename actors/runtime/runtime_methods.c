/* SPDX-License-Identifier: MPL-2.0
 *
 * runtime_methods - what every actor answers: how it is, and what it has counted
 */
#include "config.h"

#include "actors/base/clock.h"
#include "actors/runtime/state.h"

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

/* ---- health --------------------------------------------------------------------------------- */

static void s_pack_check(pack_t *pack, const char *name, const char *status, uint64_t latency_us)
{
    pack_map(pack, 3);
    pack_pair_text(pack, "name", name);
    pack_pair_text(pack, "status", status);
    pack_pair_int(pack, "latency_us", (int64_t)latency_us);
}

/* Without its database an actor cannot work; without Redis it carries on, and says so. */
void runtime_on_health(call_t *call, void *self)
{
    (void)self;
    actor_t *actor = call_actor(call);
    uint64_t db_us = 0, redis_us = 0;
    bool has_db = !actor->db || db_ping(actor->db, &db_us);
    bool has_redis = !actor->redis || redis_ping(actor->redis, &redis_us);
    pack_t *pack = call_pack(call);
    pack_map(pack, 3);
    pack_pair_text(pack, "instance", actor->instance);
    pack_pair_text(pack, "status", has_db ? "ok" : "error");
    pack_text(pack, "checks");
    pack_array(pack, (size_t)(actor->db != NULL) + (actor->redis != NULL));
    if (actor->db)
        s_pack_check(pack, "database", has_db ? "ok" : "error", db_us);
    if (actor->redis)
        s_pack_check(pack, "redis", has_redis ? "ok" : "warning", redis_us);
    call_reply(call, 0);
}

void runtime_on_stats(call_t *call, void *self)
{
    (void)self;
    snapshot_t snapshot = actor_snapshot(call_actor(call));
    pack_t *pack = call_pack(call);
    pack_map(pack, 4);
    pack_pair_text(pack, "part", snapshot.part);
    pack_pair_text(pack, "instance", snapshot.instance);
    pack_pair_int(pack, "boot", (int64_t)snapshot.boot);
    pack_text(pack, "values");
    snapshot_write_values(&snapshot, pack);
    call_reply(call, 0);
}
