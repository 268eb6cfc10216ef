/* SPDX-License-Identifier: MPL-2.0
 *
 * Broker and clients in one process, over inproc: each test is a story of a few messages.
 */
#include "config.h"

#include <pthread.h>

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "proto/descriptor.h"
#include "proto/snapshot.h"
#include "tests/kit/bus.h"

/* ---- a worker ------------------------------------------------------------------------------- */

/* Holds requests until the test answers them. */
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
} worker_t;

/* The request held longest, which is the test's then. */
static worker_request_t *s_take(worker_t *self)
{
    pthread_mutex_lock(&self->mutex);
    worker_request_t *request = self->held[0];
    self->count--;
    memmove(&self->held[0], &self->held[1], (size_t)self->count * sizeof self->held[0]);
    pthread_mutex_unlock(&self->mutex);
    return request;
}

static void s_answer(worker_t *self, const char *text)
{
    worker_request_t *request = s_take(self);
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_text(&pack, text);
    client_reply(self->client, request, FRAME_FINAL, 0, &body);
    worker_request_destroy(&request);
}

static void s_on_request(void *arg, worker_request_t *request)
{
    worker_t *self = arg;
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

static void s_on_cancel(void *arg, uint32_t link, uint64_t id)
{
    (void)link;
    (void)id;
    sem_post(&((worker_t *)arg)->cancelled);
}

static void s_on_drain(void *arg)
{
    sem_post(&((worker_t *)arg)->drained);
}

static void s_on_registered(void *arg, const failure_t *failure)
{
    worker_t *self = arg;
    self->refusal = *failure;
    sem_post(&self->registered);
}

static buf_t s_descriptor(const char *service)
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

static void s_start(worker_t *self, bus_t *bus, const char *service, const char *instance,
                    uint32_t credit, bool described)
{
    buf_t descriptor = described ? s_descriptor(service) : (buf_t){ 0 };
    *self = (worker_t){ .instance = instance };
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
                               .on_request = s_on_request,
                               .on_cancel = s_on_cancel,
                               .on_drain = s_on_drain,
                               .on_registered = s_on_registered };
    self->client = client_new(bus->context, &(client_config_t){ .settings = &bus->bus,
                                                                .name = instance,
                                                                .part = "test",
                                                                .worker = &worker });
    bus_wait(&self->registered);
    buf_free(&descriptor);
}

static void s_stop(worker_t *self)
{
    client_destroy(&self->client);
    for (int i = 0; i < self->count; i++)
        worker_request_destroy(&self->held[i]);
    self->count = 0;
}

/* ---- stories -------------------------------------------------------------------------------- */

static void test_echo(void)
{
    bus_t bus;
    worker_t worker;
    bus_open(&bus, NULL);
    s_start(&worker, &bus, "echo", "echo-1", 10, true);
    worker.echo = true;
    for (int i = 0; i < 100; i++) {
        buf_t body = { 0 };
        pack_t pack;
        answer_t answer;
        pack_init(&pack, &body);
        pack_map(&pack, 1);
        pack_pair_int(&pack, "n", i);
        size_t size = body.size;
        bool good = client_call(
            bus.client, &(client_request_t){ .service = "echo", .method = "echo", .body = &body },
            &answer);
        if (!good || answer_size(&answer) != size)
            ok(good && answer_size(&answer) == size);
        answer_close(&answer);
    }
    ok(bus_balance(&bus));
    is_int(bus_counter(&bus, BROKER_ANSWERED), 100);
    s_stop(&worker);
    bus_close(&bus);
}

static void test_errors_at_once(void)
{
    bus_t bus;
    worker_t worker;
    bus_open(&bus, NULL);
    is_int(bus_call(bus.client, (client_request_t){ .service = "nobody" }), ERROR_NO_SERVICE);
    s_start(&worker, &bus, "echo", "echo-1", 1, true);
    is_int(bus_call(bus.client, (client_request_t){ .service = "echo", .method = "no" }),
           ERROR_NO_METHOD);
    s_stop(&worker);
    while (bus_counter(&bus, BROKER_INSTANCES) > 0)
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    is_int(bus_call(bus.client, (client_request_t){ .service = "echo", .method = "echo" }),
           ERROR_NO_INSTANCE);
    is_int(bus_call(bus.client, (client_request_t){ .service = "$SRV", .method = "NO" }),
           ERROR_NO_METHOD);
    ok(bus_balance(&bus));
    bus_close(&bus);
}

