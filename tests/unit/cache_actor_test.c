/* SPDX-License-Identifier: MPL-2.0
 *
 * The cache on a real bus, without Redis: one computation for many equal misses, what happens when
 * it fails or takes too long, and invalidations that reach every instance.
 */
#include "config.h"

#include "actors/base/signals.h"
#include "tests/unit/cache_kit.h"

#define CROWD 200

static void test_values(void)
{
    stage_t stage;
    kit_open(&stage, 1, "");
    got_t got = kit_get(&stage, "k", 0, 5000);
    is_text(got.state, "miss");
    ok(got.lease > 0);
    is_text(kit_set(&stage, "k", "value", 60, NULL, got.lease), "stored");
    got = kit_get(&stage, "k", 0, 5000);
    is_text(got.state, "hit");
    is_text(got.value, "value");
    is_int(got.lease, 0);
    ok(got.ttl_ms > 0 && got.ttl_ms <= 60000 && got.age_ms < 60000);
    ok(kit_delete(&stage, "k"));
    ok(!kit_delete(&stage, "k"));
    is_text(kit_get(&stage, "k", 0, 0).state, "miss"); /* only a look: no lease */
    is_int(kit_get(&stage, "k", 0, 0).lease, 0);
    is_text(kit_set(&stage, "k", "by itself", 60, NULL, 0), "stored");
    is_text(kit_get(&stage, "k", 0, 0).value, "by itself");
    is_text(kit_set(&stage, "k", "late", 60, NULL, 12345), "no_lease");
    is_text(kit_get(&stage, "k", 0, 0).value, "by itself");
    kit_close(&stage);
}

static void test_limits(void)
{
    static const char *const good = "a key";
    char long_key[CACHE_KEY_BYTES + 2];
    stage_t stage;
    outcome_t outcome;
    buf_t body = { 0 };
    pack_t pack;
    kit_open(&stage, 1, "");
    memset(long_key, 'k', sizeof long_key - 1);
    long_key[sizeof long_key - 1] = '\0';
    const char *const keys[] = { "", long_key };
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        kit_begin(&body, &pack, keys[i], 0);
        kit_send(&stage, &outcome, "get", keys[i], &body);
        ok(bus_wait(&outcome.done));
        is_int(outcome.code, ERROR_VALIDATION_FAILED);
    }
    kit_begin(&body, &pack, good, 1);
    pack_pair_int(&pack, "value", 7);
    kit_send(&stage, &outcome, "set", good, &body);
    ok(bus_wait(&outcome.done));
    is_int(outcome.code, ERROR_VALIDATION_FAILED);
    pack_init(&pack, &body);
    pack_map(&pack, 0);
    kit_send(&stage, &outcome, "invalidate", NULL, &body);
    ok(bus_wait(&outcome.done));
    is_int(outcome.code, ERROR_UNPROCESSABLE);
    cache_settings.value_bytes = 4;
    got_t got = kit_get(&stage, good, 0, 5000);
    is_text(kit_set(&stage, good, "12345", 60, NULL, got.lease), "too_large");
    is_text(kit_set(&stage, good, "1234", 60, NULL, 0), "stored");
    kit_close(&stage);
}

/* Many ask at once for what nobody has: one computes, all receive the same. */
static void test_one_computation(void)
{
    static outcome_t crowd[CROWD];
    stage_t stage;
    int computing = 0, hits = 0;
    int64_t lease = 0;
    kit_open(&stage, 2, "");
    for (size_t i = 0; i < CROWD; i++)
        kit_send_get(&stage, &crowd[i], "report", KIT_WAIT_MS, 10000);
    ok(kit_wait_stat(&stage, CACHE_MISSES, 1));
    got_t first = kit_got(&stage, kit_answer(&stage, &crowd[0])); /* the first is the one */
    is_text(first.state, "miss");
    lease = first.lease;
    ok(lease > 0);
    is_text(kit_set(&stage, "report", "computed", 60, NULL, lease), "stored");
    for (size_t i = 1; i < CROWD; i++) {
        got_t got = kit_got(&stage, kit_answer(&stage, &crowd[i]));
        computing += got.lease > 0;
        hits += strcmp(got.state, "hit") == 0 && strcmp(got.value, "computed") == 0;
    }
    is_int(computing, 0);
    is_int(hits, CROWD - 1);
    is_int(kit_stat(&stage, CACHE_MISSES), 1);
    is_int(kit_stat(&stage, CACHE_CROWDED), 0);
    kit_close(&stage);
}

