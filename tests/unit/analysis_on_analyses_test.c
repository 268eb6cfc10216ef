/* SPDX-License-Identifier: MPL-2.0
 *
 * The history: one analysis, lists by every condition, pages, accounts, deletion, and rows that
 * somebody has spoilt.
 */
#include "config.h"

#include "tests/unit/analysis_stage.h"

static const db_sql_t s_count_rows = {
    "test.rows",
    "SELECT (SELECT count(*) FROM analysis) + (SELECT count(*) FROM workflow)"
    " + (SELECT count(*) FROM occurrence) AS n",
    NULL
};
static const db_sql_t s_count_workflows = { "test.workflows", "SELECT count(*) AS n FROM workflow",
                                            NULL };

/* ---- one ------------------------------------------------------------------------------------- */

static void test_get(void)
{
    stage_t stage;
    stage_open(&stage);
    reply_t new = stage_submit(&stage, "acme", stage_fixture(&stage, "WF102-fires.json"), "");
    const char *id = stage_id(&stage, stage_text(&stage, new.body, "id"));
    reply_t got = stage_call(&stage, "acme", "get", id);
    is_int(got.code, ERROR_NONE);
    ok(!value_get(got.body, "repeated"));
    is_int(got.body->count, new.body->count - 1);
    const value_t *key, *item;
    for (uint32_t i = 0; value_pair(got.body, i, &key, &item); i++)
        ok(value_equal(item, value_get_sized(new.body, key->text, key->count)));
    is_int(stage_call(&stage, "other", "get", id).code, ERROR_NOT_FOUND);
    is_int(
        stage_call(&stage, "acme", "get", stage_id(&stage, stage_uuid(&stage, "0000000a", 1))).code,
        ERROR_NOT_FOUND);
    is_int(stage_call(&stage, "acme", "get", "{\"id\":\"1\"}").code, ERROR_VALIDATION_FAILED);
    stage_close(&stage);
}

static void test_delete(void)
{
    stage_t stage;
    stage_open(&stage);
    const char *document = stage_fixture(&stage, "WF102-fires.json");
    reply_t new = stage_submit(&stage, "acme", document, "");
    const char *id = stage_text(&stage, new.body, "id");
    reply_t gate = stage_submit(&stage, "acme", document, ",\"profile\":\"gate\"");
    is_int(stage_call(&stage, "other", "delete", stage_id(&stage, id)).code, ERROR_NOT_FOUND);
    is_int(stage_call(&stage, "acme", "delete", stage_id(&stage, id)).code, ERROR_NONE);
    is_int(stage_call(&stage, "acme", "delete", stage_id(&stage, id)).code, ERROR_NOT_FOUND);
    is_int(stage_call(&stage, "acme", "get", stage_id(&stage, id)).code, ERROR_NOT_FOUND);
    is_int(place_number(stage_db(&stage), &s_count_workflows), 1); /* it has another version */
    id = stage_text(&stage, gate.body, "id");
    is_int(stage_call(&stage, "acme", "delete", stage_id(&stage, id)).code, ERROR_NONE);
    is_int(place_number(stage_db(&stage), &s_count_rows), 0); /* nothing is left behind */
    is_int(stage_count(&stage, ANALYSIS_DELETED), 2);
    is_int(stage_submit(&stage, "acme", document, "").status, 201); /* and it may come again */
    stage_close(&stage);
}

/* ---- lists ----------------------------------------------------------------------------------- */

#define W1    "0000000b-0000-7000-8000-000000000001"
#define W2    "0000000b-0000-7000-8000-000000000002"
#define AT(n) (1700000000000 + (n))

