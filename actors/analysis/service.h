/* SPDX-License-Identifier: MPL-2.0
 *
 * service - the actor around the analysis: submissions, history, exports
 *
 * Promises: the same submission by the same account is one analysis, however often and from however
 * many places it comes, so it needs no idempotency key; accounts see nothing of each other; a
 * submission that is answered is stored. What is analysed is not kept, but for a sketch of it
 * (sketch.h), and until then if it is analysed later, by a job (later.h); what was found is kept as
 * long as the account's tier says, or while it is the baseline of its workflow.
 *
 * Publishes `analysis.finished` after the commit: { id, workflow_id, name, account, kind, profile,
 * score, grade, issues, by_severity }. Accounts that have subscribed to it, or to
 * `analysis.regressed`, are told by webhook (news.h).
 *
 * The handlers stand in on_*.c, a family a file; proto/analysis.c says what each takes and answers.
 */
#ifndef SIGNALBOX_ANALYSIS_SERVICE_H
#define SIGNALBOX_ANALYSIS_SERVICE_H

#include "actors/analysis/archive.h"
#include "actors/analysis/store.h"
#include "actors/runtime/erasures.h"
#include "actors/runtime/outbox.h"
#include "actors/runtime/page.h"
#include "proto/analysis.h"

typedef struct {
    int64_t anonymous_days, free_days, pro_days, enterprise_days; /* 0: for ever */
    int64_t patience_ms;
} analysis_settings_t;

typedef enum {
    ANALYSIS_ENDED,
    ANALYSIS_SCORE,
    ANALYSIS_ISSUES,
    ANALYSIS_DELETED,
    ANALYSIS_PURGED,
    ANALYSIS_RUN_TIME,
    ANALYSIS_OUTBOX,
    ANALYSIS_STATS = ANALYSIS_OUTBOX + OUTBOX_STATS
} analysis_stat_t;

/* What handlers get as `self`. */
typedef struct {
    outbox_t outbox;
    archive_t archive;
    erasures_t erasures;
    _Atomic int fetches; /* documents on their way */
    uint32_t ticks;
    bool is_behind; /* the last look at what is to be purged found more than one batch */
} analysis_t;

extern const actor_spec_t analysis_actor;

/* ---- handlers -------------------------------------------------------------------------------- */

void on_submit(call_t *call, void *self);
void on_run_later(call_t *call, void *self);
void on_refetch(call_t *call, void *self);
uint32_t refetch_deferred(const void *self); /* how many may be under way */
void on_batch(call_t *call, void *self);
void on_summarize(call_t *call, void *self);
void on_list(call_t *call, void *self);
void on_get(call_t *call, void *self);
void on_delete(call_t *call, void *self);
void on_sarif(call_t *call, void *self);
void on_graph_svg(call_t *call, void *self);
void on_graph_mmd(call_t *call, void *self);
void on_workflows(call_t *call, void *self);
void on_workflow(call_t *call, void *self);
void on_baseline_put(call_t *call, void *self);
void on_baseline_get(call_t *call, void *self);
void on_baseline_delete(call_t *call, void *self);
void on_diff(call_t *call, void *self);
void on_trend(call_t *call, void *self);
void on_rules(call_t *call, void *self);
void on_rule(call_t *call, void *self);

/* ---- what handlers share --------------------------------------------------------------------- */

/* The account a call is made for. */
const char *service_account(const call_t *call);

/* Whose retention applies to what is stored for it now. */
const char *service_tier(const call_t *call);

/* When an analysis that begins now is to be handed to a job, by clock_us; 0: never. */
uint64_t service_patient_until_us(void);

void service_count(call_t *call, analysis_stat_t row);

/* How a submission ended: "completed", "repeated", "unfit", "aborted",
 * "handed_over". */
void service_count_end(call_t *call, const char *status);

/* What an analysis has found. */
void service_count_issues(call_t *call, const analysis_result_t *result);

/* The analysis that the field `field` of the call names. When there is none, or it cannot be read,
 * the call has been answered and NULL is returned. */
const stored_t *service_require_analysis(call_t *call, const char *field);

/* The analysis, borrowed, as one that is measured against an earlier one. */
measured_t service_measured(const call_t *call, const brief_t *brief);

/* The result of an analysis as it was packed; NULL when the call has been answered. */
const uint8_t *service_require_result_bytes(call_t *call, const stored_t *stored);

/* The same as a tree, and its sketch. False: the call has been answered. */
const value_t *service_require_result(call_t *call, const stored_t *stored);
bool service_require_sketch(call_t *call, const stored_t *stored, sketch_t *sketch);

/* ---- what replies share ---------------------------------------------------------------------- */

/* An analysis in brief, one map. */
void reply_brief(pack_t *pack, const brief_t *brief);
void reply_severities(pack_t *pack, const int64_t by_severity[SEVERITY_COUNT]);

/* An analysis as a whole, one map: who it is, `repeated` if it is asked for, and the members of its
 * result. */
typedef enum { REPEATED_UNSAID, REPEATED_NO, REPEATED_YES } repeated_t;
void reply_analysis(pack_t *pack, const brief_t *brief, repeated_t repeated, const uint8_t *result,
                    size_t size);

#endif
