/* SPDX-License-Identifier: MPL-2.0
 *
 * analyze_report - results of `signalbox analyze` for people to read
 */
#include "config.h"

#include "actors/analysis/fingerprints.h"
#include "actors/analysis/overlay.h"
#include "deploy/analyze_report.h"

#define LINE_COLUMNS 100
#define TEXT_INDENT  20 /* of what is said about an issue */
#define ALSO_SHOWN   5  /* further nodes named */

static const severity_t s_severities[SEVERITY_COUNT] = { SEVERITY_CRITICAL, SEVERITY_ERROR,
                                                         SEVERITY_WARNING, SEVERITY_INFO };

/* Sequences of ECMA-48, 8.3.117. */
static const char *const s_colours[SEVERITY_COUNT] = {
    [SEVERITY_CRITICAL] = "1;35",
    [SEVERITY_ERROR] = "31",
    [SEVERITY_WARNING] = "33",
    [SEVERITY_INFO] = "36",
};
#define BOLD "1"
#define DIM  "2"

typedef struct {
    buf_t *out;
    bool has_colours;
} report_out_t;

static void s_begin(report_out_t *self, const char *colour)
{
    if (self->has_colours)
        buf_printf(self->out, "\033[%sm", colour);
}

static void s_end(report_out_t *self)
{
    if (self->has_colours)
        buf_add_text(self->out, "\033[0m");
}

static void s_coloured(report_out_t *self, const char *colour, const char *text)
{
    s_begin(self, colour);
    buf_add_text(self->out, text);
    s_end(self);
}

/* A label, and its text broken between words into lines under each other. */
static void s_add_said(report_out_t *self, const char *label, slice_t text)
{
    char head[TEXT_INDENT + 1];
    size_t column = TEXT_INDENT;
    if (!text.size)
        return;
    snprintf(head, sizeof head, "%10s%-*s", "", TEXT_INDENT - 10, label);
    s_coloured(self, DIM, head);
    while (text.size) {
        const char *space = memchr(text.text, ' ', text.size);
        uint32_t size = space ? (uint32_t)(space - text.text) : text.size;
        size_t width = text_utf8_length(text.text, size);
        if (column > TEXT_INDENT && column + 1 + width > LINE_COLUMNS) {
            buf_printf(self->out, "\n%*s", TEXT_INDENT, "");
            column = TEXT_INDENT;
        } else if (column > TEXT_INDENT) {
            buf_add_byte(self->out, ' ');
            column++;
        }
        buf_add(self->out, text.text, size);
        column += width;
        text = slice_after(text, size + 1);
    }
    buf_add_byte(self->out, '\n');
}

static void s_add_name(buf_t *out, const value_t *node)
{
    slice_t name = slice_get(node, "name");
    buf_add(out, name.text, name.size);
}

/* "a -> b -> (7 more) -> z". */
static void s_add_path(report_out_t *self, const value_t *issue)
{
    const value_t *path = value_get(issue, "path"), *node;
    long long left_out = (long long)value_get_int(issue, "path_left_out", 0);
    buf_t text = { 0 };
    for (uint32_t i = 0; (node = value_item(path, i)); i++) {
        if (i && left_out && i == path->count / 2)
            buf_printf(&text, " -> (%lld more)", left_out);
        if (i)
            buf_add_text(&text, " -> ");
        s_add_name(&text, node);
    }
    s_add_said(self, "proof", slice_make((const char *)text.bytes, text.size));
    buf_free(&text);
}

/* The nodes besides the first that have the same cause. */
static void s_add_others(report_out_t *self, const value_t *issue)
{
    const value_t *nodes = value_get(issue, "nodes"), *node;
    int64_t left_out = value_get_int(issue, "nodes_left_out", 0);
    buf_t text = { 0 };
    for (uint32_t i = 1; (node = value_item(nodes, i)); i++) {
        if (i > ALSO_SHOWN) {
            left_out += nodes->count - i;
            break;
        }
        if (i > 1)
            buf_add_text(&text, ", ");
        s_add_name(&text, node);
    }
    if (left_out)
        buf_printf(&text, " and %lld more", (long long)left_out);
    s_add_said(self, "also", slice_make((const char *)text.bytes, text.size));
    buf_free(&text);
}

