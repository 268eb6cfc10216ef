/* SPDX-License-Identifier: MPL-2.0
 *
 * Batches: what is handed to the jobs service, which is played here, and what is kept when it takes
 * it, has had it before, or does not.
 */
#include "config.h"

#include "tests/kit/beside.h"
#include "tests/unit/analysis_stage.h"

static const db_sql_t s_kept = { "test.kept", "SELECT count(*) AS n FROM submission", NULL };

/* ---- the jobs service ------------------------------------------------------------------------ */

/* What it answers, and what it was asked last. */
static struct {
    error_code_t failure;
    uint16_t status;
    int children;
    char account[80], key[80], says[80], kind[80];
} s_jobs;

static void s_copy(char to[80], call_t *call, const value_t *map, const char *field)
{
    const char *text = value_dup_text(call_arena(call), map, field);
    snprintf(to, 80, "%s", text ? text : "");
}

static void s_on_family(call_t *call, void *self)
{
    const value_t *request = call_request(call), *children = value_get(request, "children");
    (void)self;
    s_jobs.children = (int)children->count;
    s_copy(s_jobs.account, call, value_get(request, "as"), "account");
    s_copy(s_jobs.key, call, request, "idempotency_key");
    s_copy(s_jobs.says, call, request, "key_says");
    s_copy(s_jobs.kind, call, value_item(children, 0), "kind");
    if (s_jobs.failure != ERROR_NONE) {
        call_fail(call, s_jobs.failure, "As the test wants it");
        return;
    }
    pack_t *pack = call_pack(call);
    pack_map(pack, 2);
    pack_text(pack, "parent");
    pack_map(pack, 1);
    pack_pair_int(pack, "id", 100);
    pack_text(pack, "children");
    pack_array(pack, children->count);
    for (uint32_t i = 0; i < children->count; i++) {
        pack_map(pack, 1);
        pack_pair_int(pack, "id", 101 + i);
    }
    call_reply(call, s_jobs.status);
}

static const field_t s_object[] = { { "parent", FIELD_OBJECT, .open = true },
                                    { "children", FIELD_ARRAY, .items = FIELD_ANY },
                                    { "as", FIELD_OBJECT, .open = true },
                                    { "idempotency_key", FIELD_STRING, .about = "A key" },
                                    { "key_says", FIELD_STRING, .about = "What for" },
                                    { 0 } };
static const method_t s_family = { .name = "enqueue_family_as",
                                   .summary = "Plays",
                                   .request = s_object };
static const service_t s_service = { .name = "jobs", .version = "1.0.0", .about = "Played" };

typedef struct {
    stage_t stage;
    beside_t jobs;
} batch_stage_t;

static void s_open(batch_stage_t *self)
{
    memset(&s_jobs, 0, sizeof s_jobs);
    *self = (batch_stage_t){ 0 };
    stage_open(&self->stage);
    beside_play(&self->jobs, &self->stage, &s_service, &s_family, s_on_family);
}

static void s_close(batch_stage_t *self)
{
    beside_stop(&self->jobs);
    stage_close(&self->stage);
}

#define FIT(name) "{\"workflow\":{\"name\":\"" name "\",\"nodes\":[{\"id\":\"a\"}],\"edges\":[]}}"
#define TWO       "{\"items\":[" FIT("one") "," FIT("two") "]"

/* ---- the stories ----------------------------------------------------------------------------- */

static void test_handed_over(void)
{
    batch_stage_t stage;
    s_open(&stage);
    reply_t reply = stage_call(&stage.stage, "acme", "batch", TWO ",\"idempotency_key\":\"k\"}");
    is_int(reply.code, ERROR_NONE);
    is_int(value_get_int(reply.body, "job_id", 0), 100);
    const value_t *items = value_get(reply.body, "items");
    is_int(items->count, 2);
    is_int(value_get_int(value_item(items, 1), "job_id", 0), 102);
    is_int(s_jobs.children, 2);
    is_text(s_jobs.kind, "analysis.run");
    is_text(s_jobs.account, "acme");
    is_text(s_jobs.key, "k");
    is_int(strlen(s_jobs.says), 64);
    is_int(place_number(stage_db(&stage.stage), &s_kept), 2);
    is_int(stage_ended(&stage.stage, "handed_over"), 2);
    reply = stage_call(&stage.stage, NULL, "batch", TWO "}");
    is_int(reply.code, ERROR_NONE);
    is_text(s_jobs.account, "");
    is_text(s_jobs.key, "");
    s_close(&stage);
}

/* What was kept for jobs that are not there is dropped; what may be there is not. */
static void test_not_handed_over(void)
{
    static const struct {
        const char *name;
        error_code_t failure;
        uint16_t status;
        int kept;
    } cases[] = {
        { "answered before", ERROR_NONE, 200, 0 },
        { "under way", ERROR_CONFLICT, 0, 0 },
        { "another with the key", ERROR_UNPROCESSABLE, 0, 0 },
        { "not known", ERROR_UNAVAILABLE, 0, 2 },
    };
    batch_stage_t stage;
    s_open(&stage);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        s_jobs.failure = cases[i].failure;
        s_jobs.status = cases[i].status;
        reply_t reply = stage_call(&stage.stage, "acme", "batch", TWO "}");
        ok_named(reply.code == cases[i].failure, cases[i].name);
        ok_named(place_number(stage_db(&stage.stage), &s_kept) == cases[i].kept, cases[i].name);
    }
    is_int(stage_ended(&stage.stage, "handed_over"), 0);
    s_close(&stage);
}

static void test_refused(void)
{
    static const char *const cases[] = {
        "{}",
        "{\"items\":[]}",
        "{\"items\":[{}]}",
        "{\"items\":[" FIT("one") ",{\"workflow\":7}]}",
        "{\"items\":[" FIT("one") ",{\"workflow\":{\"nodes\":3,\"edges\":1}}]}",
        "{\"items\":[{\"workflow\":{\"nodes\":[],\"edges\":[]},\"kind\":\"bpmn\"}]}",
    };
    batch_stage_t stage;
    s_open(&stage);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        reply_t reply = stage_call(&stage.stage, "acme", "batch", cases[i]);
        ok_named(reply.code == ERROR_VALIDATION_FAILED, cases[i]);
    }
    is_int(s_jobs.children, 0);
    is_int(place_number(stage_db(&stage.stage), &s_kept), 0);
    is_int(stage_ended(&stage.stage, "unfit"), 2);
    is_int(stage_call(&stage.stage, "acme", "summarize", "{}").code, ERROR_UNPROCESSABLE);
    s_close(&stage);
}

DATABASE_TESTS({ "handed_over", test_handed_over }, { "not_handed_over", test_not_handed_over },
               { "refused", test_refused })
