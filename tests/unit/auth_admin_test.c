/* SPDX-License-Identifier: MPL-2.0
 *
 * What administrators and owners do: users, members, flags, and the audit log that tells of it.
 */
#include "config.h"

#include "tests/unit/auth_stage.h"

/* ---- users and members ----------------------------------------------------------------------- */

static void test_users(void)
{
    stage_t stage;
    const principal_t admin = stage_admin();
    stage_open(&stage, NULL);
    person_t ada = stage_register(&stage, "ada@example.dev");
    person_t eve = stage_register(&stage, "eve@example.dev");
    reply_t list = stage_call(&stage, &admin, "users", "{\"limit\":2}");
    const value_t *items = value_get(list.body, "items");
    is_int(items->count, 2);
    is_text(stage_text(&stage, value_item(items, 0), "id"), eve.user);
    list = stage_call(&stage, &admin, "users", "{\"limit\":2,\"cursor\":\"%s\"}",
                      stage_text(&stage, list.body, "next_cursor"));
    items = value_get(list.body, "items");
    is_int(items->count, 1); /* whose key was shown at the first start */
    is_text(stage_text(&stage, value_item(items, 0), "role"), "admin");
    list = stage_call(&stage, &admin, "users", "{\"email\":\"ADA@example.dev\"}");
    is_text(stage_text(&stage, value_item(value_get(list.body, "items"), 0), "id"), ada.user);
    list = stage_call(&stage, &admin, "users", "{\"account_id\":\"%s\"}", eve.account);
    is_int(value_get(list.body, "items")->count, 1);
    list = stage_call(&stage, &admin, "users",
                      "{\"email\":\"ada@example.dev\","
                      "\"account_id\":\"%s\"}",
                      eve.account);
    is_int(value_get(list.body, "items")->count, 0);
    is_int(stage_call(&stage, &admin, "users", "{\"cursor\":\"AAAA\"}").code, ERROR_UNPROCESSABLE);
    is_int(stage_call(&stage, &admin, "user", "{\"id\":\"%s\"}", ada.user).code, ERROR_NONE);
    is_int(stage_call(&stage, &admin, "user", "{\"id\":\"%s\"}", ada.session).code,
           ERROR_NOT_FOUND);
    /* only administrators */
    is_int(stage_call(&stage, &ada.who, "users", "{}").code, ERROR_FORBIDDEN);
    is_int(
        stage_call(&stage, &ada.who, "user_update", "{\"id\":\"%s\",\"role\":\"admin\"}", ada.user)
            .code,
        ERROR_FORBIDDEN);
    /* with a key that has not got the scope, not even they */
    principal_t narrow = admin;
    narrow.scope_count = 0;
    is_int(stage_call(&stage, &narrow, "users", "{}").code, ERROR_FORBIDDEN);
    stage_close(&stage);
}

static void test_user_update(void)
{
    stage_t stage;
    const principal_t admin = stage_admin();
    stage_open(&stage, NULL);
    person_t ada = stage_register(&stage, "ada@example.dev");
    reply_t reply = stage_call(&stage, &admin, "user_update",
                               "{\"id\":\"%s\",\"role\":\"admin\",\"tier\":\"pro\"}", ada.user);
    is_text(stage_text(&stage, reply.body, "role"), "admin");
    is_text(stage_text(&stage, reply.body, "tier"), "pro");
    is_text(stage_text(&stage, reply.body, "status"), "active");
    stage_add_role(&ada.who, "admin");
    is_int(
        stage_call(&stage, &ada.who, "user_update", "{\"id\":\"%s\",\"role\":\"user\"}", ada.user)
            .code,
        ERROR_UNPROCESSABLE); /* not one's own */
    is_int(
        stage_call(&stage, &ada.who, "user_update", "{\"id\":\"%s\",\"tier\":\"free\"}", ada.user)
            .code,
        ERROR_NONE);
    is_int(stage_call(&stage, &admin, "user_update", "{\"id\":\"%s\",\"role\":\"king\"}", ada.user)
               .code,
           ERROR_VALIDATION_FAILED);
    is_int(
        stage_call(&stage, &admin, "user_update", "{\"id\":\"%s\",\"role\":\"user\"}", ada.session)
            .code,
        ERROR_NOT_FOUND);
    is_int(stage_call(&stage, NULL, "account_tier", "{\"account\":\"%s\",\"tier\":\"pro\"}",
                      ada.session)
               .code,
           ERROR_NOT_FOUND);
    stage_close(&stage);
}

