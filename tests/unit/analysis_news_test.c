/* SPDX-License-Identifier: MPL-2.0
 *
 * What accounts are told of analyses: stored for who wants it, of what got worse, and of nothing
 * else. Nobody takes it here, so that it stays where it was stored.
 */
#include "config.h"

#include "actors/analysis/news.h"
#include "tests/unit/analysis_stage.h"

static const db_sql_t s_finished = {
    "test.finished", "SELECT count(*) AS n FROM outbox WHERE type = 'analysis.finished'", NULL
};
static const db_sql_t s_regressed = {
    "test.regressed", "SELECT count(*) AS n FROM outbox WHERE type = 'analysis.regressed'", NULL
};

/* ---- what is stored -------------------------------------------------------------------------- */

/* A workflow of this name with steps that nothing leads to. */
static const char *s_flow(stage_t *stage, const char *name, int lonely)
{
    buf_t text = { 0 };
    buf_printf(&text,
               "{\"name\":\"%s\",\"nodes\":[{\"id\":\"s0\",\"type\":\"schedule\"},"
               "{\"id\":\"s1\",\"type\":\"transform\"}",
               name);
    for (int i = 0; i < lonely; i++)
        buf_printf(&text, ",{\"id\":\"alone%d\",\"type\":\"transform\"}", i);
    buf_add_text(&text, "],\"edges\":[{\"from\":\"s0\",\"to\":\"s1\"}]}");
    const char *flow = arena_text(&stage->arena, text.bytes, text.size);
    buf_free(&text);
    return flow;
}

static void test_worse(void)
{
    static const struct {
        const char *what, *account, *name;
        int lonely;
        const char *more;
        int finished, regressed; /* then */
    } steps[] = {
        { "the first version", "acme", "flow", 0, "", 1, 0 },
        { "the same again", "acme", "flow", 0, "", 1, 0 },
        { "a worse one", "acme", "flow", 2, "", 2, 1 },
        { "a better one", "acme", "flow", 1, "", 3, 1 },
        { "a worse one that was there before", "acme", "flow", 2, "", 3, 1 },
        { "the worst", "acme", "flow", 3, "", 4, 2 },
        { "the first of its profile", "acme", "flow", 4, ",\"profile\":\"security\"", 5, 2 },
        { "another workflow", "acme", "other", 5, "", 6, 2 },
        { "another account's", "eve", "flow", 6, "", 7, 2 },
    };
    stage_t stage;
    stage_open(&stage);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        reply_t reply = stage_submit(&stage, steps[i].account,
                                     s_flow(&stage, steps[i].name, steps[i].lonely), steps[i].more);
        ok_named(reply.code == ERROR_NONE, steps[i].what);
        ok_named(place_number(stage_db(&stage), &s_finished) == steps[i].finished, steps[i].what);
        ok_named(place_number(stage_db(&stage), &s_regressed) == steps[i].regressed, steps[i].what);
    }
    stage_close(&stage);
}

/* What the newest of these events says of what the analysis was measured against. */
static const char *s_before(stage_t *stage)
{
    static const db_sql_t newest = { "test.newest",
                                     "SELECT data FROM outbox WHERE type = 'analysis.regressed'"
                                     " ORDER BY at DESC, id DESC LIMIT 1",
                                     NULL };
    db_rows_t *rows;
    if (db_run(db_conn(stage_db(stage)), &newest, NULL, 0, &rows) != DB_OK || !db_next(rows))
        return "";
    const char *data = db_dup_text(rows, &stage->arena, "data");
    db_rows_close(&rows);
    return strstr(data, "\"before\"");
}

/* A pinned version is what others are measured against, however many lie between. */
static void test_worse_than_baseline(void)
{
    enum { BEST, MIDDLE, WORST, MORE };
    stage_t stage;
    reply_t versions[MORE];
    stage_open(&stage);
    for (int i = BEST; i < MORE; i++)
        versions[i] = stage_submit(&stage, "acme", s_flow(&stage, "flow", 2 * i), "");
    is_int(place_number(stage_db(&stage), &s_regressed), 2);
    ok(strstr(s_before(&stage), stage_text(&stage, versions[MIDDLE].body, "id")) != NULL);
    ok(strstr(s_before(&stage), "\"baseline\":false") != NULL);

    const char *workflow = stage_text(&stage, versions[BEST].body, "workflow_id");
    const char *best = stage_text(&stage, versions[BEST].body, "id");
    stage_pin(&stage, "acme", workflow, best);
    stage_submit(&stage, "acme", s_flow(&stage, "flow", 3), ""); /* better than the one before */
    is_int(place_number(stage_db(&stage), &s_regressed), 3);
    ok(strstr(s_before(&stage), best) != NULL);
    ok(strstr(s_before(&stage), "\"baseline\":true") != NULL);

    stage_pin(&stage, "acme", workflow, stage_text(&stage, versions[MIDDLE].body, "id"));
    stage_submit(&stage, "acme", s_flow(&stage, "flow", 1), "");
    stage_submit(&stage, "acme", s_flow(&stage, "flow", 9), "");
    is_int(place_number(stage_db(&stage), &s_regressed), 4); /* the latter only */

    /* the first with another profile has nothing to be measured against */
    stage_submit(&stage, "acme", s_flow(&stage, "flow", 9), ",\"profile\":\"security\"");
    is_int(place_number(stage_db(&stage), &s_regressed), 4);
    stage_close(&stage);
}

/* ---- what is wanted -------------------------------------------------------------------------- */

static void s_tell_wishes(stage_t *stage, const char *account, const char *wish)
{
    wish_set_t set = { 0 };
    buf_t body = { 0 };
    pack_t pack;
    wish_set_add(&set, account, wish, strlen(wish));
    pack_init(&pack, &body);
    wish_set_write(&set, 1, &pack);
    wish_set_free(&set);
    client_publish(stage->edge, topic_row(TOPIC_WEBHOOK_WISHES)->prefix, true, &body);
}

/* Once it is known who wants what, nothing is stored for others. */
static void test_wanted(void)
{
    stage_t stage;
    int64_t before = 0, stored = -1;
    stage_open(&stage);
    s_tell_wishes(&stage, "acme", "analysis.regressed");
    for (int i = 0; i < BUS_PATIENCE_S * 100 && stored != before; i++) { /* until it is heard */
        before = place_number(stage_db(&stage), &s_finished);
        stage_new(&stage, "eve", arena_format(&stage.arena, "flow %d", i), i % 50);
        stored = place_number(stage_db(&stage), &s_finished);
    }
    is_int(stored, before);
    stage_submit(&stage, "acme", s_flow(&stage, "flow", 0), "");
    stage_submit(&stage, "acme", s_flow(&stage, "flow", 2), "");
    stage_submit(&stage, "eve", s_flow(&stage, "flow", 0), "");
    stage_submit(&stage, "eve", s_flow(&stage, "flow", 2), "");
    is_int(place_number(stage_db(&stage), &s_finished), before);
    is_int(place_number(stage_db(&stage), &s_regressed), 1);
    stage_close(&stage);
}

DATABASE_TESTS({ "worse", test_worse }, { "worse than the baseline", test_worse_than_baseline },
               { "wanted", test_wanted })