static void test_failed_computation(void)
{
    stage_t stage;
    outcome_t next, last;
    kit_open(&stage, 1, "");
    got_t got = kit_get(&stage, "k", 0, 5000);
    kit_send_get(&stage, &next, "k", KIT_WAIT_MS, 5000);
    kit_send_get(&stage, &last, "k", KIT_WAIT_MS, 5000);
    ok(!kit_release(&stage, "k", got.lease + 1));
    ok(kit_release(&stage, "k", got.lease));
    got_t second = kit_got(&stage, kit_answer(&stage, &next));
    is_text(second.state, "miss"); /* the one who waits longest tries next */
    ok(second.lease > 0 && second.lease != got.lease);
    is_text(kit_set(&stage, "k", "too late", 60, NULL, got.lease), "no_lease");
    is_text(kit_set(&stage, "k", "good", 60, NULL, second.lease), "stored");
    is_text(kit_got(&stage, kit_answer(&stage, &last)).value, "good");
    kit_close(&stage);
}

static void test_time_runs_out(void)
{
    stage_t stage;
    outcome_t next;
    kit_open(&stage, 1, "");
    got_t got = kit_get(&stage, "k", 0, 30); /* says 30 ms, and is never heard of again */
    kit_send_get(&stage, &next, "k", KIT_WAIT_MS, 5000);
    got_t second = kit_got(&stage, kit_answer(&stage, &next));
    ok(second.lease > 0);
    is_int(kit_stat(&stage, CACHE_LEASES_EXPIRED), 1);
    is_text(kit_set(&stage, "k", "slow", 60, NULL, got.lease), "no_lease");
    got_t patient = kit_get(&stage, "k", 30, 5000); /* this time the waiter is the impatient one */
    is_text(patient.state, "miss");
    is_int(patient.lease, 0);
    ok(kit_release(&stage, "k", second.lease));
    kit_close(&stage);
}

static void test_stale(void)
{
    stage_t stage;
    kit_open(&stage, 1, "");
    is_text(kit_set(&stage, "k", "old", 1, NULL, 0), "stored");
    got_t got = kit_get(&stage, "k", 0, 0);
    for (int tries = 0; strcmp(got.state, "hit") == 0 && tries < BUS_PATIENCE_S * 100; tries++) {
        clock_sleep_ms(10);
        got = kit_get(&stage, "k", 0, 0);
    }
    is_text(got.state, "stale");
    is_int(got.ttl_ms, 0);
    ok(got.age_ms >= 1000);
    got = kit_get(&stage, "k", KIT_WAIT_MS, 5000);
    is_text(got.state, "stale"); /* one computes, with the old value in hand */
    is_text(got.value, "old");
    ok(got.lease > 0);
    is_text(kit_get(&stage, "k", KIT_WAIT_MS, 5000).state, "stale"); /* nobody waits */
    is_int(kit_get(&stage, "k", KIT_WAIT_MS, 5000).lease, 0);
    is_text(kit_set(&stage, "k", "new", 60, NULL, got.lease), "stored");
    is_text(kit_get(&stage, "k", 0, 0).value, "new");
    kit_close(&stage);
}

static void test_crowd_is_bounded(void)
{
    stage_t stage;
    outcome_t waiting;
    kit_open(&stage, 1, "");
    cache_settings.waiters = 1;
    got_t got = kit_get(&stage, "k", 0, 5000);
    kit_send_get(&stage, &waiting, "k", KIT_WAIT_MS, 5000);
    got_t third = kit_get(&stage, "k", KIT_WAIT_MS, 5000);
    is_text(third.state, "miss");
    is_int(third.lease, 0);
    is_int(kit_stat(&stage, CACHE_CROWDED), 1);
    is_text(kit_set(&stage, "k", "x", 60, NULL, got.lease), "stored");
    is_text(kit_got(&stage, kit_answer(&stage, &waiting)).state, "hit");
    kit_close(&stage);
}

/* ---- invalidation --------------------------------------------------------------------------- */

static sem_t s_heard;
static char s_event[512];

static void s_on_event(void *arg, const client_event_t *event)
{
    arena_t arena = { 0 };
    value_verdict_t verdict;
    (void)arg;
    const value_t *body = value_parse(&arena, event->body, event->size, VALUE_LIMITS, &verdict);
    const value_t *tag = value_item(value_get(body, "tags"), 0);
    const value_t *key = value_item(value_get(body, "keys"), 0);
    snprintf(s_event, sizeof s_event, "tag %.*s key %.*s", tag ? (int)tag->count : 0,
             tag ? tag->text : "", key ? (int)key->count : 0, key ? key->text : "");
    arena_free(&arena);
    sem_post(&s_heard);
}

