/* SPDX-License-Identifier: MPL-2.0
 *
 * The second factor: begun, asked for, guessed at, and given up. The limiter is the real one.
 */
#include "config.h"

#include "actors/auth/totp.h"
#include "actors/limiter/limiter.h"
#include "tests/kit/beside.h"
#include "tests/unit/auth_stage.h"

#define TRIES 5 /* of the policy auth.failures */

typedef struct {
    stage_t stage;
    beside_t limiter;
} counted_t;

static void s_start_limiter(counted_t *self)
{
    bus_presets(limiter_actor.settings, limiter_actor.settings_target);
    beside_start(&self->limiter, &self->stage, &limiter_actor);
}

static void s_open(counted_t *self)
{
    *self = (counted_t){ 0 };
    stage_open(&self->stage, NULL);
    s_start_limiter(self);
}

static void s_close(counted_t *self)
{
    beside_stop(&self->limiter);
    stage_close(&self->stage);
}

/* ---- an authenticator app -------------------------------------------------------------------- */

typedef struct {
    uint8_t secret[TOTP_SECRET_BYTES];
    int64_t step; /* of the newest code it has shown */
    char code[TOTP_DIGITS + 1];
} app_t;

static void s_read_secret(app_t *app, const char *base32)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint32_t bits = 0, held = 0, size = 0;
    for (; *base32; base32++) {
        bits = bits << 5 | (uint32_t)(strchr(alphabet, *base32) - alphabet);
        held += 5;
        if (held >= 8)
            app->secret[size++] = (uint8_t)(bits >> (held -= 8));
    }
    is_int(size, TOTP_SECRET_BYTES);
}

/* A code that has not been shown: of the next step, which is taken, too, where the present one is
 * used up. */
static const char *s_next(app_t *app)
{
    const int64_t now = clock_wall_ms() / TOTP_STEP_MS;
    app->step = app->step < now ? now : app->step + 1;
    totp_code(app->secret, app->step, app->code);
    return app->code;
}

/* As time would: codes that were taken lie back. */
static void s_forget(counted_t *self, app_t *app)
{
    static const db_sql_t back = { "test.back", "UPDATE second_factors SET last_step = 0", NULL };
    stage_sql(&self->stage, &back);
    app->step = 0;
}

/* Begins and confirms; the recovery codes. */
static const value_t *s_set_up(counted_t *self, const person_t *person, app_t *app)
{
    stage_t *stage = &self->stage;
    reply_t begun =
        stage_call(stage, &person->who, "totp_begin", "{\"password\":\"%s\"}", STAGE_PASSWORD);
    is_int(begun.code, ERROR_NONE);
    s_read_secret(app, stage_text(stage, begun.body, "secret"));
    reply_t done =
        stage_call(stage, &person->who, "totp_confirm", "{\"code\":\"%s\"}", s_next(app));
    is_int(done.code, ERROR_NONE);
    return value_get(done.body, "recovery_codes");
}

static const char *s_challenge(counted_t *self)
{
    reply_t reply = stage_login(&self->stage, "ada@example.dev", STAGE_PASSWORD);
    is_int(reply.code, ERROR_NONE);
    is_text(stage_text(&self->stage, reply.body, "step"), "code");
    ok(!value_get(reply.body, "access_token"));
    return stage_text(&self->stage, reply.body, "challenge");
}

static reply_t s_show(counted_t *self, const char *challenge, const char *code)
{
    return stage_call(&self->stage, NULL, "login_code", "{\"challenge\":\"%s\",\"code\":\"%s\"}",
                      challenge, code);
}

/* ---- stories --------------------------------------------------------------------------------- */

