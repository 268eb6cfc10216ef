/* SPDX-License-Identifier: MPL-2.0
 *
 * Submissions: what is new, what is the same again, what is refused, what is told to others, and
 * many at once.
 */
#include "config.h"

#include <pthread.h>

#include "tests/unit/analysis_stage.h"

static const db_sql_t s_rows = { "test.rows", "SELECT count(*) AS n FROM analysis", NULL };
static const db_sql_t s_workflow_rows = { "test.workflows", "SELECT count(*) AS n FROM workflow",
                                          NULL };
static const db_sql_t s_enterprise = {
    "test.enterprise", "SELECT count(*) AS n FROM analysis WHERE tier = 'enterprise'", NULL
};

/* ---- new and again --------------------------------------------------------------------------- */

static void test_new_and_repeated(void)
{
    stage_t stage;
    stage_open(&stage);
    const char *document = stage_fixture(&stage, "WF209-fires.json");
    reply_t first = stage_submit(&stage, "acme", document, "");
    is_int(first.code, ERROR_NONE);
    is_int(first.status, 201);
    is_text(stage_text(&stage, first.body, "kind"), "n8n");
    is_text(stage_text(&stage, first.body, "profile"), "default");
    ok(!value_get_bool(first.body, "repeated", true));
    ok(value_get(first.body, "issues")->count > 0);
    reply_t again = stage_submit(&stage, "acme", document, "");
    is_int(again.status, 200);
    ok(value_get_bool(again.body, "repeated", false));
    is_text(stage_text(&stage, again.body, "id"), stage_text(&stage, first.body, "id"));
    ok(value_equal(value_get(again.body, "issues"), value_get(first.body, "issues")));
    ok(value_equal(value_get(again.body, "summary"), value_get(first.body, "summary")));
    is_int(place_number(stage_db(&stage), &s_rows), 1);
    is_int(stage_ended(&stage, "completed"), 1);
    is_int(stage_ended(&stage, "repeated"), 1);
    stage_close(&stage);
}

/* What makes another analysis, and what another workflow. */
static void test_what_is_the_same(void)
{
    static const struct {
        const char *name, *account, *document, *more;
        bool is_repeated, is_same_workflow;
    } cases[] = {
        { "the same", "acme", "{\"name\":\"A\",\"nodes\":[{\"id\":\"a\"}],\"edges\":[]}", "", true,
          true },
        { "keys in another order", "acme",
          "{\"edges\":[],\"nodes\":[{\"id\":\"a\"}],\"name\":\"A\"}", "", true, true },
        { "drawn elsewhere", "acme",
          "{\"name\":\"A\",\"nodes\":[{\"id\":\"a\",\"position\":[9,9]}],\"edges\":[]}", "", true,
          true },
        { "another node", "acme",
          "{\"name\":\"A\",\"nodes\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"edges\":[]}", "", false,
          true },
        { "another profile", "acme", "{\"name\":\"A\",\"nodes\":[{\"id\":\"a\"}],\"edges\":[]}",
          ",\"profile\":\"gate\"", false, true },
        { "another name in the document", "acme",
          "{\"name\":\"B\",\"nodes\":[{\"id\":\"a\"}],\"edges\":[]}", "", false, false },
        { "an id of the document's own", "acme",
          "{\"id\":\"0123456789\",\"name\":\"A\",\"nodes\":[{\"id\":\"a\"}],\"edges\":[]}", "",
          false, false },
        { "the caller's own name", "acme",
          "{\"name\":\"A\",\"nodes\":[{\"id\":\"a\"}],\"edges\":[]}", ",\"name\":\"A\"", false,
          false },
        { "no name at all", "acme", "{\"nodes\":[{\"id\":\"a\"}],\"edges\":[]}", "", false, false },
        { "another account", "other", "{\"name\":\"A\",\"nodes\":[{\"id\":\"a\"}],\"edges\":[]}",
          "", false, false },
    };
    stage_t stage;
    stage_open(&stage);
    reply_t first = stage_submit(&stage, "acme", cases[0].document, "");
    const char *workflow = stage_text(&stage, first.body, "workflow_id");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        reply_t reply = stage_submit(&stage, cases[i].account, cases[i].document, cases[i].more);
        ok_named(reply.code == ERROR_NONE &&
                     value_get_bool(reply.body, "repeated", false) == cases[i].is_repeated,
                 cases[i].name);
        bool is_same = strcmp(stage_text(&stage, reply.body, "workflow_id"), workflow) == 0;
        ok_named(is_same == cases[i].is_same_workflow, cases[i].name);
    }
    stage_close(&stage);
}