static const stage_row_t s_rows[] = {
    { .n = 0, .kind = "n8n", .grade = "A", .score = 100, .workflow = W1, .created_ms = AT(0) },
    { .n = 1,
      .kind = "n8n",
      .grade = "B",
      .score = 85,
      .workflow = W1,
      .created_ms = AT(1000),
      .occurs = "[\"warning\",\"WF201\"]" },
    { .n = 2,
      .kind = "asl",
      .grade = "F",
      .score = 10,
      .workflow = W2,
      .created_ms = AT(2000),
      .occurs = "[\"critical\",\"warning\",\"WF301\",\"WF201\"]" },
    { .n = 3,
      .kind = "n8n",
      .grade = "F",
      .score = 49,
      .workflow = W1,
      .created_ms = AT(2000),
      .occurs = "[\"critical\",\"WF301\"]" },
    { .n = 4,
      .kind = "generic",
      .grade = "C",
      .score = 70,
      .workflow = W2,
      .created_ms = AT(3000),
      .occurs = "[\"info\",\"WF501\"]" },
};

static void s_store_rows(stage_t *stage)
{
    for (size_t i = 0; i < COUNT_OF(s_rows); i++)
        stage_store(stage, "acme", &s_rows[i]);
}

/* The numbers of the rows of a list, "4 3 2". */
static const char *s_numbers(stage_t *stage, const value_t *list)
{
    const value_t *item, *items = value_get(list, "items");
    buf_t text = { 0 };
    for (uint32_t i = 0; (item = value_item(items, i)); i++)
        buf_printf(&text, "%s%d", i ? " " : "", atoi(stage_text(stage, item, "id") + 24));
    const char *numbers = arena_text(&stage->arena, text.bytes, text.size);
    buf_free(&text);
    return numbers;
}

static void test_filters(void)
{
    static const struct {
        const char *request, *expected;
    } cases[] = {
        { "{}", "4 3 2 1 0" },
        { "{\"kind\":\"n8n\"}", "3 1 0" },
        { "{\"kind\":\"node-red\"}", "" },
        { "{\"grade\":\"F\"}", "3 2" },
        { "{\"grade\":\"F\",\"kind\":\"asl\"}", "2" },
        { "{\"min_score\":49}", "4 3 1 0" },
        { "{\"max_score\":49}", "3 2" },
        { "{\"max_score\":0}", "" },
        { "{\"min_score\":70,\"max_score\":85}", "4 1" },
        { "{\"workflow_id\":\"" W2 "\"}", "4 2" },
        { "{\"workflow_id\":\"" W2 "\",\"rule\":\"WF301\"}", "2" },
        { "{\"severity\":\"critical\"}", "3 2" },
        { "{\"severity\":\"error\"}", "" },
        { "{\"rule\":\"WF201\"}", "2 1" },
        { "{\"rule\":\"WF201\",\"severity\":\"critical\"}", "2" },
        { "{\"rule\":\"WF201\",\"severity\":\"critical\",\"grade\":\"A\"}", "" },
        { "{\"rule\":\"WF999\"}", "" },
        { "{\"since\":\"2023-11-14T22:13:22Z\"}", "4 3 2" },
        { "{\"until\":\"2023-11-14T22:13:22Z\"}", "1 0" },
        { "{\"since\":\"2023-11-14T22:13:21Z\",\"until\":\"2023-11-14T22:13:23Z\"}", "3 2 1" },
        { "{\"rule\":\"WF301\",\"until\":\"2023-11-14T23:13:22+01:00\"}", "" },
        { "{\"limit\":2}", "4 3" },
    };
    static const char *const refused[] = { "{\"limit\":0}",          "{\"limit\":101}",
                                           "{\"kind\":\"cobol\"}",   "{\"grade\":\"E\"}",
                                           "{\"min_score\":-1}",     "{\"rule\":\"%\"}",
                                           "{\"since\":\"monday\"}", "{\"workflow_id\":\"1\"}" };
    stage_t stage;
    stage_open(&stage);
    s_store_rows(&stage);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        reply_t reply = stage_call(&stage, "acme", "list", cases[i].request);
        const char *numbers = s_numbers(&stage, reply.body);
        if (!ok_named(reply.code == ERROR_NONE && strcmp(numbers, cases[i].expected) == 0,
                      cases[i].request))
            note("got \"%s\", expected \"%s\"", numbers, cases[i].expected);
        is_text(s_numbers(&stage, stage_call(&stage, "other", "list", cases[i].request).body), "");
    }
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        ok_named(stage_call(&stage, "acme", "list", refused[i]).code == ERROR_VALIDATION_FAILED,
                 refused[i]);
    stage_close(&stage);
}