static void test_set_up(void)
{
    static const db_sql_t factors = {
        "test.plain", "SELECT count(*) AS n FROM second_factors WHERE confirmed_at > 0", NULL
    };
    counted_t counted;
    app_t app = { 0 }, other = { 0 };
    s_open(&counted);
    stage_t *stage = &counted.stage;
    person_t ada = stage_register(stage, "ada@example.dev");
    is_int(stage_call(stage, &ada.who, "totp_confirm", "{\"code\":\"000000\"}").code,
           ERROR_NOT_FOUND);
    is_int(stage_call(stage, &ada.who, "totp_begin", "{\"password\":\"wrong\"}").code,
           ERROR_UNAUTHENTICATED);
    /* begun twice: the newer secret counts, and nothing is asked for before it is confirmed */
    reply_t begun =
        stage_call(stage, &ada.who, "totp_begin", "{\"password\":\"%s\"}", STAGE_PASSWORD);
    s_read_secret(&other, stage_text(stage, begun.body, "secret"));
    begun = stage_call(stage, &ada.who, "totp_begin", "{\"password\":\"%s\"}", STAGE_PASSWORD);
    s_read_secret(&app, stage_text(stage, begun.body, "secret"));
    ok(strstr(stage_text(stage, begun.body, "uri"), "otpauth://totp/signalbox:ada%40example.dev?"));
    is_int(stage_call(stage, &ada.who, "totp_confirm", "{\"code\":\"%s\"}", s_next(&other)).code,
           ERROR_UNPROCESSABLE);
    is_text(stage_text(stage, stage_login(stage, "ada@example.dev", STAGE_PASSWORD).body, "step"),
            "done");
    is_int(place_number(stage_db(stage), &factors), 0);
    reply_t done = stage_call(stage, &ada.who, "totp_confirm", "{\"code\":\"%s\"}", s_next(&app));
    is_int(value_get(done.body, "recovery_codes")->count, 10);
    is_int(stage_call(stage, &ada.who, "totp_begin", "{\"password\":\"%s\"}", STAGE_PASSWORD).code,
           ERROR_CONFLICT);
    is_text(stage_mail(stage, "second_factor_on", "ada@example.dev"), "");
    reply_t me = stage_call(stage, &ada.who, "me", "{}");
    ok(value_get_bool(me.body, "second_factor", false));
    s_close(&counted);
}

static void test_login(void)
{
    counted_t counted;
    app_t app = { 0 };
    s_open(&counted);
    stage_t *stage = &counted.stage;
    person_t ada = stage_register(stage, "ada@example.dev");
    const value_t *recovery = s_set_up(&counted, &ada, &app);
    const char *challenge = s_challenge(&counted);
    is_int(stage_login(stage, "ada@example.dev", "wrong").code, ERROR_UNAUTHENTICATED);
    is_int(s_show(&counted, challenge, app.code).code, ERROR_UNAUTHENTICATED); /* it confirmed */
    reply_t in = s_show(&counted, challenge, s_next(&app));
    is_int(in.code, ERROR_NONE);
    is_text(stage_text(stage, in.body, "step"), "done");
    person_t again = stage_person(stage, in.body);
    ok(stage_is_in(stage, &again));
    is_int(s_show(&counted, challenge, app.code).code, ERROR_UNAUTHENTICATED); /* once */
    is_int(s_show(&counted, "sbc_nonsense", "000000").code, ERROR_UNAUTHENTICATED);
    /* recovery codes, however they are spelt, once each */
    const char *code =
        arena_text(&stage->arena, value_item(recovery, 3)->text, value_item(recovery, 3)->count);
    char shouted[32];
    for (size_t i = 0; i <= strlen(code); i++)
        shouted[i] = code[i] == '-' ? ' ' : (char)(code[i] & ~(code[i] >= 'a' ? 32 : 0));
    is_int(s_show(&counted, challenge, shouted).code, ERROR_NONE);
    is_int(s_show(&counted, challenge, code).code, ERROR_UNAUTHENTICATED);
    /* a password that was changed meanwhile makes the challenge void */
    is_int(stage_call(stage, &ada.who, "password_change", "{\"current\":\"%s\",\"new\":\"%s\"}",
                      STAGE_PASSWORD, "a quite different sentence")
               .code,
           ERROR_NONE);
    s_forget(&counted, &app);
    is_int(s_show(&counted, challenge, s_next(&app)).code, ERROR_UNAUTHENTICATED);
    s_close(&counted);
}