static void test_members(void)
{
    stage_t stage;
    stage_open(&stage, NULL);
    person_t ada = stage_register(&stage, "ada@example.dev");
    person_t eve = stage_register(&stage, "eve@example.dev");
    reply_t invite = stage_call(&stage, &ada.who, "account_invite", "{}");
    reply_t reply =
        stage_call(&stage, NULL, "register",
                   "{\"email\":\"bob@example.dev\",\"password\":\"%s\",\"invite\":\"%s\"}",
                   STAGE_PASSWORD, stage_text(&stage, invite.body, "code"));
    person_t bob = stage_person(&stage, reply.body);
    is_int(stage_call(&stage, &ada.who, "member_delete", "{\"id\":\"%s\"}", eve.user).code,
           ERROR_NOT_FOUND);
    is_int(stage_call(&stage, &bob.who, "member_delete", "{\"id\":\"%s\"}", ada.user).code,
           ERROR_FORBIDDEN);
    is_int(stage_call(&stage, &ada.who, "member_delete", "{\"id\":\"%s\"}", ada.user).code,
           ERROR_UNPROCESSABLE);
    is_int(stage_call(&stage, &ada.who, "member_delete", "{\"id\":\"%s\"}", bob.user).code,
           ERROR_NONE);
    ok(!stage_is_in(&stage, &bob) && stage_is_in(&stage, &eve));
    is_int(stage_login(&stage, "bob@example.dev", STAGE_PASSWORD).code, ERROR_UNAUTHENTICATED);

    reply = stage_call(&stage, &ada.who, "me_update", "{\"name\":\"Countess\"}");
    is_text(stage_text(&stage, reply.body, "name"), "Countess");
    reply = stage_call(&stage, &ada.who, "account_update", "{\"name\":\"Engines Ltd\"}");
    is_text(stage_text(&stage, reply.body, "name"), "Engines Ltd");
    reply = stage_call(&stage, &ada.who, "account", "{}");
    is_text(stage_text(&stage, reply.body, "name"), "Engines Ltd");
    is_text(stage_text(&stage, reply.body, "tier"), "free");
    /* whoever has not signed in is nobody */
    const principal_t anonymous = { .account = "anonymous", .user = "anonymous" };
    is_int(stage_call(&stage, &anonymous, "me", "{}").code, ERROR_UNAUTHENTICATED);
    is_int(stage_call(&stage, &anonymous, "keys", "{}").code, ERROR_FORBIDDEN);
    stage_close(&stage);
}

/* ---- invitations and flags ------------------------------------------------------------------- */

static void test_invites(void)
{
    stage_t stage;
    const principal_t admin = stage_admin();
    stage_open(&stage, NULL);
    is_int(stage_call(&stage, &admin, "invite_create",
                      "{\"account_id\":\"00000000-0000-7000-8000-000000000000\"}")
               .code,
           ERROR_UNPROCESSABLE);
    reply_t made = stage_call(&stage, &admin, "invite_create", "{\"role\":\"admin\"}");
    const char *id = stage_text(&stage, made.body, "id");
    is_int(stage_call(&stage, &admin, "invite_delete", "{\"id\":\"%s\"}", id).code, ERROR_NONE);
    is_int(stage_call(&stage, &admin, "invite_delete", "{\"id\":\"%s\"}", id).code,
           ERROR_NOT_FOUND);
    is_int(stage_call(&stage, NULL, "register",
                      "{\"email\":\"a@example.dev\",\"password\":\"%s\",\"invite\":\"%s\"}",
                      STAGE_PASSWORD, stage_text(&stage, made.body, "code"))
               .code,
           ERROR_FORBIDDEN);
    made = stage_call(&stage, &admin, "invite_create", "{\"role\":\"admin\"}");
    reply_t reply =
        stage_call(&stage, NULL, "register",
                   "{\"email\":\"a@example.dev\",\"password\":\"%s\",\"invite\":\"%s\"}",
                   STAGE_PASSWORD, stage_text(&stage, made.body, "code"));
    is_text(stage_text(&stage, value_get(reply.body, "user"), "role"), "admin");
    stage_close(&stage);
}

static void test_flags(void)
{
    stage_t stage;
    const principal_t admin = stage_admin();
    stage_open(&stage, NULL);
    is_int(stage_call(&stage, &admin, "flag_set", "{\"name\":\"beta\",\"enabled\":true}").code,
           ERROR_NONE);
    reply_t reply = stage_call(&stage, &admin, "flag_set",
                               "{\"name\":\"beta\",\"enabled\":true,\"tiers\":[\"pro\"],"
                               "\"accounts\":[\"a1\"],\"percentage\":25,\"about\":\"New\"}");
    is_int(value_get_int(reply.body, "percentage", 0), 25);
    reply = stage_call(&stage, &admin, "flags", "{}");
    const value_t *items = value_get(reply.body, "items");
    is_int(items->count, 1);
    ok(value_is(value_item(value_get(value_item(items, 0), "tiers"), 0), "pro"));
    is_int(stage_call(&stage, &admin, "flag_set",
                      "{\"name\":\"beta\",\"enabled\":true,\"tiers\":[\"gold\"]}")
               .code,
           ERROR_VALIDATION_FAILED);
    is_int(stage_call(&stage, &admin, "flag_set", "{\"name\":\"Beta!\",\"enabled\":true}").code,
           ERROR_VALIDATION_FAILED);
    is_int(stage_call(&stage, &admin, "flag_delete", "{\"name\":\"beta\"}").code, ERROR_NONE);
    is_int(stage_call(&stage, &admin, "flag_delete", "{\"name\":\"beta\"}").code, ERROR_NOT_FOUND);
    stage_close(&stage);
}

