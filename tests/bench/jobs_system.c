/* SPDX-License-Identifier: MPL-2.0
 *
 * jobs_system - a broker, the jobs service, a service that does nothing, and clients of all of them
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/bench/service.h"
#include "tests/bench/jobs_system.h"

#define READY_MS 10000

static void s_on_say(call_t *call, void *self)
{
    (void)self;
    call_reply(call, 0);
}

static const field_t s_no_fields[] = { { 0 } };
static const method_t s_say = {
    .name = "say", .summary = "Says nothing", .request = s_no_fields, .access = ACCESS_USER
};
static const service_t s_echo_service = { .name = SYSTEM_QUEUE,
                                          .version = "1.0.0",
                                          .about = "Says nothing",
                                          .methods = (const method_t *const[]){ &s_say, NULL } };
static const handler_t s_echo_handlers[] = { { &s_say, s_on_say, HANDLE_INLINE }, { 0 } };
static const actor_spec_t s_echo_spec = { .service = &s_echo_service,
                                          .self_size = 1,
                                          .handlers = s_echo_handlers };

static actor_t *s_start_actor(system_t *self, const actor_spec_t *spec)
{
    char why[300];
    actor_t *actor =
        actor_start(self->context, spec, &self->config, DB_MIGRATE_APPLY, why, sizeof why);
    if (!actor)
        die("%s", why);
    return actor;
}

void system_start(system_t *self, const place_t *place)
{
    char why[300];
    *self = (system_t){ .context = zmq_ctx_new() };
    bench_presets(broker_setting_rows, &self->broker_settings);
    bench_presets(client_setting_rows, &self->bus);
    bench_presets(actor_setting_rows, &self->actor_settings);
    bench_presets(jobs_actor.settings, jobs_actor.settings_target);
    self->bus.brokers = self->broker_settings.requests = "inproc://bench-bus";
    self->bus.events = self->broker_settings.events = "inproc://bench-events";
    self->broker_settings.trusted = jobs_settings.brokers = "inproc://bench-trusted";
    self->config = (actor_config_t){ .actor = &self->actor_settings,
                                     .bus = &self->bus,
                                     .storage = &place->storage };
    self->service = jobs_service;
    self->service.name = SYSTEM_SERVICE;
    self->spec = jobs_actor;
    self->spec.service = &self->service;
    self->broker = broker_start(self->context, &self->broker_settings, why, sizeof why);
    if (!self->broker)
        die("%s", why);
    self->echo = s_start_actor(self, &s_echo_spec);
    self->jobs = s_start_actor(self, &self->spec);
    for (int i = 0; i < SYSTEM_CLIENTS; i++) {
        self->clients[i] = client_new(
            self->context,
            &(client_config_t){ .settings = &self->bus, .name = "bench", .part = "bench" });
        insist(client_wait_ready(self->clients[i], READY_MS));
    }
}

void system_stop(system_t *self)
{
    for (int i = 0; i < SYSTEM_CLIENTS; i++)
        client_destroy(&self->clients[i]);
    actor_stop(&self->jobs);
    actor_stop(&self->echo);
    broker_stop(&self->broker);
    zmq_ctx_term(self->context);
}

void system_set_paused(system_t *self, bool paused)
{
    buf_t body = { 0 };
    pack_t pack;
    answer_t answer;
    pack_init(&pack, &body);
    pack_map(&pack, 2);
    pack_pair_text(&pack, "name", SYSTEM_QUEUE);
    pack_pair_bool(&pack, "paused", paused);
    insist(client_call(
        self->clients[0],
        &(client_request_t){ .service = SYSTEM_SERVICE, .method = "queue_set", .body = &body },
        &answer));
    answer_close(&answer);
}

void system_enqueue(system_t *self, size_t client, answer_fn done, void *arg)
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 1);
    pack_pair_text(&pack, "kind", SYSTEM_KIND);
    client_send(
        self->clients[client],
        &(client_request_t){ .service = SYSTEM_SERVICE, .method = "enqueue", .body = &body }, done,
        arg);
}
