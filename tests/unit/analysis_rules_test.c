/* SPDX-License-Identifier: MPL-2.0
 *
 * Every rule has a document that fires it and one that nearly does, for one kind at least. The
 * names of the fixtures say which: <rule>-fires[-<kind>].json, <rule>-near[-<kind>].json.
 */
#include "config.h"

#include <dirent.h>

#include "tests/tap.h"
#include "tests/unit/analysis_kit.h"

static const char s_folder[] = "tests/fixtures/analysis";

/* A finding at a node that can be reached has to show how. */
static bool s_has_proof(const kit_t *kit, const finding_t *finding)
{
    if (finding->node == NODE_NONE || finding->path_count)
        return true;
    return strcmp(finding->rule->id, "WF102") == 0 || strcmp(finding->rule->id, "WF103") == 0 ||
           strcmp(finding->rule->id, "WF106") == 0 || strcmp(finding->rule->id, "SF101") == 0 ||
           kit->result.model->nodes[finding->node].class == CLASS_CONFIG;
}

static void s_check_fixture(const char *file, const char *id, bool fires)
{
    kit_t kit = { 0 };
    const char *path = arena_format(&kit.arena, "%s/%s", kit_folder(&kit, s_folder), file);

    if (!kit_read(&kit, path) || kit_run(&kit) != ANALYSIS_DONE) {
        ok_named(false, file);
        note("%s", kit.result.why);
        kit_free(&kit);
        return;
    }
    const finding_t *finding = kit_finding(&kit, id);
    ok_named((finding != NULL) == fires, file);
    if (finding && fires)
        ok_named(s_has_proof(&kit, finding), "... with a proof");
    for (uint32_t i = 0; i < kit.result.finding_count; i++) {
        const finding_t *other = kit.result.findings[i];
        bool grave = other->rule->severity >= SEVERITY_ERROR && strcmp(other->rule->id, id) != 0;
        if (grave)
            ok_named(!grave, other->rule->id);
    }
    kit_free(&kit);
}

static void fixtures(void)
{
    kit_t kit = { 0 };
    DIR *folder = opendir(kit_folder(&kit, s_folder));
    struct dirent *entry;

    if (!ok(folder != NULL))
        return;
    while ((entry = readdir(folder))) {
        char id[16];
        const char *dash = strchr(entry->d_name, '-');
        if (!dash || !text_ends(entry->d_name, ".json"))
            continue;
        text_copy(id, sizeof id, entry->d_name, (size_t)(dash - entry->d_name));
        if (!rule_named(id))
            ok_named(false, entry->d_name);
        else
            s_check_fixture(entry->d_name, id, text_starts(dash, "-fires"));
    }
    closedir(folder);
    kit_free(&kit);
}

static void every_rule_has_both(void)
{
    static const char *const both[] = { "fires", "near" };
    kit_t kit = { 0 };
    const rule_t *rule;

    for (size_t i = 0; (rule = rule_at(i)); i++)
        for (size_t b = 0; b < COUNT_OF(both); b++) {
            const char *path = arena_format(&kit.arena, "%s/%s-%s.json", kit_folder(&kit, s_folder),
                                            rule->id, both[b]);
            FILE *file = fopen(path, "r");
            ok_named(file != NULL, path);
            if (file)
                fclose(file);
        }
    kit_free(&kit);
}

static void rows_are_complete(void)
{
    const rule_t *rule, *other;
    ok(rule_count() >= 45);
    for (size_t i = 0; (rule = rule_at(i)); i++) {
        bool whole = rule->kinds && rule->title && rule->why && rule->fix && rule->check &&
                     rule->category < CATEGORY_COUNT && rule->severity < SEVERITY_COUNT;
        ok_named(whole, rule->id);
        for (size_t k = 0; k < i; k++) {
            other = rule_at(k);
            if (strcmp(rule->id, other->id) == 0)
                ok_named(false, "an id stands for one rule only");
        }
    }
}

TESTS({ "fixtures", fixtures }, { "every rule has both", every_rule_has_both },
      { "rows are complete", rows_are_complete })
