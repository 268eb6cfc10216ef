/* SPDX-License-Identifier: MPL-2.0
 *
 * Sessions over time, on a clock of the test's: refreshing, retrying, stealing, expiring.
 */
#include "config.h"

#include "tests/unit/auth_stage.h"

#define START_MS INT64_C(1790000000000)
#define DAY_MS   INT64_C(86400000)
#define USER     "00000000-0000-7000-8000-000000000001"

/* The service without its actor: a database, a secret, and a user. */
typedef struct {
    place_t place;
    auth_t auth;
    arena_t arena;
    fresh_t first;
} scene_t;

static deed_t s_deed(scene_t *scene, int64_t now_ms)
{
    return (deed_t){ .auth = &scene->auth,
                     .arena = &scene->arena,
                     .now_ms = now_ms,
                     .audit = { .action = "test" } };
}

static db_status_t s_add_user(db_conn_t *conn, void *arg)
{
    scene_t *scene = arg;
    const deed_t deed = s_deed(scene, START_MS);
    db_status_t status = auth_store_add_account(
        conn, &(account_t){ .id = USER, .name = "Ada", .tier = "free", .created_ms = START_MS });
    if (status == DB_OK)
        status = auth_store_add_user(conn, &(user_t){ .id = USER,
                                                      .account_id = USER,
                                                      .email = "ada@example.dev",
                                                      .email_key = "ada@example.dev",
                                                      .name = "Ada",
                                                      .role = "user",
                                                      .created_ms = START_MS });
    return status == DB_OK ? session_open(conn, &deed, USER, &scene->first) : status;
}

static void s_open(scene_t *scene)
{
    char why[200];
    *scene = (scene_t){ 0 };
    bus_presets(auth_actor.settings, auth_actor.settings_target);
    place_make(&scene->place);
    scene->auth.db = place_open(&scene->place, auth_migrations, DB_MIGRATE_APPLY);
    if (!scene->auth.db ||
        !vault_open(&scene->auth.vault, "", scene->place.folder, why, sizeof why))
        die("no database: %s", scene->place.why);
    session_prepare(&scene->first);
    is_int(db_write(scene->auth.db, s_add_user, scene), DB_OK);
}

static void s_close(scene_t *scene)
{
    place_end(&scene->place, &scene->auth.db);
    arena_free(&scene->arena);
}

static refresh_verdict_t s_refresh(scene_t *scene, const uint8_t *token, int64_t now_ms,
                                   uint8_t *next)
{
    refreshed_t result;
    const deed_t deed = s_deed(scene, now_ms);
    is_int(session_refresh(&deed, token, &result), DB_OK);
    if (result.verdict == REFRESH_GOOD)
        memcpy(next, result.fresh.token, TOKEN_BYTES);
    return result.verdict;
}

static void test_retry(void)
{
    scene_t scene;
    uint8_t next[TOKEN_BYTES], again[TOKEN_BYTES];
    s_open(&scene);
    is_int(s_refresh(&scene, scene.first.token, START_MS, next), REFRESH_GOOD);
    is_int(s_refresh(&scene, scene.first.token, START_MS + REFRESH_GRACE_MS, again), REFRESH_GOOD);
    ok(memcmp(next, again, TOKEN_BYTES) == 0);
    is_int(s_refresh(&scene, scene.first.token, START_MS + REFRESH_GRACE_MS + 1, again),
           REFRESH_REUSED);
    is_int(s_refresh(&scene, next, START_MS + REFRESH_GRACE_MS + 2, again), REFRESH_ENDED);
    s_close(&scene);
}

