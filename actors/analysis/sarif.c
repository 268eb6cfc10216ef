/* SPDX-License-Identifier: MPL-2.0
 *
 * sarif - results in the format of code scanning: SARIF 2.1.0
 *
 * The document is packed as msgpack and written as JSON at the end, by the one writer there is.
 * Numbers in brackets are sections of the standard.
 */
#include "config.h"

#include <uthash.h>

#include "actors/analysis/fingerprints.h"
#include "actors/analysis/sarif.h"
#include "actors/base/id.h"
#include "proto/json.h"

#define SARIF_SCHEMA                                                                               \
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#define SARIF_FINGERPRINT "signalbox/v1"

/* A file that is in the list of artifacts. */
struct sarif_file {
    UT_hash_handle hh;
    char path[];
};

/* By severity: the level (3.27.10), and what GitHub orders security alerts by. */
static const struct {
    const char *level, *security;
} s_levels[SEVERITY_COUNT] = {
    [SEVERITY_CRITICAL] = { "error", "9.5" },
    [SEVERITY_ERROR] = { "error", "8.0" },
    [SEVERITY_WARNING] = { "warning", "5.0" },
    [SEVERITY_INFO] = { "note", "2.0" },
};

static void s_pair_slice(pack_t *pack, const char *key, slice_t text)
{
    pack_text(pack, key);
    pack_string(pack, text.text, text.size);
}

/* A message or a description (3.11, 3.12): { text }. */
static void s_pair_message(pack_t *pack, const char *key, const char *text)
{
    pack_text(pack, key);
    pack_map(pack, 1);
    pack_pair_text(pack, "text", text);
}

/* ---- rules (3.49) ---------------------------------------------------------------------------- */

static void s_write_help(pack_t *pack, const rule_t *rule)
{
    char *text = mem_format("%s %s", rule->why, rule->fix);
    char *markdown =
        mem_format("**%s**\n\n%s\n\n**What to do:** %s", rule->title, rule->why, rule->fix);
    pack_text(pack, "help");
    pack_map(pack, 2);
    pack_pair_text(pack, "text", text);
    pack_pair_text(pack, "markdown", markdown);
    mem_free(text);
    mem_free(markdown);
}

static void s_write_rule(pack_t *pack, const rule_t *rule)
{
    bool is_security = rule->category == CATEGORY_SECURITY;
    pack_map(pack, 6);
    pack_pair_text(pack, "id", rule->id);
    s_pair_message(pack, "shortDescription", rule->title);
    s_pair_message(pack, "fullDescription", rule->why);
    s_write_help(pack, rule);
    pack_text(pack, "defaultConfiguration");
    pack_map(pack, 1);
    pack_pair_text(pack, "level", s_levels[rule->severity].level);
    pack_text(pack, "properties");
    pack_map(pack, is_security ? 3 : 2);
    pack_text(pack, "tags");
    pack_array(pack, 1);
    pack_text(pack, category_name(rule->category));
    pack_pair_text(pack, "severity", severity_name(rule->severity));
    if (is_security)
        pack_pair_text(pack, "security-severity", s_levels[rule->severity].security);
}

/* Where the rule stands in the list; it is put there when it fires first. NODE_NONE: a rule of
 * another version, which is not described. */
static uint32_t s_rule_index(sarif_t *self, slice_t id)
{
    const rule_t *rule;
    size_t i = 0;
    while ((rule = rule_at(i)) && !slice_is(id, rule->id))
        i++;
    if (!rule)
        return NODE_NONE;
    if (!self->indices[i]) {
        pack_t pack;
        pack_init(&pack, &self->rules);
        s_write_rule(&pack, rule);
        self->indices[i] = ++self->rule_count;
    }
    return self->indices[i] - 1;
}

/* ---- locations (3.28) ------------------------------------------------------------------------ */

/* A relative reference of RFC 3986: every character of a path stands for itself or is encoded. */
static void s_add_uri(buf_t *out, const char *path)
{
    for (const char *at = path; *at; at++) {
        if (id_is_name(at, 1, 1) || *at == '/' || *at == '~')
            buf_add_byte(out, (uint8_t)*at);
        else
            buf_printf(out, "%%%02X", (unsigned char)*at);
    }
}

static void s_write_artifact_location(pack_t *pack, const char *path)
{
    buf_t uri = { 0 };
    s_add_uri(&uri, path);
    pack_map(pack, 1);
    pack_text(pack, "uri");
    pack_string(pack, (const char *)uri.bytes, uri.size);
    buf_free(&uri);
}

/* A node (3.33): its name, and its id as what identifies it. */
static void s_write_logical(pack_t *pack, const value_t *node)
{
    slice_t type = slice_get(node, "type");
    pack_map(pack, type.size ? 4 : 3);
    s_pair_slice(pack, "name", slice_get(node, "name"));
    s_pair_slice(pack, "fullyQualifiedName", slice_get(node, "id"));
    pack_pair_text(pack, "kind", "node");
    if (type.size) {
        pack_text(pack, "properties");
        pack_map(pack, 1);
        s_pair_slice(pack, "type", type);
    }
}

