/* SPDX-License-Identifier: MPL-2.0
 *
 * command_analyze - the analyser on files, without a server: for people, and for a step of CI
 *
 * A folder is searched for files that end in .json or .asl, without what is hidden or installed
 * (node_modules); what is no workflow there is skipped. A file that is named has to be one.
 */
#include "config.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/analysis/fingerprints.h"
#include "actors/analysis/sarif.h"
#include "deploy/analyze_baseline.h"
#include "deploy/analyze_options.h"
#include "deploy/analyze_report.h"
#include "deploy/app.h"
#include "proto/json.h"

#define EXIT_CLEAN  0
#define EXIT_FOUND  1
#define EXIT_UNREAD 2

typedef struct {
    analyze_options_t options;
    analyze_baseline_t baseline; /* when the options name one */
    bool has_colours;
    tally_t tally;
    sarif_t sarif;
    buf_t files; /* msgpack of what JSON lists: files, and those that were skipped or not read */
    buf_t others;
} job_t;

/* ---- names ---------------------------------------------------------------------------------- */

/* Names of files may hold any bytes: what is printed of one is UTF-8 without control characters.
 * The caller frees it. */
static char *s_shown(const char *path)
{
    char *shown = mem_strdup(path);
    size_t size = strlen(shown);
    for (size_t i = 0, step; i < size; i += step) {
        step = text_utf8_step(shown + i, size - i);
        if (!step) {
            shown[i] = '?';
            step = 1;
        }
    }
    slice_blank_controls(shown, size);
    return shown;
}

/* ---- one file ------------------------------------------------------------------------------- */

static void s_note_other(job_t *job, const char *path, const char *why)
{
    pack_t pack;
    pack_init(&pack, &job->others);
    pack_map(&pack, 2);
    pack_pair_text(&pack, "path", path);
    pack_pair_text(&pack, "why", why);
}

static void s_note_unread(job_t *job, const char *path, const char *why)
{
    job->tally.unread++;
    s_note_other(job, path, why);
    app_fail(0, "%s: %s", path, why);
}

/* Said of a file that was found in a folder; one that was named has to be a workflow. */
static void s_note_no_workflow(job_t *job, const char *path, const char *why, bool is_named)
{
    if (is_named) {
        s_note_unread(job, path, why);
        return;
    }
    job->tally.skipped++;
    s_note_other(job, path, why);
}

/* `before` is what was found in the file before; NULL: all is new. */
static void s_count(job_t *job, arena_t *arena, const char *path, const analysis_result_t *result,
                    const value_t *tree, const value_t *before)
{
    tally_t *tally = &job->tally;
    int64_t new_issues[SEVERITY_COUNT];
    fingerprints_count_new(arena, before, tree, new_issues);
    for (severity_t s = 0; s < SEVERITY_COUNT; s++) {
        tally->by_severity[s] += result->by_severity[s];
        tally->new_by_severity[s] += before ? (uint64_t)new_issues[s] : result->by_severity[s];
    }
    if (tally->analysed++ == 0 || result->score.score < tally->lowest_score) {
        tally->lowest_score = result->score.score;
        mem_free(tally->lowest_path);
        tally->lowest_path = mem_strdup(path);
    }
}

/* JSON: the path, and the members of the result behind it; its head is one byte. */
static void s_add_json(job_t *job, const char *path, const buf_t *packed)
{
    pack_t pack;
    pack_init(&pack, &job->files);
    pack_map(&pack, 1 + (size_t)(packed->bytes[0] & 0x0f));
    pack_pair_text(&pack, "path", path);
    pack_raw(&pack, packed->bytes + 1, packed->size - 1);
}

static void s_add_sarif(job_t *job, const char *path, const value_t *result, const value_t *before)
{
    if (job->options.baseline)
        sarif_add_against(&job->sarif, result, path, before, false);
    else
        sarif_add(&job->sarif, result, path);
}

static void s_report(job_t *job, arena_t *arena, const char *path, const analysis_result_t *result)
{
    value_verdict_t verdict;
    buf_t packed = { 0 }, text = { 0 };
    pack_t pack;
    pack_init(&pack, &packed);
    result_write(result, &pack);
    const value_t *tree = value_parse(arena, packed.bytes, packed.size, VALUE_LIMITS, &verdict);
    insist(tree);
    const value_t *before =
        job->options.baseline ? analyze_baseline_find(&job->baseline, path) : NULL;
    s_count(job, arena, path, result, tree, before);
    switch (job->options.format) {
    case ANALYZE_TEXT:
        report_file(&text, path, tree, before, job->has_colours);
        fputs(buf_text(&text), stdout);
        break;
    case ANALYZE_JSON:
        s_add_json(job, path, &packed);
        break;
    case ANALYZE_SARIF:
        s_add_sarif(job, strcmp(path, "-") == 0 ? NULL : path, tree, before);
        break;
    }
    buf_free(&text);
    buf_free(&packed);
}

