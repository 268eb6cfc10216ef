/* SPDX-License-Identifier: MPL-2.0
 *
 * Dead letters, progress, and answers that are given again, in the tables.
 */
#include "config.h"

#include "actors/base/clock.h"
#include "tests/unit/jobs_kit.h"

static const db_sql_t s_dead = { "test.dead", "SELECT count(*) AS n FROM dead", NULL };

/* ---- dead letters ---------------------------------------------------------------------------- */

typedef struct {
    job_choice_t choice;
    bool is_dry;
    job_replayed_t done;
} replaying_t;

static db_status_t s_replay_work(db_conn_t *conn, void *arg)
{
    replaying_t *self = arg;
    return jobs_store_replay(conn, &self->choice, self->is_dry, &self->done);
}

static size_t s_replay(db_t *db, replaying_t *replaying, bool is_dry)
{
    size_t replayed = 0;
    replaying->is_dry = is_dry;
    is_int(db_write(db, s_replay_work, replaying), DB_OK);
    for (size_t i = 0; i < replaying->done.count; i++)
        replayed += replaying->done.is_replayed[i];
    return replayed;
}

static void test_replay(void)
{
    static const struct {
        const char *account, *code, *unique_key, *order_key;
    } dead[] = {
        { "ada", "DEADLINE", NULL, NULL }, { "ada", "INTERNAL", "u", NULL },
        { "bob", "DEADLINE", NULL, "o" },  { "bob", "DEADLINE", NULL, "o" },
        { "bob", "INTERNAL", NULL, NULL },
    };
    place_t place;
    arena_t arena = { 0 };
    job_begun_t *begun;
    int64_t ids[COUNT_OF(dead)], rival;
    replaying_t *replaying = arena_alloc(&arena, sizeof *replaying);
    db_t *db = kit_open(&place);
    int64_t worker = kit_worker(db);
    for (size_t i = 0; i < COUNT_OF(dead); i++) {
        job_new_t job = kit_job();
        job.account = dead[i].account;
        job.unique_key = dead[i].unique_key;
        job.order_key = dead[i].order_key;
        ids[i] = kit_add_one(db, job);
        is_int(kit_begin(db, &arena, worker, 9, &begun), 1);
        kit_settle(db, (job_end_t){ .id = ids[i],
                                    .fence = 1,
                                    .how = SETTLE_DEAD,
                                    .tries = 3,
                                    .error_code = dead[i].code });
    }
    /* somebody has taken the unique key */
    job_new_t job = kit_job();
    job.account = "ada";
    job.unique_key = "u";
    int64_t other = kit_add_one(db, job);
    replaying->choice = (job_choice_t){
        .account = "bob", .queue = "", .kind = "", .error_code = "DEADLINE", .most = 10
    };
    is_int(s_replay(db, replaying, true), 0);
    is_int(replaying->done.count, 2);
    is_int(place_number(db, &s_dead), 5);
    clock_sleep_ms(2); /* what is due in the same millisecond goes by id */
    is_int(s_replay(db, replaying, false), 2);
    is_int(place_number(db, &s_dead), 3);
    is_int(s_replay(db, replaying, false), 0);
    is_int(replaying->done.count, 0);
    /* in their order, with the next fence and a clean sheet */
    is_int(kit_begin(db, &arena, worker, 9, &begun), 2);
    is_int(begun[0].id, other); /* ready before the replay */
    is_int(begun[1].id, ids[2]);
    is_int(begun[1].fence, 2);
    is_int(begun[1].tries, 0);
    replaying->choice = (job_choice_t){
        .account = NULL, .queue = "echo", .kind = "echo.say", .error_code = "", .most = 10
    };
    is_int(s_replay(db, replaying, false), 2);
    is_int(replaying->done.count, 3);
    ok(replaying->done.ids[1] == ids[1] && !replaying->done.is_replayed[1]);
    is_int(place_number(db, &s_dead), 1);
    is_int(jobs_store_rival(db_conn(db), ids[1], &rival), DB_OK);
    is_int(rival, other);
    arena_free(&arena);
    place_end(&place, &db);
}

/* ---- progress -------------------------------------------------------------------------------- */

typedef struct {
    job_progress_t progress;
    bool is_current;
} progressing_t;

static db_status_t s_progress_work(db_conn_t *conn, void *arg)
{
    progressing_t *self = arg;
    return jobs_store_progress(conn, &self->progress, &self->is_current);
}

static void test_progress(void)
{
    place_t place;
    arena_t arena = { 0 };
    job_begun_t *begun;
    const job_t *job;
    db_t *db = kit_open(&place);
    int64_t worker = kit_worker(db), id = kit_add_one(db, kit_job());
    progressing_t told = { .progress = { .id = id, .fence = 1, .percent = 10 } };
    is_int(db_write(db, s_progress_work, &told), DB_OK);
    ok(!told.is_current);
    is_int(kit_begin(db, &arena, worker, 1, &begun), 1);
    for (int i = 1; i <= 2; i++) {
        told.progress.percent = 40 * i;
        told.progress.note = i == 1 ? "half" : NULL;
        is_int(db_write(db, s_progress_work, &told), DB_OK);
        ok(told.is_current);
        is_int(jobs_store_get(db_conn(db), &arena, id, NULL, &job), DB_OK);
        is_int(job->percent, 40 * i);
    }
    told.progress.fence = 2;
    is_int(db_write(db, s_progress_work, &told), DB_OK);
    ok(!told.is_current);
    ok(kit_succeed(db, &arena, id, 1));
    is_int(jobs_store_get(db_conn(db), &arena, id, NULL, &job), DB_OK);
    is_int(job->percent, 80);
    arena_free(&arena);
    place_end(&place, &db);
}

