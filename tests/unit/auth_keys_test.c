/* SPDX-License-Identifier: MPL-2.0
 *
 * API keys, and what edges hear: signing keys, flags, and whose rights have changed.
 */
#include "config.h"

#include <sodium.h>

#include "actors/base/monitor.h"
#include "tests/unit/auth_stage.h"

/* ---- API keys -------------------------------------------------------------------------------- */

static reply_t s_identify(stage_t *stage, const char *key)
{
    return stage_call(stage, NULL, "identify", "{\"key\":\"%s\"}", key);
}

static void test_keys(void)
{
    stage_t stage;
    stage_open(&stage, NULL);
    person_t ada = stage_register(&stage, "ada@example.dev");
    person_t eve = stage_register(&stage, "eve@example.dev");
    reply_t made = stage_call(&stage, &ada.who, "key_create",
                              "{\"name\":\"ci\",\"scopes\":[\"account\"],\"expires_in_days\":30}");
    is_int(made.code, ERROR_NONE);
    const char *key = stage_text(&stage, made.body, "key"),
               *id = stage_text(&stage, made.body, "id");
    ok(text_starts(key, AUTH_KEY_PREFIX));
    reply_t who = s_identify(&stage, key);
    is_int(who.code, ERROR_NONE);
    is_text(stage_text(&stage, who.body, "user"), ada.user);
    is_text(stage_text(&stage, who.body, "account"), ada.account);
    is_text(stage_text(&stage, who.body, "tier"), "free");
    is_text(stage_text(&stage, who.body, "key_id"), id);
    ok(value_is(value_item(value_get(who.body, "scopes"), 0), "account"));
    ok(value_get_int(who.body, "expires_at_ms", 0) > clock_wall_ms());

    /* a key that differs anywhere is none */
    char *wrong = arena_format(&stage.arena, "%s", key);
    char *last = wrong + strlen(wrong) - 2;
    *last = *last == 'A' ? 'B' : 'A';
    is_int(s_identify(&stage, wrong).code, ERROR_UNAUTHENTICATED);
    is_int(s_identify(&stage, "sbx_live_").code, ERROR_UNAUTHENTICATED);
    is_int(s_identify(&stage, "x").code, ERROR_UNAUTHENTICATED);
    is_int(stage_call(&stage, NULL, "identify", "{}").code, ERROR_VALIDATION_FAILED);

    /* lists show everything but the key */
    reply_t list = stage_call(&stage, &ada.who, "keys", "{}");
    const value_t *first = value_item(value_get(list.body, "items"), 0);
    is_text(stage_text(&stage, first, "name"), "ci");
    ok(!value_get(first, "key"));
    for (int tries = 0; tries < 10000; tries++) { /* written after the answer */
        first = value_item(value_get(stage_call(&stage, &ada.who, "keys", "{}").body, "items"), 0);
        if (value_is_type(value_get(first, "last_used_at"), VALUE_TEXT))
            break;
        clock_sleep_ms(1);
    }
    ok(value_is_type(value_get(first, "last_used_at"), VALUE_TEXT));
    is_int(value_get(stage_call(&stage, &eve.who, "keys", "{}").body, "items")->count, 0);

    is_int(stage_call(&stage, &eve.who, "key_delete", "{\"id\":\"%s\"}", id).code, ERROR_NOT_FOUND);
    is_int(s_identify(&stage, key).code, ERROR_NONE);
    is_int(stage_call(&stage, &ada.who, "key_delete", "{\"id\":\"%s\"}", id).code, ERROR_NONE);
    is_int(s_identify(&stage, key).code, ERROR_UNAUTHENTICATED);
    is_int(stage_call(&stage, &ada.who, "key_delete", "{\"id\":\"%s\"}", id).code, ERROR_NOT_FOUND);
    stage_close(&stage);
}

