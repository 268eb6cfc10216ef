/* SPDX-License-Identifier: MPL-2.0
 *
 * What an edge decides about limits by itself: refusals, leases, coarse counts; and what it tells.
 */
#include "config.h"

#include "edge/limits_answer.h"
#include "edge/tally.h"
#include "proto/pack.h"
#include "tests/tap.h"

static tally_t s_tally;
static struct {
    int calls;
    uint32_t count;
    int64_t taken_at;
    char names[TALLY_NAMES_SIZE + 1];
} s_returned;

static void s_on_return(void *arg, const char *subject, const char *names, uint32_t count,
                        int64_t taken_at)
{
    (void)arg;
    (void)subject;
    s_returned.calls++;
    s_returned.count = count;
    s_returned.taken_at = taken_at;
    snprintf(s_returned.names, sizeof s_returned.names, "%s", names);
}

static const struct {
    const char *name;
    int limit, window_ms;
} s_policies[] = {
    { "address", 100, 900000 },      { "free", 20, 60000 }, { "free.analysis", 10, 3600000 },
    { "pro.analysis", 99, 3600000 }, { "pro", 100, 60000 }, { "read", 100, 60000 },
    { "enterprise", 500, 60000 },
};

static quotas_t *s_quotas(int64_t version)
{
    buf_t event = { 0 };
    pack_t pack;
    pack_init(&pack, &event);
    pack_map(&pack, 2);
    pack_pair_int(&pack, "version", version);
    pack_text(&pack, "policies");
    pack_array(&pack, COUNT_OF(s_policies));
    for (size_t i = 0; i < COUNT_OF(s_policies); i++) {
        pack_map(&pack, 3);
        pack_pair_text(&pack, "name", s_policies[i].name);
        pack_pair_int(&pack, "limit", s_policies[i].limit);
        pack_pair_int(&pack, "window_ms", s_policies[i].window_ms);
    }
    quotas_t *quotas = quotas_read(event.bytes, event.size);
    buf_free(&event);
    return quotas;
}

static void s_open(void)
{
    s_returned.calls = 0;
    tally_init(&s_tally, 16, s_on_return, NULL);
    ok(tally_set_quotas(&s_tally, s_quotas(1)));
}

static claim_t s_claim(const char *subject, const char *general, const char *class)
{
    claim_t claim = { .general = general, .rate_class = class, .cost = 1 };
    snprintf(claim.subject, sizeof claim.subject, "%s", subject);
    return claim;
}

static void test_policies(void)
{
    claim_t claim;
    s_open();
    claim = s_claim("account:a", "free", "analysis");
    is_int(tally_claim(&s_tally, &claim, 1000), TALLY_ASK);
    is_int(claim.count, 2);
    is_text(claim.standings[0].policy.name, "free");
    is_text(claim.standings[1].policy.name, "free.analysis");
    claim = s_claim("account:a", "free", "read");
    is_int(tally_claim(&s_tally, &claim, 1000), TALLY_ASK);
    is_text(claim.standings[1].policy.name, "read");
    claim = s_claim("account:a", "free", "unheard-of");
    is_int(tally_claim(&s_tally, &claim, 1000), TALLY_ASK);
    is_int(claim.count, 1);
    claim = s_claim("account:a", "gold", NULL);
    is_int(tally_claim(&s_tally, &claim, 1000), TALLY_FREE);
    ok(!tally_set_quotas(&s_tally, s_quotas(1)));
    ok(quotas_read("\xc1", 1) == NULL);
    tally_free(&s_tally);

    tally_init(&s_tally, 16, s_on_return, NULL);
    is_int(tally_claim(&s_tally, &claim, 1000), TALLY_UNKNOWN);
    ok(!tally_quotas(&s_tally));
    tally_free(&s_tally);
}

static void test_refusal(void)
{
    s_open();
    claim_t claim = s_claim("account:a", "free", NULL);
    claim.cost = 5;
    is_int(tally_claim(&s_tally, &claim, 1000), TALLY_ASK);
    tally_note(&s_tally, &claim, &(ruling_t){ .retry_ms = 5000 }, 1000);
    is_int(tally_claim(&s_tally, &claim, 4999), TALLY_REFUSED);
    is_int(claim.retry_ms, 5000);
    ok(tally_refuses(&s_tally, &claim, 4999));
    claim.cost = 4; /* less might be allowed */
    is_int(tally_claim(&s_tally, &claim, 4999), TALLY_ASK);
    claim.cost = 5;
    is_int(tally_claim(&s_tally, &claim, 5000), TALLY_ASK);

    tally_note(&s_tally, &claim, &(ruling_t){ .retry_ms = 9000 }, 5000);
    claim_t other = s_claim("account:b", "free", NULL),
            upgraded = s_claim("account:a", "pro", NULL);
    other.cost = upgraded.cost = 5;
    is_int(tally_claim(&s_tally, &other, 6000), TALLY_ASK);
    is_int(tally_claim(&s_tally, &upgraded, 6000), TALLY_ASK); /* another tier: at once */
    is_int(tally_claim(&s_tally, &claim, 6000), TALLY_REFUSED);
    ok(tally_set_quotas(&s_tally, s_quotas(2))); /* another policy: at once */
    is_int(tally_claim(&s_tally, &claim, 6000), TALLY_ASK);
    tally_free(&s_tally);
}