/* ---- answers given again --------------------------------------------------------------------- */

typedef struct {
    arena_t *arena;
    job_answer_t answer;
    int64_t keep_ms;
} answering_t;

static db_status_t s_find_work(db_conn_t *conn, void *arg)
{
    answering_t *self = arg;
    return jobs_store_find_answer(conn, self->arena, &self->answer);
}

static db_status_t s_keep_work(db_conn_t *conn, void *arg)
{
    const answering_t *self = arg;
    return jobs_store_keep_answer(conn, &self->answer, self->keep_ms);
}

/* What is found for a key and a request, of which `hash` is the first byte of its hash. */
static job_answer_t s_find(db_t *db, arena_t *arena, const char *account, uint8_t hash)
{
    answering_t asked = { .arena = arena,
                          .answer = { .account = account, .key = "k", .hash = { hash } } };
    is_int(db_write(db, s_find_work, &asked), DB_OK);
    return asked.answer;
}

static void test_answers(void)
{
    place_t place;
    arena_t arena = { 0 };
    db_t *db = kit_open(&place);
    answering_t kept = {
        .answer = { .account = "ada", .key = "k", .hash = { 1 }, .reply = { "yes", 3 } },
        .keep_ms = -1
    };
    ok(!s_find(db, &arena, "ada", 1).reply.bytes);
    /* one that is over makes room */
    is_int(db_write(db, s_keep_work, &kept), DB_OK);
    ok(!s_find(db, &arena, "ada", 1).reply.bytes);
    kept.keep_ms = 60000;
    is_int(db_write(db, s_keep_work, &kept), DB_OK);
    ok(s_find(db, &arena, "ada", 2).is_other);
    ok(!s_find(db, &arena, "bob", 1).reply.bytes);
    job_answer_t found = s_find(db, &arena, "ada", 1);
    ok(!found.is_other && found.reply.size == 3 && memcmp(found.reply.bytes, "yes", 3) == 0);
    is_int(db_write(db, s_keep_work, &kept), DB_CONFLICT);
    arena_free(&arena);
    place_end(&place, &db);
}

/* ---- telling of them ------------------------------------------------------------------------- */

static const db_sql_t s_telling = { "test.telling",
                                    "SELECT count(*) AS n FROM job WHERE kind = 'webhook.publish'"
                                    " AND account = '' AND queue = 'webhook'",
                                    NULL };

/* A job of this account and kind dies. */
static void s_die(db_t *db, int64_t worker, const char *account, const char *kind, wishes_t *wishes)
{
    arena_t arena = { 0 };
    job_begun_t *begun;
    job_new_t job = kit_job();
    job_settled_t settled = { 0 };
    job.account = account;
    job.kind = kind;
    int64_t id = kit_add_one(db, job);
    is_int(kit_begin(db, &arena, worker, 1, &begun), 1);
    const job_end_t end = {
        .id = id, .fence = begun->fence, .how = SETTLE_DEAD, .error_code = "NOT_FOUND"
    };
    job_settling_t settling = {
        .ends = &end, .count = 1, .settled = &settled, .arena = &arena, .wishes = wishes
    };
    is_int(db_write(db, kit_settle_work, &settling), DB_OK);
    ok(settled.is_accepted);
    arena_free(&arena);
}

static void test_told(void)
{
    place_t place;
    wishes_t wishes;
    buf_t body = { 0 };
    pack_t pack;
    wish_set_t set = { 0 };
    db_t *db = kit_open(&place);
    const int64_t worker = kit_worker(db);
    wishes_init(&wishes);
    s_die(db, worker, "ada", "echo.say", NULL);
    is_int(place_number(db, &s_telling), 0);
    s_die(db, worker, "ada", "echo.say", &wishes);
    ok_named(place_number(db, &s_telling) == 1, "of an account's, as nothing is known");
    s_die(db, worker, "", "echo.say", &wishes);
    s_die(db, worker, "", "webhook.publish", &wishes);
    s_die(db, worker, "", "webhook.send", &wishes);
    ok_named(place_number(db, &s_telling) == 1, "not of a service's own, which tell of others");
    wish_set_add(&set, "bob", "job.*", 5);
    pack_init(&pack, &body);
    wish_set_write(&set, 1, &pack);
    ok(wishes_hear(&wishes, body.bytes, body.size, clock_ms()));
    s_die(db, worker, "ada", "echo.say", &wishes);
    ok_named(place_number(db, &s_telling) == 1, "not of one that does not want it");
    s_die(db, worker, "bob", "echo.say", &wishes);
    ok_named(place_number(db, &s_telling) == 2, "of one that does");
    wish_set_free(&set);
    buf_free(&body);
    wishes_free(&wishes);
    place_end(&place, &db);
}

DATABASE_TESTS({ "replay", test_replay }, { "progress", test_progress },
               { "answers", test_answers }, { "told", test_told })
