/* SPDX-License-Identifier: MPL-2.0
 *
 * What is stored of somebody: told to them, and erased for ever.
 */
#include "config.h"

#include "tests/unit/auth_stage.h"

#define ADDRESS "192.0.2.7" /* that people of the stage call from */

/* Rows of every table that tell of users; in the audit log, of addresses. */
static int64_t s_traces(const stage_t *stage)
{
    static const db_sql_t traces = {
        "test.traces",
        "SELECT (SELECT count(*) FROM users WHERE email IS NOT NULL)"
        " + (SELECT count(*) FROM accounts WHERE tier <> 'enterprise')"
        " + (SELECT count(*) FROM sessions) + (SELECT count(*) FROM refresh_tokens)"
        " + (SELECT count(*) FROM api_keys k JOIN users u ON u.id = k.user_id"
        "    WHERE u.role <> 'admin')"
        " + (SELECT count(*) FROM codes) + (SELECT count(*) FROM second_factors)"
        " + (SELECT count(*) FROM recovery_codes) + (SELECT count(*) FROM mails)"
        " + (SELECT count(*) FROM invites)"
        " + (SELECT count(*) FROM audit WHERE address IS NOT NULL) AS n",
        NULL
    };
    return place_number(stage_db(stage), &traces);
}

/* What is written while it is verified lies behind the head. */
static bool s_log_is_whole(stage_t *stage)
{
    reply_t reply = stage_call(stage, NULL, "audit_verify", "{}");
    return value_get_bool(reply.body, "good", false) &&
           value_get_int(reply.body, "verified", -1) >= value_get_int(reply.body, "head", 0);
}

/* Entries of the log that tell an address. */
static size_t s_addresses(stage_t *stage)
{
    const principal_t admin = stage_admin();
    reply_t log = stage_call(stage, &admin, "audit", "{\"limit\":100}");
    const value_t *items = value_get(log.body, "items"), *item;
    size_t count = 0;
    for (uint32_t i = 0; (item = value_item(items, i)); i++)
        count += value_is(value_get(item, "address"), ADDRESS);
    return count;
}

static error_code_t s_erase(stage_t *stage, const person_t *person, const char *method,
                            const char *password)
{
    return stage_call(stage, &person->who, method, "{\"password\":\"%s\"}", password).code;
}

static person_t s_join(stage_t *stage, const person_t *owner, const char *email)
{
    reply_t invite = stage_call(stage, &owner->who, "account_invite", "{\"email\":\"%s\"}", email);
    reply_t reply = stage_call(stage, NULL, "register",
                               "{\"email\":\"%s\",\"password\":\"%s\",\"invite\":\"%s\"}", email,
                               STAGE_PASSWORD, stage_text(stage, invite.body, "code"));
    is_int(reply.code, ERROR_NONE);
    return stage_person(stage, reply.body);
}

static void test_export(void)
{
    stage_t stage;
    stage_open(&stage, NULL);
    person_t ada = stage_register(&stage, "ada@example.dev");
    person_t eve = stage_register(&stage, "eve@example.dev");
    reply_t key = stage_call(&stage, &ada.who, "key_create", "{\"name\":\"ci\"}");
    stage_call(&stage, &eve.who, "key_create", "{\"name\":\"other\"}");
    reply_t all = stage_call(&stage, &ada.who, "export", "{}");
    is_int(all.code, ERROR_NONE);
    is_text(stage_text(&stage, value_get(all.body, "user"), "email"), "ada@example.dev");
    is_text(stage_text(&stage, value_get(all.body, "account"), "id"), ada.account);
    const value_t *sessions = value_get(value_get(all.body, "sessions"), "items");
    is_int(sessions->count, 1);
    ok(value_get_bool(value_item(sessions, 0), "current", false));
    const value_t *keys = value_get(value_get(all.body, "keys"), "items");
    is_int(keys->count, 1);
    is_text(stage_text(&stage, value_item(keys, 0), "id"), stage_text(&stage, key.body, "id"));
    ok(!value_get(value_item(keys, 0), "key") && !value_get(value_item(keys, 0), "hash"));
    const value_t *entries = value_get(value_get(all.body, "audit"), "items");
    is_int(entries->count, 2);
    is_text(stage_text(&stage, value_item(entries, 0), "action"), "key.created");
    is_text(stage_text(&stage, value_item(entries, 0), "address"), ADDRESS);
    ok(!value_get_bool(value_get(all.body, "audit"), "more", true));
    const principal_t anonymous = { .account = "anonymous", .user = "anonymous" };
    is_int(stage_call(&stage, &anonymous, "export", "{}").code, ERROR_FORBIDDEN);
    /* that it was asked for is told, too */
    all = stage_call(&stage, &ada.who, "export", "{}");
    is_int(value_get(value_get(all.body, "audit"), "items")->count, 3);
    stage_close(&stage);
}

/* An address lies in the log sealed, and opens for whoever may read the log. */
static void test_veil(void)
{
    static const db_sql_t sealed = { "test.sealed",
                                     "SELECT count(*) AS n FROM audit WHERE veiled IS NOT NULL",
                                     NULL };
    static const db_sql_t swap = { "test.swap", "UPDATE audit SET veiled = hash", NULL };
    stage_t stage;
    stage_open(&stage, NULL);
    person_t ada = stage_register(&stage, "ada@example.dev");
    stage_call(&stage, &ada.who, "key_create", "{\"name\":\"ci\"}");
    is_int(place_number(stage_db(&stage), &sealed), 1);
    is_int(s_addresses(&stage), 1);
    ok(s_log_is_whole(&stage));
    stage_sql(&stage, &swap);
    is_int(s_addresses(&stage), 0);
    ok(!s_log_is_whole(&stage));
    stage_close(&stage);
}

