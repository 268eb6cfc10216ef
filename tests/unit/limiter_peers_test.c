/* SPDX-License-Identifier: MPL-2.0
 *
 * Who is there, and who matters to a subject: learnt from brokers that need not agree.
 */
#include "config.h"

#include "actors/limiter/peers.h"
#include "tests/kit/described.h"
#include "tests/tap.h"

#define KEYS 1000

static peers_t s_peers;

/* What a broker publishes; names with spaces between, one that leaves with a '-' before it. */
static bool s_learn(const char *broker, const char *names)
{
    buf_t json = { 0 };
    arena_t arena = { 0 };
    value_verdict_t verdict;
    bool is_first = true;
    buf_printf(&json, "{\"broker\":\"%s\",\"versions\":[{\"instances\":[", broker);
    while (*(names += strspn(names, " "))) {
        int size = (int)strcspn(names, " ");
        bool is_leaving = names[0] == '-';
        buf_printf(&json, "%s{\"name\":\"%.*s\",\"draining\":%s}", is_first ? "" : ",",
                   size - is_leaving, names + is_leaving, is_leaving ? "true" : "false");
        names += size;
        is_first = false;
    }
    buf_add_text(&json, "]}]}");
    buf_t packed = described_pack(buf_text(&json));
    bool has_changed = peers_learn(
        &s_peers, value_parse(&arena, packed.bytes, packed.size, VALUE_LIMITS, &verdict), 0, 1, 1);
    buf_free(&json);
    buf_free(&packed);
    arena_free(&arena);
    return has_changed;
}

static void s_open(void)
{
    s_peers = (peers_t){ 0 };
    peers_init(&s_peers, "me");
}

static void test_learning(void)
{
    static const struct {
        const char *broker, *names;
        bool has_changed, is_member;
        size_t count;
    } steps[] = {
        { "b1", "a", true, false, 1 },     { "b1", "a me", false, true, 1 },
        { "b1", "a me c", true, true, 2 }, { "b2", "a me", false, true, 2 },
        { "b1", "a me", true, true, 1 },   { "b2", "a me d", true, true, 2 },
        { "b1", "-a me", true, true, 2 },  { "b2", "-a me d", false, true, 2 },
        { "b1", "me", false, true, 2 },    { "b2", "d -me", true, true, 1 },
        { "b1", "", false, false, 1 },     { "b2", "", true, false, 0 },
    };
    s_open();
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        note("step %zu", i);
        is_int(s_learn(steps[i].broker, steps[i].names), steps[i].has_changed);
        is_int(s_peers.is_member, steps[i].is_member);
        is_int(s_peers.count, steps[i].count);
    }
    peers_free(&s_peers);
}

static void test_another_broker(void)
{
    s_open();
    s_learn("b1", "a me");
    ok(!peers_void(&s_peers, 1, 2, 0)); /* another link */
    is_int(s_peers.count, 1);
    ok(peers_void(&s_peers, 0, 2, 0));
    is_int(s_peers.count, 0);
    ok(!s_peers.is_member);
    peers_free(&s_peers);
}

/* The owner as broker/service.c finds it. */
static const char *s_owner(uint64_t key, const char *const *names, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (id_mix(key, id_hash(names[i], strlen(names[i]))) >
            id_mix(key, id_hash(names[best], strlen(names[best]))))
            best = i;
    return names[best];
}

/* When this instance is gone, the owner of what it owned is the one that has the copies. */
static void test_runner_up_takes_over(void)
{
    static const char *const all[] = { "me", "a", "c" };
    size_t own = 0, right = 0;
    s_open();
    s_learn("b1", "a c me");
    for (size_t i = 0; i < s_peers.count; i++)
        s_peers.list[i].is_greeted = true;
    for (uint64_t key = 1; key <= KEYS; key++) {
        uint64_t hash = id_hash(&key, sizeof key);
        bool is_own = strcmp(s_owner(hash, all, 3), "me") == 0;
        const peer_t *target = peers_target(&s_peers, hash, 1);
        own += is_own;
        right += peers_is_own(&s_peers, hash) == is_own && target &&
                 strcmp(target->name, s_owner(hash, all + 1, 2)) == 0;
    }
    is_int(right, KEYS);
    ok(own > KEYS / 5 && own < KEYS / 2);
    peers_free(&s_peers);
}

