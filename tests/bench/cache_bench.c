/* SPDX-License-Identifier: MPL-2.0
 *
 * cache_bench - what a look-up and a kept value cost: in memory alone, and over the bus
 *
 * Over the bus, broker and cache are one process reached over ipc, whose CPU time is printed; the
 * client keeps 64 calls under way. The control case is the way alone: a look-up of what is not
 * there. BENCH_CALLS and BENCH_VALUE (bytes) change the size of a run.
 */
#include "config.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/cache/cache.h"
#include "tests/bench/service.h"

#define OUTSTANDING 64
#define KEYS        1000
#define READY_MS    10000
#define VALUE_MAX   65536

static uint8_t s_value[VALUE_MAX];
static size_t s_value_size;

/* ---- in memory ------------------------------------------------------------------------------ */

static lru_item_t s_item(uint64_t number, char key[24])
{
    int size = snprintf(key, 24, "acme:value:%llu", (unsigned long long)(number % KEYS));
    return (lru_item_t){ .key = { key, (size_t)size },
                         .value = { s_value, s_value_size },
                         .fresh_until_ms = UINT64_MAX,
                         .stale_until_ms = UINT64_MAX };
}

static void s_bench_memory(uint64_t calls)
{
    char key[24];
    lru_t lru;
    lru_item_t found;
    uint64_t hits = 0;
    lru_init(&lru, SIZE_MAX / 2);
    uint64_t started_us = clock_us(), cpu_us = clock_cpu_us();
    for (uint64_t i = 0; i < calls; i++) {
        lru_item_t item = s_item(i, key);
        if (!lru_set(&lru, &item))
            die("a value does not fit");
    }
    bench_print("cache", "memory_set", calls, clock_us() - started_us,
                (double)(clock_cpu_us() - cpu_us) / (double)calls);
    started_us = clock_us();
    cpu_us = clock_cpu_us();
    for (uint64_t i = 0; i < calls; i++)
        hits += lru_get(&lru, s_item(i, key).key, 1, &found) == LRU_FRESH;
    if (hits != calls)
        die("a value is gone");
    bench_print("cache", "memory_get_hit", calls, clock_us() - started_us,
                (double)(clock_cpu_us() - cpu_us) / (double)calls);
    lru_free(&lru);
}

/* ---- over the bus --------------------------------------------------------------------------- */

typedef struct {
    client_t *client;
    sem_t room;
    atomic_uint_fast64_t failures;
} caller_t;

static void s_on_answer(void *arg, answer_t *answer)
{
    caller_t *caller = arg;
    if (answer->failure.code != ERROR_NONE)
        atomic_fetch_add(&caller->failures, 1);
    sem_post(&caller->room);
}

static void s_send(caller_t *caller, const char *method, uint64_t number)
{
    char key[24];
    bool is_set = strcmp(method, "set") == 0;
    buf_t body = { 0 };
    pack_t pack;
    span_t name = s_item(number, key).key;
    pack_init(&pack, &body);
    pack_map(&pack, 2);
    pack_text(&pack, "key");
    pack_string(&pack, name.bytes, name.size);
    pack_text(&pack, is_set ? "value" : "lease_ms");
    if (is_set)
        pack_bytes(&pack, s_value, s_value_size);
    else
        pack_int(&pack, 0);
    while (sem_wait(&caller->room) != 0)
        ;
    client_send(caller->client,
                &(client_request_t){ .service = "cache",
                                     .method = method,
                                     .body = &body,
                                     .deadline_ms = READY_MS,
                                     .flags = FRAME_ROUTE_KEY | FRAME_IDEMPOTENT,
                                     .route_key = cache_route_key(name.bytes, name.size) },
                s_on_answer, caller);
}

static uint64_t s_call_many(caller_t *caller, const char *method, uint64_t calls)
{
    uint64_t started_us = clock_us();
    sem_init(&caller->room, 0, OUTSTANDING);
    for (uint64_t i = 0; i < calls; i++)
        s_send(caller, method, i);
    for (int i = 0; i < OUTSTANDING; i++)
        while (sem_wait(&caller->room) != 0)
            ;
    return clock_us() - started_us;
}

/* A process of its own for each case: its CPU time is the case's. */
static void s_bench_bus(const char *name, const char *method, bool is_filled, uint64_t calls)
{
    bench_service_t cache;
    bench_service_start(&cache, &cache_actor);
    caller_t caller = { .client = cache.client };
    do { /* until the cache has registered */
        atomic_store(&caller.failures, 0);
        s_call_many(&caller, "get", 1);
    } while (atomic_load(&caller.failures) > 0);
    if (is_filled)
        s_call_many(&caller, "set", KEYS);
    uint64_t wall_us = s_call_many(&caller, method, calls);
    if (atomic_load(&caller.failures) > 0)
        die("calls have failed");
    bench_print("cache", name, calls, wall_us, (double)bench_service_stop(&cache) / (double)calls);
}

int main(void)
{
    uint64_t calls = bench_number("CALLS", 200000);
    s_value_size = bench_number("VALUE", 2048);
    if (s_value_size > VALUE_MAX)
        die("BENCH_VALUE is at most %d", VALUE_MAX);
    log_set_level(LOG_ERROR);
    s_bench_memory(calls);
    s_bench_bus("bus_get_miss", "get", false, calls); /* the control: the way alone */
    s_bench_bus("bus_get_hit", "get", true, calls);
    s_bench_bus("bus_set", "set", true, calls);
    return 0;
}
