/* SPDX-License-Identifier: MPL-2.0
 *
 * What followers of the registry hear: repeated when a broker is reached again, void when it is
 * another one, and taken back when the broker forgets.
 */
#include "config.h"

#include "actors/base/text.h"
#include "proto/descriptor.h"
#include "proto/topic.h"
#include "tests/kit/bus.h"

#define HEARD_MAX 64

typedef struct {
    char topic[TOPIC_BYTES_MAX + 1];
    size_t size;
    uint32_t connection;
} heard_t;

/* Each of `came` lets one of `heard` be read, each of `voided` one of `voids`. */
typedef struct {
    sem_t came, voided;
    size_t heard_count, read_count, void_count;
    heard_t heard[HEARD_MAX];
    uint32_t voids[HEARD_MAX];
} follower_t;

static void s_on_event(void *arg, const client_event_t *event)
{
    follower_t *self = arg;
    insist(self->heard_count < HEARD_MAX);
    heard_t *heard = &self->heard[self->heard_count++];
    text_copy(heard->topic, sizeof heard->topic, event->topic, event->topic_size);
    heard->size = event->size;
    heard->connection = event->connection;
    sem_post(&self->came);
}

static void s_on_void(void *arg, uint32_t link, uint32_t connection)
{
    follower_t *self = arg;
    insist(link == 0 && self->void_count < HEARD_MAX);
    self->voids[self->void_count++] = connection;
    sem_post(&self->voided);
}

static void s_follow(follower_t *self, bus_t *bus)
{
    *self = (follower_t){ 0 };
    sem_init(&self->came, 0, 0);
    sem_init(&self->voided, 0, 0);
    client_follow(bus->client, "registry.", s_on_event, s_on_void, self);
    ok(bus_wait(&self->voided)); /* the end of the first snapshot */
}

static void s_on_request(void *arg, worker_request_t *request)
{
    (void)arg;
    worker_request_destroy(&request);
}

/* An instance that registers and does nothing. */
static client_t *s_start(bus_t *bus, const char *service)
{
    static const method_t echo = { .name = "echo", .access = ACCESS_INTERNAL };
    static const method_t *const methods[] = { &echo, NULL };
    buf_t bytes = { 0 };
    pack_t pack;
    pack_init(&pack, &bytes);
    descriptor_write(&(service_t){ .name = service, .version = "1.0.0", .methods = methods },
                     &pack);
    client_worker_t worker = { .service = service,
                               .version = "1.0.0",
                               .instance = "one",
                               .descriptor = bytes.bytes,
                               .descriptor_size = bytes.size,
                               .credit = 1,
                               .weight = 1,
                               .on_request = s_on_request };
    client_t *client =
        client_new(bus->context,
                   &(client_config_t){
                       .settings = &bus->bus, .name = "one", .part = "test", .worker = &worker });
    buf_free(&bytes);
    ok(client_wait_ready(client, BUS_PATIENCE_S * 1000));
    return client;
}

/* The next event; NULL when none comes. */
static const heard_t *s_next(follower_t *self)
{
    return bus_wait(&self->came) ? &self->heard[self->read_count++] : NULL;
}

/* Passes over events until this one comes, empty or not. */
static void s_hear(follower_t *self, const char *service, bool is_empty)
{
    char topic[60];
    const heard_t *heard;
    snprintf(topic, sizeof topic, "registry.%s.broker-1", service);
    while ((heard = s_next(self)))
        if (strcmp(heard->topic, topic) == 0 && (heard->size == 0) == is_empty)
            break;
    ok_named(heard, topic);
}

static void test_another_broker(void)
{
    bus_t bus;
    follower_t follower;
    char why[200];
    bus_open(&bus, bus_beat_fast);
    client_t *worker = s_start(&bus, "foo");
    s_follow(&follower, &bus);
    const heard_t *heard = s_next(&follower);
    is_text(heard->topic, "registry.foo.broker-1");
    client_destroy(&worker);
    broker_stop(&bus.broker);
    ok(bus_wait_lost(bus.client));
    bus.settings.name = "broker-2";
    bus.broker = broker_start(bus.context, &bus.settings, why, sizeof why);
    bool is_void = false; /* although the new one has said nothing at all */
    for (size_t i = 1; !is_void && bus_wait(&follower.voided); i++)
        is_void = follower.voids[i] != heard->connection;
    ok(is_void);
    bus_close(&bus);
}

static void s_two_services(bus_t *bus)
{
    bus->settings.services = 2;
}

static void test_forgotten_services(void)
{
    static const char *const names[] = { "foo", "bar", "baz", "foo" };
    bus_t bus;
    follower_t follower;
    bus_open(&bus, s_two_services);
    s_follow(&follower, &bus);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        client_t *worker = s_start(&bus, names[i]);
        if (i >= 2)
            s_hear(&follower, names[i - 2], true);
        s_hear(&follower, names[i], false); /* also when it comes again */
        client_destroy(&worker);
        s_hear(&follower, names[i], false); /* without an instance */
    }
    is_int(bus_counter(&bus, BROKER_RETAINED), 2);
    bus_close(&bus);
}

TESTS({ "another broker", test_another_broker }, { "forgotten services", test_forgotten_services })
