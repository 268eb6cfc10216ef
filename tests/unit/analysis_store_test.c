/* SPDX-License-Identifier: MPL-2.0
 *
 * Storing several together; retention: what is deleted when its time is over, what is kept because
 * its account pays now or because it is a baseline, and several instances at once.
 */
#include "config.h"

#include <pthread.h>

#include "actors/base/clock.h"
#include "tests/unit/analysis_stage.h"

static const db_sql_t s_count = { "test.count", "SELECT count(*) AS n FROM analysis", NULL };
static const db_sql_t s_count_all = {
    "test.all",
    "SELECT (SELECT count(*) FROM analysis) + (SELECT count(*) FROM workflow)"
    " + (SELECT count(*) FROM occurrence) AS n",
    NULL
};

static void s_purge(stage_t *stage, const char *tier, int64_t before, int64_t most, size_t seen,
                    size_t deleted)
{
    size_t got_seen, got_deleted;
    is_int(store_purge(stage_db(stage), tier, before, most, &got_seen, &got_deleted), DB_OK);
    is_int(got_seen, seen);
    is_int(got_deleted, deleted);
}

static void test_by_tier_and_age(void)
{
    static const char *const tiers[] = { "anonymous", "free", "pro", "enterprise" };
    stage_t stage;
    stage_open(&stage);
    for (int i = 0; i < 40; i++) /* an account for each tier, ten analyses 100 ms apart */
        stage_store(&stage, tiers[i % 4],
                    &(stage_row_t){ .n = i,
                                    .tier = tiers[i % 4],
                                    .created_ms = 1000 + i / 4 * 100,
                                    .workflow = stage_uuid(&stage, "0000000b", i),
                                    .occurs = "[\"info\",\"WF501\"]" });
    s_purge(&stage, "free", 1000, 100, 0, 0); /* nothing is older than the oldest */
    s_purge(&stage, "free", 1001, 100, 1, 1);
    s_purge(&stage, "free", 2000, 4, 4, 4); /* a batch */
    s_purge(&stage, "free", 2000, 4, 4, 4);
    s_purge(&stage, "free", 2000, 4, 1, 1);
    s_purge(&stage, "free", 2000, 4, 0, 0);
    is_int(place_number(stage_db(&stage), &s_count), 30);
    s_purge(&stage, "anonymous", 1950, 100, 10, 10);
    s_purge(&stage, "pro", 1850, 100, 9, 9);
    s_purge(&stage, "pro", 2000, 100, 1, 1);
    s_purge(&stage, "enterprise", 2000, 100, 10, 10);
    is_int(place_number(stage_db(&stage), &s_count_all), 0);
    stage_close(&stage);
}

/* Who pays keeps what was stored before. */
static void test_who_pays_keeps(void)
{
    stage_t stage;
    stage_open(&stage);
    for (int i = 0; i < 3; i++)
        stage_store(&stage, "acme",
                    &(stage_row_t){ .n = i, .created_ms = i, .tier = i < 2 ? "free" : "pro" });
    s_purge(&stage, "free", 100, 10, 2, 0);
    s_purge(&stage, "free", 100, 10, 0, 0); /* they are pro's now */
    s_purge(&stage, "pro", 2, 10, 2, 2);
    is_int(place_number(stage_db(&stage), &s_count), 1);
    stage_close(&stage);
}

/* A baseline is kept, and goes when it is one no more. */
static void test_baseline_is_kept(void)
{
    bool pinned;
    stage_t stage;
    stage_open(&stage);
    const char *workflow = stage_uuid(&stage, "0000000b", 0), *ids[3];
    for (int i = 0; i < 3; i++)
        ids[i] = stage_store(&stage, "acme", &(stage_row_t){ .n = i, .created_ms = i });
    is_int(store_pin(stage_db(&stage), "acme", workflow, ids[1], 50, &pinned), DB_OK);
    ok(pinned);
    s_purge(&stage, "free", 100, 10, 2, 2);
    s_purge(&stage, "free", 100, 10, 0, 0);
    is_int(place_number(stage_db(&stage), &s_count_all), 2); /* it and the workflow */
    is_int(store_unpin(stage_db(&stage), "other", workflow), DB_OK);
    s_purge(&stage, "free", 100, 10, 0, 0);
    is_int(store_unpin(stage_db(&stage), "acme", workflow), DB_OK);
    s_purge(&stage, "free", 100, 10, 1, 1);
    is_int(place_number(stage_db(&stage), &s_count_all), 0);
    stage_close(&stage);
}

