/* SPDX-License-Identifier: MPL-2.0
 *
 * on_analyses - the history of analyses: list, one, delete
 */
#include "config.h"

#include "actors/analysis/service.h"
#include "actors/base/clock.h"

/* A text field of the request, "" when it was left out. */
static const char *s_word(call_t *call, const char *field)
{
    const char *text = call_text(call, field);
    return text ? text : "";
}

/* The moment in a field, `preset` when it was left out; its format has been validated. */
static int64_t s_moment(call_t *call, const char *field, int64_t preset)
{
    int64_t wall_ms;
    const char *text = call_text(call, field);
    return text && clock_parse(text, strlen(text), &wall_ms) ? wall_ms : preset;
}

static bool s_read_filter(call_t *call, store_filter_t *filter)
{
    *filter = (store_filter_t){
        .kind = s_word(call, "kind"),
        .profile = "",
        .grade = s_word(call, "grade"),
        .workflow_id = s_word(call, "workflow_id"),
        .rule = s_word(call, "rule"),
        .severity = s_word(call, "severity"),
        .min_score = call_int(call, "min_score"),
        .max_score = value_get_int(call_request(call), "max_score", 100),
        .since_ms = s_moment(call, "since", 0),
    };
    if (!page_require_cursor(call, CURSOR_ANALYSES, &filter->from))
        return false;
    /* what lies before a moment lies behind a cursor that stands at it */
    int64_t until_ms = s_moment(call, "until", INT64_MAX);
    if (until_ms < filter->from.at_ms)
        filter->from = (cursor_t){ .at_ms = until_ms };
    return true;
}

void on_list(call_t *call, void *self)
{
    store_filter_t filter;
    briefs_t briefs;
    size_t limit = (size_t)call_int(call, "limit");
    (void)self;
    if (!s_read_filter(call, &filter))
        return;
    filter.limit = limit + 1; /* one more tells whether there is another page */
    db_status_t status =
        store_list(call_db(call), call_arena(call), service_account(call), &filter, &briefs);
    if (status != DB_OK) {
        call_fail_db(call, status);
        return;
    }
    pack_t *pack = call_pack(call);
    const size_t shown = page_begin(pack, briefs.count, limit);
    for (size_t i = 0; i < shown; i++)
        reply_brief(pack, &briefs.list[i]);
    const brief_t *last = briefs.count > shown ? &briefs.list[shown - 1] : NULL;
    page_end(pack, CURSOR_ANALYSES, last ? last->created_ms : 0, last ? last->id : NULL);
    call_reply(call, 0);
}

void on_get(call_t *call, void *self)
{
    (void)self;
    const stored_t *stored = service_require_analysis(call, "id");
    const uint8_t *result = stored ? service_require_result_bytes(call, stored) : NULL;
    if (!result)
        return;
    reply_analysis(call_pack(call), &stored->brief, REPEATED_UNSAID, result, stored->result.full);
    call_reply(call, 0);
}

void on_delete(call_t *call, void *self)
{
    bool deleted;
    (void)self;
    db_status_t status =
        store_delete(call_db(call), service_account(call), call_text(call, "id"), &deleted);
    if (status != DB_OK) {
        call_fail_db(call, status);
    } else if (deleted) {
        service_count(call, ANALYSIS_DELETED);
        call_reply(call, 0);
    } else if (service_require_analysis(call, "id")) {
        call_fail(call, ERROR_CONFLICT,
                  "The analysis is the baseline of its workflow: pin another one, or none, first");
    }
}
