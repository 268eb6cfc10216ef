/* SPDX-License-Identifier: MPL-2.0
 *
 * runtime_methods - what every actor answers: how it is, and what it has counted
 */
#include "config.h"

#include <stdio.h>

#include "actors/base/clock.h"
#include "actors/base/host.h"
#include "actors/runtime/state.h"

static const field_t s_check_fields[] = {
    { "name", FIELD_STRING, .required = true, .about = "What was looked at" },
    { "status", FIELD_STRING, .required = true, .choices = "ok warning error",
      .about = "How it is" },
    { "latency_us", FIELD_INTEGER, .about = "How long looking took" },
    { "message", FIELD_STRING, .about = "What was seen" },
    { 0 },
};

static const field_t s_health_reply[] = {
    { "instance", FIELD_STRING, .required = true, .about = "The instance that answers" },
    { "boot", FIELD_INTEGER, .required = true, .about = "When it started, in ms since 1970" },
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

/* Below these shares of the disk people are to look after it, and nothing more may be written. */
#define DISK_LOW_PERCENT  10
#define DISK_FULL_PERCENT 1

static void s_pack_check(pack_t *pack, const char *name, const char *status, uint64_t latency_us,
                         const char *message)
{
    pack_map(pack, 4);
    pack_pair_text(pack, "name", name);
    pack_pair_text(pack, "status", status);
    pack_pair_int(pack, "latency_us", (int64_t)latency_us);
    pack_pair_text(pack, "message", message);
}

/* Of the folder of the data; a full disk does not end what only reads. */
static void s_check_disk(const actor_t *actor, pack_t *pack)
{
    char message[80];
    uint64_t size = 0, left = 0, began_us = clock_us();
    bool is_known = host_disk(actor->config->storage->data, &size, &left) && size > 0;
    unsigned percent = is_known ? (unsigned)(left * 100 / size) : 0;
    if (is_known)
        snprintf(message, sizeof message, "%u %% is left, %llu MiB", percent,
                 (unsigned long long)(left >> 20));
    else
        snprintf(message, sizeof message, "The folder of the data cannot be asked");
    s_pack_check(pack, "disk",
                 !is_known                     ? "warning"
                 : percent < DISK_FULL_PERCENT ? "error"
                 : percent < DISK_LOW_PERCENT  ? "warning"
                                               : "ok",
                 clock_us() - began_us, message);
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
    pack_map(pack, 4);
    pack_pair_text(pack, "instance", actor->instance);
    pack_pair_int(pack, "boot", (int64_t)actor->boot_ms);
    pack_pair_text(pack, "status", has_db ? "ok" : "error");
    pack_text(pack, "checks");
    pack_array(pack, 1 + (size_t)(actor->db != NULL) + (actor->redis != NULL));
    if (actor->db)
        s_pack_check(pack, "database", has_db ? "ok" : "error", db_us,
                     has_db ? "It answers" : "It does not answer");
    if (actor->redis)
        s_pack_check(pack, "redis", has_redis ? "ok" : "warning", redis_us,
                     has_redis ? "It answers" : "It does not answer; memory is used alone");
    s_check_disk(actor, pack);
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