/* Nobody gives a key more than they have. */
static void test_scopes(void)
{
    stage_t stage;
    stage_open(&stage, NULL);
    person_t ada = stage_register(&stage, "ada@example.dev");
    principal_t narrow = ada.who;
    narrow.scope_count = 0;
    is_int(stage_call(&stage, &narrow, "key_create", "{\"name\":\"x\"}").code, ERROR_FORBIDDEN);
    stage_add_scope(&narrow, "account");
    is_int(stage_call(&stage, &narrow, "key_create", "{\"name\":\"x\"}").code, ERROR_NONE);
    is_int(stage_call(&stage, &narrow, "key_create", "{\"name\":\"x\",\"scopes\":[\"*\"]}").code,
           ERROR_UNPROCESSABLE);
    is_int(
        stage_call(&stage, &narrow, "key_create", "{\"name\":\"x\",\"scopes\":[\"admin\"]}").code,
        ERROR_UNPROCESSABLE);
    is_int(stage_call(&stage, &ada.who, "key_create", "{\"name\":\"x\",\"scopes\":[\"a b\"]}").code,
           ERROR_VALIDATION_FAILED);
    is_int(stage_call(&stage, &ada.who, "key_create", "{\"name\":\"x\",\"scopes\":[\"*\"]}").code,
           ERROR_NONE);
    /* by a part of the system, for anybody */
    reply_t issued = stage_call(&stage, NULL, "key_issue",
                                "{\"user_id\":\"%s\",\"name\":\"x\",\"scopes\":[\"*\"]}", ada.user);
    is_int(issued.code, ERROR_NONE);
    is_int(s_identify(&stage, stage_text(&stage, issued.body, "key")).code, ERROR_NONE);
    is_int(stage_call(&stage, NULL, "key_revoke", "{\"id\":\"%s\"}",
                      stage_text(&stage, issued.body, "id"))
               .code,
           ERROR_NONE);
    is_int(s_identify(&stage, stage_text(&stage, issued.body, "key")).code, ERROR_UNAUTHENTICATED);
    stage_close(&stage);
}

static void test_identity_follows(void)
{
    stage_t stage;
    const principal_t admin = stage_admin();
    stage_open(&stage, NULL);
    person_t ada = stage_register(&stage, "ada@example.dev");
    reply_t made = stage_call(&stage, &ada.who, "key_create", "{\"name\":\"ci\"}");
    const char *key = stage_text(&stage, made.body, "key");
    is_int(stage_call(&stage, &admin, "user_update",
                      "{\"id\":\"%s\",\"tier\":\"pro\",\"role\":\"ops\"}", ada.user)
               .code,
           ERROR_NONE);
    reply_t who = s_identify(&stage, key);
    is_text(stage_text(&stage, who.body, "tier"), "pro");
    ok(value_is(value_item(value_get(who.body, "roles"), 1), "ops"));
    is_int(stage_call(&stage, NULL, "account_tier",
                      "{\"account\":\"%s\",\"tier\":\"enterprise\",\"reason\":\"paid\"}",
                      ada.account)
               .code,
           ERROR_NONE);
    is_text(stage_text(&stage, s_identify(&stage, key).body, "tier"), "enterprise");
    is_int(stage_call(&stage, &admin, "user_update", "{\"id\":\"%s\",\"status\":\"disabled\"}",
                      ada.user)
               .code,
           ERROR_NONE);
    is_int(s_identify(&stage, key).code, ERROR_UNAUTHENTICATED);
    ok(!stage_is_in(&stage, &ada));
    is_int(stage_call(&stage, &ada.who, "me", "{}").code, ERROR_UNAUTHENTICATED);
    is_int(
        stage_call(&stage, &admin, "user_update", "{\"id\":\"%s\",\"status\":\"active\"}", ada.user)
            .code,
        ERROR_NONE);
    is_int(s_identify(&stage, key).code, ERROR_NONE);
    ok(!stage_is_in(&stage, &ada)); /* what was ended stays so */
    stage_close(&stage);
}

/* ---- what edges hear ------------------------------------------------------------------------- */

/* Everything of `auth.`, as it came; an edge would do the same. */
typedef struct {
    monitor_t monitor;
    char changes[4096]; /* "session:ID " and so on, in order */
    uint64_t beacons, byes, missed, flags;
    int64_t sequence;
    jwt_key_t keys[STORE_SIGNING_KEYS];
    size_t key_count, fewest; /* the last time, and since that was set */
    uint64_t tellers;         /* a bit for each instance that has told of keys since then */
    char issuer[64], audience[64];
} ear_t;

