/* SPDX-License-Identifier: MPL-2.0
 *
 * Registering, signing in and out, refreshing, passwords: as clients do it.
 */
#include "config.h"

#include <pthread.h>

#include "tests/unit/auth_stage.h"

/* ---- registering ----------------------------------------------------------------------------- */

static void test_register(void)
{
    stage_t stage;
    stage_open(&stage, NULL);
    reply_t reply =
        stage_call(&stage, NULL, "register",
                   "{\"email\":\"Ada@Example.dev\",\"password\":\"%s\",\"name\":\"Ada \xc3\x84\"}",
                   STAGE_PASSWORD);
    is_int(reply.code, ERROR_NONE);
    const value_t *user = value_get(reply.body, "user");
    is_text(stage_text(&stage, user, "email"), "Ada@Example.dev");
    is_text(stage_text(&stage, user, "role"), "user");
    is_text(stage_text(&stage, user, "tier"), "free");
    ok(value_get_bool(user, "owner", false));
    person_t ada = stage_person(&stage, reply.body);
    ok(stage_is_in(&stage, &ada));
    reply = stage_call(&stage, &ada.who, "me", "{}");
    is_text(stage_text(&stage, reply.body, "id"), ada.user);
    /* an address is one, however it is written */
    is_int(stage_call(&stage, NULL, "register",
                      "{\"email\":\"ADA@example.DEV\",\"password\":\"%s\"}", STAGE_PASSWORD)
               .code,
           ERROR_CONFLICT);
    is_int(stage_count(&stage, AUTH_REGISTERED), 1);
    stage_close(&stage);
}

static void test_what_is_not_taken(void)
{
    static const char *const bodies[] = {
        "{\"email\":\"nobody\",\"password\":\"correct horse battery staple\"}",
        "{\"email\":\"a@b\\u0000.de\",\"password\":\"correct horse battery staple\"}",
        "{\"email\":\"a@example.dev\",\"password\":\"short\"}",
        "{\"email\":\"a@example.dev\",\"password\":\"fourteen chars\"}",
        "{\"email\":\"a@example.dev\",\"password\":\"passwordpassword\"}",
        "{\"email\":\"zaphod@example.dev\",\"password\":\"zaphod.example.1979\"}",
        "{\"email\":\"a@example.dev\",\"password\":\"" STAGE_PASSWORD "\",\"name\":\"a\\nb\"}",
        "{\"email\":\"a@example.dev\",\"password\":\"correct horse battery staple\",\"name\":\"\"}",
        "{\"email\":\"a@example.dev\"}",
        "{\"email\":\"a@example.dev\",\"password\":\"correct horse battery staple\",\"role\":1}",
    };
    stage_t stage;
    stage_open(&stage, NULL);
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        ok_named(stage_call_in(&stage, &stage.arena, NULL, "register", bodies[i]).code ==
                     ERROR_VALIDATION_FAILED,
                 bodies[i]);
    is_int(stage_count(&stage, AUTH_REGISTERED), 0);
    stage_close(&stage);
}

static void s_by_invite(auth_settings_t *settings)
{
    settings->registration = "invite";
}

static void s_closed(auth_settings_t *settings)
{
    settings->registration = "closed";
}

static reply_t s_register_with(stage_t *stage, const char *email, const char *code)
{
    return stage_call(stage, NULL, "register",
                      "{\"email\":\"%s\",\"password\":\"%s\",\"invite\":\"%s\"}", email,
                      STAGE_PASSWORD, code);
}

static void test_invites(void)
{
    stage_t stage;
    const principal_t admin = stage_admin();
    stage_open(&stage, s_by_invite);
    is_int(stage_call(&stage, NULL, "register",
                      "{\"email\":\"ada@example.dev\",\"password\":\"%s\"}", STAGE_PASSWORD)
               .code,
           ERROR_FORBIDDEN);
    is_int(s_register_with(&stage, "ada@example.dev", "nonsense").code, ERROR_FORBIDDEN);
    reply_t reply = stage_call(&stage, &admin, "invite_create", "{\"tier\":\"pro\"}");
    is_int(reply.code, ERROR_NONE);
    const char *code = stage_text(&stage, reply.body, "code");
    reply = s_register_with(&stage, "ada@example.dev", code);
    is_int(reply.code, ERROR_NONE);
    is_text(stage_text(&stage, value_get(reply.body, "user"), "tier"), "pro");
    person_t ada = stage_person(&stage, reply.body);
    is_int(s_register_with(&stage, "eve@example.dev", code).code, ERROR_FORBIDDEN); /* once */
    /* into the owner's account, for one address */
    reply = stage_call(&stage, &ada.who, "account_invite", "{\"email\":\"bob@example.dev\"}");
    is_int(reply.code, ERROR_NONE);
    code = stage_text(&stage, reply.body, "code");
    is_int(s_register_with(&stage, "eve@example.dev", code).code, ERROR_FORBIDDEN);
    /* a registration that fails leaves the invitation as it was: it is one transaction */
    is_int(s_register_with(&stage, "ada@example.dev", code).code, ERROR_FORBIDDEN);
    reply = s_register_with(&stage, "Bob@Example.dev", code);
    is_int(reply.code, ERROR_NONE);
    person_t bob = stage_person(&stage, reply.body);
    is_text(bob.account, ada.account);
    ok(!principal_has_role(&bob.who, "owner"));
    is_int(stage_call(&stage, &bob.who, "account_invite", "{}").code, ERROR_FORBIDDEN);
    reply = stage_call(&stage, &ada.who, "members", "{}");
    is_int(value_get(reply.body, "items")->count, 2);
    reply = stage_call(&stage, &admin, "invites", "{}");
    is_int(value_get(reply.body, "items")->count, 2);
    stage_close(&stage);

    stage_open(&stage, s_closed);
    is_int(s_register_with(&stage, "ada@example.dev", "x").code, ERROR_FORBIDDEN);
    stage_close(&stage);
}