/* The members of a location; `path` and `node` may be missing, not both. */
static void s_write_place(pack_t *pack, const char *path, const value_t *node)
{
    bool has_node = value_is_type(node, VALUE_MAP);
    if (path) {
        pack_text(pack, "physicalLocation");
        pack_map(pack, 2);
        pack_text(pack, "artifactLocation");
        s_write_artifact_location(pack, path);
        /* viewers want a line, and a node has none */
        pack_text(pack, "region");
        pack_map(pack, 1);
        pack_pair_int(pack, "startLine", 1);
    }
    if (has_node) {
        pack_text(pack, "logicalLocations");
        pack_array(pack, 1);
        s_write_logical(pack, node);
    }
}

static void s_write_location(pack_t *pack, const char *path, const value_t *node)
{
    pack_map(pack, (size_t)(path != NULL) + value_is_type(node, VALUE_MAP));
    s_write_place(pack, path, node);
}

static void s_write_locations(pack_t *pack, const char *path, const value_t *node)
{
    bool is_known = path || value_is_type(node, VALUE_MAP);
    pack_text(pack, "locations");
    pack_array(pack, is_known);
    if (is_known)
        s_write_location(pack, path, node);
}

/* All nodes with the same cause but the first, which is the location itself. Their numbers (3.28.2)
 * tell them apart, for no two may be equal and workflows may have equal nodes. */
static void s_write_related(pack_t *pack, const value_t *nodes)
{
    pack_text(pack, "relatedLocations");
    pack_array(pack, nodes->count - 1);
    for (uint32_t i = 1; i < nodes->count; i++) {
        pack_map(pack, 1 + (size_t)value_is_type(&nodes->items[i], VALUE_MAP));
        pack_pair_int(pack, "id", i);
        s_write_place(pack, NULL, &nodes->items[i]);
    }
}

/* The proof (3.36 to 3.38): one thread of one flow. */
static void s_write_flow(pack_t *pack, const value_t *path)
{
    const value_t *node;
    pack_text(pack, "codeFlows");
    pack_array(pack, 1);
    pack_map(pack, 1);
    pack_text(pack, "threadFlows");
    pack_array(pack, 1);
    pack_map(pack, 1);
    pack_text(pack, "locations");
    pack_array(pack, path->count);
    for (uint32_t i = 0; (node = value_item(path, i)); i++) {
        pack_map(pack, 1);
        pack_text(pack, "location");
        s_write_location(pack, NULL, node);
    }
}

/* ---- results (3.27) -------------------------------------------------------------------------- */

static void s_write_message(pack_t *pack, const value_t *issue)
{
    slice_t title = slice_get(issue, "title"), evidence = slice_get(issue, "evidence"),
            node = slice_of(value_at(issue, "node.name"));
    buf_t text = { 0 };
    if (node.size) {
        buf_add(&text, node.text, node.size);
        buf_add_text(&text, ": ");
    }
    buf_add(&text, title.text, title.size);
    buf_add_byte(&text, '.');
    if (evidence.size) {
        buf_add_byte(&text, ' ');
        buf_add(&text, evidence.text, evidence.size);
    }
    s_pair_message(pack, "message", buf_text(&text));
    buf_free(&text);
}

static size_t s_write_rule_reference(pack_t *pack, slice_t id, uint32_t index)
{
    s_pair_slice(pack, "ruleId", id);
    if (index == NODE_NONE)
        return 1;
    pack_pair_int(pack, "ruleIndex", index);
    return 2;
}

/* `state` is against a baseline (3.27.24); NULL when there is none. */
static void s_write_result(sarif_t *self, pack_t *pack, const value_t *issue, const char *path,
                           const char *state)
{
    slice_t rule = slice_get(issue, "rule");
    const value_t *nodes = value_get(issue, "nodes"), *way = value_get(issue, "path"),
                  *points = value_get(issue, "points");
    severity_t severity = SEVERITY_INFO;
    slice_t word = slice_get(issue, "severity");
    bool is_known = severity_find(word.text, word.size, &severity);
    size_t position = pack_open_map(pack);
    size_t pairs = s_write_rule_reference(pack, rule, s_rule_index(self, rule));

    pack_pair_text(pack, "level", s_levels[is_known ? severity : SEVERITY_INFO].level);
    s_write_message(pack, issue);
    s_write_locations(pack, path, value_get(issue, "node"));
    pack_text(pack, "partialFingerprints");
    pack_map(pack, 1);
    s_pair_slice(pack, SARIF_FINGERPRINT, slice_get(issue, "fingerprint"));
    pairs += 4;
    if (state) {
        pack_pair_text(pack, "baselineState", state);
        pairs++;
    }
    if (value_is_type(nodes, VALUE_ARRAY) && nodes->count > 1) {
        s_write_related(pack, nodes);
        pairs++;
    }
    if (value_is_type(way, VALUE_ARRAY) && way->count > 0) {
        s_write_flow(pack, way);
        pairs++;
    }
    pack_text(pack, "properties");
    pack_map(pack, 3);
    s_pair_slice(pack, "category", slice_get(issue, "category"));
    s_pair_slice(pack, "severity", word);
    pack_text(pack, "points");
    pack_double(pack, value_is_type(points, VALUE_FLOAT) ? points->number : 0);
    pack_close(pack, position, pairs + 1);
}