static void s_hear_keys(ear_t *self, arena_t *arena, const value_t *body)
{
    const value_t *list = value_get(body, "keys"), *item;
    self->key_count = 0;
    stage_set(self->issuer, sizeof self->issuer, value_dup_text(arena, body, "issuer"));
    stage_set(self->audience, sizeof self->audience, value_dup_text(arena, body, "audience"));
    for (uint32_t i = 0; (item = value_item(list, i)) && i < COUNT_OF(self->keys); i++) {
        jwt_key_t *key = &self->keys[self->key_count++];
        const value_t *x = value_get(item, "x");
        stage_set(key->kid, sizeof key->kid, value_dup_text(arena, item, "kid"));
        insist(x->type == VALUE_BINARY && x->count == sizeof key->x);
        memcpy(key->x, x->bytes, sizeof key->x);
        key->not_before_ms = value_get_int(item, "not_before_ms", 0);
        key->expires_at_ms = value_get_int(item, "expires_at_ms", 0);
    }
}

/* Of `stage_start` the names end in a digit. */
static void s_hear_teller(ear_t *self, const event_t *head)
{
    self->tellers |= UINT64_C(1) << (head->publisher[head->publisher_size - 1] - '0');
    if (self->key_count < self->fewest)
        self->fewest = self->key_count;
}

static void s_hear_change(ear_t *self, arena_t *arena, const value_t *body)
{
    const char *what = value_dup_text(arena, body, "what"), *id = value_dup_text(arena, body, "id");
    self->sequence = value_get_int(body, "sequence", -1);
    if (strcmp(what, "beacon") == 0) {
        self->beacons++;
    } else if (strcmp(what, "bye") == 0) {
        self->byes++;
    } else {
        size_t size = strlen(self->changes);
        snprintf(self->changes + size, sizeof self->changes - size, "%s:%s ", what, id);
    }
}

static void s_hear(void *arg, const client_event_t *event)
{
    ear_t *self = arg;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    const value_t *body = value_parse(&arena, event->body, event->size, VALUE_LIMITS, &verdict);
    insist(body);
    monitor_lock(&self->monitor);
    self->missed += event->missed;
    if (event->topic_size == 9) {
        s_hear_keys(self, &arena, body);
        s_hear_teller(self, &event->head);
    } else if (event->topic_size == 10)
        self->flags = value_get(body, "flags")->count;
    else
        s_hear_change(self, &arena, body);
    monitor_wake(&self->monitor);
    monitor_unlock(&self->monitor);
    arena_free(&arena);
}

static void s_listen(ear_t *self, stage_t *stage)
{
    *self = (ear_t){ 0 };
    monitor_init(&self->monitor);
    client_subscribe(stage->bus.client, "auth.", s_hear, self);
}

/* Waits until it has been told that `what` of `id` has changed. */
static bool s_wait_change(ear_t *self, const char *what, const char *id)
{
    char word[128];
    const uint64_t until_ms = clock_ms() + BUS_PATIENCE_S * 1000;
    snprintf(word, sizeof word, "%s:%s ", what, id);
    monitor_lock(&self->monitor);
    while (!strstr(self->changes, word) && monitor_wait_until(&self->monitor, until_ms))
        ;
    bool heard = strstr(self->changes, word) != NULL;
    monitor_unlock(&self->monitor);
    return heard;
}

static bool s_wait_count(ear_t *self, const uint64_t *counter, uint64_t least)
{
    const uint64_t until_ms = clock_ms() + BUS_PATIENCE_S * 1000;
    monitor_lock(&self->monitor);
    while (*counter < least && monitor_wait_until(&self->monitor, until_ms))
        ;
    bool enough = *counter >= least;
    monitor_unlock(&self->monitor);
    return enough;
}