/* ---- pages ----------------------------------------------------------------------------------- */

/* Reads a list to its end, `limit` at a time; a new analysis comes in before each further page. */
static void s_read_pages(stage_t *stage, const char *condition, int limit, int expected, int *n)
{
    char request[400], cursor[CURSOR_SIZE] = "";
    int seen = 0, last = 1000, pages = 0;
    bool is_in_order = true;
    do {
        snprintf(request, sizeof request, "{\"limit\":%d%s%s%s%s}", limit, condition,
                 cursor[0] ? ",\"cursor\":\"" : "", cursor, cursor[0] ? "\"" : "");
        reply_t reply = stage_call(stage, "acme", "list", request);
        const value_t *item, *items = value_get(reply.body, "items");
        for (uint32_t i = 0; (item = value_item(items, i)); i++, seen++) {
            int number = atoi(stage_text(stage, item, "id") + 24);
            is_in_order &= number < last;
            last = number;
        }
        snprintf(cursor, sizeof cursor, "%s", stage_text(stage, reply.body, "next_cursor"));
        stage_store(stage, "acme",
                    &(stage_row_t){ .n = ++*n,
                                    .created_ms = AT(900000 + *n),
                                    .kind = "n8n",
                                    .grade = "B",
                                    .workflow = W1,
                                    .occurs = "[\"WF201\"]" });
    } while (cursor[0] && ++pages < 100);
    ok_named(is_in_order, request);
    is_int(seen, expected);
}

static void test_pages(void)
{
    enum { ROWS = 23 };
    static const char *const conditions[] = { "",
                                              ",\"kind\":\"n8n\"",
                                              ",\"grade\":\"B\"",
                                              ",\"rule\":\"WF201\"",
                                              ",\"workflow_id\":\"" W1 "\"",
                                              ",\"min_score\":0,\"max_score\":100" };
    static const int limits[] = { 1, 7, 22, 23, 100 };
    stage_t stage;
    stage_open(&stage);
    /* several at one moment, across the ends of pages */
    for (int i = 0; i < ROWS; i++)
        stage_store(&stage, "acme",
                    &(stage_row_t){ .n = i,
                                    .created_ms = AT(i / 9),
                                    .kind = "n8n",
                                    .grade = "B",
                                    .workflow = W1,
                                    .occurs = "[\"WF201\"]" });
    int n = ROWS;
    for (size_t c = 0; c < COUNT_OF(conditions); c++)
        for (size_t l = 0; l < COUNT_OF(limits); l++) {
            char until[128];
            snprintf(until, sizeof until, "%s,\"until\":\"2023-11-14T22:13:21Z\"", conditions[c]);
            s_read_pages(&stage, until, limits[l], ROWS, &n);
        }
    stage_close(&stage);
}

/* What comes in between two pages is newer than both. */
static void test_pages_while_more_come(void)
{
    enum { ROWS = 10 };
    stage_t stage;
    stage_open(&stage);
    for (int i = 0; i < ROWS; i++)
        stage_store(&stage, "acme", &(stage_row_t){ .n = i, .created_ms = AT(0), .kind = "n8n" });
    int n = ROWS;
    s_read_pages(&stage, "", 3, ROWS, &n);
    stage_close(&stage);
}

static void test_cursors(void)
{
    stage_t stage;
    stage_open(&stage);
    s_store_rows(&stage);
    reply_t list = stage_call(&stage, "acme", "list", "{\"limit\":1}");
    reply_t workflows = stage_call(&stage, "acme", "workflows", "{\"limit\":1}");
    const char *own = stage_text(&stage, list.body, "next_cursor"),
               *foreign = stage_text(&stage, workflows.body, "next_cursor");
    ok(own[0] && foreign[0]);
    const char *const bad[] = { foreign, "x", "AAAA", arena_format(&stage.arena, "%.20s", own),
                                arena_format(&stage.arena, "%sA", own) };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        reply_t reply = stage_call(&stage, "acme", "list",
                                   arena_format(&stage.arena, "{\"cursor\":\"%s\"}", bad[i]));
        is_int(reply.code, ERROR_UNPROCESSABLE);
        ok(strstr(reply.detail, "next_cursor") != NULL);
    }
    /* another account's cursor shows nothing of that account */
    reply_t other =
        stage_call(&stage, "other", "list", arena_format(&stage.arena, "{\"cursor\":\"%s\"}", own));
    is_int(other.code, ERROR_NONE);
    is_text(s_numbers(&stage, other.body), "");
    stage_close(&stage);
}

