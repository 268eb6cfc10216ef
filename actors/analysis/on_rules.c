/* SPDX-License-Identifier: MPL-2.0
 *
 * on_rules - what workflows are checked for
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "actors/analysis/service.h"

/* Whether a text field of the request was left out, or is that. */
static bool s_is_wanted(call_t *call, const char *field, const char *word)
{
    const char *text = call_text(call, field);
    return !text || strcmp(text, word) == 0;
}

static bool s_fits(call_t *call, const rule_t *rule)
{
    const char *kind = call_text(call, "kind");
    const analyser_t *analyser = kind ? analyser_named(slice_literal(kind)) : NULL;
    return (!kind || (analyser && (rule->kinds & analyser->bit))) &&
           s_is_wanted(call, "category", category_name(rule->category)) &&
           s_is_wanted(call, "severity", severity_name(rule->severity));
}

static void s_write_kinds(pack_t *pack, unsigned kinds)
{
    const analyser_t *analyser;
    pack_text(pack, "kinds");
    pack_array(pack, (size_t)__builtin_popcount(kinds));
    for (size_t i = 0; (analyser = analyser_at(i)); i++)
        if (kinds & analyser->bit)
            pack_text(pack, analyser->kind);
}

static void s_write_rule(pack_t *pack, const rule_t *rule)
{
    char page[64];
    snprintf(page, sizeof page, "docs/rules/%s.md", rule->id);
    pack_map(pack, 9);
    pack_pair_text(pack, "id", rule->id);
    pack_pair_text(pack, "title", rule->title);
    pack_pair_text(pack, "category", category_name(rule->category));
    pack_pair_text(pack, "severity", severity_name(rule->severity));
    pack_text(pack, "weight");
    pack_double(pack, score_points(rule->severity, 1));
    s_write_kinds(pack, rule->kinds);
    pack_pair_text(pack, "why", rule->why);
    pack_pair_text(pack, "fix", rule->fix);
    pack_pair_text(pack, "page", page);
}

static int s_by_id(const void *a, const void *b)
{
    const rule_t *const *one = a, *const *other = b;
    return strcmp((*one)->id, (*other)->id);
}

void on_rules(call_t *call, void *self)
{
    const rule_t **list = arena_array(call_arena(call), rule_count(), sizeof *list), *rule;
    size_t count = 0;
    (void)self;
    for (size_t i = 0; (rule = rule_at(i)); i++)
        if (s_fits(call, rule))
            list[count++] = rule;
    qsort(list, count, sizeof *list, s_by_id);
    pack_t *pack = call_pack(call);
    pack_map(pack, 1);
    pack_text(pack, "items");
    pack_array(pack, count);
    for (size_t i = 0; i < count; i++)
        s_write_rule(pack, list[i]);
    call_reply(call, 0);
}

void on_rule(call_t *call, void *self)
{
    const rule_t *rule = rule_named(call_text(call, "id"));
    (void)self;
    if (!rule) {
        call_fail(call, ERROR_NOT_FOUND, "There is no rule with this id");
        return;
    }
    s_write_rule(call_pack(call), rule);
    call_reply(call, 0);
}
