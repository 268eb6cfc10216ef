/* SPDX-License-Identifier: MPL-2.0
 *
 * Parents and children in the tables of both databases: who waits, who is let go, who is to die.
 */
#include "config.h"

#include <pthread.h>

#include "actors/base/clock.h"
#include "actors/jobs/store_families.h"
#include "tests/unit/jobs_kit.h"

#define CHILDREN_MOST 16

typedef struct {
    place_t place;
    db_t *db;
    arena_t arena;
    int64_t parent, children[CHILDREN_MOST];
} relatives_t;

typedef struct {
    job_new_t parent, children[CHILDREN_MOST];
    bool needs;
    size_t count;
    job_receipt_t receipts[1 + CHILDREN_MOST];
} adding_t;

static db_status_t s_add_work(db_conn_t *conn, void *arg)
{
    adding_t *adding = arg;
    return jobs_store_add_family(conn, &adding->parent, adding->needs, adding->children,
                                 adding->count, adding->receipts);
}

static adding_t s_adding(size_t count, bool needs)
{
    adding_t adding = { .parent = kit_job(), .needs = needs, .count = count };
    for (size_t i = 0; i < count; i++)
        adding.children[i] = kit_job();
    adding.parent.kind = "echo.gather";
    return adding;
}

static void s_add(relatives_t *self, adding_t *adding)
{
    ok(db_write(self->db, s_add_work, adding) == DB_OK);
    self->parent = adding->receipts[0].id;
    for (size_t i = 0; i < adding->count; i++)
        self->children[i] = adding->receipts[1 + i].id;
}

static void s_open(relatives_t *self, size_t count, bool needs)
{
    adding_t adding = s_adding(count, needs);
    *self = (relatives_t){ 0 };
    self->db = kit_open(&self->place);
    s_add(self, &adding);
}

static void s_close(relatives_t *self)
{
    place_end(&self->place, &self->db);
    arena_free(&self->arena);
}

static const job_t *s_job(relatives_t *self, int64_t id)
{
    const job_t *job = NULL;
    ok(jobs_store_get(db_conn(self->db), &self->arena, id, NULL, &job) == DB_OK);
    return job;
}

typedef struct {
    relatives_t *family;
    job_begun_t begun[CHILDREN_MOST];
    size_t count;
} claim_t;

/* Begins everything that is ready. */
static void s_claim(relatives_t *self, int64_t worker, claim_t *claim)
{
    job_turned_t turned;
    const job_wish_t wish = { .queue = "echo", .most = CHILDREN_MOST };
    const job_turn_t turn = { .worker_id = worker, .wishes = &wish, .wish_count = 1 };
    ok(jobs_store_turn(self->db, &self->arena, &turn, &turned) == DB_OK);
    claim->count = turned.begun_count;
    memcpy(claim->begun, turned.begun, turned.begun_count * sizeof *turned.begun);
}

static db_status_t s_worker_work(db_conn_t *conn, void *arg)
{
    return jobs_store_add_worker(conn, "tester", false, 600000, arg);
}

static int64_t s_worker(relatives_t *self)
{
    int64_t id = 0;
    ok(db_write(self->db, s_worker_work, &id) == DB_OK);
    return id;
}

/* Ends the run of one; those that are begun are told in `claim`. */
static void s_end(relatives_t *self, const claim_t *claim, int64_t id, settle_t how)
{
    job_end_t end = { .id = id,
                      .how = how,
                      .error_code = how == SETTLE_DEAD ? "UNPROCESSABLE" : NULL };
    for (size_t i = 0; i < claim->count; i++)
        if (claim->begun[i].id == id)
            end.fence = claim->begun[i].fence;
    ok(kit_settle(self->db, end).is_accepted);
}

static void s_on_due(void *arg, const char *queue, const job_mark_t *at)
{
    (void)arg;
    (void)queue;
    (void)at;
}

static db_status_t s_promote_work(db_conn_t *conn, void *arg)
{
    return jobs_store_promote(conn, 100, s_on_due, NULL, arg);
}

static size_t s_promote(relatives_t *self)
{
    size_t count = 0;
    clock_sleep_ms(2); /* what was let go in this millisecond is due in the next one */
    ok(db_write(self->db, s_promote_work, &count) == DB_OK);
    return count;
}