/* ---- spoilt rows ----------------------------------------------------------------------------- */

#define SPOIL(name, sqlite, postgres)                                                              \
    {                                                                                              \
        name, "UPDATE analysis SET " sqlite " WHERE id = $id",                                     \
            "UPDATE analysis SET " postgres " WHERE id = $id"                                      \
    }

static void test_spoilt(void)
{
    static const struct {
        db_sql_t sql;
        bool is_drawing; /* the result itself is fine */
    } cases[] = {
        { SPOIL("nothing left", "result = X''", "result = ''"), false },
        { SPOIL("nothing at all", "result = X'', result_size = 0", "result = '', result_size = 0"),
          false },
        { SPOIL("noise", "result = X'00112233445566778899'", "result = '\\x00112233445566778899'"),
          false },
        { SPOIL("not msgpack", "result = X'c1', result_size = 1",
                "result = '\\xc1', result_size = 1"),
          false },
        { SPOIL("a list", "result = X'90', result_size = 1", "result = '\\x90', result_size = 1"),
          false },
        { SPOIL("a cut map", "result = X'87a161', result_size = 3",
                "result = '\\x87a161', result_size = 3"),
          false },
        { SPOIL("more than one", "result = X'8080', result_size = 2",
                "result = '\\x8080', result_size = 2"),
          false },
        { SPOIL("a size below", "result_size = result_size - 1", "result_size = result_size - 1"),
          false },
        { SPOIL("a size above", "result_size = result_size + 1", "result_size = result_size + 1"),
          false },
        { SPOIL("no size", "result_size = -1", "result_size = -1"), false },
        { SPOIL("a vast size", "result_size = 9223372036854775807",
                "result_size = 9223372036854775807"),
          false },
        { SPOIL("no sketch", "sketch = X'', sketch_size = 0", "sketch = '', sketch_size = 0"),
          true },
        { SPOIL("another sketch", "sketch = X'80', sketch_size = 1",
                "sketch = '\\x80', sketch_size = 1"),
          true },
        { SPOIL("noise for a sketch", "sketch = X'deadbeef'", "sketch = '\\xdeadbeef'"), true },
    };
    static const char *const of_result[] = { "get", "sarif", "graph_svg", "graph_mmd" };
    stage_t stage;
    stage_open(&stage);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *document = stage_chain(&stage, "Spoilt", 40 + (int)i);
        const char *id = stage_text(&stage, stage_submit(&stage, "acme", document, "").body, "id");
        stage_tamper(&stage, &cases[i].sql, id);
        for (size_t m = 0; m < COUNT_OF(of_result); m++) {
            reply_t reply = stage_call(&stage, "acme", of_result[m], stage_id(&stage, id));
            bool is_fine = cases[i].is_drawing && m < 2;
            ok_named(reply.code == (is_fine ? ERROR_NONE : ERROR_INTERNAL), cases[i].sql.name);
        }
        reply_t again = stage_submit(&stage, "acme", document, "");
        ok_named(again.code == (cases[i].is_drawing ? ERROR_NONE : ERROR_INTERNAL),
                 cases[i].sql.name);
    }
    is_int(stage_call(&stage, "acme", "list", "{}").code, ERROR_NONE);
    stage_close(&stage);
}

DATABASE_TESTS({ "get", test_get }, { "delete", test_delete }, { "filters", test_filters },
               { "pages", test_pages }, { "pages while more come", test_pages_while_more_come },
               { "cursors", test_cursors }, { "spoilt", test_spoilt })
