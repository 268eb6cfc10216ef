/* SPDX-License-Identifier: MPL-2.0
 *
 * limiter_bench - what a take costs
 *
 * `engine-1` and `engine-3` decide alone, under one and under three policies: a thousand subjects
 * in turn, each of which has about sixty uses in its window. `engine-copy` packs what a runner-up
 * is sent, too. `bus-1` and `bus-3` are the same as messages, with 256 under way: client, broker
 * and actor in one process, whose CPU time is shared out. BENCH_TAKES is the size of a run over the
 * bus.
 */
#include "config.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/limiter/limiter.h"
#include "broker/broker.h"
#include "tests/bench/service.h"

#define SUBJECTS  1000
#define BATCH     10000
#define IN_FLIGHT 256
#define READY_MS  10000

static const policy_rule_t s_rules[] = {
    { .name = "one", .limit = 100, .window_ms = 60000 },
    { .name = "two", .limit = 1000, .window_ms = 60000 },
    { .name = "three", .limit = 100000, .window_ms = 60000 },
};

/* ---- the engine alone ------------------------------------------------------------------------ */

typedef struct {
    engine_t engine;
    size_t policies;
    bool packs;
    int64_t now_ms;
    uint64_t taken;
    buf_t copy;
} alone_t;

static void s_take_batch(void *arg)
{
    alone_t *self = arg;
    char name[32];
    take_t take = { .subject = name, .cost = 1, .policy_count = self->policies };
    taken_t taken;
    pack_t pack;
    for (size_t i = 0; i < self->policies; i++)
        take.policies[i] =
            policies_find(&self->engine.policies, s_rules[i].name, strlen(s_rules[i].name));
    pack_init(&pack, &self->copy);
    for (int i = 0; i < BATCH; i++) {
        int size = snprintf(name, sizeof name, "account:%d", (int)(self->now_ms++ % SUBJECTS));
        take.subject_size = (size_t)size;
        insist(engine_take(&self->engine, &take, self->now_ms, &taken) == ENGINE_DONE);
        self->taken += taken.allowed;
        self->copy.size = 0;
        if (self->packs)
            engine_pack_uses(taken.subject, take.policies, take.policy_count, &taken.at_ms, 1,
                             &pack);
    }
}

static void s_bench_engine(const char *name, size_t policies, bool packs)
{
    static const uint8_t seed[16] = { 3 };
    alone_t self = { .policies = policies, .packs = packs, .now_ms = INT64_C(1800000000000) };
    engine_init(&self.engine, 64u << 20, seed);
    for (size_t i = 0; i < COUNT_OF(s_rules); i++)
        insist(policies_set(&self.engine.policies, &s_rules[i]));
    for (int i = 0; i < 8; i++)
        s_take_batch(&self); /* until every subject's window is as full as it gets */
    bench_repeat("limiter", name, BATCH, s_take_batch, &self);
    insist(self.taken > 0);
    buf_free(&self.copy);
    engine_free(&self.engine);
}

/* ---- over the bus ---------------------------------------------------------------------------- */

typedef struct {
    void *context;
    client_settings_t bus;
    broker_settings_t broker_settings;
    actor_settings_t actor_settings;
    db_settings_t storage;
    actor_config_t config;
    broker_t *broker;
    actor_t *actor;
    client_t *client;
    sem_t places, done;
    uint64_t answered, failed, takes;
} system_t;

static void s_start(system_t *self, const char *folder)
{
    char why[300];
    *self = (system_t){ .context = zmq_ctx_new() };
    bench_presets(broker_setting_rows, &self->broker_settings);
    bench_presets(client_setting_rows, &self->bus);
    bench_presets(actor_setting_rows, &self->actor_settings);
    bench_presets(db_setting_rows, &self->storage);
    bench_presets(limiter_actor.settings, limiter_actor.settings_target);
    self->storage.data = folder;
    self->bus.brokers = self->broker_settings.requests = "inproc://bench-bus";
    self->bus.events = self->broker_settings.events = "inproc://bench-events";
    self->broker_settings.trusted = "inproc://bench-trusted";
    self->config = (actor_config_t){ .actor = &self->actor_settings,
                                     .bus = &self->bus,
                                     .storage = &self->storage };
    self->broker = broker_start(self->context, &self->broker_settings, why, sizeof why);
    if (!self->broker)
        die("%s", why);
    self->actor = actor_start(self->context, &limiter_actor, &self->config, DB_MIGRATE_APPLY, why,
                              sizeof why);
    if (!self->actor)
        die("%s", why);
    self->client =
        client_new(self->context,
                   &(client_config_t){ .settings = &self->bus, .name = "bench", .part = "bench" });
    insist(client_wait_ready(self->client, READY_MS));
    sem_init(&self->places, 0, IN_FLIGHT);
    sem_init(&self->done, 0, 0);
}

static void s_stop(system_t *self)
{
    client_destroy(&self->client);
    actor_stop(&self->actor);
    broker_stop(&self->broker);
    zmq_ctx_term(self->context);
}

/* On the client's I/O thread, one after the other. */
static void s_on_answer(void *arg, answer_t *answer)
{
    system_t *self = arg;
    self->failed += answer->failure.code != ERROR_NONE;
    sem_post(&self->places);
    if (++self->answered == self->takes)
        sem_post(&self->done);
}

static void s_send(system_t *self, uint64_t number, size_t policies)
{
    static const char *const names[] = { "address", "pro", "pro.analysis" };
    char subject[32];
    buf_t body = { 0 };
    pack_t pack;
    snprintf(subject, sizeof subject, "account:%llu", (unsigned long long)(number % SUBJECTS));
    pack_init(&pack, &body);
    pack_map(&pack, 2);
    pack_pair_text(&pack, "subject", subject);
    pack_text(&pack, "policies");
    pack_array(&pack, policies);
    for (size_t i = 0; i < policies; i++)
        pack_text(&pack, names[i]);
    sem_wait(&self->places);
    client_send(self->client,
                &(client_request_t){ .service = "limiter",
                                     .method = "take",
                                     .body = &body,
                                     .flags = FRAME_ROUTE_KEY,
                                     .route_key = limiter_route_key(subject) },
                s_on_answer, self);
}

static void s_bench_bus(system_t *self, const char *name, size_t policies, bool is_printed)
{
    uint64_t cpu_us = clock_cpu_us(), wall_us = clock_us();
    self->answered = 0;
    self->takes = bench_number("takes", 100000);
    for (uint64_t i = 0; i < self->takes; i++)
        s_send(self, i, policies);
    sem_wait(&self->done);
    insist(self->failed == 0);
    if (is_printed)
        bench_print("limiter", name, self->takes, clock_us() - wall_us,
                    (double)(clock_cpu_us() - cpu_us) / (double)self->takes);
}

int main(void)
{
    system_t system;
    char folder[] = "/tmp/sbx-bench-XXXXXX", path[64];
    log_set_level(LOG_ERROR);
    s_bench_engine("engine-1", 1, false);
    s_bench_engine("engine-3", 3, false);
    s_bench_engine("engine-copy", 1, true);
    insist(mkdtemp(folder));
    s_start(&system, folder);
    s_bench_bus(&system, "warm", 3, false);
    s_bench_bus(&system, "bus-1", 1, true);
    s_bench_bus(&system, "bus-3", 3, true);
    s_stop(&system);
    snprintf(path, sizeof path, "%s/limiter.db", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/limiter.db.lock", folder);
    unlink(path);
    rmdir(folder);
    return 0;
}
