/* SPDX-License-Identifier: MPL-2.0
 *
 * Which node an expression or a program reads from.
 */
#include "config.h"

#include "actors/analysis/facts.h"
#include "tests/tap.h"
#include "tests/unit/analysis_kit.h"

/* What the parameter of a node refers to: names joined by "|", "!" in front of a guarded one. */
static const char *s_read(kit_t *kit, const char *type, const char *label, const char *text)
{
    buf_t json = { 0 }, names = { 0 };
    references_t found;
    texts_t texts;
    work_t work = { .arena = &kit->arena };
    model_t model;
    loader_t loader = { .work = &work, .model = &model };

    buf_printf(&json,
               "{ \"nodes\": [{ \"name\": \"A\", \"type\": \"n8n-nodes-base.set\" },"
               " { \"name\": \"it's\", \"type\": \"n8n-nodes-base.set\" },"
               " { \"name\": \"R\", \"type\": \"n8n-nodes-base.%s\", \"parameters\": { \"%s\": ",
               type, label);
    json_add_text(&json, text, strlen(text));
    buf_add_text(&json, " } }], \"connections\": {} }");
    insist(kit_parse(kit, buf_text(&json), json.size));
    insist(analyser_n8n.load(&loader, kit->document));
    texts_gather(&texts, &work, &model);
    references_gather(&found, &work, &model, &texts);
    for (uint32_t i = 0; i < found.count; i++)
        buf_printf(&names, "%s%s%.*s%s", i ? "|" : "", found.list[i].guarded ? "!" : "",
                   (int)found.list[i].name.size, found.list[i].name.text,
                   found.list[i].target == NODE_NONE ? "?" : "");
    const char *result = arena_text(&kit->arena, buf_text(&names), names.size);
    buf_free(&json);
    buf_free(&names);
    return result;
}

static void expressions(void)
{
    static const struct {
        const char *text, *names;
    } cases[] = {
        { "={{ $('A').item.json.x }}", "A" },
        { "={{ $(\"A\").first().json.x }}", "A" },
        { "={{ $(`A`).all() }}", "A" },
        { "={{ $('A')?.item.json.x }}", "A" },
        { "={{ $( 'A' ) .item }}", "A" },
        { "={{ $node[\"A\"].json.x }}", "A" },
        { "={{ $node.A.json.x }}", "A" },
        { "={{ $items('A', 0, 0) }}", "A" },
        { "={{ $('it\\'s').item }}", "it's" },
        { "={{ $('Gone').item }}", "Gone?" },
        { "={{ $('A').item }} and {{ $('Gone').item }}", "A|Gone?" },
        { "={{ $('A').isExecuted ? $('A').item : 0 }}", "!A" },
        { "={{ $json.x }}", "" },
        { "={{ $('A') }}", "" },
        { "={{ $('body').text() }}", "" },
        { "={{ $(`A${ i }`).item }}", "" },
        { "={{ $('A' + 1).item }}", "" },
        { "={{ money$('A').item }}", "" },
        { "={{ $('A }}", "" },
        { "= $('A').item outside of braces", "" },
        { "{{ $('A').item }} without the mark", "" },
        { "={{ $('A').item.json.x", "" },
    };
    kit_t kit = { 0 };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *names = s_read(&kit, "set", "value", cases[i].text);
        ok_named(strcmp(names, cases[i].names) == 0, cases[i].text);
        if (strcmp(names, cases[i].names) != 0)
            note("got %s", names);
    }
    kit_free(&kit);
}

static void programs(void)
{
    static const struct {
        const char *name, *text, *names;
    } cases[] = {
        { "a call", "return $('A').all();", "A" },
        { "in a template", "const u = `x/${$('A').first().json.id}`;", "A" },
        { "each once", "$('A').all(); $('A').first();", "A" },
        { "behind an address", "const u = 'https://acme.dev'; $('A').all();", "A" },
        { "in a line comment", "// $('A').all()\nreturn [];", "" },
        { "in a block comment", "/* $('Gone').all() */ return [];", "" },
        { "in an open comment", "/* $('Gone').all()", "" },
        { "cheerio", "const $ = cheerio.load(html); $('Gone').first();", "" },
        { "in a try", "try { return $('A').all(); } catch (e) { return []; }", "!A" },
        { "a method of that name", "page.$('Gone').first()", "" },
    };
    kit_t kit = { 0 };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        ok_named(strcmp(s_read(&kit, "code", "jsCode", cases[i].text), cases[i].names) == 0,
                 cases[i].name);
    kit_free(&kit);
}

TESTS({ "expressions", expressions }, { "programs", programs })
