/* SPDX-License-Identifier: MPL-2.0
 *
 * What is held of an account goes when the account is erased, whoever was away at that moment. Auth
 * is the real one.
 */
#include "config.h"

#include "actors/auth/auth.h"
#include "actors/base/text.h"
#include "tests/kit/beside.h"
#include "tests/unit/analysis_stage.h"

#define PASSWORD "correct horse battery staple"

typedef struct {
    stage_t stage;
    beside_t auth;
} pair_t;

static void s_start_auth(pair_t *self)
{
    bus_presets(auth_actor.settings, auth_actor.settings_target);
    auth_settings.hash_memory_kib = 8;
    auth_settings.hash_passes = 1;
    beside_start(&self->auth, &self->stage, &auth_actor);
}

static void s_open(pair_t *self)
{
    *self = (pair_t){ 0 };
    stage_open(&self->stage);
    s_start_auth(self);
}

static void s_close(pair_t *self)
{
    beside_stop(&self->auth);
    stage_close(&self->stage);
}

/* ---- accounts -------------------------------------------------------------------------------- */

static const value_t *s_call_auth(pair_t *self, const principal_t *who, const char *method,
                                  const char *json)
{
    buf_t body = { 0 }, principal = { 0 };
    pack_t pack;
    answer_t answer;
    value_verdict_t verdict;
    stage_pack(&body, json);
    pack_init(&pack, &principal);
    if (who)
        principal_write(who, &pack);
    if (!client_call(self->stage.edge,
                     &(client_request_t){ .service = "auth",
                                          .method = method,
                                          .body = &body,
                                          .principal = who ? &principal : NULL,
                                          .deadline_ms = BUS_PATIENCE_S * 1000 },
                     &answer))
        die("%s: %s", method, answer.failure.detail);
    const size_t size = answer_size(&answer);
    const char *bytes = arena_text(&self->stage.arena, answer_bytes(&answer), size);
    answer_close(&answer);
    buf_free(&principal);
    return value_parse(&self->stage.arena, bytes, size, VALUE_LIMITS, &verdict);
}

/* A user who owns an account, as the edge would say it. */
static principal_t s_register(pair_t *self, const char *email)
{
    arena_t *arena = &self->stage.arena;
    principal_t who = {
        .roles = { "user", "owner" }, .role_count = 2, .scopes = { "*" }, .scope_count = 1
    };
    const value_t *reply =
        s_call_auth(self, NULL, "register",
                    arena_format(arena, "{\"email\":\"%s\",\"password\":\"" PASSWORD "\"}", email));
    const value_t *user = value_get(reply, "user");
    const char *id = value_dup_text(arena, user, "id"),
               *account = value_dup_text(arena, user, "account_id");
    text_copy(who.user, sizeof who.user, id, strlen(id));
    text_copy(who.account, sizeof who.account, account, strlen(account));
    return who;
}

static void s_erase(pair_t *self, const principal_t *who)
{
    s_call_auth(self, who, "account_erase", "{\"password\":\"" PASSWORD "\"}");
}

static void s_submit(pair_t *self, const principal_t *who, int versions)
{
    for (int i = 1; i <= versions; i++)
        is_int(
            stage_submit(&self->stage, who->account, stage_chain(&self->stage, "flow", i), "").code,
            ERROR_NONE);
}

/* Pins the newest version of the account's only workflow. */
static void s_pin_newest(pair_t *self, const principal_t *who)
{
    stage_t *stage = &self->stage;
    reply_t workflows = stage_call(stage, who->account, "workflows", "{}");
    const value_t *only = value_item(value_get(workflows.body, "items"), 0);
    reply_t reply = stage_call(stage, who->account, "baseline_put",
                               stage_id(stage, stage_text(stage, only, "id")));
    is_int(reply.code, ERROR_NONE);
}

/* Rows of all tables that are about the account. */
static int64_t s_held(const pair_t *self, const principal_t *who)
{
    static const db_sql_t held = { "test.held",
                                   "SELECT (SELECT count(*) FROM analysis WHERE account = $account)"
                                   " + (SELECT count(*) FROM workflow WHERE account = $account)"
                                   " + (SELECT count(*) FROM occurrence WHERE account = $account)"
                                   " AS n",
                                   NULL };
    db_rows_t *rows;
    if (DB_RUN(db_conn(stage_db(&self->stage)), &held, &rows, DB_P_TEXT("account", who->account)) !=
            DB_OK ||
        !db_next(rows))
        return -1;
    int64_t number = db_int(rows, "n");
    db_rows_close(&rows);
    return number;
}