/* Asks until something is lent; how often that took. */
static int s_be_busy(claim_t *claim, uint64_t now_ms)
{
    int asked = 0;
    for (claim->lease = 0; claim->lease < 4; asked++) {
        is_int(tally_claim(&s_tally, claim, now_ms + (uint64_t)asked), TALLY_ASK);
        tally_note(&s_tally, claim, &(ruling_t){ .allowed = true }, now_ms + (uint64_t)asked);
    }
    return asked;
}

static void s_lend(const claim_t *claim, uint32_t count, int64_t taken_at, uint64_t until_ms,
                   uint64_t now_ms)
{
    tally_note(&s_tally, claim,
               &(ruling_t){ .allowed = true,
                            .lease = count,
                            .lease_until_ms = until_ms,
                            .lease_taken_at = taken_at },
               now_ms);
}

static void test_lease(void)
{
    s_open();
    claim_t claim = s_claim("account:a", "free", NULL);
    for (uint64_t now_ms = 1000; now_ms < 5000; now_ms += 500) {
        is_int(tally_claim(&s_tally, &claim, now_ms), TALLY_ASK);
        is_int(claim.lease, 0); /* not busy: nothing in advance */
        tally_note(&s_tally, &claim, &(ruling_t){ .allowed = true }, now_ms);
    }
    is_int(s_be_busy(&claim, 5000), 4); /* 0, 1, 2, 4 */
    claim_t again = claim;
    is_int(tally_claim(&s_tally, &again, 5010), TALLY_ASK);
    ok(again.lease > 0);
    claim_t third = claim;
    is_int(tally_claim(&s_tally, &third, 5011), TALLY_ASK);
    is_int(third.lease, 0); /* somebody is asking for one already */
    again.standings[0].remaining = 10;
    s_lend(&again, 8, 77, 6000, 5012);
    for (int left = 7; left >= 2; left--) {
        is_int(tally_claim(&s_tally, &claim, 5020), TALLY_ALLOWED);
        is_int(claim.standings[0].remaining, 10 + left);
        is_int(claim.taken_at, 77);
    }
    claim.takes_no_lease = true;
    is_int(tally_claim(&s_tally, &claim, 5020), TALLY_ASK);
    claim.takes_no_lease = false;
    is_int(tally_claim(&s_tally, &again, 5021), TALLY_ASK); /* before it is used up */
    ok(again.lease > 8);
    is_int(tally_claim(&s_tally, &claim, 5022), TALLY_ALLOWED); /* others go on */
    s_lend(&again, 16, 88, 7000, 5023);
    is_int(tally_claim(&s_tally, &claim, 5024), TALLY_ALLOWED);
    is_int(claim.taken_at, 77);
    is_int(tally_claim(&s_tally, &claim, 5025), TALLY_ALLOWED);
    is_int(claim.taken_at, 88);
    is_int(s_returned.calls, 0);
    is_int(tally_claim(&s_tally, &claim, 7000), TALLY_ASK); /* it has ended */
    is_int(s_returned.calls, 1);
    is_int(s_returned.count, 15);
    is_int(s_returned.taken_at, 88);
    is_text(s_returned.names, "free\n");
    tally_free(&s_tally);
}

/* The limiter lends no more, but what it has lent is still there. */
static void test_last_of_a_lease(void)
{
    s_open();
    claim_t claim = s_claim("account:a", "free", NULL);
    s_be_busy(&claim, 5000);
    is_int(tally_claim(&s_tally, &claim, 5010), TALLY_ASK);
    s_lend(&claim, 2, 77, 6000, 5010);
    is_int(tally_claim(&s_tally, &claim, 5011), TALLY_ASK);
    tally_note(&s_tally, &claim, &(ruling_t){ .retry_ms = 9000 }, 5012);
    ok(tally_spend(&s_tally, &claim, 5012));
    ok(!tally_refuses(&s_tally, &claim, 5013));
    is_int(tally_claim(&s_tally, &claim, 5013), TALLY_ALLOWED);
    ok(!tally_spend(&s_tally, &claim, 5014));
    ok(tally_refuses(&s_tally, &claim, 5014));
    is_int(tally_claim(&s_tally, &claim, 5014), TALLY_REFUSED);
    tally_free(&s_tally);
}

