/* SPDX-License-Identifier: MPL-2.0
 *
 * The tables of node types: sorted, since they are searched by halves, and right about a few.
 */
#include "config.h"

#include "actors/analysis/catalog.h"
#include "tests/tap.h"

static void tables_are_sorted(void)
{
    static const struct {
        const char *name;
        const catalog_t *catalog;
    } tables[] = {
        { "n8n base", &catalog_n8n_base },         { "n8n AI", &catalog_n8n_ai },
        { "Node-RED", &catalog_nodered },          { "ASL states", &catalog_asl_states },
        { "ASL services", &catalog_asl_services }, { "generic", &catalog_generic },
    };
    for (size_t t = 0; t < COUNT_OF(tables); t++) {
        const catalog_row_t *rows = tables[t].catalog->rows;
        bool sorted = tables[t].catalog->count > 0;
        for (size_t i = 1; i < tables[t].catalog->count; i++)
            sorted &=
                slice_compare(slice_literal(rows[i - 1].type), slice_literal(rows[i].type)) < 0;
        for (size_t i = 0; i < tables[t].catalog->count; i++)
            sorted &= catalog_find(tables[t].catalog, slice_literal(rows[i].type)) == &rows[i];
        ok_named(sorted, tables[t].name);
    }
}

static void n8n_types(void)
{
    static const struct {
        const char *type;
        node_class_t class;
        bool unknown;
    } cases[] = {
        { "n8n-nodes-base.httpRequest", CLASS_HTTP, false },
        { "n8n-nodes-base.if", CLASS_BRANCH, false },
        { "n8n-nodes-base.acmeTrigger", CLASS_TRIGGER, false },
        { "n8n-nodes-base.acmeTool", CLASS_AI_PART, false },
        { "n8n-nodes-base.acme", CLASS_APP, false },
        { "@n8n/n8n-nodes-langchain.agent", CLASS_MODEL, false },
        { "@n8n/n8n-nodes-langchain.memoryOfAcme", CLASS_AI_PART, false },
        { "@acme/n8n-nodes-acme.acme", CLASS_OTHER, true },
        { "@acme/n8n-nodes-acme.acmeTrigger", CLASS_TRIGGER, false },
        { "httpRequest", CLASS_OTHER, true },
        { "", CLASS_OTHER, true },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const catalog_row_t *row = catalog_n8n(slice_literal(cases[i].type));
        ok_named(row->class == cases[i].class && !!(row->traits & NODE_UNKNOWN) == cases[i].unknown,
                 *cases[i].type ? cases[i].type : "(empty)");
    }
}

static void every_class_has_a_name(void)
{
    for (node_class_t class = 0; class < CLASS_COUNT; class ++)
        ok_named(class_name(class) != NULL, class_name(class) ? class_name(class) : "missing");
}

TESTS({ "tables are sorted", tables_are_sorted }, { "n8n types", n8n_types },
      { "every class has a name", every_class_has_a_name })
