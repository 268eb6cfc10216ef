/* SPDX-License-Identifier: MPL-2.0
 *
 * service - the actor around the analysis: settings, counters, retention, and the table of handlers
 */
#include "config.h"

#include <string.h>

#include "actors/analysis/service.h"
#include "actors/base/clock.h"
#include "actors/base/log.h"

#define PURGE_BATCH     200 /* analyses in one transaction */
#define ERASE_BATCH     500 /* rows of an erased account in one transaction */
#define PURGE_INTERVAL  10  /* seconds between looks when there is nothing to do */
#define SUBMISSION_DAYS 7   /* as long as dead jobs are kept that would analyse them */
#define MS_PER_DAY      INT64_C(86400000)

static analysis_settings_t s_settings;

/* ---- settings and counters ------------------------------------------------------------------- */

#define DAYS(tier, field, preset, text)                                                            \
    {                                                                                              \
        "retention_" tier "_days", SETTING_INT, offsetof(analysis_settings_t, field), preset, 0,   \
            36500, "days", .about = (text)                                                         \
    }

static const setting_t s_setting_rows[] = {
    DAYS("anonymous", anonymous_days, "7",
         "How long analyses of callers without an account are kept; 0 keeps them for ever."),
    DAYS("free", free_days, "7",
         "How long analyses of accounts of the tier free are kept; 0 keeps them for ever."),
    DAYS("pro", pro_days, "90",
         "How long analyses of accounts of the tier pro are kept; 0 keeps them for ever."),
    DAYS("enterprise", enterprise_days, "0",
         "How long analyses of accounts of the tier enterprise are kept; 0 keeps them for ever."),
    { "patience_ms", SETTING_INT, offsetof(analysis_settings_t, patience_ms), "2000", 0, 600000,
      "ms",
      .about = "How long an analysis may take before it is handed to a job and answered 202; 0 is "
               "for as long as the caller waits." },
    { 0 },
};

static const stats_row_t s_stats_rows[ANALYSIS_STATS + 1] = {
    [ANALYSIS_ENDED] = { "workflow_analysis_total{tier,status}", STATS_COUNTER,
                         "Submissions, by how they ended: completed, repeated (answered from what "
                         "was stored), unfit (no workflow to be analysed), aborted (the caller no "
                         "longer waited), handed_over (became a job)" },
    [ANALYSIS_SCORE] = { "workflow_health_score", STATS_HISTOGRAM,
                         "Scores of the workflows analysed, 0 to 100" },
    [ANALYSIS_ISSUES] = { "workflow_issues_found_total{type,severity}", STATS_COUNTER,
                          "Issues found, by rule" },
    [ANALYSIS_DELETED] = { "analysis_deleted_total", STATS_COUNTER,
                           "Analyses deleted by their accounts" },
    [ANALYSIS_PURGED] = { "analysis_purged_total", STATS_COUNTER,
                          "Analyses deleted because their time was over" },
    [ANALYSIS_RUN_TIME] = { "workflow_analysis_duration_seconds", STATS_HISTOGRAM,
                            "Time an analysis took, without storing it" },
    OUTBOX_STATS_ROWS(ANALYSIS_OUTBOX, "analysis"),
};

void service_count_end(call_t *call, const char *status)
{
    const char *const labels[] = { service_tier(call), status };
    series_add(stats_at(actor_stats(call_actor(call)), ANALYSIS_ENDED, labels), 1);
}

void service_count_issues(call_t *call, const analysis_result_t *result)
{
    stats_t *stats = actor_stats(call_actor(call));
    stats_record(stats, ANALYSIS_SCORE, (uint64_t)result->score.score);
    for (uint32_t i = 0; i < result->finding_count; i++) {
        const rule_t *rule = result->findings[i]->rule;
        const char *const labels[] = { rule->id, severity_name(rule->severity) };
        series_add(stats_at(stats, ANALYSIS_ISSUES, labels), 1);
    }
}

uint64_t service_patient_until_us(void)
{
    return s_settings.patience_ms ? clock_us() + (uint64_t)s_settings.patience_ms * 1000 : 0;
}

void service_count(call_t *call, analysis_stat_t row)
{
    stats_add(actor_stats(call_actor(call)), row, 1);
}

/* ---- who calls ------------------------------------------------------------------------------- */

/* Tiers as they are stored, and how long each is kept. */
static const struct {
    const char *name;
    const int64_t *days;
} s_tiers[] = {
    { "anonymous", &s_settings.anonymous_days },
    { "free", &s_settings.free_days },
    { "pro", &s_settings.pro_days },
    { "enterprise", &s_settings.enterprise_days },
};

/* A service that calls for itself is not known by name here: all share one account. */
const char *service_account(const call_t *call)
{
    const char *account = call_principal(call)->account;
    return account[0] ? account : "service";
}

