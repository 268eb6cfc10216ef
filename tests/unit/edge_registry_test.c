/* SPDX-License-Identifier: MPL-2.0
 *
 * What brokers say, merged: which version of which service is routed to.
 */
#include "config.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "edge/counters.h"
#include "edge/registry.h"
#include "proto/pack.h"
#include "tests/kit/described.h"
#include "tests/tap.h"

static stats_t s_stats;
static grants_t s_grants;
static registry_t s_registry;
static int s_wake;

static void s_open(void)
{
    char why[100];
    log_set_level(LOG_ERROR);
    stats_init(&s_stats, counter_rows);
    ok(grants_read(&s_grants, "", why, sizeof why));
    s_wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    registry_init(&s_registry, &s_grants, &s_stats, s_wake);
}

static void s_close(void)
{
    registry_free(&s_registry);
    grants_free(&s_grants);
    stats_free(&s_stats);
    close(s_wake);
}

typedef struct {
    const char *version, *path;
    int instances;
} version_t;

/* Over which connection of the only link brokers are heard. */
static uint32_t s_connection = 1;

static void s_store(const char *topic, const void *body, size_t size)
{
    const client_event_t event = { .topic = topic,
                                   .topic_size = strlen(topic),
                                   .body = body,
                                   .size = size,
                                   .connection = s_connection };
    registry_store(&s_registry, &event);
}

/* An event of a broker about the service `foo`; versions end with an empty one. */
static void s_say(const char *broker, const version_t *versions, int64_t since)
{
    buf_t event = { 0 };
    pack_t pack;
    size_t count = 0;
    char topic[100];
    while (versions[count].version)
        count++;
    pack_init(&pack, &event);
    pack_map(&pack, 4);
    pack_pair_text(&pack, "service", "foo");
    pack_pair_text(&pack, "broker", broker);
    pack_pair_int(&pack, "since", since);
    pack_text(&pack, "versions");
    pack_array(&pack, count);
    for (size_t i = 0; i < count; i++) {
        char json[400];
        snprintf(
            json, sizeof json,
            "{\"service\":\"foo\",\"version\":\"%s\",\"methods\":[{\"name\":\"get\",\"access\":"
            "\"user\",\"request\":{\"type\":\"object\"},\"http\":{\"route\":\"GET %s\"}}]}",
            versions[i].version, versions[i].path);
        buf_t packed = described_pack(json);
        pack_map(&pack, 3);
        pack_pair_text(&pack, "version", versions[i].version);
        pack_text(&pack, "descriptor");
        pack_bytes(&pack, packed.bytes, packed.size);
        pack_text(&pack, "instances");
        pack_array(&pack, (size_t)versions[i].instances);
        for (int j = 0; j < versions[i].instances; j++)
            pack_nil(&pack);
        buf_free(&packed);
    }
    snprintf(topic, sizeof topic, "registry.foo.%s", broker);
    s_store(topic, event.bytes, event.size);
    buf_free(&event);
    registry_work(&s_registry);
}

/* "1.0.0 live", "1.0.0 gone", or "nothing". */
static const char *s_routed(void)
{
    static char text[60];
    size_t count;
    routing_t *routing = registry_routing(&s_registry);
    const offer_t *offers = routing_offers(routing, &count);
    if (count == 0)
        strcpy(text, "nothing");
    else
        snprintf(text, sizeof text, "%s %s", offers[0].described->descriptor->version,
                 offers[0].is_live ? "live" : "gone");
    routing_drop(&routing);
    return text;
}

static void test_versions(void)
{
    s_open();
    is_text(s_routed(), "nothing");
    s_say("b1", (version_t[]){ { "1.0.0", "/v1/foo", 1 }, { 0 } }, 0);
    is_text(s_routed(), "1.0.0 live");
    uint64_t rings = 0;
    ok(read(s_wake, &rings, sizeof rings) == sizeof rings && rings == 1);
    s_say("b1", (version_t[]){ { "1.0.0", "/v1/foo", 1 }, { "1.10.0", "/v1/foo", 1 }, { 0 } }, 0);
    is_text(s_routed(), "1.10.0 live");
    s_say("b1", (version_t[]){ { "1.10.0", "/v1/foo", 0 }, { "1.9.0", "/v1/foo", 2 }, { 0 } }, 0);
    is_text(s_routed(), "1.9.0 live");
    s_say("b1", (version_t[]){ { "1.10.0", "/v1/foo", 0 }, { "1.9.0", "/v1/foo", 0 }, { 0 } }, 77);
    is_text(s_routed(), "1.10.0 gone");
    routing_t *routing = registry_routing(&s_registry);
    size_t count;
    is_int(routing_offers(routing, &count)[0].since_ms, 77);
    is_int(routing_size(routing), 1);
    routing_drop(&routing);
    s_close();
}

static void test_brokers(void)
{
    s_open();
    s_say("b1", (version_t[]){ { "1.0.0", "/v1/foo", 0 }, { 0 } }, 5);
    s_say("b2", (version_t[]){ { "1.0.0", "/v1/foo", 1 }, { 0 } }, 0);
    is_text(s_routed(), "1.0.0 live");
    s_say("b2", (version_t[]){ { "1.0.0", "/v1/foo", 0 }, { 0 } }, 9);
    is_text(s_routed(), "1.0.0 gone");
    s_say("b1", (version_t[]){ { "2.0.0", "/v2/foo", 1 }, { 0 } }, 0);
    is_text(s_routed(), "2.0.0 live");
    is_int(stats_get(&s_stats, COUNT_SCHEMA_CONFLICTS), 0);
    s_close();
}