static void test_credit_and_deadline(void)
{
    bus_t bus;
    worker_t worker;
    outcome_t first, second, third;
    bus_open(&bus, NULL);
    s_start(&worker, &bus, "slow", "slow-1", 1, true);
    bus_send(bus.client, &first, (client_request_t){ .service = "slow", .method = "once" });
    ok(bus_wait(&worker.came));
    bus_send(bus.client, &second,
             (client_request_t){ .service = "slow", .method = "once", .deadline_ms = 50 });
    bus_send(bus.client, &third, (client_request_t){ .service = "slow", .method = "once" });
    ok(bus_wait(&second.done));
    is_int(second.code, ERROR_DEADLINE);
    is_int(worker.count, 1);
    s_answer(&worker, "one");
    ok(bus_wait(&first.done));
    is_text(first.text, "one");
    ok(bus_wait(&worker.came));
    s_answer(&worker, "three");
    ok(bus_wait(&third.done));
    is_text(third.text, "three");
    is_int(bus_counter(&bus, BROKER_DEADLINE), 1);
    ok(bus_balance(&bus));
    s_stop(&worker);
    bus_close(&bus);
}

static void test_late_answer_is_counted(void)
{
    bus_t bus;
    worker_t worker;
    outcome_t outcome;
    bus_open(&bus, NULL);
    s_start(&worker, &bus, "slow", "slow-1", 1, true);
    bus_send(bus.client, &outcome,
             (client_request_t){ .service = "slow", .method = "once", .deadline_ms = 40 });
    ok(bus_wait(&outcome.done));
    is_int(outcome.code, ERROR_DEADLINE);
    ok(bus_wait(&worker.cancelled));
    s_answer(&worker, "late");
    bus_send(bus.client, &outcome, (client_request_t){ .service = "slow", .method = "once" });
    ok(bus_wait(&worker.came) && bus_wait(&worker.came));
    is_int(bus_counter(&bus, BROKER_LATE_ANSWERS), 1);
    s_answer(&worker, "in time");
    ok(bus_wait(&outcome.done));
    is_text(outcome.text, "in time");
    s_stop(&worker);
    bus_close(&bus);
}

static void test_lost_worker(void)
{
    bus_t bus;
    worker_t one, two;
    outcome_t safe, unsafe;
    bus_open(&bus, NULL);
    s_start(&one, &bus, "work", "work-1", 10, true);
    bus_send(bus.client, &safe,
             (client_request_t){ .service = "work", .method = "echo", .flags = FRAME_IDEMPOTENT });
    bus_send(bus.client, &unsafe,
             (client_request_t){ .service = "work", .method = "once", .flags = FRAME_IDEMPOTENT });
    ok(bus_wait(&one.came) && bus_wait(&one.came));
    s_start(&two, &bus, "work", "work-2", 10, true);
    s_stop(&one);
    ok(bus_wait(&unsafe.done));
    is_int(unsafe.code,
           ERROR_WORKER_LOST); /* the method is not idempotent, whatever the flag says */
    ok(bus_wait(&two.came));
    s_answer(&two, "again");
    ok(bus_wait(&safe.done));
    is_text(safe.text, "again");
    is_int(bus_counter(&bus, BROKER_RESENT), 1);

    /* a request that kills its instance is not given to a third one */
    bus_send(bus.client, &safe,
             (client_request_t){ .service = "work", .method = "echo", .flags = FRAME_IDEMPOTENT });
    ok(bus_wait(&two.came));
    s_start(&one, &bus, "work", "work-1", 10, true);
    s_stop(&two);
    ok(bus_wait(&one.came));
    s_start(&two, &bus, "work", "work-2", 10, true);
    s_stop(&one);
    ok(bus_wait(&safe.done));
    is_int(safe.code, ERROR_WORKER_LOST);
    ok(bus_balance(&bus));
    s_stop(&two);
    bus_close(&bus);
}