/* Names of 200 characters that differ in the last one only, though fewer bytes are shown. */
static void test_long_names(void)
{
    char name[2 * 200 + 1] = "";
    const char *ids[2];
    stage_t stage;
    stage_open(&stage);
    for (int i = 0; i < 200; i++)
        strcat(name, "\xc3\xa4");
    for (int i = 0; i < 2; i++) {
        name[sizeof name - 2] = (char)(0xa4 + i);
        reply_t reply = stage_submit(&stage, "acme", stage_chain(&stage, "x", 1),
                                     arena_format(&stage.arena, ",\"name\":\"%s\"", name));
        is_int(reply.status, 201);
        ids[i] = stage_text(&stage, reply.body, "workflow_id");
    }
    ok(strcmp(ids[0], ids[1]) != 0);
    stage_close(&stage);
}

/* ---- refused --------------------------------------------------------------------------------- */

static void test_unfit(void)
{
    static const struct {
        const char *request;
        error_code_t code;
        const char *says;
    } cases[] = {
        { "{\"workflow\":{}}", ERROR_UNPROCESSABLE, "kind" },
        { "{\"workflow\":null}", ERROR_UNPROCESSABLE, "kind" },
        { "{\"workflow\":[1,2]}", ERROR_UNPROCESSABLE, "" },
        { "{\"workflow\":\"text\"}", ERROR_UNPROCESSABLE, "" },
        { "{\"workflow\":{},\"kind\":\"n8n\"}", ERROR_UNPROCESSABLE, "n8n" },
        { "{\"workflow\":{\"nodes\":[{}],\"edges\":[]}}", ERROR_UNPROCESSABLE, "" },
        { "{\"workflow\":{},\"kind\":\"cobol\"}", ERROR_VALIDATION_FAILED, "" },
        { "{\"workflow\":{},\"profile\":\"lax\"}", ERROR_VALIDATION_FAILED, "" },
        { "{\"workflow\":{},\"name\":\"\"}", ERROR_VALIDATION_FAILED, "" },
        { "{\"workflow\":{},\"name\":\"a\\u0000b\"}", ERROR_VALIDATION_FAILED, "" },
        { "{}", ERROR_VALIDATION_FAILED, "" },
    };
    stage_t stage;
    stage_open(&stage);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        reply_t reply = stage_call(&stage, "acme", "submit", cases[i].request);
        ok_named(reply.code == cases[i].code, cases[i].request);
        if (cases[i].code == ERROR_UNPROCESSABLE &&
            !ok_named(reply.detail[0] && strstr(reply.detail, cases[i].says), "it says why"))
            note("it said: %s", reply.detail);
    }
    is_int(stage_ended(&stage, "unfit"), 6);
    is_int(place_number(stage_db(&stage), &s_rows), 0);
    stage_close(&stage);
}

/* Only callers with an account, and services. */
static void test_who_may(void)
{
    stage_t stage;
    stage_open(&stage);
    const char *request =
        arena_format(&stage.arena, "{\"workflow\":%s}", stage_chain(&stage, "x", 1));
    is_int(stage_call_as(&stage, &stage.arena, "anonymous", "", "submit", request).status, 201);
    is_int(stage_call_as(&stage, &stage.arena, "acme", "gold", "submit", request).status, 201);
    is_int(place_number(stage_db(&stage), &s_enterprise), 0);
    is_int(stage_call(&stage, NULL, "submit", request).status, 201);
    is_int(place_number(stage_db(&stage), &s_enterprise), 1);
    is_int(place_number(stage_db(&stage), &s_rows), 3);
    stage_close(&stage);
}

/* ---- what others are told -------------------------------------------------------------------- */

#define TRIES 500

/* Events come on a thread of their own: each is put behind the others, and counted by `seen`. */
typedef struct {
    sem_t seen;
    arena_t arena;
    const value_t *bodies[TRIES + 2];
    size_t count;
    size_t taken; /* by the test */
    db_t *db;
    bool is_stored; /* whatever was heard of was there to be read */
} listener_t;