/* A tier nobody has told us about is treated as the one that is given away. */
const char *service_tier(const call_t *call)
{
    const principal_t *who = call_principal(call);
    if (!who->account[0])
        return "enterprise";
    if (strcmp(who->account, "anonymous") == 0)
        return "anonymous";
    for (size_t i = 0; i < COUNT_OF(s_tiers); i++)
        if (strcmp(who->tier, s_tiers[i].name) == 0)
            return s_tiers[i].name;
    return "free";
}

/* ---- retention ------------------------------------------------------------------------------- */

/* One batch of each tier; returns whether there may be more. */
static bool s_purge(actor_t *actor, int64_t now_ms)
{
    bool is_behind = false;
    for (size_t i = 0; i < COUNT_OF(s_tiers); i++) {
        size_t seen, deleted;
        int64_t days = *s_tiers[i].days;
        if (days == 0)
            continue;
        db_status_t status = store_purge(actor_db(actor), s_tiers[i].name,
                                         now_ms - days * MS_PER_DAY, PURGE_BATCH, &seen, &deleted);
        stats_add(actor_stats(actor), ANALYSIS_PURGED, (int64_t)deleted);
        if (deleted)
            LOG(LOG_INFO, "analysis.purged", LOG_TEXT("tier", s_tiers[i].name),
                LOG_INT("analyses", deleted));
        is_behind |= status == DB_OK && seen == PURGE_BATCH;
    }
    int64_t forgotten;
    db_status_t status = store_purge_submissions(
        actor_db(actor), now_ms - SUBMISSION_DAYS * MS_PER_DAY, PURGE_BATCH, &forgotten);
    return is_behind || (status == DB_OK && forgotten == PURGE_BATCH);
}

static db_status_t s_erase(db_t *db, const char *account, bool *more)
{
    return store_erase(db, account, ERASE_BATCH, more);
}

static uint32_t s_deferred(const void *self)
{
    return refetch_deferred(self) + ARCHIVE_MOST;
}

static bool s_init(actor_t *actor, void *memory, char *why, size_t why_size)
{
    analysis_t *self = memory;
    (void)why;
    (void)why_size;
    outbox_init(&self->outbox, actor, ANALYSIS_OUTBOX);
    archive_init(&self->archive, actor);
    return true;
}

static void s_connected(actor_t *actor, void *memory)
{
    analysis_t *self = memory;
    outbox_connected(&self->outbox);
    erasures_subscribe(&self->erasures, actor, s_erase);
}

static void s_release(actor_t *actor, void *memory)
{
    analysis_t *self = memory;
    (void)actor;
    outbox_free(&self->outbox);
    archive_free(&self->archive);
}

static void s_between(actor_t *actor, void *memory)
{
    analysis_t *self = memory;
    (void)actor;
    archive_look(&self->archive);
}

static void s_tick(actor_t *actor, void *memory)
{
    analysis_t *self = memory;
    archive_look(&self->archive); /* the pool may be waiting for somebody outside */
    outbox_tick(&self->outbox);
    erasures_tick(&self->erasures, actor);
    if (self->is_behind || self->ticks++ % PURGE_INTERVAL == 0)
        self->is_behind = s_purge(actor, clock_wall_ms());
}

/* ---- the actor ------------------------------------------------------------------------------- */

static const handler_t s_handlers[] = {
    { &analysis_submit, on_submit, HANDLE_POOL },
    { &analysis_run_later, on_run_later, HANDLE_POOL },
    { &analysis_refetch, on_refetch, HANDLE_POOL },
    { &analysis_batch, on_batch, HANDLE_POOL },
    { &analysis_summarize, on_summarize, HANDLE_POOL },
    { &analysis_list, on_list, HANDLE_POOL },
    { &analysis_get, on_get, HANDLE_POOL },
    { &analysis_delete, on_delete, HANDLE_POOL },
    { &analysis_sarif, on_sarif, HANDLE_POOL },
    { &analysis_graph_svg, on_graph_svg, HANDLE_POOL },
    { &analysis_graph_mmd, on_graph_mmd, HANDLE_POOL },
    { &analysis_workflows, on_workflows, HANDLE_POOL },
    { &analysis_workflow, on_workflow, HANDLE_POOL },
    { &analysis_baseline_put, on_baseline_put, HANDLE_POOL },
    { &analysis_baseline_get, on_baseline_get, HANDLE_POOL },
    { &analysis_baseline_delete, on_baseline_delete, HANDLE_POOL },
    { &analysis_diff, on_diff, HANDLE_POOL },
    { &analysis_trend, on_trend, HANDLE_POOL },
    { &analysis_rules, on_rules, HANDLE_POOL },
    { &analysis_rule, on_rule, HANDLE_POOL },
    { 0 },
};

const actor_spec_t analysis_actor = {
    .service = &analysis_service,
    .settings = s_setting_rows,
    .settings_target = &s_settings,
    .stats = s_stats_rows,
    .migrations = analysis_migrations,
    .self_size = sizeof(analysis_t),
    .init = s_init,
    .deferred = s_deferred,
    .connected = s_connected,
    .tick = s_tick,
    .between = s_between,
    .release = s_release,
    .handlers = s_handlers,
};