static void test_who_does_not_hear(void)
{
    s_open();
    s_learn("b1", "a me");
    ok(!peers_target(&s_peers, 1, 1)); /* it has not said hello */
    ok(!peers_have_handed_over(&s_peers));
    peer_t *peer = peers_find(&s_peers, "a", 1);
    peer->is_greeted = peer->has_handed_over = true;
    ok(peers_target(&s_peers, 1, 1) == peer);
    ok(peers_have_handed_over(&s_peers));
    ok(!peers_target(&s_peers, 1, 1 + PEERS_SILENT_MS)); /* nothing heard for too long */
    ok(!peers_find(&s_peers, "me", 2));
    peers_free(&s_peers);
}

/* From the first word of it until no broker lists it, or for so long. */
static void test_leaving(void)
{
    static const char *const all[] = { "me", "a", "c" };
    size_t awaited = 0, own = 0;
    s_open();
    s_learn("b1", "a c me");
    peer_t *a = peers_find(&s_peers, "a", 1), *c = peers_find(&s_peers, "c", 1);
    a->is_greeted = c->is_greeted = c->has_handed_over = true;
    ok(!peers_are_leaving(&s_peers, 1));
    ok(peers_hear_leaving(a, true, 1));
    ok(!peers_hear_leaving(a, true, 2));
    ok(peers_are_leaving(&s_peers, 2));
    ok(peers_have_handed_over(&s_peers)); /* all who stay */
    for (uint64_t key = 1; key <= KEYS; key++) {
        uint64_t hash = id_hash(&key, sizeof key);
        bool was_its = strcmp(s_owner(hash, all, 3), "a") == 0;
        own += was_its && peers_is_own(&s_peers, hash);
        awaited += was_its && peers_is_own(&s_peers, hash) && peers_is_awaited(&s_peers, hash, 2);
        if (strcmp(s_owner(hash, all, 3), "me") == 0 && peers_is_awaited(&s_peers, hash, 2))
            ok_named(false, "what this instance had owned needs no waiting");
        if (peers_target(&s_peers, hash, 2) == a)
            ok_named(false, "nothing is copied to one that leaves");
    }
    is_int(awaited, own);
    ok(own > KEYS / 10);
    ok(!peers_are_leaving(&s_peers, 1 + PEERS_LEAVE_MS));
    ok(peers_hear_leaving(a, false, 3)); /* another of the same name */
    ok(!peers_are_leaving(&s_peers, 3));
    ok(s_learn("b1", "-a c me"));
    ok(peers_are_leaving(&s_peers, 1));
    ok(s_learn("b1", "c me"));
    ok(!peers_are_leaving(&s_peers, 1));
    peers_free(&s_peers);
}

static void test_who_has_understood(void)
{
    s_open();
    s_learn("b1", "a c -d me");
    ok(!peers_have_understood(&s_peers));
    peers_find(&s_peers, "a", 1)->has_understood = true;
    ok(!peers_have_understood(&s_peers));
    peers_find(&s_peers, "c", 1)->has_understood = true;
    ok(peers_have_understood(&s_peers)); /* one that leaves need not know */
    peers_free(&s_peers);
}

TESTS({ "learning", test_learning }, { "another_broker", test_another_broker },
      { "runner_up_takes_over", test_runner_up_takes_over },
      { "who_does_not_hear", test_who_does_not_hear }, { "leaving", test_leaving },
      { "who_has_understood", test_who_has_understood })
