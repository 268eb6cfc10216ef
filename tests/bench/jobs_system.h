/* SPDX-License-Identifier: MPL-2.0
 *
 * jobs_system - a broker, the jobs service, a service that does nothing, and clients of all of them
 * in this process, for what jobs cost
 */
#ifndef SIGNALBOX_JOBS_SYSTEM_H
#define SIGNALBOX_JOBS_SYSTEM_H

#include "actors/jobs/jobs.h"
#include "broker/broker.h"

#define SYSTEM_SERVICE "jobs_bench" /* whose tables they are */
#define SYSTEM_CLIENTS 8
#define SYSTEM_QUEUE   "echo"
#define SYSTEM_KIND    "echo.say"

/* Where the tables are, and how much is done. */
typedef struct {
    const char *name; /* "sqlite" */
    db_settings_t storage;
    uint64_t jobs;
} place_t;

typedef struct {
    void *context;
    client_settings_t bus;
    broker_settings_t broker_settings;
    actor_settings_t actor_settings;
    actor_config_t config;
    service_t service;
    actor_spec_t spec;
    broker_t *broker;
    actor_t *jobs, *echo;
    client_t *clients[SYSTEM_CLIENTS];
} system_t;

void system_start(system_t *self, const place_t *place);
void system_stop(system_t *self);

/* Whether the queue of the service begins anything. */
void system_set_paused(system_t *self, bool paused);

/* Asks for a job of the service; `done` is called with its answer. */
void system_enqueue(system_t *self, size_t client, answer_fn done, void *arg);

#endif
