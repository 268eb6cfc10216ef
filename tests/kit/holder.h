/* SPDX-License-Identifier: MPL-2.0
 *
 * holder - a worker for C tests that holds requests until the test answers them
 */
#ifndef SIGNALBOX_TEST_HOLDER_H
#define SIGNALBOX_TEST_HOLDER_H

#include <pthread.h>

#include "proto/descriptor.h"
#include "tests/kit/bus.h"

typedef struct {
    client_t *client;
    const char *instance;
    sem_t came, cancelled, drained, registered;
    pthread_mutex_t mutex;
    worker_request_t *held[64];
    int count;
    bool echo; /* answers at once with the request's body */
    bool dies; /* drops the request and leaves without a word to it */
    failure_t refusal;
} holder_t;

/* The request held longest, which is the test's then. */
static inline worker_request_t *holder_take(holder_t *self)
{
    pthread_mutex_lock(&self->mutex);
    worker_request_t *request = self->held[0];
    self->count--;
    memmove(&self->held[0], &self->held[1], (size_t)self->count * sizeof self->held[0]);
    pthread_mutex_unlock(&self->mutex);
    return request;
}

static inline void holder_answer(holder_t *self, const char *text)
{
    worker_request_t *request = holder_take(self);
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_text(&pack, text);
    client_reply(self->client, request, FRAME_FINAL, 0, &body);
    worker_request_destroy(&request);
}

static inline void holder_on_request(void *arg, worker_request_t *request)
{
    holder_t *self = arg;
    if (self->echo) {
        buf_t body = { 0 };
        buf_add(&body, zmq_msg_data(&request->body), zmq_msg_size(&request->body));
        client_reply(self->client, request, FRAME_FINAL, 0, &body);
        worker_request_destroy(&request);
    } else {
        pthread_mutex_lock(&self->mutex);
        self->held[self->count++] = request;
        pthread_mutex_unlock(&self->mutex);
    }
    sem_post(&self->came);
}

static inline void holder_on_cancel(void *arg, uint32_t link, uint64_t id)
{
    (void)link;
    (void)id;
    sem_post(&((holder_t *)arg)->cancelled);
}

static inline void holder_on_drain(void *arg)
{
    sem_post(&((holder_t *)arg)->drained);
}

static inline void holder_on_registered(void *arg, const failure_t *failure)
{
    holder_t *self = arg;
    self->refusal = *failure;
    sem_post(&self->registered);
}

static inline buf_t holder_descriptor(const char *service)
{
    static const method_t echo = { .name = "echo", .access = ACCESS_INTERNAL, .idempotent = true };
    static const method_t once = { .name = "once", .access = ACCESS_INTERNAL };
    static const method_t *const methods[] = { &echo, &once, NULL };
    buf_t bytes = { 0 };
    pack_t pack;
    pack_init(&pack, &bytes);
    descriptor_write(&(service_t){ .name = service, .version = "1.0.0", .methods = methods },
                     &pack);
    return bytes;
}

static inline void holder_start(holder_t *self, bus_t *bus, const char *service,
                                const char *instance, uint32_t credit, bool described)
{
    buf_t descriptor = described ? holder_descriptor(service) : (buf_t){ 0 };
    *self = (holder_t){ .instance = instance };
    sem_init(&self->came, 0, 0);
    sem_init(&self->cancelled, 0, 0);
    sem_init(&self->drained, 0, 0);
    sem_init(&self->registered, 0, 0);
    pthread_mutex_init(&self->mutex, NULL);
    client_worker_t worker = { .service = service,
                               .version = "1.0.0",
                               .instance = instance,
                               .descriptor = descriptor.bytes,
                               .descriptor_size = descriptor.size,
                               .credit = credit,
                               .weight = 1,
                               .arg = self,
                               .on_request = holder_on_request,
                               .on_cancel = holder_on_cancel,
                               .on_drain = holder_on_drain,
                               .on_registered = holder_on_registered };
    self->client = client_new(bus->context, &(client_config_t){ .settings = &bus->bus,
                                                                .name = instance,
                                                                .part = "test",
                                                                .worker = &worker });
    bus_wait(&self->registered);
    buf_free(&descriptor);
}

static inline void holder_stop(holder_t *self)
{
    client_destroy(&self->client);
    for (int i = 0; i < self->count; i++)
        worker_request_destroy(&self->held[i]);
    self->count = 0;
}

#endif