static bool s_is_stored(listener_t *self, const value_t *event)
{
    static const db_sql_t find = { "test.find", "SELECT id FROM analysis WHERE id = $id", NULL };
    db_rows_t *rows;
    const char *id = value_dup_text(&self->arena, event, "id");
    if (!id || DB_RUN(db_conn(self->db), &find, &rows, DB_P_TEXT("id", id)) != DB_OK)
        return false;
    bool found = db_next(rows);
    db_rows_close(&rows);
    return found;
}

static void s_on_event(void *arg, const client_event_t *event)
{
    listener_t *self = arg;
    value_verdict_t verdict;
    const char *bytes = arena_text(&self->arena, event->body, event->size);
    const value_t *body = value_parse(&self->arena, bytes, event->size, VALUE_LIMITS, &verdict);
    self->is_stored &= s_is_stored(self, body);
    insist(self->count < COUNT_OF(self->bodies));
    self->bodies[self->count++] = body;
    sem_post(&self->seen);
}

/* The next event, or NULL when none comes. */
static const value_t *s_next_event(listener_t *self)
{
    return bus_wait(&self->seen) ? self->bodies[self->taken++] : NULL;
}

/* A client's subscription may still be under way when the first event is published, so new
 * workflows are submitted until one is heard of. */
static void test_event(void)
{
    stage_t stage;
    listener_t listener = { .is_stored = true };
    reply_t reply = { 0 };
    struct timespec limit;
    sem_init(&listener.seen, 0, 0);
    stage_open(&stage);
    listener.db = stage_db(&stage);
    client_subscribe(stage.bus.client, "analysis.finished", s_on_event, &listener);
    int heard = -1;
    for (int tries = 0; tries < TRIES && heard != 0; tries++) {
        reply = stage_submit(&stage, "acme", stage_chain(&stage, "Events", 1 + tries), "");
        clock_gettime(CLOCK_REALTIME, &limit);
        limit.tv_nsec += 20000000;
        limit.tv_sec += limit.tv_nsec / 1000000000;
        limit.tv_nsec %= 1000000000;
        heard = sem_timedwait(&listener.seen, &limit);
    }
    ok(heard == 0);
    listener.taken++;
    reply = stage_submit(&stage, "acme", stage_chain(&stage, "Events", 600), "");
    const char *id = stage_text(&stage, reply.body, "id");
    const value_t *event = s_next_event(&listener);
    while (event && !value_is(value_get(event, "id"), id)) /* some may have been late */
        event = s_next_event(&listener);
    ok(value_is(value_get(event, "id"), id));
    ok(value_is(value_get(event, "account"), "acme"));
    ok(value_is(value_get(event, "kind"), "generic"));
    ok(value_equal(value_get(event, "workflow_id"), value_get(reply.body, "workflow_id")));
    ok(value_equal(value_get(event, "score"), value_get(reply.body, "score")));
    ok(value_equal(value_get(event, "grade"), value_get(reply.body, "grade")));
    ok(value_equal(value_get(event, "issues"), value_at(reply.body, "summary.issues")));
    ok(value_equal(value_get(event, "by_severity"), value_at(reply.body, "summary.by_severity")));
    /* the same again is no news: an event behind it shows that none came of it */
    is_int(stage_submit(&stage, "acme", stage_chain(&stage, "Events", 600), "").status, 200);
    reply = stage_submit(&stage, "acme", stage_chain(&stage, "Events", 601), "");
    is_int(reply.status, 201);
    id = stage_text(&stage, reply.body, "id");
    ok(value_is(value_get(s_next_event(&listener), "id"), id));
    ok(listener.is_stored);
    stage_close(&stage);
    arena_free(&listener.arena);
}

/* ---- many at once ---------------------------------------------------------------------------- */

enum { CROWD = 8 };

typedef struct {
    stage_t *stage;
    const char *request;
    pthread_barrier_t *gate;
    arena_t arena;
    reply_t reply;
} submitter_t;

static void *s_submit(void *arg)
{
    submitter_t *self = arg;
    pthread_barrier_wait(self->gate);
    self->reply = stage_call_as(self->stage, &self->arena, "acme", "free", "submit", self->request);
    return NULL;
}