/* Wrong codes are counted by whose they would be; right ones are not. */
static void test_guessing(void)
{
    counted_t counted;
    app_t app = { 0 };
    s_open(&counted);
    person_t ada = stage_register(&counted.stage, "ada@example.dev");
    s_set_up(&counted, &ada, &app);
    const char *challenge = s_challenge(&counted);
    for (int i = 0; i < TRIES; i++) {
        s_forget(&counted, &app);
        is_int(s_show(&counted, challenge, s_next(&app)).code, ERROR_NONE);
    }
    for (int i = 0; i < TRIES; i++)
        is_int(s_show(&counted, challenge, "nonsense").code, ERROR_UNAUTHENTICATED);
    s_forget(&counted, &app);
    is_int(s_show(&counted, challenge, s_next(&app)).code, ERROR_RATE_LIMIT_EXCEEDED);
    is_int(s_show(&counted, s_challenge(&counted), s_next(&app)).code, ERROR_RATE_LIMIT_EXCEEDED);
    s_close(&counted);
}

/* What cannot be counted is refused: nobody guesses while the limiter is away. */
static void test_uncounted(void)
{
    counted_t counted;
    app_t app = { 0 };
    s_open(&counted);
    person_t ada = stage_register(&counted.stage, "ada@example.dev");
    s_set_up(&counted, &ada, &app);
    beside_stop(&counted.limiter);
    const char *challenge = s_challenge(&counted);
    is_int(s_show(&counted, challenge, s_next(&app)).code, ERROR_UNAVAILABLE);
    s_start_limiter(&counted);
    is_int(s_show(&counted, challenge, app.code).code, ERROR_NONE);
    s_close(&counted);
}

static void test_end(void)
{
    counted_t counted;
    app_t app = { 0 };
    const principal_t admin = stage_admin();
    s_open(&counted);
    stage_t *stage = &counted.stage;
    person_t ada = stage_register(stage, "ada@example.dev");
    is_int(stage_call(stage, &ada.who, "totp_end", "{\"password\":\"%s\",\"code\":\"000000\"}",
                      STAGE_PASSWORD)
               .code,
           ERROR_NOT_FOUND);
    s_set_up(&counted, &ada, &app);
    is_int(stage_call(stage, &ada.who, "totp_end", "{\"password\":\"wrong\",\"code\":\"%s\"}",
                      s_next(&app))
               .code,
           ERROR_UNAUTHENTICATED);
    is_int(stage_call(stage, &ada.who, "totp_end", "{\"password\":\"%s\",\"code\":\"nonsense\"}",
                      STAGE_PASSWORD)
               .code,
           ERROR_UNAUTHENTICATED);
    is_int(stage_call(stage, &ada.who, "totp_end", "{\"password\":\"%s\",\"code\":\"%s\"}",
                      STAGE_PASSWORD, app.code)
               .code,
           ERROR_NONE);
    is_text(stage_mail(stage, "second_factor_off", "ada@example.dev"), "");
    ok(stage_login(stage, "ada@example.dev", STAGE_PASSWORD).code == ERROR_NONE);
    is_text(stage_text(stage, stage_login(stage, "ada@example.dev", STAGE_PASSWORD).body, "step"),
            "done");
    /* whoever has lost it asks an administrator, who can take it away and nothing else */
    s_forget(&counted, &app);
    s_set_up(&counted, &ada, &app);
    is_int(
        stage_call(stage, &admin, "user_update", "{\"id\":\"%s\",\"second_factor\":true}", ada.user)
            .code,
        ERROR_UNPROCESSABLE);
    s_challenge(&counted);
    is_int(stage_call(stage, &admin, "user_update", "{\"id\":\"%s\",\"second_factor\":false}",
                      ada.user)
               .code,
           ERROR_NONE);
    is_text(stage_text(stage, stage_login(stage, "ada@example.dev", STAGE_PASSWORD).body, "step"),
            "done");
    s_close(&counted);
}

DATABASE_TESTS({ "set up", test_set_up }, { "login", test_login }, { "guessing", test_guessing },
               { "uncounted", test_uncounted }, { "end", test_end })