static void s_analyse(job_t *job, arena_t *arena, const char *path, const value_t *document,
                      bool is_named)
{
    analysis_result_t result;
    const analyser_t *forced = job->options.analysis.kind
                                   ? analyser_named(slice_literal(job->options.analysis.kind))
                                   : NULL;
    bool is_one = forced ? forced->detect(document) : analyser_detected(document) != NULL;
    if (analysis_run(arena, document, &job->options.analysis, &result) == ANALYSIS_DONE)
        s_report(job, arena, path, &result);
    else if (is_one)
        s_note_unread(job, path, result.why);
    else
        s_note_no_workflow(job, path, result.why, is_named);
}

static void s_take_file(job_t *job, const char *path, bool is_named)
{
    input_t input;
    bool is_input = is_named && strcmp(path, "-") == 0;
    char *shown = s_shown(path);
    switch (input_read(&input, is_input ? NULL : path, VALUE_LIMITS)) {
    case INPUT_GOOD:
        s_analyse(job, &input.arena, shown, input.document, is_named);
        break;
    case INPUT_UNREAD:
        s_note_unread(job, shown, input.why);
        break;
    case INPUT_NO_JSON:
        s_note_no_workflow(job, shown, input.why, is_named);
        break;
    }
    input_free(&input);
    mem_free(shown);
}

/* ---- folders -------------------------------------------------------------------------------- */

static int s_by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool s_is_left_out(const FTSENT *entry)
{
    return entry->fts_level > 0 &&
           (entry->fts_name[0] == '.' || strcmp(entry->fts_name, "node_modules") == 0);
}

static void s_note_unread_entry(job_t *job, const char *path, int error)
{
    char why[200];
    char *shown = s_shown(path);
    snprintf(why, sizeof why, "cannot be read: %s", strerror(error));
    s_note_unread(job, shown, why);
    mem_free(shown);
}

static void s_take_entry(job_t *job, FTS *walk, FTSENT *entry)
{
    switch (entry->fts_info) {
    case FTS_D:
        if (s_is_left_out(entry))
            fts_set(walk, entry, FTS_SKIP);
        break;
    case FTS_F:
        if (!s_is_left_out(entry) &&
            (text_ends(entry->fts_name, ".json") || text_ends(entry->fts_name, ".asl")))
            s_take_file(job, entry->fts_path, false);
        break;
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        s_note_unread_entry(job, entry->fts_path, entry->fts_errno);
        break;
    default:
        break;
    }
}

/* Links are not followed but the one that was named: they may lead round in circles, or out of the
 * folder. */
static void s_take_folder(job_t *job, char *path)
{
    char *const roots[] = { path, NULL };
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, s_by_name);
    FTSENT *entry;
    if (!walk) {
        s_note_unread_entry(job, path, errno);
        return;
    }
    while ((entry = fts_read(walk)))
        s_take_entry(job, walk, entry);
    fts_close(walk);
}