/* ---- the audit log --------------------------------------------------------------------------- */

static bool s_verify(stage_t *stage, int64_t *verified)
{
    reply_t reply = stage_call(stage, NULL, "audit_verify", "{}");
    *verified = value_get_int(reply.body, "verified", -1);
    return value_get_bool(reply.body, "good", false);
}

static void test_audit(void)
{
    stage_t stage;
    int64_t verified;
    const principal_t admin = stage_admin();
    stage_open(&stage, NULL);
    person_t ada = stage_register(&stage, "ada@example.dev");
    stage_call(&stage, &ada.who, "key_create", "{\"name\":\"ci\"}");
    stage_call(&stage, &admin, "user_update", "{\"id\":\"%s\",\"tier\":\"pro\"}", ada.user);
    reply_t log = stage_call(&stage, &admin, "audit", "{\"limit\":2}");
    const value_t *items = value_get(log.body, "items");
    is_text(stage_text(&stage, value_item(items, 0), "action"), "account.tier_changed");
    is_text(stage_text(&stage, value_item(items, 0), "detail"), "tier=pro");
    is_text(stage_text(&stage, value_item(items, 0), "user_id"), "admin-1");
    is_text(stage_text(&stage, value_item(items, 1), "action"), "key.created");
    is_text(stage_text(&stage, value_item(items, 1), "address"), "192.0.2.7");
    is_text(stage_text(&stage, value_item(items, 1), "request_id"), "request-1");
    log = stage_call(&stage, &admin, "audit", "{\"limit\":2,\"before\":%lld}",
                     (long long)value_get_int(log.body, "next_before", 0));
    items = value_get(log.body, "items");
    is_int(items->count, 2);
    is_text(stage_text(&stage, value_item(items, 0), "action"), "user.registered");
    is_text(stage_text(&stage, value_item(items, 1), "action"), "system.begun");
    ok(value_is_type(value_get(log.body, "next_before"), VALUE_NIL));
    log = stage_call(&stage, &admin, "audit", "{\"user_id\":\"%s\"}", ada.user);
    is_int(value_get(log.body, "items")->count, 2);
    log = stage_call(&stage, &admin, "audit", "{\"user_id\":\"%s\",\"action\":\"key.created\"}",
                     ada.user);
    is_int(value_get(log.body, "items")->count, 1);
    log = stage_call(&stage, &admin, "audit", "{\"action\":\"no.such\"}");
    is_int(value_get(log.body, "items")->count, 0);
    ok(s_verify(&stage, &verified));
    is_int(verified, 4);
    stage_close(&stage);
}

/* Whatever an operator of the database changes shows. */
static void test_tampering(void)
{
    static const db_sql_t changes[] = {
        { "test.detail", "UPDATE audit SET detail = 'tier=free' WHERE sequence = 3", NULL },
        { "test.repair", "UPDATE audit SET detail = 'tier=pro' WHERE sequence = 3", NULL },
        { "test.moved", "UPDATE audit SET at = at + 1 WHERE sequence = 2", NULL },
        { "test.back", "UPDATE audit SET at = at - 1 WHERE sequence = 2", NULL },
        { "test.null", "UPDATE audit SET address = '' WHERE sequence = 1", NULL },
        { "test.unnull", "UPDATE audit SET address = NULL WHERE sequence = 1", NULL },
        { "test.cut", "DELETE FROM audit WHERE sequence = 3", NULL },
        { "test.head", "UPDATE audit_head SET sequence = 2", NULL },
    };
    static const struct {
        bool good;
        int64_t verified;
    } expected[COUNT_OF(changes)] = {
        { false, 2 }, { true, 3 }, { false, 1 }, { true, 3 },
        { false, 0 }, { true, 3 }, { false, 2 }, { false, 2 },
    };
    stage_t stage;
    int64_t verified;
    const principal_t admin = stage_admin();
    stage_open(&stage, NULL);
    person_t ada = stage_register(&stage, "ada@example.dev");
    stage_call(&stage, &admin, "user_update", "{\"id\":\"%s\",\"tier\":\"pro\"}", ada.user);
    ok(s_verify(&stage, &verified));
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        is_int(db_write_one(stage_db(&stage), &changes[i], NULL, 0, NULL), DB_OK);
        ok_named(s_verify(&stage, &verified) == expected[i].good, changes[i].name);
        is_int(verified, expected[i].verified);
    }
    stage_close(&stage);
}

DATABASE_TESTS({ "users", test_users }, { "user update", test_user_update },
               { "members", test_members }, { "invites", test_invites }, { "flags", test_flags },
               { "audit", test_audit }, { "tampering", test_tampering })
