/* SPDX-License-Identifier: MPL-2.0
 *
 * Broker and clients in one process, over inproc: what is published, and what is lost with whom.
 */
#include "config.h"

#include "tests/kit/holder.h"

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
    holder_t worker;
    listener_t listener = { .count = 0 };
    sem_init(&listener.came, 0, 0);
    bus_open(&bus, NULL);
    holder_start(&worker, &bus, "known", "known-1", 1, true);
    client_subscribe(bus.client, "registry.", s_on_event, &listener);
    ok(bus_wait(&listener.came));
    is_text(listener.topic, "registry.known.broker-1");
    holder_stop(&worker);
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
    holder_t worker;
    listener_t listener = { .count = 0 };
    sem_init(&listener.came, 0, 0);
    bus_open(&bus, s_little_retained);
    s_publish(bus.client, "news.one", true, 1);
    s_publish(bus.client, "news.two", true, 1);
    s_publish(bus.client, "news.three", true, 1);
    is_int(bus_call(bus.client, (client_request_t){ .service = "$SRV", .method = "PING" }),
           ERROR_NONE);
    is_int(bus_counter(&bus, BROKER_RETAINED_DROPS), 1);
    holder_start(&worker, &bus, "known", "known-1", 1, true);
    client_subscribe(bus.client, "registry.", s_on_event, &listener);
    ok(bus_wait(&listener.came));
    is_text(listener.topic, "registry.known.broker-1");
    holder_stop(&worker);
    bus_close(&bus);
}

/* ---- losses --------------------------------------------------------------------------------- */

static void test_broker_restart(void)
{
    bus_t bus;
    holder_t worker;
    char why[200];
    bus_open(&bus, bus_beat_fast);
    holder_start(&worker, &bus, "again", "again-1", 1, true);
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
    holder_stop(&worker);
    bus_close(&bus);
}

static void test_client_gone(void)
{
    bus_t bus;
    holder_t worker;
    outcome_t outcome;
    bus_open(&bus, NULL);
    holder_start(&worker, &bus, "late", "late-1", 10, true);
    client_t *client = client_new(
        bus.context, &(client_config_t){ .settings = &bus.bus, .name = "gone", .part = "test" });
    bus_send(client, &outcome, (client_request_t){ .service = "late", .method = "once" });
    ok(bus_wait(&worker.came));
    client_destroy(&client);
    is_int(outcome.code, ERROR_CANCELLED);
    ok(bus_wait(&worker.cancelled));
    holder_answer(&worker, "nobody hears");
    ok(bus_balance(&bus));
    is_int(bus_counter(&bus, BROKER_CLIENT_GONE), 1);
    holder_stop(&worker);
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
TESTS({ "events", test_events }, { "registry", test_registry_is_published },
      { "registry has room", test_registry_has_room }, { "broker restart", test_broker_restart },
      { "client gone", test_client_gone },
      { "answers until it is gone", test_answers_until_it_is_gone })