static void test_member(void)
{
    stage_t stage;
    stage_open(&stage, NULL);
    person_t ada = stage_register(&stage, "ada@example.dev");
    const int64_t before = s_traces(&stage);
    person_t bob = s_join(&stage, &ada, "Bob@example.dev");
    const reply_t key = stage_call(&stage, &bob.who, "key_create", "{\"name\":\"ci\"}");
    stage_call(&stage, NULL, "password_forgot", "{\"email\":\"bob@example.dev\"}");
    stage_mail(&stage, "password_reset", "Bob@example.dev");
    stage_call(&stage, &bob.who, "totp_begin", "{\"password\":\"%s\"}", STAGE_PASSWORD);
    is_int(s_addresses(&stage), 3); /* of her invitation, his key and his second factor */
    is_int(s_erase(&stage, &bob, "me_erase", "wrong"), ERROR_UNAUTHENTICATED);
    is_int(s_erase(&stage, &bob, "account_erase", STAGE_PASSWORD), ERROR_FORBIDDEN);
    ok(s_traces(&stage) > before && stage_is_in(&stage, &bob));
    is_int(s_erase(&stage, &bob, "me_erase", STAGE_PASSWORD), ERROR_NONE);
    /* sessions and keys are over at once, and nothing is left of him but ids */
    ok(!stage_is_in(&stage, &bob) && stage_is_in(&stage, &ada));
    is_int(stage_call(&stage, NULL, "identify", "{\"key\":\"%s\"}",
                      stage_text(&stage, key.body, "key"))
               .code,
           ERROR_UNAUTHENTICATED);
    is_int(stage_login(&stage, "bob@example.dev", STAGE_PASSWORD).code, ERROR_UNAUTHENTICATED);
    is_int(s_traces(&stage), before);
    is_int(s_addresses(&stage), 1);
    ok(s_log_is_whole(&stage));
    /* the last owner stays; the address is free again */
    is_int(s_erase(&stage, &ada, "me_erase", STAGE_PASSWORD), ERROR_UNPROCESSABLE);
    ok(stage_is_in(&stage, &ada));
    person_t again = stage_register(&stage, "bob@example.dev");
    ok(strcmp(again.user, bob.user) != 0);
    stage_close(&stage);
}

static reply_t s_erased(stage_t *stage, int64_t after)
{
    return stage_call(stage, NULL, "erased", "{\"after\":%lld}", (long long)after);
}

static void test_account(void)
{
    stage_t stage;
    const principal_t admin = stage_admin();
    stage_open(&stage, NULL);
    is_int(s_traces(&stage), 0);
    person_t ada = stage_register(&stage, "ada@example.dev");
    person_t bob = s_join(&stage, &ada, "bob@example.dev");
    stage_call(&stage, &ada.who, "account_invite", "{\"email\":\"zoe@example.dev\"}");
    is_int(s_erase(&stage, &ada, "account_erase", "wrong"), ERROR_UNAUTHENTICATED);
    is_int(value_get(s_erased(&stage, 0).body, "items")->count, 0);
    is_int(s_erase(&stage, &ada, "account_erase", STAGE_PASSWORD), ERROR_NONE);
    ok(!stage_is_in(&stage, &ada) && !stage_is_in(&stage, &bob));
    is_int(s_traces(&stage), 0);
    is_int(s_addresses(&stage), 0);
    ok(s_log_is_whole(&stage));
    /* others read of it in the log */
    reply_t list = s_erased(&stage, 0);
    const value_t *item = value_item(value_get(list.body, "items"), 0);
    is_text(stage_text(&stage, item, "account"), ada.account);
    const int64_t sequence = value_get_int(item, "sequence", 0);
    is_int(value_get(s_erased(&stage, sequence - 1).body, "items")->count, 1);
    is_int(value_get(s_erased(&stage, sequence).body, "items")->count, 0);
    is_int(stage_call(&stage, &admin, "user", "{\"id\":\"%s\"}", ada.user).code, ERROR_NOT_FOUND);
    stage_close(&stage);
}

/* ---- what edges and services are told -------------------------------------------------------- */

typedef struct {
    sem_t erased, changed;
    char account[64];
} heard_t;

static void s_on_erased(void *arg, const client_event_t *event)
{
    heard_t *self = arg;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    const value_t *body = value_parse(&arena, event->body, event->size, VALUE_LIMITS, &verdict);
    const char *account = value_dup_text(&arena, body, "account");
    snprintf(self->account, sizeof self->account, "%s", account ? account : "");
    arena_free(&arena);
    sem_post(&self->erased);
}

static void s_on_changed(void *arg, const client_event_t *event)
{
    heard_t *self = arg;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    const value_t *body = value_parse(&arena, event->body, event->size, VALUE_LIMITS, &verdict);
    if (value_is(value_get(body, "what"), "account"))
        sem_post(&self->changed);
    arena_free(&arena);
}

static void test_told(void)
{
    stage_t stage;
    heard_t heard = { .account = "" };
    sem_init(&heard.erased, 0, 0);
    sem_init(&heard.changed, 0, 0);
    stage_open(&stage, NULL);
    client_subscribe(stage.edge, "account.erased", s_on_erased, &heard);
    client_subscribe(stage.edge, "auth.changed", s_on_changed, &heard);
    person_t ada = stage_register(&stage, "ada@example.dev");
    is_int(s_erase(&stage, &ada, "account_erase", STAGE_PASSWORD), ERROR_NONE);
    ok(bus_wait(&heard.erased));
    ok(bus_wait(&heard.changed));
    is_text(heard.account, ada.account);
    stage_close(&stage);
}

DATABASE_TESTS({ "export", test_export }, { "veil", test_veil }, { "member", test_member },
               { "account", test_account }, { "told", test_told })