/* The thief comes within the grace, but after the client has gone on: there is no excuse then. */
static void test_theft_within_the_grace(void)
{
    scene_t scene;
    uint8_t second[TOKEN_BYTES], third[TOKEN_BYTES], none[TOKEN_BYTES];
    s_open(&scene);
    is_int(s_refresh(&scene, scene.first.token, START_MS, second), REFRESH_GOOD);
    is_int(s_refresh(&scene, second, START_MS + 1, third), REFRESH_GOOD);
    is_int(s_refresh(&scene, scene.first.token, START_MS + 2, none), REFRESH_REUSED);
    is_int(s_refresh(&scene, third, START_MS + 3, none), REFRESH_ENDED);
    is_int(s_refresh(&scene, second, START_MS + 3, none), REFRESH_ENDED);
    s_close(&scene);
}

/* A token from far back ends the whole line of its descendants. */
static void test_old_token(void)
{
    scene_t scene;
    uint8_t now[TOKEN_BYTES], old[TOKEN_BYTES];
    int64_t at_ms = START_MS;
    s_open(&scene);
    memcpy(now, scene.first.token, sizeof now);
    for (int i = 0; i < 10; i++, at_ms += DAY_MS) {
        if (i == 3)
            memcpy(old, now, sizeof old);
        is_int(s_refresh(&scene, now, at_ms, now), REFRESH_GOOD);
    }
    is_int(s_refresh(&scene, old, at_ms, old), REFRESH_REUSED);
    is_int(s_refresh(&scene, now, at_ms, now), REFRESH_ENDED);
    s_close(&scene);
}

static void test_expiry(void)
{
    scene_t scene;
    uint8_t next[TOKEN_BYTES], none[TOKEN_BYTES];
    const int64_t lasts_ms = 30 * DAY_MS;
    s_open(&scene);
    /* each renewal gives the whole time again */
    is_int(s_refresh(&scene, scene.first.token, START_MS + lasts_ms - 1, next), REFRESH_GOOD);
    is_int(s_refresh(&scene, next, START_MS + 2 * lasts_ms - 1, none), REFRESH_ENDED);
    id_random(none, sizeof none);
    is_int(s_refresh(&scene, none, START_MS, none), REFRESH_UNKNOWN);
    s_close(&scene);
}

typedef struct {
    int64_t before_ms, now_ms, count;
} purge_t;

static db_status_t s_purge(db_conn_t *conn, void *arg)
{
    purge_t *self = arg;
    return auth_store_purge(conn, self->before_ms, self->now_ms, &self->count);
}

static void test_purge(void)
{
    static const db_sql_t tokens = { "test.tokens", "SELECT count(*) AS n FROM refresh_tokens",
                                     NULL };
    scene_t scene;
    uint8_t next[TOKEN_BYTES];
    purge_t purge = { .before_ms = START_MS + 30 * DAY_MS, .now_ms = START_MS };
    s_open(&scene);
    is_int(s_refresh(&scene, scene.first.token, START_MS, next), REFRESH_GOOD);
    is_int(db_write(scene.auth.db, s_purge, &purge), DB_OK);
    is_int(purge.count, 0);
    is_int(place_number(scene.auth.db, &tokens), 2);
    purge.before_ms++;
    is_int(db_write(scene.auth.db, s_purge, &purge), DB_OK);
    is_int(purge.count, 1);
    is_int(place_number(scene.auth.db, &tokens), 0);
    is_int(s_refresh(&scene, next, START_MS, next), REFRESH_UNKNOWN);
    s_close(&scene);
}

/* A database that was taken along without its secret makes other tokens: a retry gets none. */
static void test_other_secret(void)
{
    scene_t scene;
    uint8_t next[TOKEN_BYTES];
    char why[200];
    s_open(&scene);
    is_int(s_refresh(&scene, scene.first.token, START_MS, next), REFRESH_GOOD);
    ok(vault_open(&scene.auth.vault,
                  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "", why,
                  sizeof why));
    is_int(s_refresh(&scene, scene.first.token, START_MS, next), REFRESH_REUSED);
    s_close(&scene);
}

DATABASE_TESTS({ "retry", test_retry }, { "theft within the grace", test_theft_within_the_grace },
               { "old token", test_old_token }, { "expiry", test_expiry }, { "purge", test_purge },
               { "other secret", test_other_secret })
