/* SPDX-License-Identifier: MPL-2.0
 *
 * The pages of the rules say what the rows say: every row has a page and every page a row, and the
 * table in docs/rules/README.md is the rows. UPDATE_DOCS=1 writes the table anew.
 */
#include "config.h"

#include <dirent.h>

#include "tests/tap.h"
#include "tests/unit/analysis_kit.h"

static const char s_begin[] = "checked by `make check` -->\n";
static const char s_end[] = "<!-- end of rows -->";

static bool s_read(const char *path, buf_t *text)
{
    FILE *file = fopen(path, "rb");
    size_t got;
    if (!file)
        return false;
    while ((got = fread(buf_reserve(text, 65536), 1, 65536, file)))
        text->size += got;
    fclose(file);
    return true;
}

static void s_add_kinds(buf_t *out, unsigned kinds)
{
    const analyser_t *analyser;
    const char *comma = "";
    for (size_t i = 0; (analyser = analyser_at(i)); i++)
        if (kinds & analyser->bit) {
            buf_printf(out, "%s%s", comma, analyser->kind);
            comma = ", ";
        }
}

static int s_by_id(const void *a, const void *b)
{
    const rule_t *const *one = a, *const *other = b;
    if ((*one)->category != (*other)->category)
        return (*one)->category < (*other)->category ? -1 : 1;
    return strcmp((*one)->id, (*other)->id);
}

static void s_add_table(buf_t *out)
{
    const rule_t **rules = mem_array(rule_count(), sizeof *rules);
    for (size_t i = 0; i < rule_count(); i++)
        rules[i] = rule_at(i);
    qsort(rules, rule_count(), sizeof *rules, s_by_id);
    buf_add_text(out, "| rule | category | severity | kinds | what is the case |\n");
    buf_add_text(out, "|---|---|---|---|---|\n");
    for (size_t i = 0; i < rule_count(); i++) {
        const rule_t *rule = rules[i];
        buf_printf(out, "| [%s](%s.md) | %s | %s | ", rule->id, rule->id,
                   category_name(rule->category), severity_name(rule->severity));
        s_add_kinds(out, rule->kinds);
        buf_printf(out, " | %s |\n", rule->title);
    }
    mem_free(rules);
}

static void s_write(const char *path, const char *text, const char *from, const char *to,
                    const buf_t *table)
{
    FILE *file = fopen(path, "wb");
    if (!ok(file != NULL))
        return;
    fwrite(text, 1, (size_t)(from - text), file);
    fwrite(table->bytes, 1, table->size, file);
    fputs(to, file);
    fclose(file);
}

static void table_is_the_rows(void)
{
    kit_t kit = { 0 };
    buf_t text = { 0 }, table = { 0 };
    const char *path = kit_folder(&kit, "docs/rules/README.md");

    if (ok(s_read(path, &text))) {
        const char *whole = buf_text(&text), *from = strstr(whole, s_begin);
        const char *to = from ? strstr(from, s_end) : NULL;
        s_add_table(&table);
        if (ok(to != NULL)) {
            from += strlen(s_begin);
            if (getenv("UPDATE_DOCS"))
                s_write(path, whole, from, to, &table);
            else
                ok((size_t)(to - from) == table.size && memcmp(from, table.bytes, table.size) == 0);
        }
    }
    buf_free(&text);
    buf_free(&table);
    kit_free(&kit);
}

static void every_row_has_a_page(void)
{
    kit_t kit = { 0 };
    const rule_t *rule;

    for (size_t i = 0; (rule = rule_at(i)); i++) {
        buf_t text = { 0 };
        const char *path =
            arena_format(&kit.arena, "%s/%s.md", kit_folder(&kit, "docs/rules"), rule->id);
        const char *head =
            arena_format(&kit.arena, "# %s: %s\n\n%s · %s · ", rule->id, rule->title,
                         category_name(rule->category), severity_name(rule->severity));
        bool found = s_read(path, &text);
        ok_named(found && text_starts(buf_text(&text), head), rule->id);
        ok_named(found && strstr(buf_text(&text), rule->why), "... says why");
        ok_named(found && strstr(buf_text(&text), rule->fix), "... says how to fix it");
        ok_named(found && strstr(buf_text(&text), "## How often it fires\n"), "... and how often");
        buf_free(&text);
    }
    kit_free(&kit);
}

static void every_page_has_a_row(void)
{
    kit_t kit = { 0 };
    DIR *folder = opendir(kit_folder(&kit, "docs/rules"));
    struct dirent *entry;

    if (!ok(folder != NULL))
        return;
    while ((entry = readdir(folder))) {
        char id[16];
        if (!text_ends(entry->d_name, ".md") || strcmp(entry->d_name, "README.md") == 0)
            continue;
        text_copy(id, sizeof id, entry->d_name, strlen(entry->d_name) - 3);
        ok_named(rule_named(id) != NULL, entry->d_name);
    }
    closedir(folder);
    kit_free(&kit);
}

TESTS({ "table is the rows", table_is_the_rows }, { "every row has a page", every_row_has_a_page },
      { "every page has a row", every_page_has_a_row })
