/* SPDX-License-Identifier: MPL-2.0
 *
 * Addresses: proven by a code that is mailed there, and changed.
 */
#include "config.h"

#include "tests/unit/auth_stage.h"

static error_code_t s_verify(stage_t *stage, const char *code)
{
    return stage_call(stage, NULL, "verify", "{\"token\":\"%s\"}", code).code;
}

static bool s_is_verified(stage_t *stage, const person_t *person)
{
    reply_t me = stage_call(stage, &person->who, "me", "{}");
    return value_is_type(value_get(me.body, "email_verified_at"), VALUE_TEXT);
}

static void test_verify(void)
{
    static const db_sql_t late = { "test.late", "UPDATE codes SET expires_at = 1", NULL };
    stage_t stage;
    stage_open(&stage, NULL);
    person_t ada = stage_register(&stage, "Ada@example.dev");
    ok(!s_is_verified(&stage, &ada));
    const char *code = stage_mail(&stage, "email_verify", "Ada@example.dev");
    is_int(s_verify(&stage, "nonsense"), ERROR_UNPROCESSABLE);
    is_int(s_verify(&stage, "sbv_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
           ERROR_UNPROCESSABLE);
    /* one purpose is not the other */
    reply_t reset = stage_call(&stage, NULL, "reset_issue", "{\"id\":\"%s\"}", ada.user);
    is_int(s_verify(&stage, stage_text(&stage, reset.body, "token")), ERROR_UNPROCESSABLE);
    is_int(stage_call(&stage, NULL, "password_reset", "{\"token\":\"%s\",\"password\":\"%s\"}",
                      code, STAGE_PASSWORD)
               .code,
           ERROR_UNPROCESSABLE);
    is_int(s_verify(&stage, code), ERROR_NONE);
    ok(s_is_verified(&stage, &ada));
    is_int(s_verify(&stage, code), ERROR_UNPROCESSABLE); /* once */
    is_int(stage_mails(&stage, "email_changed"), 0);

    person_t eve = stage_register(&stage, "eve@example.dev");
    code = stage_mail(&stage, "email_verify", "eve@example.dev");
    stage_sql(&stage, &late);
    is_int(s_verify(&stage, code), ERROR_UNPROCESSABLE);
    ok(!s_is_verified(&stage, &eve));
    stage_close(&stage);
}

static void test_resend(void)
{
    static const char *const addresses[] = { "nobody@example.dev", "ada@example.dev",
                                             "bob@example.dev", "eve@example.dev" };
    static const db_sql_t ago = { "test.ago", "UPDATE codes SET created_at = created_at - 60001",
                                  NULL };
    static const db_sql_t asked = { "test.asked",
                                    "SELECT count(*) AS n FROM audit WHERE action = 'email.asked'",
                                    NULL };
    const principal_t admin = stage_admin();
    stage_t stage;
    reply_t first = { 0 };
    int64_t recorded = 0;
    stage_open(&stage, NULL);
    stage_register(&stage, "ada@example.dev");
    stage_register(&stage, "bob@example.dev");
    is_int(s_verify(&stage, stage_mail(&stage, "email_verify", "bob@example.dev")), ERROR_NONE);
    person_t eve = stage_register(&stage, "eve@example.dev");
    stage_call(&stage, &admin, "user_update", "{\"id\":\"%s\",\"status\":\"disabled\"}", eve.user);
    const char *code = stage_mail(&stage, "email_verify", "ada@example.dev");
    is_int(stage_mails(&stage, "email_verify"), 3);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < COUNT_OF(addresses); i++) {
            reply_t reply =
                stage_call(&stage, NULL, "verify_resend", "{\"email\":\"%s\"}", addresses[i]);
            if (recorded == 0)
                first = reply;
            is_int(reply.code, ERROR_NONE);
            ok_named(value_equal(reply.body, first.body) && reply.status == first.status,
                     addresses[i]);
            recorded++;
            for (int tries = 0; tries < 10000 && place_number(stage_db(&stage), &asked) < recorded;
                 tries++)
                clock_sleep_ms(1);
        }
        /* not so soon again; then to the one who needs it */
        is_int(stage_mails(&stage, "email_verify"), 3 + round);
        stage_sql(&stage, &ago);
    }
    is_int(s_verify(&stage, code), ERROR_UNPROCESSABLE); /* the newest one counts */
    is_int(s_verify(&stage, stage_mail(&stage, "email_verify", "ada@example.dev")), ERROR_NONE);
    stage_close(&stage);
}

static void s_only_verified(auth_settings_t *settings)
{
    settings->login_unverified = false;
}

