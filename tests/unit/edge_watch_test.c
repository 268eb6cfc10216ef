/* SPDX-License-Identifier: MPL-2.0
 *
 * Whether every revocation was heard, and what is forgotten when not.
 */
#include "config.h"

#include "edge/identities.h"
#include "edge/watch.h"
#include "proto/auth.h"
#include "tests/tap.h"

/* ---- watch ---------------------------------------------------------------------------------- */

static bool s_hear(watch_t *watch, const char *who, int64_t sequence, uint64_t missed, uint64_t now)
{
    const watch_event_t event = {
        .publisher = who, .publisher_size = strlen(who), .missed = missed, .sequence = sequence
    };
    return watch_hear(watch, &event, now);
}

static bool s_bye(watch_t *watch, const char *who, int64_t sequence, uint64_t now)
{
    const watch_event_t event = {
        .publisher = who, .publisher_size = strlen(who), .is_bye = true, .sequence = sequence
    };
    return watch_hear(watch, &event, now);
}

static void test_order(void)
{
    watch_t watch = { 0 };
    ok(!watch_is_in_order(&watch, 0)); /* nothing heard: nothing known */
    ok(s_hear(&watch, "auth-1", 10, 0, 1000));
    ok(watch_is_in_order(&watch, 1000));
    ok(!s_hear(&watch, "auth-1", 12, 0,
               1250)); /* the log grows by what is nobody's business, too */
    ok(watch_is_in_order(&watch, 1250 + AUTH_STALE_MS));
    ok(!watch_is_in_order(&watch, 1251 + AUTH_STALE_MS));
    ok(!watch_tick(&watch, 1250 + AUTH_STALE_MS));
    ok(watch_tick(&watch, 1251 + AUTH_STALE_MS));
    ok(!watch_tick(&watch, 1252 + AUTH_STALE_MS)); /* once */
    ok(!watch_is_in_order(&watch, 1252 + AUTH_STALE_MS));
    ok(!s_hear(&watch, "auth-1", 12, 0, 3000)); /* and nothing happened meanwhile */
    ok(watch_is_in_order(&watch, 3000));
}

static void test_gap(void)
{
    watch_t watch = { 0 };
    ok(s_hear(&watch, "auth-1", 10, 0, 1000));
    ok(s_hear(&watch, "auth-1", 12, 1, 1100));
    ok(!watch_is_in_order(&watch, 1100)); /* not before the next one is in order */
    ok(!s_hear(&watch, "auth-1", 12, 0, 1200));
    ok(watch_is_in_order(&watch, 1200));
}

static void test_several(void)
{
    watch_t watch = { 0 };
    ok(s_hear(&watch, "auth-1", 10, 0, 1000));
    ok(!s_hear(&watch, "auth-2", 10, 0, 1000));
    ok(!s_hear(&watch, "auth-1", 11, 0, 1200)); /* each tells of it */
    ok(!s_hear(&watch, "auth-2", 11, 0, 1210));
    ok(s_hear(&watch, "auth-2", 13, 2, 1300));
    ok(!s_hear(&watch, "auth-1", 13, 0, 1310));
    ok(!watch_is_in_order(&watch, 1310)); /* auth-2 is behind yet */
    ok(!s_hear(&watch, "auth-2", 13, 0, 1400));
    ok(watch_is_in_order(&watch, 1400));
    ok(!s_hear(&watch, "auth-1", 13, 0, 2100));
    ok(watch_tick(&watch, 1401 + AUTH_STALE_MS)); /* auth-2 was killed */
    ok(watch_is_in_order(&watch, 2110));          /* auth-1 tells all that is to be told */
    ok(s_hear(&watch, "auth-3", 20, 0, 2200));    /* where are 14 to 20? */
    ok(watch_is_in_order(&watch, 2200));
}

static void test_leaving(void)
{
    watch_t watch = { 0 };
    ok(s_hear(&watch, "auth-1", 10, 0, 1000));
    ok(!s_hear(&watch, "auth-2", 10, 0, 1000));
    ok(!s_bye(&watch, "auth-1", 10, 1100));
    ok(!s_hear(&watch, "auth-2", 10, 0, 1800));
    ok(!watch_tick(&watch, 2000));
    ok(watch_is_in_order(&watch, 2000));
    ok(!s_bye(&watch, "auth-2", 10, 2000));
    ok(!watch_tick(&watch, 90000)); /* nobody is there to change anything */
    ok(watch_is_in_order(&watch, 90000));
    watch_t copy = watch;
    ok(!s_hear(&watch, "auth-3", 10, 0, 90000));
    ok(s_hear(&copy, "auth-3", 11, 0, 90000)); /* it did something before it was heard */
    ok(watch_is_in_order(&watch, 90000));

    watch = (watch_t){ 0 };
    for (int i = 0; i < 2 * WATCH_HERALDS_MAX; i++) {
        char name[20];
        snprintf(name, sizeof name, "auth-%d", i);
        (void)s_hear(&watch, name, 1, 0, 1000);
    }
    is_int(watch.count, WATCH_HERALDS_MAX);
}