/* ---- artifacts (3.24) ------------------------------------------------------------------------ */

/* Each file stands in the list once (3.14.15), however often it is added. */
static void s_add_artifact(sarif_t *self, const char *path)
{
    sarif_file_t *file;
    pack_t pack;
    size_t size = strlen(path);
    HASH_FIND(hh, self->files, path, size, file);
    if (file)
        return;
    file = mem_zeroed(sizeof *file + size + 1);
    memcpy(file->path, path, size);
    HASH_ADD(hh, self->files, path, (unsigned)size, file);
    pack_init(&pack, &self->artifacts);
    pack_map(&pack, 1);
    pack_text(&pack, "location");
    s_write_artifact_location(&pack, path);
    self->artifact_count++;
}

static void s_free_files(sarif_t *self)
{
    sarif_file_t *file, *next;
    HASH_ITER(hh, self->files, file, next)
    {
        HASH_DEL(self->files, file);
        mem_free(file);
    }
}

void sarif_open(sarif_t *self)
{
    *self = (sarif_t){ .indices = mem_array(rule_count(), sizeof *self->indices) };
    memset(self->indices, 0, rule_count() * sizeof *self->indices);
}

/* States of the issues of one result, by whether the other one has them; those without a state are
 * left out. */
typedef struct {
    const fingerprints_t *other;
    const char *shared, *own;
} states_t;

static void s_add_results(sarif_t *self, const value_t *result, const char *path,
                          const states_t *states)
{
    const value_t *issue, *issues = value_get(result, "issues");
    pack_t pack;
    pack_init(&pack, &self->results);
    for (uint32_t i = 0; (issue = value_item(issues, i)); i++) {
        const char *state = !states                                   ? NULL
                            : fingerprints_have(states->other, issue) ? states->shared
                                                                      : states->own;
        if (states && !state)
            continue;
        s_write_result(self, &pack, issue, path, state);
        self->result_count++;
    }
}

void sarif_add(sarif_t *self, const value_t *result, const char *path)
{
    if (path)
        s_add_artifact(self, path);
    s_add_results(self, result, path, NULL);
}

void sarif_add_against(sarif_t *self, const value_t *result, const char *path,
                       const value_t *baseline, bool with_absent)
{
    arena_t arena = { 0 };
    fingerprints_t before, now;
    fingerprints_make(&before, &arena, baseline);
    fingerprints_make(&now, &arena, result);
    if (path)
        s_add_artifact(self, path);
    s_add_results(self, result, path, &(states_t){ &before, "unchanged", "new" });
    if (with_absent)
        s_add_results(self, baseline, path, &(states_t){ &now, NULL, "absent" });
    arena_free(&arena);
}

/* ---- the document (3.13) --------------------------------------------------------------------- */

static void s_pair_list(pack_t *pack, const char *key, const buf_t *items, uint32_t count)
{
    pack_text(pack, key);
    pack_array(pack, count);
    pack_raw(pack, items->bytes, items->size);
}

static void s_write_run(sarif_t *self, pack_t *pack)
{
    pack_map(pack, self->artifact_count ? 4 : 3);
    pack_text(pack, "tool");
    pack_map(pack, 1);
    pack_text(pack, "driver");
    pack_map(pack, 4);
    pack_pair_text(pack, "name", "Signalbox");
    pack_pair_text(pack, "version", PACKAGE_VERSION);
    pack_pair_text(pack, "semanticVersion", PACKAGE_VERSION);
    s_pair_list(pack, "rules", &self->rules, self->rule_count);
    pack_pair_text(pack, "columnKind", "unicodeCodePoints");
    if (self->artifact_count)
        s_pair_list(pack, "artifacts", &self->artifacts, self->artifact_count);
    s_pair_list(pack, "results", &self->results, self->result_count);
}

void sarif_close(sarif_t *self, buf_t *out)
{
    buf_t packed = { 0 };
    pack_t pack;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    pack_init(&pack, &packed);
    pack_map(&pack, 3);
    pack_pair_text(&pack, "$schema", SARIF_SCHEMA);
    pack_pair_text(&pack, "version", "2.1.0");
    pack_text(&pack, "runs");
    pack_array(&pack, 1);
    s_write_run(self, &pack);
    const value_t *document =
        value_parse(&arena, packed.bytes, packed.size,
                    (value_limits_t){ .depth = 32, .nodes = UINT32_MAX }, &verdict);
    insist(document); /* we have written it ourselves */
    json_write(document, out);
    arena_free(&arena);
    buf_free(&packed);
    buf_free(&self->rules);
    buf_free(&self->results);
    buf_free(&self->artifacts);
    s_free_files(self);
    mem_free(self->indices);
}