static void s_add_issue(report_out_t *self, const value_t *issue)
{
    severity_t severity = issue_severity(issue);
    slice_t rule = slice_get(issue, "rule"), title = slice_get(issue, "title");
    const value_t *node = value_get(issue, "node");
    char word[16];
    snprintf(word, sizeof word, "  %-8s", severity_name(severity));
    s_coloured(self, s_colours[severity], word);
    buf_printf(self->out, "  %.*s  ", (int)rule.size, rule.text);
    s_begin(self, BOLD);
    buf_add(self->out, title.text, title.size);
    s_end(self);
    if (value_is_type(node, VALUE_MAP)) {
        buf_add_text(self->out, ", at ");
        s_add_name(self->out, node);
    }
    buf_add_byte(self->out, '\n');
    s_add_others(self, issue);
    s_add_path(self, issue);
    s_add_said(self, "evidence", slice_get(issue, "evidence"));
    s_add_said(self, "fix", slice_get(issue, "fix"));
}

void report_file(buf_t *out, const char *path, const value_t *result, const value_t *before,
                 bool has_colours)
{
    report_out_t self = { .out = out, .has_colours = has_colours };
    arena_t arena = { 0 };
    fingerprints_t known;
    unsigned known_count = 0;
    const value_t *issue, *summary = value_get(result, "summary");
    slice_t kind = slice_get(result, "kind"), grade = slice_get(result, "grade");
    long long left_out = (long long)value_get_int(summary, "left_out", 0);

    s_coloured(&self, BOLD, path);
    buf_printf(out, "\n  score %lld, grade %.*s (%.*s, %lld nodes)\n",
               (long long)value_get_int(result, "score", 0), (int)grade.size, grade.text,
               (int)kind.size, kind.text, (long long)value_get_int(summary, "nodes", 0));
    fingerprints_make(&known, &arena, before);
    for (uint32_t i = 0; (issue = value_item(value_get(result, "issues"), i)); i++) {
        if (fingerprints_have(&known, issue))
            known_count++;
        else
            s_add_issue(&self, issue);
    }
    if (left_out)
        buf_printf(out, "  and %lld more issues\n", left_out);
    if (known_count)
        buf_printf(out, "  and %u of the baseline\n", known_count);
    buf_add_byte(out, '\n');
    arena_free(&arena);
}

void report_tally(buf_t *out, const tally_t *tally, bool has_colours)
{
    report_out_t self = { .out = out, .has_colours = has_colours };
    uint64_t known = 0;
    buf_printf(out, "%u workflow%s analysed", tally->analysed, tally->analysed == 1 ? "" : "s");
    if (tally->skipped)
        buf_printf(out, ", %u other file%s skipped", tally->skipped,
                   tally->skipped == 1 ? "" : "s");
    if (tally->unread)
        buf_printf(out, ", %u not readable", tally->unread);
    buf_add_text(out, ": ");
    for (size_t i = 0; i < SEVERITY_COUNT; i++) {
        char word[64];
        uint64_t count = tally->new_by_severity[s_severities[i]];
        snprintf(word, sizeof word, "%llu %s", (unsigned long long)count,
                 severity_name(s_severities[i]));
        if (i)
            buf_add_text(out, ", ");
        if (count)
            s_coloured(&self, s_colours[s_severities[i]], word);
        else
            buf_add_text(out, word);
        known += tally->by_severity[i] - tally->new_by_severity[i];
    }
    if (known)
        buf_printf(out, ", and %llu of the baseline", (unsigned long long)known);
    buf_add_byte(out, '\n');
    if (tally->analysed > 1)
        buf_printf(out, "Lowest score: %lld, %s\n", (long long)tally->lowest_score,
                   tally->lowest_path);
}
