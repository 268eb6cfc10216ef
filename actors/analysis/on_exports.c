/* SPDX-License-Identifier: MPL-2.0
 *
 * on_exports - one analysis in other people's formats: SARIF, SVG, Mermaid
 *
 * They are written when they are asked for: all come from the stored result and sketch in less time
 * than reading them from a disk would take.
 */
#include "config.h"

#include "actors/analysis/mermaid.h"
#include "actors/analysis/sarif.h"
#include "actors/analysis/service.h"
#include "actors/analysis/svg.h"

/* Ends the call with a document, which is freed. */
static void s_reply_content(call_t *call, buf_t *content)
{
    pack_t *pack = call_pack(call);
    pack_map(pack, 1);
    pack_text(pack, "content");
    pack_string(pack, (const char *)content->bytes, content->size);
    buf_free(content);
    call_reply(call, 0);
}

/* The result that the analysis is measured against, NULL when no baseline is pinned for it. False:
 * the call has been answered. */
static bool s_require_baseline(call_t *call, const brief_t *brief, const value_t **result)
{
    const stored_t *found;
    const measured_t measured = service_measured(call, brief);
    db_status_t status = store_get_baseline(call_db(call), call_arena(call), &measured, &found);
    *result = NULL;
    if (status != DB_OK)
        call_fail_db(call, status);
    else if (found)
        *result = service_require_result(call, found);
    return status == DB_OK && (!found || *result);
}

void on_sarif(call_t *call, void *self)
{
    buf_t content = { 0 };
    sarif_t sarif;
    const value_t *baseline;
    (void)self;
    const stored_t *stored = service_require_analysis(call, "id");
    const value_t *result = stored ? service_require_result(call, stored) : NULL;
    if (!result || !s_require_baseline(call, &stored->brief, &baseline))
        return;
    sarif_open(&sarif);
    if (baseline)
        sarif_add_against(&sarif, result, NULL, baseline, call_bool(call, "absent"));
    else
        sarif_add(&sarif, result, NULL);
    sarif_close(&sarif, &content);
    s_reply_content(call, &content);
}

/* The analysis with all that a drawing of it needs. False: the call has been answered. */
static bool s_require_drawing(call_t *call, const stored_t **stored, const value_t **result,
                              sketch_t *sketch)
{
    *stored = service_require_analysis(call, "id");
    *result = *stored ? service_require_result(call, *stored) : NULL;
    return *result && service_require_sketch(call, *stored, sketch);
}

void on_graph_svg(call_t *call, void *self)
{
    buf_t content = { 0 };
    const stored_t *stored;
    const value_t *result;
    sketch_t sketch;
    (void)self;
    if (!s_require_drawing(call, &stored, &result, &sketch))
        return;
    svg_write(&sketch, result, stored->brief.name, &content);
    s_reply_content(call, &content);
}

void on_graph_mmd(call_t *call, void *self)
{
    buf_t content = { 0 };
    const stored_t *stored;
    const value_t *result;
    sketch_t sketch;
    (void)self;
    if (!s_require_drawing(call, &stored, &result, &sketch))
        return;
    mermaid_write(&sketch, result, &content);
    s_reply_content(call, &content);
}