/* ---- the stories ----------------------------------------------------------------------------- */

static void test_waits(void)
{
    relatives_t family;
    claim_t claim, again;
    s_open(&family, 3, false);
    int64_t worker = s_worker(&family);
    is_int(s_job(&family, family.parent)->state, JOB_BLOCKED);
    is_int(s_job(&family, family.children[0])->parent_id, family.parent);
    s_claim(&family, worker, &claim);
    is_int(claim.count, 3);
    s_end(&family, &claim, family.children[0], SETTLE_DONE);
    s_end(&family, &claim, family.children[1], SETTLE_DEAD);
    is_int(s_promote(&family), 0);
    const job_t *parent = s_job(&family, family.parent);
    is_int(parent->state, JOB_BLOCKED);
    is_int(parent->percent, 66);
    is_text(parent->note, "2 of 3 jobs it waits for have ended");
    s_end(&family, &claim, family.children[2], SETTLE_CANCELLED);
    is_int(s_promote(&family), 1);
    s_claim(&family, worker, &again);
    is_int(again.count, 1);
    is_int(again.begun[0].id, family.parent);
    ok_named(again.begun[0].failed_children == 0, "it does not need them: it is run");
    s_end(&family, &again, family.parent, SETTLE_DONE);

    job_children_t children;
    db_conn_t *conn = db_conn(family.db);
    ok(jobs_store_children(conn, &family.arena, family.parent, NULL, 0, 10, &children) == DB_OK);
    is_int(children.count, 3);
    is_int(children.list[0].state, JOB_DONE);
    is_int(children.list[1].state, JOB_DEAD);
    is_text(children.list[1].error_code, "UNPROCESSABLE");
    is_int(children.list[2].state, JOB_CANCELLED);
    ok(jobs_store_children(conn, &family.arena, family.parent, "other", 0, 10, &children) == DB_OK);
    is_int(children.count, 0);
    ok(jobs_store_children(conn, &family.arena, family.parent, "", family.children[1], 10,
                           &children) == DB_OK);
    is_int(children.count, 1);
    s_close(&family);
}

static void test_needs(void)
{
    relatives_t family;
    claim_t claim, again;
    s_open(&family, 2, true);
    int64_t worker = s_worker(&family);
    s_claim(&family, worker, &claim);
    s_end(&family, &claim, family.children[0], SETTLE_DEAD);
    ok_named(s_promote(&family) == 0, "it waits for the others, whatever became of one");
    s_end(&family, &claim, family.children[1], SETTLE_DONE);
    is_int(s_promote(&family), 1);
    s_claim(&family, worker, &again);
    is_int(again.begun[0].failed_children, 1);
    s_close(&family);
}

static void test_together(void)
{
    relatives_t family;
    claim_t claim;
    job_end_t ends[CHILDREN_MOST];
    job_settled_t settled[CHILDREN_MOST];
    s_open(&family, 4, false);
    s_claim(&family, s_worker(&family), &claim);
    for (size_t i = 0; i < claim.count; i++)
        ends[i] = (job_end_t){ .id = claim.begun[i].id,
                               .fence = claim.begun[i].fence,
                               .how = SETTLE_DONE };
    job_settling_t settling = {
        .ends = ends, .count = claim.count, .settled = settled, .arena = &family.arena
    };
    ok(db_write(family.db, kit_settle_work, &settling) == DB_OK);
    is_int(settling.parents.count, 1);
    is_int(settling.parents.list[0].id, family.parent);
    is_int(settling.parents.list[0].children, 4);
    is_int(settling.parents.list[0].pending, 0);
    is_int(s_promote(&family), 1);
    is_int(s_job(&family, family.parent)->state, JOB_READY);
    s_close(&family);
}

static void test_taken(void)
{
    relatives_t family;
    adding_t adding = s_adding(2, false);
    s_open(&family, 1, false);
    adding.children[0].unique_key = "same";
    adding.children[1].unique_key = "same";
    s_add(&family, &adding);
    ok(adding.receipts[2].is_duplicate);
    is_int(adding.receipts[0].state, JOB_BLOCKED);
    adding_t none = s_adding(1, false);
    none.children[0].unique_key = "same";
    s_add(&family, &none);
    ok_named(none.receipts[0].state == JOB_READY, "a parent that waits for nobody is ready");
    adding_t unique = s_adding(1, false);
    unique.parent.unique_key = "parent";
    s_add(&family, &unique);
    int64_t first = family.parent;
    s_add(&family, &unique);
    ok(unique.receipts[0].is_duplicate);
    is_int(family.parent, first);
    s_close(&family);
}