/* The same version with two schemas: one of them is taken, the same one in whatever order. */
static void test_disputed_versions(void)
{
    const char *path[2];
    for (int turn = 0; turn < 2; turn++) {
        static const version_t one[] = { { "1.0.0", "/v1/foo/one", 1 }, { 0 } };
        static const version_t two[] = { { "1.0.0", "/v1/foo/two", 1 }, { 0 } };
        s_open();
        s_say("b1", turn ? two : one, 0);
        s_say("b2", turn ? one : two, 0);
        is_int(stats_get(&s_stats, COUNT_SCHEMA_CONFLICTS), 1);
        routing_t *routing = registry_routing(&s_registry);
        size_t count;
        const offer_t *offers = routing_offers(routing, &count);
        is_int(count, 1);
        path[turn] =
            strstr(offers[0].described->descriptor->methods[0].path, "one") ? "one" : "two";
        routing_drop(&routing);
        s_say("b1", turn ? two : one, 0);
        is_int(stats_get(&s_stats, COUNT_SCHEMA_CONFLICTS), 1); /* said once */
        s_close();
    }
    is_text(path[0], path[1]);
}

static void test_bad_events(void)
{
    static const uint8_t none[] = { 0xc1 }, map[] = { 0x80 };
    s_open();
    s_say("b1", (version_t[]){ { "1.0.0", "/v1/foo", 1 }, { 0 } }, 0);
    s_store("registry.foo.b1", none, sizeof none);
    registry_work(&s_registry);
    s_store("registry.foo.b1", map, sizeof map);
    registry_work(&s_registry);
    is_int(stats_get(&s_stats, COUNT_REGISTRY_BAD), 2);
    is_text(s_routed(), "1.0.0 live");
    s_say("b1", (version_t[]){ { "1.0.0", "/v1/foo/{id}", 1 }, { 0 } }, 0); /* id is no field */
    is_int(stats_get(&s_stats, COUNT_DESCRIPTORS_REFUSED), 1);
    for (int i = 0; i < REGISTRY_TOPICS_MAX + 5; i++) {
        char topic[60];
        snprintf(topic, sizeof topic, "registry.bar.%d", i);
        s_store(topic, map, sizeof map);
    }
    is_int(stats_get(&s_stats, COUNT_REGISTRY_DROPS), 6);
    s_close();
}

/* A broker is killed and another one answers in its place. */
static void test_another_broker(void)
{
    s_open();
    s_say("b1", (version_t[]){ { "2.0.0", "/v1/foo", 1 }, { 0 } }, 0);
    registry_void(&s_registry, 1, 1); /* another link */
    registry_work(&s_registry);
    is_text(s_routed(), "2.0.0 live");
    s_connection = 2;
    registry_void(&s_registry, 0, 2);
    registry_work(&s_registry);
    is_text(s_routed(), "2.0.0 gone"); /* its routes stay, to be answered with the reason */
    s_say("b2", (version_t[]){ { "1.0.0", "/v1/foo", 1 }, { 0 } }, 0);
    is_text(s_routed(), "1.0.0 live");
    s_say("b2", (version_t[]){ { "1.0.0", "/v1/foo", 0 }, { 0 } }, 5);
    is_text(s_routed(), "1.0.0 gone"); /* and not what nobody says any more */
    s_connection = 1;
    s_close();
}

/* The same broker is reached again: it repeats what it said. */
static void test_the_same_broker_again(void)
{
    client_event_t event = { .topic = "registry.foo.b1", .topic_size = 15, .connection = 2 };
    s_open();
    s_say("b1", (version_t[]){ { "1.0.0", "/v1/foo", 1 }, { 0 } }, 0);
    event.is_known = true;
    registry_store(&s_registry, &event); /* seen before: it is not read again */
    registry_void(&s_registry, 0, 2);
    registry_work(&s_registry);
    is_text(s_routed(), "1.0.0 live");
    is_int(stats_get(&s_stats, COUNT_REGISTRY_BAD), 0);
    s_close();
}

/* Any number of services may come and go. */
static void test_forgotten_services(void)
{
    s_open();
    s_say("b1", (version_t[]){ { "1.0.0", "/v1/foo", 0 }, { 0 } }, 5);
    s_store("registry.foo.b1", "", 0);
    registry_work(&s_registry);
    is_text(s_routed(), "nothing");
    for (int i = 0; i < REGISTRY_TOPICS_MAX + 5; i++) {
        char broker[20], topic[60];
        snprintf(broker, sizeof broker, "b%d", i);
        s_say(broker, (version_t[]){ { "1.0.0", "/v1/foo", 1 }, { 0 } }, 0);
        snprintf(topic, sizeof topic, "registry.foo.%s", broker);
        s_store(topic, "", 0);
    }
    is_int(stats_get(&s_stats, COUNT_REGISTRY_DROPS), 0);
    s_close();
}

static void test_waiting(void)
{
    s_open();
    ok(!registry_wait(&s_registry, "foo", clock_ms() + 10));
    s_say("b1", (version_t[]){ { "1.0.0", "/v1/foo", 0 }, { 0 } }, 0);
    ok(!registry_wait(&s_registry, "foo", clock_ms())); /* routes, but no instance */
    s_say("b1", (version_t[]){ { "1.0.0", "/v1/foo", 1 }, { 0 } }, 0);
    ok(registry_wait(&s_registry, "foo", clock_ms()));
    ok(!registry_wait(&s_registry, "bar", clock_ms()));
    s_close();
}

TESTS({ "versions", test_versions }, { "brokers", test_brokers },
      { "disputed versions", test_disputed_versions }, { "bad events", test_bad_events },
      { "another broker", test_another_broker },
      { "the same broker again", test_the_same_broker_again },
      { "forgotten services", test_forgotten_services }, { "waiting", test_waiting })