static void test_route_key(void)
{
    enum { KEYS = 40 };
    bus_t bus;
    worker_t workers[3];
    int owner[KEYS];
    static const char *const names[] = { "keyed-1", "keyed-2", "keyed-3" };
    bus_open(&bus, NULL);
    for (int i = 0; i < 3; i++)
        s_start(&workers[i], &bus, "keyed", names[i], 1000, true);
    int used = 0;
    for (int round = 0; round < 2; round++)
        for (uint64_t key = 0; key < KEYS; key++) {
            outcome_t outcome;
            bus_send(bus.client, &outcome,
                     (client_request_t){ .service = "keyed",
                                         .method = "once",
                                         .flags = FRAME_ROUTE_KEY,
                                         .route_key = id_hash(&key, sizeof key) });
            int at = -1;
            while (at < 0)
                for (int i = 0; i < 3; i++)
                    if (sem_trywait(&workers[i].came) == 0)
                        at = i;
            if (round == 0)
                owner[key] = at;
            else if (owner[key] != at)
                ok_named(false, "the same key goes to the same instance");
            used |= 1 << at;
            s_answer(&workers[at], "done");
            bus_wait(&outcome.done);
        }
    is_int(used, 7);
    for (int i = 0; i < 3; i++)
        s_stop(&workers[i]);
    bus_close(&bus);
}

static void test_broadcast(void)
{
    bus_t bus;
    worker_t workers[3];
    outcome_t outcome;
    static const char *const names[] = { "all-1", "all-2", "all-3" };
    bus_open(&bus, NULL);
    for (int i = 0; i < 3; i++) {
        s_start(&workers[i], &bus, "all", names[i], 10, true);
        workers[i].echo = true;
    }
    bus_send(bus.client, &outcome,
             (client_request_t){ .service = "all", .method = "echo", .flags = FRAME_BROADCAST });
    ok(bus_wait(&outcome.done));
    is_int(outcome.code, ERROR_NONE);
    is_int(outcome.parts, 3);
    workers[1].echo = false; /* one does not answer: the deadline ends its part */
    bus_send(
        bus.client, &outcome,
        (client_request_t){
            .service = "all", .method = "echo", .flags = FRAME_BROADCAST, .deadline_ms = 100 });
    ok(bus_wait(&outcome.done));
    is_int(outcome.parts, 2);
    ok(bus_balance(&bus));
    for (int i = 0; i < 3; i++)
        s_stop(&workers[i]);
    bus_close(&bus);
}

static void s_room_for_three(bus_t *bus)
{
    bus->settings.pending = 3;
}

/* The broadcast itself takes one place, so only two of its three parts find one. */
static void test_broadcast_beyond_the_limit(void)
{
    static const char *const names[] = { "all-1", "all-2", "all-3" };
    bus_t bus;
    worker_t workers[3];
    answer_t answer;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    bus_open(&bus, s_room_for_three);
    for (int i = 0; i < 3; i++) {
        s_start(&workers[i], &bus, "all", names[i], 10, true);
        workers[i].echo = true;
    }
    ok(client_call(
        bus.client,
        &(client_request_t){ .service = "all", .method = "echo", .flags = FRAME_BROADCAST },
        &answer));
    const value_t *counts =
        value_parse(&arena, answer_bytes(&answer), answer_size(&answer), VALUE_LIMITS, &verdict);
    is_int(value_get_int(counts, "instances", 0), 3);
    is_int(value_get_int(counts, "failed", 0), 1);
    answer_close(&answer);
    arena_free(&arena);
    for (int i = 0; i < 3; i++)
        s_stop(&workers[i]);
    bus_close(&bus);
}

static void s_short_queue(bus_t *bus)
{
    bus->settings.queue_length = 2;
}