static void s_take_path(job_t *job, char *path)
{
    struct stat status;
    if (strcmp(path, "-") != 0 && stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        s_take_folder(job, path);
    else
        s_take_file(job, path, true);
}

/* ---- the end -------------------------------------------------------------------------------- */

static void s_pair_list(pack_t *pack, const char *key, const buf_t *items, unsigned count)
{
    pack_text(pack, key);
    pack_array(pack, count);
    pack_raw(pack, items->bytes, items->size);
}

static void s_pair_severities(pack_t *pack, const char *key, const uint64_t count[SEVERITY_COUNT])
{
    pack_text(pack, key);
    pack_map(pack, SEVERITY_COUNT);
    for (severity_t s = SEVERITY_COUNT; s-- > 0;)
        pack_pair_int(pack, severity_name(s), (int64_t)count[s]);
}

static void s_write_json(job_t *job, buf_t *out)
{
    buf_t packed = { 0 };
    pack_t pack;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    const tally_t *tally = &job->tally;
    pack_init(&pack, &packed);
    pack_map(&pack, 3);
    s_pair_list(&pack, "files", &job->files, tally->analysed);
    s_pair_list(&pack, "others", &job->others, tally->skipped + tally->unread);
    pack_text(&pack, "summary");
    pack_map(&pack, job->options.baseline ? 5 : 4);
    pack_pair_int(&pack, "analysed", tally->analysed);
    pack_pair_int(&pack, "skipped", tally->skipped);
    pack_pair_int(&pack, "unread", tally->unread);
    s_pair_severities(&pack, "by_severity", tally->by_severity);
    if (job->options.baseline)
        s_pair_severities(&pack, "new_by_severity", tally->new_by_severity);
    const value_t *tree =
        value_parse(&arena, packed.bytes, packed.size,
                    (value_limits_t){ .depth = VALUE_LIMITS.depth, .nodes = UINT32_MAX }, &verdict);
    insist(tree);
    json_write_pretty(tree, out);
    arena_free(&arena);
    buf_free(&packed);
}

static void s_finish(job_t *job)
{
    buf_t out = { 0 };
    if (job->options.format == ANALYZE_TEXT)
        report_tally(&out, &job->tally, job->has_colours);
    else if (job->options.format == ANALYZE_JSON)
        s_write_json(job, &out);
    else
        sarif_close(&job->sarif, &out);
    if (job->options.format != ANALYZE_TEXT)
        buf_add_byte(&out, '\n');
    fwrite(out.bytes, 1, out.size, stdout);
    buf_free(&out);
    buf_free(&job->files);
    buf_free(&job->others);
    mem_free(job->tally.lowest_path);
}

static int s_status(const job_t *job)
{
    if (job->tally.unread)
        return EXIT_UNREAD;
    for (unsigned s = job->options.fail_on; s < SEVERITY_COUNT; s++)
        if (job->tally.new_by_severity[s])
            return EXIT_FOUND;
    return EXIT_CLEAN;
}

/* https://no-color.org: any value that is not empty. */
static bool s_wants_colours(void)
{
    const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return !(no_color && no_color[0]) && isatty(STDOUT_FILENO) &&
           !(terminal && strcmp(terminal, "dumb") == 0);
}

static int s_run_analyze(app_t *app, int argc, char **argv)
{
    job_t job = { .options = { .fail_on = SEVERITY_ERROR },
                  .has_colours = s_wants_colours(),
                  .tally = { .lowest_score = 100 } };
    (void)app;
    if (!analyze_options_take(&job.options, &argc, argv))
        return APP_EXIT_USAGE;
    if (argc == 0)
        return app_fail(APP_EXIT_USAGE, "name the files or folders to analyse, or - for standard "
                                        "input; try --help");
    if (job.options.baseline && !analyze_baseline_read(&job.baseline, job.options.baseline)) {
        analyze_baseline_free(&job.baseline);
        return APP_EXIT_USAGE;
    }
    if (job.options.format == ANALYZE_SARIF)
        sarif_open(&job.sarif);
    for (int i = 0; i < argc; i++)
        s_take_path(&job, argv[i]);
    int status = s_status(&job);
    s_finish(&job);
    analyze_baseline_free(&job.baseline);
    if (fflush(stdout) != 0)
        return app_fail(EXIT_UNREAD, "the report cannot be written: %s", strerror(errno));
    return status;
}

static const char *const s_no_sections[] = { NULL };

const command_t command_analyze = {
    .name = "analyze",
    .arguments = "FILE|FOLDER|- ... [--format text|json|sarif] [--fail-on SEVERITY] ...",
    .about = "Analyses workflows without a server, and says by its exit status what was found",
    .help =
        "  --format text|json|sarif   how the result is printed; text by default\n"
        "  --kind KIND                n8n, node-red, asl or generic; found out when left out\n"
        "  --profile NAME             default (all rules), gate (errors only) or security\n"
        "  --fail-on SEVERITY         critical, error, warning, info or none; error by default\n"
        "  --baseline FILE            an earlier result (--format json): only what is new since\n"
        "                             is shown and counts\n"
        "\n"
        "In a folder, files that end in .json or .asl are taken, without hidden ones and\n"
        "node_modules; those that are no workflows are skipped. Exit status: 0 when nothing of\n"
        "that severity or above was found, 1 when something was, 2 when something named could\n"
        "not be read.",
    .sections = s_no_sections,
    .run = s_run_analyze,
};