/* ---- signing in ------------------------------------------------------------------------------ */

static void test_login(void)
{
    stage_t stage;
    stage_open(&stage, NULL);
    person_t ada = stage_register(&stage, "ada@example.dev");
    reply_t good = stage_login(&stage, "ADA@example.dev", STAGE_PASSWORD);
    is_int(good.code, ERROR_NONE);
    person_t again = stage_person(&stage, good.body);
    is_text(again.user, ada.user);
    ok(strcmp(again.session, ada.session) != 0);
    is_int(stage_login(&stage, "ada@example.dev", "wrong horse battery staple").code,
           ERROR_UNAUTHENTICATED);
    is_int(stage_count(&stage, AUTH_LOGINS_REFUSED), 1);
    stage_close(&stage);
}

static void test_rehash(void)
{
    static const db_sql_t passwords = {
        "test.passwords", "SELECT count(*) AS n FROM users WHERE password LIKE '%t=2,%'", NULL
    };
    stage_t stage;
    stage_open(&stage, NULL);
    stage_register(&stage, "ada@example.dev");
    is_int(place_number(stage_db(&stage), &passwords), 0);
    actor_stop(&stage.actors[0]);
    auth_settings.hash_passes = 2; /* the operator asks for more */
    stage_start(&stage, 0);
    is_int(stage_login(&stage, "ada@example.dev", "wrong").code, ERROR_UNAUTHENTICATED);
    is_int(place_number(stage_db(&stage), &passwords), 0);
    is_int(stage_login(&stage, "ada@example.dev", STAGE_PASSWORD).code, ERROR_NONE);
    is_int(place_number(stage_db(&stage), &passwords), 1);
    is_int(stage_login(&stage, "ada@example.dev", STAGE_PASSWORD).code, ERROR_NONE);
    stage_close(&stage);
}

static void s_narrow(auth_settings_t *settings)
{
    settings->hash_threads = settings->hash_waiting = 1;
    settings->hash_memory_kib = 65536;
    settings->hash_passes = 4;
}

/* One is hashed, one waits, the others are told at once. */
static void test_overload(void)
{
    enum { CALLS = 8 };
    stage_t stage;
    outcome_t outcomes[CALLS];
    size_t refused = 0;
    stage_open(&stage, s_narrow);
    for (size_t i = 0; i < CALLS; i++) {
        buf_t body = { 0 };
        stage_pack(&body, "{\"email\":\"eve@example.dev\",\"password\":\"whatever\"}");
        bus_send(
            stage.edge, &outcomes[i],
            (client_request_t){ .service = stage.place.service, .method = "login", .body = &body });
    }
    for (size_t i = 0; i < CALLS; i++) {
        ok(bus_wait(&outcomes[i].done));
        ok(outcomes[i].code == ERROR_OVERLOADED || outcomes[i].code == ERROR_UNAUTHENTICATED);
        refused += outcomes[i].code == ERROR_OVERLOADED;
    }
    ok(refused > 0 && refused < CALLS);
    is_int(stage_count(&stage, AUTH_OVERLOADED), refused);
    stage_close(&stage);
}

/* ---- refreshing ------------------------------------------------------------------------------ */