static void test_returns(void)
{
    const ruling_t lent = {
        .allowed = true, .lease = 5, .lease_until_ms = 2000, .lease_taken_at = 9
    };
    s_open();
    claim_t claim = s_claim("account:a", "free", NULL);
    is_int(tally_claim(&s_tally, &claim, 1000), TALLY_ASK);
    tally_note(&s_tally, &claim, &lent, 1000);
    for (int i = 0; i < TALLY_PARTS; i++)
        tally_tick(&s_tally, 1999);
    is_int(s_returned.calls, 0);
    for (int i = 0; i < TALLY_PARTS; i++)
        tally_tick(&s_tally, 2000);
    is_int(s_returned.calls, 1);
    is_int(s_returned.count, 5);

    is_int(tally_claim(&s_tally, &claim, 3000), TALLY_ASK);
    tally_note(&s_tally, &claim, &lent, 1000);
    ok(tally_set_quotas(&s_tally, s_quotas(2)));
    is_int(s_returned.calls, 2);
    tally_note(&s_tally, &claim, &lent, 1000); /* granted under policies that hold no more */
    is_int(s_returned.calls, 3);
    is_int(tally_claim(&s_tally, &claim, 1500), TALLY_ASK);

    for (int i = 0; i < 2 * TALLY_PARTS * TALLY_ENTRIES; i++) { /* bounded, whoever comes */
        claim_t other;
        char subject[40];
        snprintf(subject, sizeof subject, "address:%d", i);
        other = s_claim(subject, "address", NULL);
        (void)tally_claim(&s_tally, &other, 1500);
    }
    ok(true);
    tally_free(&s_tally);
}

static void test_coarse(void)
{
    s_open();
    claim_t claim = s_claim("address:a", "address", NULL);
    for (int i = 0; i < 3; i++)
        ok(tally_count(&s_tally, &claim, 3, 60000));
    ok(!tally_count(&s_tally, &claim, 3, 119999));
    is_int(claim.retry_ms, 120000);
    is_int(claim.standings[0].remaining, 0);
    ok(tally_count(&s_tally, &claim, 3, 120000));
    tally_free(&s_tally);
}

static void test_headers(void)
{
    buf_t out = { 0 };
    allowance_t allowance = { .is_counted = true };
    allowance.claim.count = 2;
    allowance.claim.standings[0] = (standing_t){ { "free", 20, 60000 }, 7, 31500 };
    allowance.claim.standings[1] = (standing_t){ { "free.analysis", 10, 3600000 }, 3, 1000 };
    limits_write_headers(&allowance, "free", 1000, 1700000000000, &out);
    is_text(buf_text(&out),
            "X-RateLimit-Tier: free\r\nX-RateLimit-Limit: 10\r\nX-RateLimit-Window: 3600\r\n"
            "X-RateLimit-Remaining: 3\r\nX-RateLimit-Reset: 1700000000\r\n"
            "RateLimit-Policy: \"free\";q=20;w=60, \"free.analysis\";q=10;w=3600\r\n"
            "RateLimit: \"free\";r=7;t=31, \"free.analysis\";r=3;t=0\r\n");
    out.size = 0;
    limits_write_headers(&(allowance_t){ .is_degraded = true }, "free", 1000, 0, &out);
    is_text(buf_text(&out), "X-Degraded: limits\r\n");
    buf_free(&out);
}

static void test_refusal_body(void)
{
    static const struct {
        const char *tier, *members;
    } cases[] = {
        { "free",
          ",\"current_tier\":\"free\",\"limits\":{\"free\":[{\"policy\":\"free\",\"limit\":20,"
          "\"window\":60}],\"pro\":[{\"policy\":\"pro\",\"limit\":100,\"window\":60},"
          "{\"policy\":\"pro.analysis\",\"limit\":99,\"window\":3600}]},"
          "\"upgrade_url\":\"https://a/\\\"b\"" },
        { "enterprise",
          ",\"current_tier\":\"enterprise\",\"limits\":{\"enterprise\":[{\"policy\":"
          "\"free\",\"limit\":20,\"window\":60}]},\"upgrade_url\":\"https://a/\\\"b\"" },
        { "anonymous",
          ",\"current_tier\":\"anonymous\",\"limits\":{\"anonymous\":[{\"policy\":\"free\","
          "\"limit\":20,\"window\":60}],\"free\":[{\"policy\":\"free\",\"limit\":20,"
          "\"window\":60},{\"policy\":\"free.analysis\",\"limit\":10,\"window\":3600}]},"
          "\"upgrade_url\":\"https://a/\\\"b\"" },
    };
    limits_t limits = { .config = { .is_on = false } };
    tally_init(&limits.tally, 0, s_on_return, NULL);
    ok(tally_set_quotas(&limits.tally, s_quotas(1)));
    allowance_t allowance = { .is_counted = true };
    allowance.claim = s_claim("account:a", "free", "analysis");
    allowance.claim.count = 1;
    allowance.claim.retry_ms = 43000;
    allowance.claim.standings[0] = (standing_t){ { "free", 20, 60000 }, 0, 31500 };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        failure_t failure;
        buf_t members = { 0 };
        limits_write_refusal(&limits, &allowance, cases[i].tier, "https://a/\"b", 1000, &failure,
                             &members);
        is_text(buf_text(&members), cases[i].members);
        is_int(failure.code, ERROR_RATE_LIMIT_EXCEEDED);
        is_int(failure.retry_after_ms, 42000);
        buf_free(&members);
    }
    tally_free(&limits.tally);
}

TESTS({ "policies", test_policies }, { "refusal", test_refusal }, { "lease", test_lease },
      { "last of a lease", test_last_of_a_lease }, { "returns", test_returns },
      { "coarse", test_coarse }, { "headers", test_headers }, { "refusal body", test_refusal_body })