static void test_queue_full_and_priority(void)
{
    bus_t bus;
    worker_t worker;
    outcome_t outcomes[4];
    bus_open(&bus, s_short_queue);
    s_start(&worker, &bus, "busy", "busy-1", 1, true);
    bus_send(bus.client, &outcomes[0], (client_request_t){ .service = "busy", .method = "once" });
    ok(bus_wait(&worker.came));
    for (uint8_t i = 1; i < 4; i++) /* the later one matters more */
        bus_send(bus.client, &outcomes[i],
                 (client_request_t){
                     .service = "busy", .method = "once", .priority = (uint8_t)(3 - i) });
    ok(bus_wait(&outcomes[3].done));
    is_int(outcomes[3].code, ERROR_QUEUE_FULL);
    s_answer(&worker, "zero");
    ok(bus_wait(&worker.came));
    s_answer(&worker, "first after");
    ok(bus_wait(&outcomes[2].done));
    is_text(outcomes[2].text, "first after");
    ok(bus_wait(&worker.came));
    s_answer(&worker, "last");
    ok(bus_wait(&outcomes[1].done));
    is_text(outcomes[1].text, "last");
    s_stop(&worker);
    bus_close(&bus);
}

static void test_drain(void)
{
    bus_t bus;
    worker_t one, two;
    outcome_t before, after;
    bus_open(&bus, NULL);
    s_start(&one, &bus, "leave", "leave-1", 10, true);
    bus_send(bus.client, &before, (client_request_t){ .service = "leave", .method = "once" });
    ok(bus_wait(&one.came));
    s_start(&two, &bus, "leave", "leave-2", 10, true);
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 1);
    pack_pair_text(&pack, "instance", "leave-1");
    is_int(bus_call(bus.client,
                    (client_request_t){ .service = "$BROKER", .method = "DRAIN", .body = &body }),
           ERROR_NONE);
    ok(bus_wait(&one.drained));
    for (int i = 0; i < 5; i++) {
        bus_send(bus.client, &after, (client_request_t){ .service = "leave", .method = "once" });
        ok(bus_wait(&two.came));
    }
    s_answer(&one, "finished");
    ok(bus_wait(&before.done));
    is_text(before.text, "finished");
    ok(client_wait_drained(one.client, 0)); /* the operator's word was the broker's last */
    ok(!client_wait_drained(two.client, 0));
    client_drain(two.client);
    ok(client_wait_drained(two.client, BUS_PATIENCE_S * 1000));
    s_stop(&one);
    s_stop(&two);
    bus_close(&bus);
}

static void test_registration_refused(void)
{
    bus_t bus;
    worker_t worker, twin;
    bus_open(&bus, NULL);
    s_start(&worker, &bus, "$SRV", "bad-1", 1, false);
    is_int(worker.refusal.code, ERROR_FORBIDDEN);
    s_stop(&worker);
    s_start(&worker, &bus, "twins", "twin", 1, false);
    is_int(worker.refusal.code, ERROR_NONE);
    s_start(&twin, &bus, "twins", "twin", 1, false);
    is_int(twin.refusal.code, ERROR_CONFLICT);
    s_stop(&worker);
    /* once the first is gone the second is let in by itself */
    while (twin.refusal.code != ERROR_NONE)
        if (!bus_wait(&twin.registered))
            break;
    is_int(twin.refusal.code, ERROR_NONE);
    s_stop(&twin);
    bus_close(&bus);
}

/* ---- events --------------------------------------------------------------------------------- */

typedef struct {
    sem_t came;
    int count;
    uint64_t missed;
    char topic[128];
} listener_t;

static void s_on_event(void *arg, const client_event_t *event)
{
    listener_t *self = arg;
    self->count++;
    self->missed += event->missed;
    memcpy(self->topic, event->topic, event->topic_size);
    self->topic[event->topic_size] = '\0';
    sem_post(&self->came);
}

static void s_publish(client_t *client, const char *topic, bool retain, int number)
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_int(&pack, number);
    client_publish(client, topic, retain, &body);
}

static void test_events(void)
{
    bus_t bus;
    listener_t all = { .count = 0 }, late = { .count = 0 };
    sem_init(&all.came, 0, 0);
    sem_init(&late.came, 0, 0);
    bus_open(&bus, NULL);
    s_publish(bus.client, "news.kept", true, 1);
    s_publish(bus.client, "news.kept", true, 2);
    /* an answer shows that what was sent before it has arrived */
    is_int(bus_call(bus.client, (client_request_t){ .service = "$SRV", .method = "PING" }),
           ERROR_NONE);
    client_t *subscriber =
        client_new(bus.context,
                   &(client_config_t){ .settings = &bus.bus, .name = "listener", .part = "test" });
    client_subscribe(subscriber, "news.", s_on_event, &all);
    ok(bus_wait(&all.came));
    is_text(all.topic, "news.kept");
    for (int i = 0; i < 500; i++)
        s_publish(bus.client, "news.flow", false, i);
    for (int i = 0; i < 500; i++)
        bus_wait(&all.came);
    is_int(all.count, 501);
    is_int(all.missed, 0);
    client_subscribe(subscriber, "news.k", s_on_event, &late);
    ok(bus_wait(&late.came));
    is_int(late.count, 1);
    client_destroy(&subscriber);
    bus_close(&bus);
}