static void test_invalidation(void)
{
    char key[16];
    stage_t stage;
    kit_open(&stage, 2, "");
    sem_init(&s_heard, 0, 0);
    client_subscribe(stage.bus.client, "cache.invalidate", s_on_event, NULL);
    /* the subscription is a message of its own: an event that comes back shows that it is there */
    do
        kit_delete(&stage, "nothing");
    while (sem_trywait(&s_heard) != 0);
    is_text(s_event, "tag  key nothing");
    for (int i = 0; i < 40; i++) {
        snprintf(key, sizeof key, "%s:%d", i % 2 ? "odd" : "even", i);
        is_text(kit_set(&stage, key, "x", 60, i % 4 == 0 ? "fours" : "others", 0), "stored");
    }
    const value_t *answer = kit_invalidate(&stage, "fours", NULL);
    is_int(value_get_int(answer, "instances", 0), 2);
    is_int(value_get_int(answer, "answered", 0), 2);
    is_int(value_get_int(answer, "dropped", 0), 10);
    ok(value_is(value_get(answer, "redis"), "none"));
    const value_t *one = value_item(value_get(answer, "by_instance"), 0);
    const value_t *other = value_item(value_get(answer, "by_instance"), 1);
    is_int(value_get_int(one, "dropped", 0) + value_get_int(other, "dropped", 0), 10);
    ok(value_get_int(one, "dropped", 0) > 0 && value_get_int(other, "dropped", 0) > 0);
    while (strncmp(s_event, "tag fours", 9) != 0 && bus_wait(&s_heard))
        ;
    is_text(s_event, "tag fours key ");
    is_text(kit_get(&stage, "even:4", 0, 0).state, "miss");
    is_text(kit_get(&stage, "even:2", 0, 0).state, "hit");
    answer = kit_invalidate(&stage, NULL, "odd:");
    is_int(value_get_int(answer, "dropped", 0), 20);
    is_text(kit_get(&stage, "odd:1", 0, 0).state, "miss");
    is_text(kit_get(&stage, "even:2", 0, 0).state, "hit");
    kit_close(&stage);
}

/* What was computed from data as they were before is not kept, whatever names it. */
static void test_fill_before_invalidation(void)
{
    stage_t stage;
    outcome_t waiting;
    kit_open(&stage, 2, "");
    got_t by_tag = kit_get(&stage, "a", 0, 5000);
    got_t by_prefix = kit_get(&stage, "b:1", 0, 5000);
    got_t by_delete = kit_get(&stage, "c", 0, 5000);
    got_t untouched = kit_get(&stage, "d", 0, 5000);
    kit_send_get(&stage, &waiting, "a", KIT_WAIT_MS, 5000);
    ok(kit_invalidate(&stage, "prices", "b:") != NULL);
    kit_delete(&stage, "c");
    is_text(kit_set(&stage, "a", "old", 60, "prices", by_tag.lease), "invalidated");
    is_text(kit_set(&stage, "b:1", "old", 60, NULL, by_prefix.lease), "invalidated");
    is_text(kit_set(&stage, "c", "old", 60, NULL, by_delete.lease), "invalidated");
    is_text(kit_set(&stage, "d", "fine", 60, "orders", untouched.lease), "stored");
    is_text(kit_get(&stage, "b:1", 0, 0).state, "miss");
    got_t next = kit_got(&stage, kit_answer(&stage, &waiting));
    is_text(next.state, "miss"); /* whoever waits computes it from the data as they are */
    ok(next.lease > 0);
    is_text(kit_set(&stage, "a", "new", 60, "prices", next.lease), "stored");
    is_int(kit_stat(&stage, CACHE_DISCARDED), 3);
    kit_close(&stage);
}

/* ---- the rest ------------------------------------------------------------------------------- */

static void test_stats(void)
{
    stage_t stage;
    kit_open(&stage, 2, "");
    is_text(kit_set(&stage, "k", "x", 60, NULL, 0), "stored");
    for (int i = 0; i < 9; i++)
        is_text(kit_get(&stage, "k", 0, 0).state, "hit");
    is_text(kit_get(&stage, "other", 0, 0).state, "miss");
    const value_t *answer = kit_call(&stage, "stats", NULL, NULL);
    const value_t *total = value_get(answer, "total");
    is_int(value_get_int(total, "gets", 0), 10);
    is_int(value_get_int(total, "hits", 0), 9);
    is_int(value_get_int(total, "entries", 0), 1);
    is_int(value_get_int(total, "bytes_max", 0), 2 * cache_settings.memory_bytes);
    const value_t *rate = value_get(total, "hit_rate");
    ok(value_is_type(rate, VALUE_FLOAT) && rate->number > 0.89 && rate->number < 0.91);
    ok(value_item(value_get(answer, "instances"), 1) != NULL);
    ok(!value_get_bool(answer, "degraded", true)); /* no Redis by choice */
    kit_close(&stage);
}