static void test_changes_are_told(void)
{
    stage_t stage;
    ear_t ear;
    const principal_t admin = stage_admin();
    stage_open(&stage, NULL);
    s_listen(&ear, &stage);
    ok(s_wait_count(&ear, &ear.beacons, 1));
    person_t ada = stage_register(&stage, "ada@example.dev");
    reply_t key = stage_call(&stage, &ada.who, "key_create", "{\"name\":\"ci\"}");
    const char *key_id = stage_text(&stage, key.body, "id");
    person_t two =
        stage_person(&stage, stage_login(&stage, "ada@example.dev", STAGE_PASSWORD).body);
    stage_call(&stage, NULL, "logout", "{\"refresh_token\":\"%s\"}", two.refresh);
    ok(s_wait_change(&ear, "session", two.session));
    stage_call(&stage, &ada.who, "key_delete", "{\"id\":\"%s\"}", key_id);
    ok(s_wait_change(&ear, "key", key_id));
    stage_call(&stage, &admin, "user_update", "{\"id\":\"%s\",\"tier\":\"pro\"}", ada.user);
    ok(s_wait_change(&ear, "account", ada.account));
    stage_call(&stage, &admin, "user_update", "{\"id\":\"%s\",\"status\":\"disabled\"}", ada.user);
    ok(s_wait_change(&ear, "user", ada.user));
    is_int(ear.missed, 0);
    is_int(stage_call(&stage, &admin, "flag_set",
                      "{\"name\":\"beta\",\"enabled\":true,\"tiers\":[\"pro\"]}")
               .code,
           ERROR_NONE);
    ok(s_wait_count(&ear, &ear.flags, 1));
    /* an instance that begins tells what the one before may have left untold */
    monitor_lock(&ear.monitor);
    ear.changes[0] = '\0';
    monitor_unlock(&ear.monitor);
    actor_stop(&stage.actors[0]);
    ok(s_wait_count(&ear, &ear.byes, 1));
    stage_start(&stage, 0);
    ok(s_wait_change(&ear, "user", ada.user));
    if (ON_POSTGRES) { /* what one instance does, the other one tells as well */
        stage_start(&stage, 1);
        person_t eve = stage_register(&stage, "eve@example.dev");
        stage_call(&stage, NULL, "logout", "{\"refresh_token\":\"%s\"}", eve.refresh);
        ok(s_wait_change(&ear, "session", eve.session));
    }
    stage_close(&stage);
    monitor_free(&ear.monitor);
}

/* ---- signing keys ---------------------------------------------------------------------------- */

static jwt_verdict_t s_verify(ear_t *ear, const char *token, jwt_claims_t *claims)
{
    monitor_lock(&ear->monitor);
    const jwt_verifier_t verifier = { .issuer = ear->issuer,
                                      .audience = ear->audience,
                                      .keys = ear->keys,
                                      .key_count = ear->key_count };
    jwt_verdict_t verdict = jwt_verify(&verifier, token, strlen(token), clock_wall_ms(), claims);
    monitor_unlock(&ear->monitor);
    return verdict;
}

static bool s_wait_keys(ear_t *ear, size_t count)
{
    const uint64_t until_ms = clock_ms() + BUS_PATIENCE_S * 1000;
    monitor_lock(&ear->monitor);
    while (ear->key_count < count && monitor_wait_until(&ear->monitor, until_ms))
        ;
    bool enough = ear->key_count >= count;
    monitor_unlock(&ear->monitor);
    return enough;
}

static void s_short_lead(auth_settings_t *settings)
{
    settings->key_lead_s = 1;
}