/* ---- identities ----------------------------------------------------------------------------- */

static identity_t *s_identity(const char *user, const char *session, const char *key, int64_t until)
{
    identity_t *identity = identity_new_anonymous();
    snprintf(identity->principal.account, sizeof identity->principal.account, "acme");
    snprintf(identity->principal.user, sizeof identity->principal.user, "%s", user);
    snprintf(identity->principal.session, sizeof identity->principal.session, "%s", session);
    snprintf(identity->key_id, sizeof identity->key_id, "%s", key);
    identity->expires_ms = until;
    return identity;
}

static void s_add(identities_t *all, const char *secret, identity_t *identity)
{
    uint8_t hash[IDENTITIES_BYTES];
    identities_hash(secret, strlen(secret), hash);
    identities_add(all, hash, identity, identities_epoch(all));
    identity_drop(&identity);
}

static bool s_knows(identities_t *all, const char *secret, int64_t now)
{
    uint8_t hash[IDENTITIES_BYTES];
    identities_hash(secret, strlen(secret), hash);
    identity_t *found = identities_find(all, hash, now);
    bool knows = found != NULL;
    identity_drop(&found);
    return knows;
}

static void s_fill(identities_t *all)
{
    s_add(all, "token-1", s_identity("ann", "s1", "", 1000));
    s_add(all, "token-2", s_identity("ann", "s2", "", 1000));
    s_add(all, "token-3", s_identity("bob", "s3", "", 1000));
    s_add(all, "key-1", s_identity("bob", "", "k1", 1000));
}

static void test_forgetting(void)
{
    static const struct {
        identities_what_t what;
        const char *id;
        bool left[4];
    } cases[] = {
        { IDENTITIES_SESSION, "s1", { false, true, true, true } },
        { IDENTITIES_USER, "ann", { false, false, true, true } },
        { IDENTITIES_USER, "bob", { true, true, false, false } },
        { IDENTITIES_KEY, "k1", { true, true, true, false } },
        { IDENTITIES_KEY, "", { true, true, true, true } },
        { IDENTITIES_SESSION, "s", { true, true, true, true } },
        { IDENTITIES_ACCOUNT, "acme", { false, false, false, false } },
        { IDENTITIES_ALL, "", { false, false, false, false } },
    };
    static const char *const secrets[] = { "token-1", "token-2", "token-3", "key-1" };
    identities_t all;
    identities_init(&all);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        s_fill(&all);
        identities_forget(&all, cases[i].what, cases[i].id, strlen(cases[i].id));
        for (size_t j = 0; j < COUNT_OF(secrets); j++)
            ok_named(s_knows(&all, secrets[j], 999) == cases[i].left[j], secrets[j]);
    }
    s_fill(&all);
    ok(!s_knows(&all, "token-1", 1000)); /* expired */
    identities_free(&all);
}

static void test_epoch(void)
{
    uint8_t hash[IDENTITIES_BYTES];
    identities_t all;
    identities_init(&all);
    identities_hash("token", 5, hash);
    uint64_t asked = identities_epoch(&all);
    identities_forget(&all, IDENTITIES_KEY, "k9", 2); /* while the answer is under way */
    identity_t *late = s_identity("ann", "s1", "", 1000);
    identities_add(&all, hash, late, asked);
    ok(!s_knows(&all, "token", 1));
    identities_add(&all, hash, late, identities_epoch(&all));
    ok(s_knows(&all, "token", 1));
    ok(!late->is_void);
    identities_forget(&all, IDENTITIES_USER, "ann", 3);
    ok(late->is_void); /* for those who have it in use */
    identity_drop(&late);
    for (int i = 0; i < 2 * IDENTITIES_PARTS * IDENTITIES_ENTRIES; i++) {
        char secret[20];
        snprintf(secret, sizeof secret, "%d", i);
        s_add(&all, secret, s_identity("ann", "s1", "", 1000));
    }
    size_t kept = identities_forget(&all, IDENTITIES_ALL, "", 0);
    ok(kept <= IDENTITIES_PARTS * IDENTITIES_ENTRIES && kept > 0);
    identities_free(&all);
}

static void test_packing(void)
{
    principal_t principal;
    buf_t out = { 0 };
    identity_t *identity = identity_new_anonymous();
    identity_pack(identity,
                  &(identity_request_t){ .request_id = "r1", .address = "::1", .tracestate = "" },
                  &out);
    ok(principal_read(&principal, out.bytes, out.size));
    is_text(principal.account, "anonymous");
    is_text(principal.tier, "anonymous");
    is_text(principal.request_id, "r1");
    is_text(principal.address, "::1");
    is_text(principal.tracestate, "");
    identity_drop(&identity);
    buf_free(&out);
}

TESTS({ "order", test_order }, { "gap", test_gap }, { "several", test_several },
      { "leaving", test_leaving }, { "forgetting", test_forgetting }, { "epoch", test_epoch },
      { "packing", test_packing })
