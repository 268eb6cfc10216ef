/* SPDX-License-Identifier: MPL-2.0
 *
 * auth_bench - whether the time of an answer tells a known address from an unknown one
 *
 * Broker and auth are one process reached over ipc; one call is under way at a time. The cases take
 * turns, so that whatever else the machine does falls on all alike: `login_*` should differ from
 * each other no more than `login_unknown_again`, the control, does from `login_unknown`; likewise
 * `forgot_*`. `hash` is one Argon2id at the same cost, for comparison. BENCH_ROUNDS is how often
 * each case is called.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actors/auth/auth.h"
#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "tests/bench/service.h"

#define PASSWORD   "correct horse battery staple"
#define READY_MS   30000
#define ROUNDS_MAX 10000

#define AFTERWARDS_MS 10 /* answers go out before they are recorded */

typedef struct {
    const char *name, *method, *email, *password;
    error_code_t code; /* that it is answered with */
} case_t;

static const case_t s_cases[] = {
    { "login_unknown", "login", "nobody@example.dev", PASSWORD, ERROR_UNAUTHENTICATED },
    { "login_unknown_again", "login", "no.one@example.dev", PASSWORD, ERROR_UNAUTHENTICATED },
    { "login_wrong", "login", "ada@example.dev", "wrong", ERROR_UNAUTHENTICATED },
    { "login_disabled", "login", "eve@example.dev", PASSWORD, ERROR_UNAUTHENTICATED },
    { "forgot_unknown", "password_forgot", "nobody@example.dev", NULL, ERROR_NONE },
    { "forgot_unknown_again", "password_forgot", "no.one@example.dev", NULL, ERROR_NONE },
    { "forgot_known", "password_forgot", "ada@example.dev", NULL, ERROR_NONE },
    { "forgot_disabled", "password_forgot", "eve@example.dev", NULL, ERROR_NONE },
};

/* ---- calls ----------------------------------------------------------------------------------- */

static client_t *s_client;

/* Two texts, the second of which may be NULL; `answer` NULL: it is not looked at. */
static error_code_t s_call(const char *method, const char *const pairs[4], answer_t *answer)
{
    buf_t body = { 0 };
    pack_t pack;
    answer_t own, *at = answer ? answer : &own;
    pack_init(&pack, &body);
    pack_map(&pack, pairs[3] ? 2 : 1);
    pack_pair_text(&pack, pairs[0], pairs[1]);
    if (pairs[3])
        pack_pair_text(&pack, pairs[2], pairs[3]);
    client_call(s_client,
                &(client_request_t){ .service = auth_service.name,
                                     .method = method,
                                     .body = &body,
                                     .deadline_ms = READY_MS },
                at);
    error_code_t code = at->failure.code;
    if (!answer)
        answer_close(&own);
    return code;
}

#define CALL(method, answer, ...) s_call(method, (const char *const[4]){ __VA_ARGS__ }, answer)

static void s_register(const char *email, char id[ID_UUID_SIZE])
{
    arena_t arena = { 0 };
    answer_t answer;
    value_verdict_t verdict;
    if (CALL("register", &answer, "email", email, "password", PASSWORD) != ERROR_NONE)
        die("cannot register: %s", answer.failure.detail);
    const value_t *reply =
        value_parse(&arena, answer_bytes(&answer), answer_size(&answer), VALUE_LIMITS, &verdict);
    const char *found = value_dup_text(&arena, value_get(reply, "user"), "id");
    snprintf(id, ID_UUID_SIZE, "%s", found ? found : "");
    answer_close(&answer);
    arena_free(&arena);
}

static void s_prepare(void)
{
    char id[ID_UUID_SIZE];
    const uint64_t begun_ms = clock_ms();
    while (CALL("password_forgot", NULL, "email", "a@example.dev", NULL, NULL) == ERROR_NO_SERVICE)
        if (clock_ms() - begun_ms > READY_MS)
            die("auth does not answer");
        else
            clock_sleep_ms(10);
    s_register("ada@example.dev", id);
    s_register("eve@example.dev", id);
    if (CALL("user_update", NULL, "id", id, "status", "disabled") != ERROR_NONE)
        die("cannot disable a user");
}

/* ---- the cases ------------------------------------------------------------------------------- */

/* How long a call takes, in microseconds. What is done after the one before is over by then. */
static uint64_t s_time(const case_t *self)
{
    clock_sleep_ms(AFTERWARDS_MS);
    const uint64_t begun_us = clock_us();
    const error_code_t code =
        CALL(self->method, NULL, "email", self->email, "password", self->password);
    const uint64_t time_us = clock_us() - begun_us;
    if (code != self->code)
        die("%s is answered with %s", self->name, error_row(code)->symbol);
    return time_us;
}

static void s_take_turns(size_t rounds)
{
    uint64_t *times_us[COUNT_OF(s_cases)];
    for (size_t i = 0; i < COUNT_OF(s_cases); i++)
        times_us[i] = mem_array(rounds, sizeof *times_us[i]);
    for (size_t round = 0; round < rounds; round++)
        for (size_t i = 0; i < COUNT_OF(s_cases); i++)
            times_us[i][round] = s_time(&s_cases[i]);
    for (size_t i = 0; i < COUNT_OF(s_cases); i++) {
        bench_print_times("auth", s_cases[i].name, times_us[i], rounds);
        mem_free(times_us[i]);
    }
}

static void s_hash_once(void *arg)
{
    char hash[PASSWORD_HASH_SIZE];
    password_hash(arg, PASSWORD, hash);
}

int main(void)
{
    bench_service_t auth;
    const size_t rounds = bench_number("ROUNDS", 60);
    if (rounds < 1 || rounds > ROUNDS_MAX)
        die("BENCH_ROUNDS is 1 to %d", ROUNDS_MAX);
    log_set_level(LOG_ERROR);
    bench_service_start(&auth, &auth_actor);
    s_client = auth.client;
    s_prepare();
    s_take_turns(rounds);
    bench_service_stop(&auth);
    bench_presets(auth_actor.settings, &auth_settings);
    password_cost_t cost = { .passes = (uint64_t)auth_settings.hash_passes,
                             .memory_bytes = (size_t)auth_settings.hash_memory_kib * 1024 };
    bench_repeat("auth", "hash", 1, s_hash_once, &cost);
    return 0;
}