/* Whether the token names this key in its header. */
static bool s_is_signed_with(stage_t *stage, const char *token, const char *kid)
{
    buf_t header = { 0 };
    buf_printf(&header, "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", kid);
    char *word = arena_alloc(&stage->arena, 2 * header.size);
    sodium_bin2base64(word, 2 * header.size, header.bytes, header.size,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    buf_free(&header);
    return text_starts(token, word);
}

/* Tokens are made and verified all the while a new key comes and takes over: each is good. */
static void test_rotation(void)
{
    stage_t stage;
    ear_t ear;
    jwt_claims_t claims;
    const principal_t admin = stage_admin();
    stage_open(&stage, s_short_lead);
    s_listen(&ear, &stage);
    ok(s_wait_keys(&ear, 1));
    person_t ada = stage_register(&stage, "ada@example.dev");
    is_int(s_verify(&ear, ada.access, &claims), JWT_GOOD);
    is_text(claims.principal.user, ada.user);
    is_text(claims.principal.session, ada.session);
    is_text(claims.principal.tier, "free");
    ok(principal_has_role(&claims.principal, "owner"));
    is_int(claims.expires_s - claims.issued_s, 600);

    reply_t rotated = stage_call(&stage, &admin, "rotate", "{}");
    is_int(rotated.code, ERROR_NONE);
    const char *kid = stage_text(&stage, rotated.body, "kid"), *refresh = ada.refresh;
    ok(s_wait_keys(&ear, 2)); /* published before it signs */
    const uint64_t until_ms = clock_ms() + BUS_PATIENCE_S * 1000;
    size_t with_old = 0, bad = 0;
    for (bool is_new = false; !is_new && clock_ms() < until_ms;) {
        reply_t reply = stage_refresh(&stage, refresh);
        if (!ok_named(reply.code == ERROR_NONE, "refreshed"))
            break;
        refresh = stage_text(&stage, reply.body, "refresh_token");
        const char *access = stage_text(&stage, reply.body, "access_token");
        bad += s_verify(&ear, access, &claims) != JWT_GOOD;
        is_new = s_is_signed_with(&stage, access, kid);
        with_old += !is_new;
        clock_sleep_ms(20);
    }
    ok(clock_ms() < until_ms);
    ok(with_old > 0);
    is_int(bad, 0);
    is_int(s_verify(&ear, ada.access, &claims), JWT_GOOD); /* tokens of the old key, too */
    reply_t jwks = stage_call(&stage, NULL, "jwks", "{}");
    is_int(value_get(jwks.body, "keys")->count, 2);
    stage_close(&stage);
    monitor_free(&ear.monitor);
}

/* The one that has not made the new key tells of it as well, and does not take it back. */
static void test_all_tell_of_a_new_key(void)
{
    stage_t stage;
    ear_t ear;
    const principal_t admin = stage_admin();
    if (!ON_POSTGRES)
        return;
    stage_open(&stage, NULL);
    stage_start(&stage, 1);
    s_listen(&ear, &stage);
    is_int(stage_call(&stage, &admin, "rotate", "{}").code, ERROR_NONE);
    ok(s_wait_keys(&ear, 2));
    monitor_lock(&ear.monitor);
    ear.fewest = SIZE_MAX;
    ear.tellers = 0;
    monitor_unlock(&ear.monitor);
    const uint64_t until_ms = clock_ms() + BUS_PATIENCE_S * 1000, both = 1 << 1 | 1 << 2;
    monitor_lock(&ear.monitor);
    while (ear.tellers != both && clock_ms() < until_ms) {
        monitor_unlock(&ear.monitor); /* whoever sets a flag tells everything anew */
        stage_call(&stage, &admin, "flag_set", "{\"name\":\"beta\",\"enabled\":true}");
        monitor_lock(&ear.monitor);
    }
    is_int(ear.tellers, both);
    is_int(ear.fewest, 2);
    monitor_unlock(&ear.monitor);
    stage_close(&stage);
    monitor_free(&ear.monitor);
}

/* A database that is opened with another secret is not begun on. */
static void test_other_secret(void)
{
    stage_t stage;
    char why[300];
    stage_open(&stage, NULL);
    actor_stop(&stage.actors[0]);
    auth_settings.secret = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    ok(!actor_start(stage.bus.context, &stage.spec, &stage.configs[0], DB_MIGRATE_APPLY, why,
                    sizeof why));
    ok(strstr(why, "sealed with another secret") != NULL);
    auth_settings.secret = "";
    stage_start(&stage, 0);
    stage_close(&stage);
}

DATABASE_TESTS({ "keys", test_keys }, { "scopes", test_scopes },
               { "identity follows", test_identity_follows },
               { "changes are told", test_changes_are_told }, { "rotation", test_rotation },
               { "all tell of a new key", test_all_tell_of_a_new_key },
               { "other secret", test_other_secret })
