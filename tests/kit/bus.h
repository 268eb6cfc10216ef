/* SPDX-License-Identifier: MPL-2.0
 *
 * bus - a broker and a client over inproc, for C tests
 */
#ifndef SIGNALBOX_TEST_BUS_H
#define SIGNALBOX_TEST_BUS_H

#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

#include "broker/broker.h"
#include "proto/client.h"
#include "tests/tap.h"

#define BUS_PATIENCE_S 10 /* how long a test waits for what must happen */

typedef struct {
    void *context;
    broker_settings_t settings;
    client_settings_t bus, trusted;
    broker_t *broker;
    client_t *client;
} bus_t;

/* Fills a part's struct with the defaults of its rows. */
static inline void bus_presets(const setting_t *rows, void *target)
{
    for (; rows->name; rows++) {
        char *field = (char *)target + rows->offset;
        if (rows->type == SETTING_INT)
            *(int64_t *)(void *)field = atoll(rows->preset);
        else if (rows->type == SETTING_TEXT)
            *(const char **)(void *)field = rows->preset ? rows->preset : "";
        else
            *(bool *)(void *)field = strcmp(rows->preset, "true") == 0;
    }
}

/* For tests that lose somebody: an adjustment with beats that are soon missed. */
static inline void bus_beat_fast(bus_t *bus)
{
    bus->settings.heartbeat_ms = bus->bus.heartbeat_ms = bus->trusted.heartbeat_ms = 200;
}

/* `adjust`, which may be NULL, changes settings before the broker starts. */
static inline void bus_open(bus_t *bus, void (*adjust)(bus_t *bus))
{
    char why[200];
    *bus = (bus_t){ .context = zmq_ctx_new() };
    bus_presets(broker_setting_rows, &bus->settings);
    bus_presets(client_setting_rows, &bus->bus);
    bus->settings.name = "broker-1";
    bus->settings.requests = bus->bus.brokers = "inproc://bus";
    bus->settings.trusted = "inproc://trusted";
    bus->settings.events = bus->bus.events = "inproc://events";
    bus->settings.heartbeat_ms = bus->bus.heartbeat_ms = 1000; /* a busy machine is not a loss */
    bus->trusted = bus->bus;
    bus->trusted.brokers = "inproc://trusted";
    if (adjust)
        adjust(bus);
    bus->broker = broker_start(bus->context, &bus->settings, why, sizeof why);
    if (!bus->broker)
        die("%s", why);
    bus->client =
        client_new(bus->context,
                   &(client_config_t){ .settings = &bus->bus, .name = "client-1", .part = "test" });
    ok(client_wait_ready(bus->client, BUS_PATIENCE_S * 1000));
}

static inline void bus_close(bus_t *bus)
{
    client_destroy(&bus->client);
    broker_stop(&bus->broker);
    zmq_ctx_term(bus->context);
}

static inline int64_t bus_counter(const bus_t *bus, broker_stat_t row)
{
    return stats_get(broker_stats(bus->broker), row);
}

/* Every request ends in one counter; the last one perhaps a moment after its answer came. */
static inline bool bus_balance(const bus_t *bus)
{
    for (int tries = 0; tries < BUS_PATIENCE_S * 1000; tries++) {
        int64_t ended = 0;
        for (int row = BROKER_ANSWERED; row <= BROKER_CLIENT_GONE; row++)
            ended += bus_counter(bus, (broker_stat_t)row);
        if (ended == bus_counter(bus, BROKER_REQUESTS))
            return true;
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    return false;
}

/* Waits until the client knows that its broker is gone; false when it does not come to know. */
static inline bool bus_wait_lost(const client_t *client)
{
    for (int tries = 0; tries < BUS_PATIENCE_S * 1000; tries++) {
        if (!client_is_ready(client))
            return true;
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    return false;
}

/* Waits for another thread's step; false when it does not come. */
static inline bool bus_wait(sem_t *sem)
{
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += BUS_PATIENCE_S;
    return sem_timedwait(sem, &limit) == 0;
}

/* How a call ended. */
typedef struct {
    sem_t done;
    error_code_t code;
    char detail[240];
    int parts;
    char text[256]; /* the answer, when it is one msgpack text or is read as bytes */
    uint8_t body[4096];
    size_t size;
    uint16_t status;
} outcome_t;

static inline void bus_on_answer(void *arg, answer_t *answer)
{
    outcome_t *self = arg;
    self->code = answer->failure.code;
    memcpy(self->detail, answer->failure.detail, sizeof self->detail);
    self->status = answer->status;
    self->size = answer_size(answer) < sizeof self->body ? answer_size(answer) : 0;
    memcpy(self->body, answer_bytes(answer), self->size);
    if (self->size > 0 && self->size < sizeof self->text) {
        memcpy(self->text, self->body + 1, self->size - 1);
        self->text[self->size - 1] = '\0';
    }
    sem_post(&self->done);
}

static inline void bus_on_part(void *arg, answer_t *answer)
{
    (void)answer;
    ((outcome_t *)arg)->parts++;
}

static inline uint64_t bus_send(client_t *client, outcome_t *outcome, client_request_t request)
{
    memset(outcome, 0, sizeof *outcome);
    sem_init(&outcome->done, 0, 0);
    request.on_part = bus_on_part;
    request.part_arg = outcome;
    return client_send(client, &request, bus_on_answer, outcome);
}

/* The code a call ended with; ERROR_COUNT when it did not end. */
static inline error_code_t bus_call(client_t *client, client_request_t request)
{
    outcome_t outcome;
    bus_send(client, &outcome, request);
    return bus_wait(&outcome.done) ? outcome.code : ERROR_COUNT;
}

#endif