/* The actor does it by itself. */
static void test_by_itself(void)
{
    static const int64_t day = 86400000;
    stage_t stage;
    stage_open(&stage);
    int64_t now = clock_wall_ms();
    stage_store(&stage, "a", &(stage_row_t){ .n = 1, .created_ms = now - 8 * day, .tier = "free" });
    stage_store(&stage, "a", &(stage_row_t){ .n = 2, .created_ms = now - 6 * day, .tier = "free" });
    stage_store(&stage, "b", &(stage_row_t){ .n = 3, .created_ms = now - 91 * day, .tier = "pro" });
    stage_store(&stage, "b", &(stage_row_t){ .n = 4, .created_ms = now - 89 * day, .tier = "pro" });
    stage_store(&stage, "c", &(stage_row_t){ .n = 5, .created_ms = 0, .tier = "enterprise" });
    actor_stop(&stage.actors[0]);
    bus_presets(stage.spec.settings, stage.spec.settings_target);
    /* one that starts looks first thing */
    stage_start(&stage, 0);
    for (int tries = 0; tries < BUS_PATIENCE_S * 100 && stage_count(&stage, ANALYSIS_PURGED) < 2;
         tries++)
        clock_sleep_ms(10);
    is_int(stage_count(&stage, ANALYSIS_PURGED), 2);
    is_int(place_number(stage_db(&stage), &s_count), 3);
    stage_close(&stage);
}

/* ---- several at once ------------------------------------------------------------------------- */

typedef struct {
    stage_t *stage;
    size_t deleted;
    db_status_t status;
} purger_t;

static void *s_purge_all(void *arg)
{
    purger_t *self = arg;
    size_t seen = 1, deleted;
    while (seen && self->status == DB_OK) {
        self->status = store_purge(stage_db(self->stage), "free", 1000, 7, &seen, &deleted);
        self->deleted += deleted;
    }
    return NULL;
}

static void test_several_at_once(void)
{
    enum { ROWS = 200, PURGERS = 4 };
    stage_t stage;
    pthread_t threads[PURGERS];
    purger_t purgers[PURGERS];
    size_t deleted = 0;
    stage_open(&stage);
    for (int i = 0; i < ROWS; i++)
        stage_store(&stage, "acme",
                    &(stage_row_t){ .n = i,
                                    .created_ms = i,
                                    .workflow = stage_uuid(&stage, "0000000b", i / 20) });
    for (int i = 0; i < PURGERS; i++) {
        purgers[i] = (purger_t){ .stage = &stage };
        insist(pthread_create(&threads[i], NULL, s_purge_all, &purgers[i]) == 0);
    }
    for (int i = 0; i < PURGERS; i++) {
        pthread_join(threads[i], NULL);
        is_int(purgers[i].status, DB_OK);
        deleted += purgers[i].deleted;
    }
    is_int(deleted, ROWS); /* each by one of them */
    is_int(place_number(stage_db(&stage), &s_count_all), 0);
    stage_close(&stage);
}

/* Whoever pins, deletes and purges at once: nobody fails, and one is pinned in the end. */

enum { VERSIONS = 24, ROUNDS = 20 };

typedef struct {
    stage_t *stage;
    const char *const *ids;
    int number;
    db_status_t status;
} pinner_t;

static void *s_pin_and_delete(void *arg)
{
    pinner_t *self = arg;
    bool is_done;
    size_t seen, deleted;
    for (int i = 0; i < ROUNDS && self->status == DB_OK; i++) {
        const char *id = self->ids[(self->number * 7 + i * 5) % VERSIONS];
        switch ((self->number + i) % 4) {
        case 0:
            self->status = store_delete(stage_db(self->stage), "acme", id, &is_done);
            break;
        case 1:
            self->status = store_purge(stage_db(self->stage), "free", i, 1, &seen, &deleted);
            break;
        default:
            self->status = store_pin(stage_db(self->stage), "acme",
                                     "0000000b-0000-7000-8000-000000000000", id, 1 + i, &is_done);
        }
    }
    return NULL;
}

static void test_pinned_at_once(void)
{
    enum { PINNERS = 4 };
    static const db_sql_t count = { "test.pinned",
                                    "SELECT count(*) AS n FROM analysis WHERE pinned_at > 0",
                                    NULL };
    bool pinned;
    stage_t stage;
    const char *ids[VERSIONS];
    pthread_t threads[PINNERS];
    pinner_t pinners[PINNERS];
    stage_open(&stage);
    for (int i = 0; i < VERSIONS; i++)
        ids[i] = stage_store(&stage, "acme", &(stage_row_t){ .n = i, .created_ms = i });
    is_int(store_pin(stage_db(&stage), "acme", stage_uuid(&stage, "0000000b", 0), NULL, 1, &pinned),
           DB_OK);
    for (int i = 0; i < PINNERS; i++) {
        pinners[i] = (pinner_t){ .stage = &stage, .ids = ids, .number = i };
        insist(pthread_create(&threads[i], NULL, s_pin_and_delete, &pinners[i]) == 0);
    }
    for (int i = 0; i < PINNERS; i++) {
        pthread_join(threads[i], NULL);
        is_int(pinners[i].status, DB_OK);
    }
    is_int(place_number(stage_db(&stage), &count), 1);
    stage_close(&stage);
}

/* ---- together -------------------------------------------------------------------------------- */

static const db_sql_t s_count_occurrences = { "test.occurrences",
                                              "SELECT count(*) AS n FROM occurrence", NULL };