static void s_crowd(stage_t *stage, const char *request)
{
    pthread_barrier_t gate;
    pthread_t threads[CROWD];
    submitter_t crowd[CROWD];
    int created = 0;
    pthread_barrier_init(&gate, NULL, CROWD);
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = (submitter_t){ .stage = stage, .request = request, .gate = &gate };
        insist(pthread_create(&threads[i], NULL, s_submit, &crowd[i]) == 0);
    }
    for (int i = 0; i < CROWD; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < CROWD; i++) {
        is_int(crowd[i].reply.code, ERROR_NONE);
        ok(value_equal(value_get(crowd[i].reply.body, "id"), value_get(crowd[0].reply.body, "id")));
        created += crowd[i].reply.status == 201;
    }
    is_int(created, 1);
    for (int i = 0; i < CROWD; i++)
        arena_free(&crowd[i].arena);
    pthread_barrier_destroy(&gate);
}

static void test_many_at_once(void)
{
    enum { ROUNDS = 5 };
    stage_t stage;
    stage_open(&stage);
    if (ON_POSTGRES)
        stage_start(&stage, 1);
    for (int round = 0; round < ROUNDS; round++)
        s_crowd(&stage, arena_format(&stage.arena, "{\"workflow\":%s}",
                                     stage_chain(&stage, "Crowd", 200 + round)));
    is_int(place_number(stage_db(&stage), &s_rows), ROUNDS);
    is_int(place_number(stage_db(&stage), &s_workflow_rows), 1);
    is_int(stage_ended(&stage, "completed"), ROUNDS);
    is_int(stage_ended(&stage, "repeated"), ROUNDS * (CROWD - 1));
    stage_close(&stage);
}

/* Everybody submits the same and deletes it again: each call ends in order, and at the end nothing
 * is left. */
typedef struct {
    stage_t *stage;
    const char *request;
    arena_t arena;
    int submitted, deleted, odd;
} restless_t;

static void *s_submit_and_delete(void *arg)
{
    enum { TURNS = 40 };
    restless_t *self = arg;
    for (int turn = 0; turn < TURNS; turn++) {
        reply_t reply =
            stage_call_as(self->stage, &self->arena, "acme", "free", "submit", self->request);
        self->submitted += reply.status == 201;
        self->odd += reply.code != ERROR_NONE && reply.code != ERROR_UNAVAILABLE;
        char *id = value_dup_text(&self->arena, reply.body, "id");
        if (!id)
            continue;
        reply = stage_call_as(self->stage, &self->arena, "acme", "free", "delete",
                              arena_format(&self->arena, "{\"id\":\"%s\"}", id));
        self->deleted += reply.code == ERROR_NONE;
        self->odd += reply.code != ERROR_NONE && reply.code != ERROR_NOT_FOUND;
    }
    return NULL;
}

static void test_submitted_and_deleted(void)
{
    stage_t stage;
    pthread_t threads[CROWD];
    restless_t crowd[CROWD];
    int submitted = 0, deleted = 0, odd = 0;
    stage_open(&stage);
    if (ON_POSTGRES)
        stage_start(&stage, 1);
    const char *request =
        arena_format(&stage.arena, "{\"workflow\":%s}", stage_chain(&stage, "Restless", 3));
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = (restless_t){ .stage = &stage, .request = request };
        insist(pthread_create(&threads[i], NULL, s_submit_and_delete, &crowd[i]) == 0);
    }
    for (int i = 0; i < CROWD; i++) {
        pthread_join(threads[i], NULL);
        submitted += crowd[i].submitted;
        deleted += crowd[i].deleted;
        odd += crowd[i].odd;
        arena_free(&crowd[i].arena);
    }
    is_int(odd, 0);
    ok(submitted > 0);
    is_int(deleted, submitted);
    is_int(place_number(stage_db(&stage), &s_rows), 0);
    is_int(place_number(stage_db(&stage), &s_workflow_rows), 0);
    stage_close(&stage);
}

DATABASE_TESTS({ "new and repeated", test_new_and_repeated },
               { "what is the same", test_what_is_the_same }, { "long names", test_long_names },
               { "unfit", test_unfit }, { "who may", test_who_may }, { "event", test_event },
               { "many at once", test_many_at_once },
               { "submitted and deleted", test_submitted_and_deleted })