static void test_only_verified(void)
{
    const principal_t admin = stage_admin();
    stage_t stage;
    stage_open(&stage, s_only_verified);
    reply_t reply =
        stage_call(&stage, NULL, "register", "{\"email\":\"ada@example.dev\",\"password\":\"%s\"}",
                   STAGE_PASSWORD);
    is_int(reply.code, ERROR_NONE);
    is_text(stage_text(&stage, reply.body, "step"), "verify");
    ok(!value_get(reply.body, "access_token") && !value_get(reply.body, "refresh_token"));
    const char *id = stage_text(&stage, value_get(reply.body, "user"), "id");
    is_int(stage_login(&stage, "ada@example.dev", STAGE_PASSWORD).code, ERROR_FORBIDDEN);
    is_int(stage_login(&stage, "ada@example.dev", "wrong").code, ERROR_UNAUTHENTICATED);
    is_int(s_verify(&stage, stage_mail(&stage, "email_verify", "ada@example.dev")), ERROR_NONE);
    reply = stage_login(&stage, "ada@example.dev", STAGE_PASSWORD);
    is_text(stage_text(&stage, reply.body, "step"), "done");
    /* an administrator knows better */
    stage_call(&stage, &admin, "user_update", "{\"id\":\"%s\",\"email_verified\":false}", id);
    is_int(stage_login(&stage, "ada@example.dev", STAGE_PASSWORD).code, ERROR_FORBIDDEN);
    stage_call(&stage, &admin, "user_update", "{\"id\":\"%s\",\"email_verified\":true}", id);
    is_int(stage_login(&stage, "ada@example.dev", STAGE_PASSWORD).code, ERROR_NONE);
    /* whom an invitation has reached has proven the address */
    reply = stage_call(&stage, &admin, "invite_create", "{\"email\":\"bob@example.dev\"}");
    reply = stage_call(&stage, NULL, "register",
                       "{\"email\":\"bob@example.dev\",\"password\":\"%s\",\"invite\":\"%s\"}",
                       STAGE_PASSWORD, stage_text(&stage, reply.body, "code"));
    is_text(stage_text(&stage, reply.body, "step"), "done");
    is_int(stage_mails(&stage, "email_verify"), 1);
    stage_close(&stage);
}

static error_code_t s_change(stage_t *stage, const person_t *person, const char *email,
                             const char *password)
{
    return stage_call(stage, &person->who, "email_change", "{\"email\":\"%s\",\"password\":\"%s\"}",
                      email, password)
        .code;
}

static void test_change(void)
{
    stage_t stage;
    stage_open(&stage, NULL);
    person_t ada = stage_register(&stage, "ada@example.dev");
    stage_register(&stage, "eve@example.dev");
    reply_t reset = stage_call(&stage, NULL, "reset_issue", "{\"id\":\"%s\"}", ada.user);
    is_int(s_change(&stage, &ada, "countess@example.dev", "wrong"), ERROR_UNAUTHENTICATED);
    is_int(s_change(&stage, &ada, "nobody", STAGE_PASSWORD), ERROR_VALIDATION_FAILED);
    is_int(s_change(&stage, &ada, "countess@example.dev", STAGE_PASSWORD), ERROR_NONE);
    is_int(stage_login(&stage, "countess@example.dev", STAGE_PASSWORD).code,
           ERROR_UNAUTHENTICATED); /* not yet */
    is_int(s_verify(&stage, stage_mail(&stage, "email_verify", "countess@example.dev")),
           ERROR_NONE);
    is_int(stage_login(&stage, "countess@example.dev", STAGE_PASSWORD).code, ERROR_NONE);
    is_int(stage_login(&stage, "ada@example.dev", STAGE_PASSWORD).code, ERROR_UNAUTHENTICATED);
    is_text(stage_mail(&stage, "email_changed", "ada@example.dev"), "");
    ok(s_is_verified(&stage, &ada) && stage_is_in(&stage, &ada));
    is_int(stage_call(&stage, NULL, "password_reset", "{\"token\":\"%s\",\"password\":\"%s\"}",
                      stage_text(&stage, reset.body, "token"), STAGE_PASSWORD)
               .code,
           ERROR_UNPROCESSABLE); /* it may lie in the old mailbox */
    /* another one's address is not given away, and not told of before its owner shows the code */
    is_int(s_change(&stage, &ada, "eve@example.dev", STAGE_PASSWORD), ERROR_NONE);
    const char *code = stage_mail(&stage, "email_verify", "eve@example.dev");
    is_int(s_verify(&stage, code), ERROR_CONFLICT);
    is_int(stage_login(&stage, "countess@example.dev", STAGE_PASSWORD).code, ERROR_NONE);
    stage_close(&stage);
}

DATABASE_TESTS({ "verify", test_verify }, { "resend", test_resend },
               { "only verified", test_only_verified }, { "change", test_change })