static const db_sql_t s_count_events = { "test.events", "SELECT count(*) AS n FROM outbox", NULL };
static const db_sql_t s_sum_sizes = {
    "test.sizes",
    "SELECT CAST(sum(length(result) * 1000 + length(sketch)) AS BIGINT) AS n"
    " FROM analysis WHERE length(result) = result_size",
    NULL
};

enum { TOGETHER_MAX = 4 };

static void s_store_together(stage_t *stage, new_analysis_t *list, size_t count)
{
    new_analysis_t *all[TOGETHER_MAX];
    for (size_t i = 0; i < count; i++)
        all[i] = &list[i];
    store_add(stage_db(stage), all, count);
}

static new_analysis_t s_row(stage_t *stage, int n, const char *occurs)
{
    return stage_analysis(stage, "acme", &(stage_row_t){ .n = n, .score = 70, .occurs = occurs });
}

/* Versions of one workflow, a name that needs care, contents that differ in length, and one that is
 * there twice. */
static void test_together(void)
{
    static const uint8_t bytes[] = { 0x82, 0, 0xff, '\\', '"' };
    stage_t stage;
    stage_open(&stage);
    new_analysis_t list[TOGETHER_MAX];
    for (int i = 0; i < TOGETHER_MAX; i++) {
        list[i] = s_row(&stage, i, "[\"info\",\"WF501\"]");
        list[i].stored.brief.name = i == 1 ? NULL : "\"Orders\" \\ \n caf\u00e9";
        list[i].stored.result =
            (squeezed_t){ .bytes = bytes, .size = (size_t)i + 1, .full = (size_t)i + 1 };
    }
    list[3].key = list[2].key;
    s_store_together(&stage, list, TOGETHER_MAX);
    for (int i = 0; i < TOGETHER_MAX; i++)
        is_int(list[i].status, DB_OK);
    ok(list[0].is_added && list[1].is_added && list[2].is_added && !list[3].is_added);
    is_int(place_number(stage_db(&stage), &s_count), 3);
    is_int(place_number(stage_db(&stage), &s_count_occurrences), 6);
    is_int(place_number(stage_db(&stage), &s_sum_sizes), 6003);
    for (int i = 0; i < 3; i++) {
        const stored_t *stored;
        is_int(store_get(stage_db(&stage), &stage.arena, "acme", list[i].stored.brief.id, &stored),
               DB_OK);
        ok(stored && memcmp(stored->result.bytes, bytes, (size_t)i + 1) == 0);
        is_text(stored->brief.name, list[i].stored.brief.name);
    }
    stage_close(&stage);
}

/* What was there already, and what breaks a constraint, keep nobody else from being stored. */
static void test_one_of_several(void)
{
    stage_t stage;
    stage_open(&stage);
    stage_store(&stage, "acme", &(stage_row_t){ .n = 1 });
    new_analysis_t list[TOGETHER_MAX] = { s_row(&stage, 1, NULL), s_row(&stage, 2, NULL),
                                          s_row(&stage, 3, NULL), s_row(&stage, 4, NULL) };
    list[2].stored.brief.score = 101;
    s_store_together(&stage, list, TOGETHER_MAX);
    is_int(list[0].status, DB_OK);
    is_int(list[1].status, DB_OK);
    is_int(list[2].status, DB_CONSTRAINT);
    is_int(list[3].status, DB_OK);
    ok(!list[0].is_added && list[1].is_added && !list[2].is_added && list[3].is_added);
    is_int(place_number(stage_db(&stage), &s_count), 3);
    stage_close(&stage);
}

/* Only what is new is told. */
static void test_events(void)
{
    stage_t stage;
    stage_open(&stage);
    stage_store(&stage, "acme", &(stage_row_t){ .n = 1 });
    new_analysis_t list[] = { s_row(&stage, 3, NULL), s_row(&stage, 2, NULL) };
    list[0].key = s_row(&stage, 1, NULL).key;
    const outbox_event_t events[] = {
        { .id = "e1", .account = "acme", .type = "analysis.finished", .data = "{}" },
        { .id = "e2", .account = "acme", .type = "analysis.finished", .data = "{}" },
    };
    for (size_t i = 0; i < COUNT_OF(list); i++) {
        list[i].events = &events[i];
        list[i].event_count = 1;
    }
    s_store_together(&stage, list, COUNT_OF(list));
    ok(!list[0].is_added && list[1].is_added);
    is_int(place_number(stage_db(&stage), &s_count_events), 1);
    stage_close(&stage);
}

DATABASE_TESTS({ "by tier and age", test_by_tier_and_age },
               { "who pays keeps", test_who_pays_keeps },
               { "a baseline is kept", test_baseline_is_kept }, { "by itself", test_by_itself },
               { "several at once", test_several_at_once }, { "together", test_together },
               { "one of several", test_one_of_several }, { "events", test_events },
               { "pinned at once", test_pinned_at_once })