static void test_registry_is_published(void)
{
    bus_t bus;
    worker_t worker;
    listener_t listener = { .count = 0 };
    sem_init(&listener.came, 0, 0);
    bus_open(&bus, NULL);
    s_start(&worker, &bus, "known", "known-1", 1, true);
    client_subscribe(bus.client, "registry.", s_on_event, &listener);
    ok(bus_wait(&listener.came));
    is_text(listener.topic, "registry.known.broker-1");
    s_stop(&worker);
    ok(bus_wait(&listener.came));
    s_publish(bus.client, "registry.known.broker-1", true, 1); /* nobody else may say so */
    s_publish(bus.client, "registry", false, 2);               /* but this is another topic */
    bus_call(bus.client, (client_request_t){ .service = "$SRV", .method = "PING" });
    is_int(bus_counter(&bus, BROKER_EVENT_DROPS), 1);
    bus_close(&bus);
}

static void s_little_retained(bus_t *bus)
{
    bus->settings.retained = 2;
}

static void test_registry_has_room(void)
{
    bus_t bus;
    worker_t worker;
    listener_t listener = { .count = 0 };
    sem_init(&listener.came, 0, 0);
    bus_open(&bus, s_little_retained);
    s_publish(bus.client, "news.one", true, 1);
    s_publish(bus.client, "news.two", true, 1);
    s_publish(bus.client, "news.three", true, 1);
    is_int(bus_call(bus.client, (client_request_t){ .service = "$SRV", .method = "PING" }),
           ERROR_NONE);
    is_int(bus_counter(&bus, BROKER_RETAINED_DROPS), 1);
    s_start(&worker, &bus, "known", "known-1", 1, true);
    client_subscribe(bus.client, "registry.", s_on_event, &listener);
    ok(bus_wait(&listener.came));
    is_text(listener.topic, "registry.known.broker-1");
    s_stop(&worker);
    bus_close(&bus);
}

/* ---- losses --------------------------------------------------------------------------------- */

static void test_broker_restart(void)
{
    bus_t bus;
    worker_t worker;
    char why[200];
    bus_open(&bus, NULL);
    s_start(&worker, &bus, "again", "again-1", 1, true);
    worker.echo = true;
    is_int(bus_call(bus.client, (client_request_t){ .service = "again", .method = "echo" }),
           ERROR_NONE);
    broker_stop(&bus.broker);
    is_int(bus_call(bus.client, (client_request_t){ .service = "again", .method = "echo" }),
           ERROR_NO_BROKER);
    ok(bus_wait_lost(bus.client));
    bus.broker = broker_start(bus.context, &bus.settings, why, sizeof why);
    ok(bus.broker != NULL);
    ok(bus_wait(&worker.registered));
    ok(client_wait_ready(bus.client, 5000));
    is_int(bus_call(bus.client, (client_request_t){ .service = "again", .method = "echo" }),
           ERROR_NONE);
    s_stop(&worker);
    bus_close(&bus);
}

static void test_principal_needs_the_trusted_door(void)
{
    bus_t bus;
    worker_t worker;
    outcome_t outcome;
    buf_t principal = { 0 };
    buf_add_text(&principal, "\x80");
    bus_open(&bus, NULL);
    s_start(&worker, &bus, "who", "who-1", 10, true);
    bus_send(bus.client, &outcome,
             (client_request_t){ .service = "who", .method = "once", .principal = &principal });
    ok(bus_wait(&worker.came));
    is_int(zmq_msg_size(&worker.held[0]->principal), 0);
    is_int(bus_counter(&bus, BROKER_PRINCIPALS_REMOVED), 1);
    client_t *edge = client_new(
        bus.context,
        &(client_config_t){ .settings = &bus.trusted, .name = "edge-1", .part = "test" });
    bus_send(edge, &outcome,
             (client_request_t){ .service = "who", .method = "once", .principal = &principal });
    ok(bus_wait(&worker.came));
    is_int(zmq_msg_size(&worker.held[1]->principal), 1);
    client_destroy(&edge);
    buf_free(&principal);
    s_stop(&worker);
    bus_close(&bus);
}

