/* SPDX-License-Identifier: MPL-2.0
 *
 * service - a broker and one actor in a process of their own, and a client that reaches them
 */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <zmq.h>

#include "actors/base/log.h"
#include "broker/broker.h"
#include "tests/bench/service.h"

#define READY_MS 30000

void bench_presets(const setting_t *rows, void *target)
{
    const settings_section_t sections[] = { { "bench", rows, target }, { 0 } };
    settings_new(sections); /* lives as long as the process */
}

static void s_run(void *arg)
{
    static broker_settings_t broker;
    static client_settings_t bus;
    static actor_settings_t settings;
    static db_settings_t storage;
    static const actor_config_t config = { &settings, &bus, &storage };
    const bench_service_t *self = arg;
    void *context = zmq_ctx_new();
    char why[300];
    log_set_level(LOG_ERROR);
    bench_presets(broker_setting_rows, &broker);
    bench_presets(client_setting_rows, &bus);
    bench_presets(actor_setting_rows, &settings);
    bench_presets(db_setting_rows, &storage);
    bench_presets(self->spec->settings, self->spec->settings_target);
    broker.requests = bus.brokers = self->requests;
    broker.events = bus.events = self->events;
    broker.trusted = "inproc://trusted";
    storage.data = self->folder;
    if (!broker_start(context, &broker, why, sizeof why) ||
        !actor_start(context, self->spec, &config, DB_MIGRATE_APPLY, why, sizeof why))
        die("%s", why);
    for (;;)
        pause();
}

void bench_service_start(bench_service_t *self, const actor_spec_t *spec)
{
    static client_settings_t bus;
    *self = (bench_service_t){ .spec = spec, .folder = "/tmp/service-bench-XXXXXX" };
    if (!mkdtemp(self->folder))
        die("cannot make a folder in /tmp");
    snprintf(self->requests, sizeof self->requests, "ipc://%s/bus", self->folder);
    snprintf(self->events, sizeof self->events, "ipc://%s/events", self->folder);
    self->pid = bench_fork(s_run, self);
    self->context = zmq_ctx_new();
    bench_presets(client_setting_rows, &bus);
    bus.brokers = self->requests;
    bus.events = self->events;
    self->client = client_new(
        self->context, &(client_config_t){ .settings = &bus, .name = "bench", .part = "bench" });
    if (!client_wait_ready(self->client, READY_MS))
        die("the broker does not answer");
}

uint64_t bench_service_stop(bench_service_t *self)
{
    client_destroy(&self->client);
    zmq_ctx_term(self->context);
    uint64_t cpu_us = bench_reap(self->pid, SIGKILL);
    bench_remove_folder(self->folder);
    return cpu_us;
}