static void test_warm(void)
{
    stage_t stage;
    buf_t body = { 0 };
    pack_t pack;
    kit_open(&stage, 1, "");
    pack_init(&pack, &body);
    pack_map(&pack, 1);
    pack_text(&pack, "entries");
    pack_array(&pack, 2);
    pack_map(&pack, 3);
    pack_pair_text(&pack, "key", "one");
    pack_pair_text(&pack, "value", "1");
    pack_pair_text(&pack, "class", "static");
    pack_map(&pack, 2);
    pack_pair_text(&pack, "key", "two");
    pack_pair_int(&pack, "value", 2); /* no bytes */
    const value_t *answer = kit_call(&stage, "warm", NULL, &body);
    is_int(value_get_int(answer, "stored", -1), 1);
    is_int(value_get_int(answer, "refused", -1), 1);
    got_t got = kit_get(&stage, "one", 0, 0);
    is_text(got.value, "1");
    ok(got.ttl_ms > 3500 * 1000);
    kit_close(&stage);
}

static void test_permission(void)
{
    static const char *const methods[] = { "stats", "invalidate" };
    static const struct {
        const char *role, *scope;
        error_code_t code;
    } callers[] = {
        { "user", "*", ERROR_FORBIDDEN },
        { "admin", "account", ERROR_FORBIDDEN }, /* a key that was not made for it */
        { "admin", "admin", ERROR_NONE },
        { "admin", "*", ERROR_NONE },
    };
    stage_t stage;
    outcome_t outcome;
    principal_t who = { .account = "acme", .role_count = 1, .scope_count = 1 };
    kit_open(&stage, 1, "");
    client_t *edge = client_new(
        stage.bus.context,
        &(client_config_t){ .settings = &stage.bus.trusted, .name = "edge-1", .part = "test" });
    for (size_t caller = 0; caller < COUNT_OF(callers); caller++)
        for (size_t i = 0; i < COUNT_OF(methods); i++) {
            buf_t principal = { 0 }, body = { 0 };
            pack_t pack;
            snprintf(who.roles[0], sizeof who.roles[0], "%s", callers[caller].role);
            snprintf(who.scopes[0], sizeof who.scopes[0], "%s", callers[caller].scope);
            pack_init(&pack, &principal);
            principal_write(&who, &pack);
            pack_init(&pack, &body);
            pack_map(&pack, i);
            if (i)
                pack_pair_bool(&pack, "all", true);
            bus_send(edge, &outcome,
                     (client_request_t){ .service = "cache",
                                         .method = methods[i],
                                         .body = &body,
                                         .principal = &principal });
            ok(bus_wait(&outcome.done));
            is_int(outcome.code, callers[caller].code);
            buf_free(&principal);
        }
    client_destroy(&edge);
    kit_close(&stage);
}

static void test_leaving(void)
{
    stage_t stage;
    outcome_t waiting;
    kit_open(&stage, 1, "");
    ok(kit_get(&stage, "k", 0, 60000).lease > 0);
    kit_send_get(&stage, &waiting, "k", 10000, 60000);
    /* its answer shows that the waiter before it has arrived */
    is_text(kit_get(&stage, "other", 0, 0).state, "miss");
    actor_stop(&stage.actors[0]);
    ok(bus_wait(&waiting.done)); /* nobody is kept waiting for an instance that leaves */
    is_int(waiting.code, ERROR_NONE);
    kit_close(&stage);
}

int main(int argc, char **argv)
{
    static const tap_test_t tests[] = {
        { "values", test_values },
        { "limits", test_limits },
        { "one computation", test_one_computation },
        { "failed computation", test_failed_computation },
        { "time runs out", test_time_runs_out },
        { "stale", test_stale },
        { "crowd is bounded", test_crowd_is_bounded },
        { "invalidation", test_invalidation },
        { "fill before invalidation", test_fill_before_invalidation },
        { "stats", test_stats },
        { "warm", test_warm },
        { "permission", test_permission },
        { "leaving", test_leaving },
    };
    signals_block();
    return tap_main(tests, COUNT_OF(tests), argc, argv);
}