static bool s_waits_until_gone(const pair_t *self, const principal_t *who)
{
    for (int tries = 0; tries < 30000 && s_held(self, who) > 0; tries++)
        clock_sleep_ms(1);
    return s_held(self, who) == 0;
}

static int64_t s_place(const pair_t *self)
{
    static const db_sql_t place = { "test.place", "SELECT sequence AS n FROM erasures", NULL };
    return place_number(stage_db(&self->stage), &place);
}

/* ---- stories --------------------------------------------------------------------------------- */

static void test_told(void)
{
    pair_t pair;
    s_open(&pair);
    const principal_t ada = s_register(&pair, "ada@example.dev");
    const principal_t eve = s_register(&pair, "eve@example.dev");
    s_submit(&pair, &ada, 5);
    s_submit(&pair, &eve, 2);
    s_pin_newest(&pair, &ada);
    s_pin_newest(&pair, &eve);
    const int64_t of_eve = s_held(&pair, &eve);
    s_erase(&pair, &ada);
    ok(s_waits_until_gone(&pair, &ada));
    is_int(s_held(&pair, &eve), of_eve);
    s_close(&pair);
}

static void test_analysis_away(void)
{
    pair_t pair;
    s_open(&pair);
    const principal_t ada = s_register(&pair, "ada@example.dev");
    s_submit(&pair, &ada, 3);
    actor_stop(&pair.stage.actors[0]);
    s_erase(&pair, &ada);
    stage_start(&pair.stage, 0);
    ok(s_waits_until_gone(&pair, &ada));
    s_close(&pair);
}

/* Auth is away when analysis begins, and so is whoever could tell it of what happened before. */
static void test_auth_away(void)
{
    pair_t pair;
    s_open(&pair);
    const principal_t ada = s_register(&pair, "ada@example.dev");
    s_submit(&pair, &ada, 3);
    actor_stop(&pair.stage.actors[0]);
    s_erase(&pair, &ada);
    beside_stop(&pair.auth);
    stage_start(&pair.stage, 0);
    ok(s_held(&pair, &ada) > 0);
    s_start_auth(&pair);
    ok(s_waits_until_gone(&pair, &ada));
    s_close(&pair);
}

/* What a request that was under way stores afterwards goes, too: the account is not done with until
 * it was erased some minutes ago. */
static void test_late_comer(void)
{
    static const db_sql_t ago = { "test.ago", "UPDATE audit SET at = at - 600001", NULL };
    pair_t pair;
    s_open(&pair);
    const principal_t ada = s_register(&pair, "ada@example.dev");
    const principal_t eve = s_register(&pair, "eve@example.dev");
    s_submit(&pair, &ada, 1);
    s_erase(&pair, &ada);
    ok(s_waits_until_gone(&pair, &ada));
    is_int(s_place(&pair), 0);
    s_submit(&pair, &ada, 2);
    s_erase(&pair, &eve); /* the next look, for another account */
    ok(s_waits_until_gone(&pair, &ada));
    is_int(s_place(&pair), 0);
    is_int(db_write_one(actor_db(pair.auth.actor), &ago, NULL, 0, NULL), DB_OK);
    actor_stop(&pair.stage.actors[0]);
    stage_start(&pair.stage, 0);
    for (int tries = 0; tries < 30000 && s_place(&pair) == 0; tries++)
        clock_sleep_ms(1);
    ok(s_place(&pair) > 0);
    s_close(&pair);
}

/* As much at once as it is told, and in the end all. */
static void test_batches(void)
{
    pair_t pair;
    s_open(&pair);
    const principal_t ada = s_register(&pair, "ada@example.dev");
    s_submit(&pair, &ada, 5);
    int64_t held = s_held(&pair, &ada);
    bool more = true;
    ok(held > 4);
    for (int calls = 0; more && calls < 100; calls++) {
        const int64_t before = held;
        is_int(store_erase(stage_db(&pair.stage), ada.account, 2, &more), DB_OK);
        held = s_held(&pair, &ada);
        ok(before - held <= 4);
    }
    is_int(held, 0);
    is_int(store_erase(stage_db(&pair.stage), ada.account, 2, &more), DB_OK);
    ok(!more);
    s_close(&pair);
}

DATABASE_TESTS({ "batches", test_batches }, { "told", test_told },
               { "analysis away", test_analysis_away }, { "auth away", test_auth_away },
               { "late comer", test_late_comer })