typedef struct {
    job_choice_t choice;
    job_replayed_t done;
} replay_t;

static db_status_t s_replay_work(db_conn_t *conn, void *arg)
{
    replay_t *replay = arg;
    return jobs_store_replay(conn, &replay->choice, false, &replay->done);
}

static void test_replayed(void)
{
    relatives_t family;
    claim_t claim, again;
    s_open(&family, 2, true);
    int64_t worker = s_worker(&family);
    s_claim(&family, worker, &claim);
    s_end(&family, &claim, family.children[0], SETTLE_DEAD);
    replay_t *replay = arena_alloc(&family.arena, sizeof *replay);
    replay->choice = (job_choice_t){ .queue = "", .kind = "", .error_code = "", .most = 10 };
    ok(db_write(family.db, s_replay_work, replay) == DB_OK);
    is_int(replay->done.count, 1);
    s_end(&family, &claim, family.children[1], SETTLE_DONE);
    ok_named(s_promote(&family) == 0, "a child that lives again is waited for again");
    s_claim(&family, worker, &again);
    is_int(again.count, 1);
    s_end(&family, &again, family.children[0], SETTLE_DONE);
    is_int(s_promote(&family), 1);
    s_claim(&family, worker, &again);
    is_int(again.begun[0].id, family.parent);
    ok_named(again.begun[0].failed_children == 0, "and what it did before is forgiven");
    s_close(&family);
}

static void test_ordered(void)
{
    relatives_t family;
    claim_t claim;
    adding_t adding = s_adding(1, false);
    s_open(&family, 1, false);
    job_new_t next = kit_job();
    adding.parent.order_key = next.order_key = "one by one";
    s_add(&family, &adding);
    int64_t behind = kit_add_one(family.db, next), worker = s_worker(&family);
    s_claim(&family, worker, &claim);
    is_int(claim.count, 2); /* the children of both families */
    is_int(s_job(&family, behind)->state, JOB_BLOCKED);
    s_end(&family, &claim, family.children[0], SETTLE_DONE);
    s_promote(&family);
    is_int(s_job(&family, family.parent)->state, JOB_READY);
    is_int(s_job(&family, behind)->state, JOB_BLOCKED);
    s_claim(&family, worker, &claim);
    s_end(&family, &claim, family.parent, SETTLE_DONE);
    is_int(s_job(&family, behind)->state, JOB_READY);
    s_close(&family);
}

/* ---- two at once ----------------------------------------------------------------------------- */

typedef struct {
    relatives_t *family;
    job_end_t end;
} racer_t;

static void *s_race(void *arg)
{
    racer_t *racer = arg;
    arena_t arena = { 0 };
    job_settled_t settled;
    job_settling_t settling = {
        .ends = &racer->end, .count = 1, .settled = &settled, .arena = &arena
    };
    insist(db_write(racer->family->db, kit_settle_work, &settling) == DB_OK);
    arena_free(&arena);
    return NULL;
}

static void test_race(void)
{
    relatives_t family;
    claim_t claim;
    pthread_t threads[8];
    racer_t racers[8];
    s_open(&family, 8, false);
    s_claim(&family, s_worker(&family), &claim);
    for (size_t i = 0; i < claim.count; i++) {
        racers[i] = (racer_t){
            .family = &family,
            .end = { .id = claim.begun[i].id, .fence = claim.begun[i].fence, .how = SETTLE_DONE }
        };
        insist(pthread_create(&threads[i], NULL, s_race, &racers[i]) == 0);
    }
    for (size_t i = 0; i < claim.count; i++)
        pthread_join(threads[i], NULL);
    ok_named(s_promote(&family) == 1, "of eight that end at once one lets the parent go");
    s_close(&family);
}

DATABASE_TESTS({ "waits", test_waits }, { "needs", test_needs }, { "together", test_together },
               { "taken keys", test_taken }, { "replayed", test_replayed },
               { "ordered", test_ordered }, { "race", test_race })