static void test_refresh(void)
{
    stage_t stage;
    stage_open(&stage, NULL);
    person_t ada = stage_register(&stage, "ada@example.dev");
    reply_t first = stage_refresh(&stage, ada.refresh);
    is_int(first.code, ERROR_NONE);
    const char *second = stage_text(&stage, first.body, "refresh_token");
    ok(strcmp(second, ada.refresh) != 0);
    is_text(stage_text(&stage, first.body, "session_id"), ada.session);
    /* the answer was lost: the client asks again at once, and gets the same */
    reply_t again = stage_refresh(&stage, ada.refresh);
    is_int(again.code, ERROR_NONE);
    is_text(stage_text(&stage, again.body, "refresh_token"), second);
    /* once the next one is used, the old one is a stolen one: everything that came of it ends */
    reply_t third = stage_refresh(&stage, second);
    is_int(third.code, ERROR_NONE);
    ok(stage_is_in(&stage, &ada));
    is_int(stage_refresh(&stage, ada.refresh).code, ERROR_UNAUTHENTICATED);
    ok(!stage_is_in(&stage, &ada));
    is_int(stage_refresh(&stage, second).code, ERROR_UNAUTHENTICATED);
    is_int(stage_refresh(&stage, stage_text(&stage, third.body, "refresh_token")).code,
           ERROR_UNAUTHENTICATED);
    is_int(stage_count(&stage, AUTH_REFRESHES_REUSED), 1);
    static const char *const nonsense[] = { "x", "sbr_",
                                            "sbi_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
    for (size_t i = 0; i < COUNT_OF(nonsense); i++)
        is_int(stage_refresh(&stage, nonsense[i]).code, ERROR_UNAUTHENTICATED);
    stage_close(&stage);
}

typedef struct {
    stage_t *stage;
    const char *token;
    arena_t arena;
    reply_t reply;
} refresher_t;

static void *s_refresh(void *arg)
{
    refresher_t *self = arg;
    const char *json = arena_format(&self->arena, "{\"refresh_token\":\"%s\"}", self->token);
    self->reply = stage_call_in(self->stage, &self->arena, NULL, "refresh", json);
    return NULL;
}

/* Several tabs of one browser refresh at once: all get the same next token, and it works. */
static void test_refresh_at_once(void)
{
    enum { TABS = 8 };
    stage_t stage;
    pthread_t threads[TABS];
    refresher_t tabs[TABS];
    stage_open(&stage, NULL);
    if (ON_POSTGRES)
        stage_start(&stage, 1);
    person_t ada = stage_register(&stage, "ada@example.dev");
    for (size_t i = 0; i < TABS; i++) {
        tabs[i] = (refresher_t){ .stage = &stage, .token = ada.refresh };
        pthread_create(&threads[i], NULL, s_refresh, &tabs[i]);
    }
    for (size_t i = 0; i < TABS; i++) {
        pthread_join(threads[i], NULL);
        is_int(tabs[i].reply.code, ERROR_NONE);
        ok(value_equal(value_get(tabs[i].reply.body, "refresh_token"),
                       value_get(tabs[0].reply.body, "refresh_token")));
    }
    is_int(stage_refresh(&stage, stage_text(&stage, tabs[0].reply.body, "refresh_token")).code,
           ERROR_NONE);
    ok(stage_is_in(&stage, &ada));
    for (size_t i = 0; i < TABS; i++)
        arena_free(&tabs[i].arena);
    stage_close(&stage);
}

static void test_logout(void)
{
    stage_t stage;
    stage_open(&stage, NULL);
    person_t one = stage_register(&stage, "ada@example.dev");
    person_t two =
        stage_person(&stage, stage_login(&stage, "ada@example.dev", STAGE_PASSWORD).body);
    person_t three =
        stage_person(&stage, stage_login(&stage, "ada@example.dev", STAGE_PASSWORD).body);
    person_t eve = stage_register(&stage, "eve@example.dev");
    reply_t list = stage_call(&stage, &two.who, "sessions", "{\"limit\":2}");
    const value_t *items = value_get(list.body, "items");
    is_int(items->count, 2);
    is_text(stage_text(&stage, value_item(items, 0), "id"), three.session);
    ok(!value_get_bool(value_item(items, 0), "current", true));
    ok(value_get_bool(value_item(items, 1), "current", false));
    list = stage_call(&stage, &two.who, "sessions", "{\"limit\":2,\"cursor\":\"%s\"}",
                      stage_text(&stage, list.body, "next_cursor"));
    is_int(value_get(list.body, "items")->count, 1);
    ok(value_is_type(value_get(list.body, "next_cursor"), VALUE_NIL));

    is_int(stage_call(&stage, NULL, "logout", "{\"refresh_token\":\"%s\"}", one.refresh).code,
           ERROR_NONE);
    ok(!stage_is_in(&stage, &one) && stage_is_in(&stage, &two));
    is_int(stage_call(&stage, NULL, "logout", "{\"refresh_token\":\"%s\"}", one.refresh).code,
           ERROR_NONE); /* over is over */
    is_int(stage_refresh(&stage, one.refresh).code, ERROR_UNAUTHENTICATED);
    is_int(stage_call(&stage, &eve.who, "session_delete", "{\"id\":\"%s\"}", two.session).code,
           ERROR_NOT_FOUND);
    is_int(stage_call(&stage, &three.who, "session_delete", "{\"id\":\"%s\"}", two.session).code,
           ERROR_NONE);
    ok(!stage_is_in(&stage, &two) && stage_is_in(&stage, &three));
    reply_t all = stage_call(&stage, &three.who, "logout_all", "{}");
    is_int(value_get_int(all.body, "ended", 0), 1);
    ok(!stage_is_in(&stage, &three) && stage_is_in(&stage, &eve));
    stage_close(&stage);
}

/* ---- passwords ------------------------------------------------------------------------------- */

static void test_password_change(void)
{
    static const char next[] = "a quite different sentence";
    stage_t stage;
    stage_open(&stage, NULL);
    person_t ada = stage_register(&stage, "ada@example.dev");
    person_t other =
        stage_person(&stage, stage_login(&stage, "ada@example.dev", STAGE_PASSWORD).body);
    is_int(stage_call(&stage, &ada.who, "password_change", "{\"current\":\"wrong\",\"new\":\"%s\"}",
                      next)
               .code,
           ERROR_UNAUTHENTICATED);
    is_int(stage_call(&stage, &ada.who, "password_change",
                      "{\"current\":\"%s\",\"new\":\"passwordpassword\"}", STAGE_PASSWORD)
               .code,
           ERROR_VALIDATION_FAILED);
    ok(stage_is_in(&stage, &other));
    is_int(stage_call(&stage, &ada.who, "password_change", "{\"current\":\"%s\",\"new\":\"%s\"}",
                      STAGE_PASSWORD, next)
               .code,
           ERROR_NONE);
    ok(stage_is_in(&stage, &ada) && !stage_is_in(&stage, &other));
    is_int(stage_login(&stage, "ada@example.dev", STAGE_PASSWORD).code, ERROR_UNAUTHENTICATED);
    is_int(stage_login(&stage, "ada@example.dev", next).code, ERROR_NONE);
    stage_close(&stage);
}

static void test_password_reset(void)
{
    static const char next[] = "a quite different sentence";
    stage_t stage;
    stage_open(&stage, NULL);
    person_t ada = stage_register(&stage, "ada@example.dev");
    reply_t unknown =
        stage_call(&stage, NULL, "password_forgot", "{\"email\":\"eve@example.dev\"}");
    reply_t known = stage_call(&stage, NULL, "password_forgot", "{\"email\":\"ada@example.dev\"}");
    is_int(unknown.code, ERROR_NONE);
    is_int(known.code, ERROR_NONE);
    ok(value_equal(unknown.body, known.body));
    const char *code = stage_mail(&stage, "password_reset", "ada@example.dev");
    is_int(stage_call(&stage, NULL, "password_reset", "{\"token\":\"%s\",\"password\":\"%s\"}",
                      "nonsense", next)
               .code,
           ERROR_UNPROCESSABLE);
    is_int(stage_call(&stage, NULL, "password_reset", "{\"token\":\"%s\",\"password\":\"%s\"}",
                      code, "passwordpassword")
               .code,
           ERROR_VALIDATION_FAILED); /* does not cost the code */
    is_int(stage_call(&stage, NULL, "password_reset", "{\"token\":\"%s\",\"password\":\"%s\"}",
                      code, next)
               .code,
           ERROR_NONE);
    ok(!stage_is_in(&stage, &ada));
    is_int(stage_login(&stage, "ada@example.dev", next).code, ERROR_NONE);
    is_int(stage_call(&stage, NULL, "password_reset", "{\"token\":\"%s\",\"password\":\"%s\"}",
                      code, STAGE_PASSWORD)
               .code,
           ERROR_UNPROCESSABLE); /* once */
    reply_t issued = stage_call(&stage, NULL, "reset_issue", "{\"id\":\"%s\"}", ada.user);
    is_int(stage_call(&stage, NULL, "password_reset", "{\"token\":\"%s\",\"password\":\"%s\"}",
                      stage_text(&stage, issued.body, "token"), STAGE_PASSWORD)
               .code,
           ERROR_NONE);
    is_int(stage_login(&stage, "ada@example.dev", STAGE_PASSWORD).code, ERROR_NONE);
    stage_close(&stage);
}

DATABASE_TESTS({ "register", test_register }, { "what is not taken", test_what_is_not_taken },
               { "invites", test_invites }, { "login", test_login }, { "rehash", test_rehash },
               { "overload", test_overload }, { "refresh", test_refresh },
               { "refresh at once", test_refresh_at_once }, { "logout", test_logout },
               { "password change", test_password_change },
               { "password reset", test_password_reset })