static void test_client_gone(void)
{
    bus_t bus;
    worker_t worker;
    outcome_t outcome;
    bus_open(&bus, NULL);
    s_start(&worker, &bus, "late", "late-1", 10, true);
    client_t *client = client_new(
        bus.context, &(client_config_t){ .settings = &bus.bus, .name = "gone", .part = "test" });
    bus_send(client, &outcome, (client_request_t){ .service = "late", .method = "once" });
    ok(bus_wait(&worker.came));
    client_destroy(&client);
    is_int(outcome.code, ERROR_CANCELLED);
    ok(bus_wait(&worker.cancelled));
    s_answer(&worker, "nobody hears");
    ok(bus_balance(&bus));
    is_int(bus_counter(&bus, BROKER_CLIENT_GONE), 1);
    s_stop(&worker);
    bus_close(&bus);
}

typedef struct {
    client_t *client;
    sem_t came, going;
    bool had_client;
} leaving_t;

/* Answers while its client is being destroyed, as an instance does whose broker has not heard yet
 * that it leaves. */
static void s_on_request_leaving(void *arg, worker_request_t *request)
{
    leaving_t *self = arg;
    buf_t body = { 0 };
    pack_t pack;
    sem_post(&self->came);
    self->had_client = bus_wait(&self->going);
    for (int tries = 0; tries < 100 && self->had_client; tries++) {
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
        self->had_client = self->client != NULL;
    }
    pack_init(&pack, &body);
    pack_text(&pack, "last words");
    if (self->had_client)
        client_reply(self->client, request, FRAME_FINAL, 0, &body);
    worker_request_destroy(&request);
}

static void test_answers_until_it_is_gone(void)
{
    bus_t bus;
    outcome_t outcome;
    leaving_t leaving = { 0 };
    bus_open(&bus, NULL);
    sem_init(&leaving.came, 0, 0);
    sem_init(&leaving.going, 0, 0);
    const client_worker_t worker = { .service = "leaving",
                                     .version = "1.0.0",
                                     .instance = "leaving-1",
                                     .credit = 1,
                                     .weight = 1,
                                     .arg = &leaving,
                                     .on_request = s_on_request_leaving };
    leaving.client = client_new(bus.context, &(client_config_t){ .settings = &bus.bus,
                                                                 .name = "leaving-1",
                                                                 .part = "test",
                                                                 .worker = &worker });
    ok(client_wait_ready(leaving.client, BUS_PATIENCE_S * 1000));
    bus_send(bus.client, &outcome, (client_request_t){ .service = "leaving", .method = "go" });
    ok(bus_wait(&leaving.came));
    sem_post(&leaving.going);
    client_destroy(&leaving.client);
    ok(leaving.had_client);
    ok(!leaving.client);
    ok(bus_wait(&outcome.done));
    is_text(outcome.text, "last words");
    bus_close(&bus);
}

TESTS({ "echo", test_echo }, { "errors at once", test_errors_at_once },
      { "credit and deadline", test_credit_and_deadline },
      { "late answer", test_late_answer_is_counted }, { "lost worker", test_lost_worker },
      { "route key", test_route_key }, { "broadcast", test_broadcast },
      { "broadcast beyond the limit", test_broadcast_beyond_the_limit },
      { "queue and priority", test_queue_full_and_priority }, { "drain", test_drain },
      { "refused", test_registration_refused }, { "events", test_events },
      { "registry", test_registry_is_published }, { "registry has room", test_registry_has_room },
      { "broker restart", test_broker_restart },
      { "principal", test_principal_needs_the_trusted_door }, { "client gone", test_client_gone },
      { "answers until it is gone", test_answers_until_it_is_gone })
