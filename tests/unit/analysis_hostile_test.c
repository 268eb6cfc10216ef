/* SPDX-License-Identifier: MPL-2.0
 *
 * Documents made to break the analysis: wrong types everywhere, shapes that are quadratic for the
 * careless, and sizes at and over the limits. The work is counted in steps, not in seconds.
 */
#include "config.h"

#include <dirent.h>
#include <pthread.h>

#include "tests/tap.h"
#include "tests/unit/analysis_kit.h"

/* ---- wrong types ----------------------------------------------------------------------------- */

static const value_t s_empty_item = { .type = VALUE_NIL };

/* What is put in place of each value in turn. */
static value_t s_odd(uint32_t i)
{
    switch (i % 9) {
    case 0:
        return (value_t){ .type = VALUE_NIL };
    case 1:
        return (value_t){ .type = VALUE_BOOL, .truth = true };
    case 2:
        return (value_t){ .type = VALUE_INT, .integer = -1 };
    case 3:
        return (value_t){ .type = VALUE_FLOAT, .number = 1e300 };
    case 4:
        return (value_t){ .type = VALUE_TEXT, .count = 0, .text = "" };
    case 5:
        return (value_t){ .type = VALUE_TEXT, .count = 7, .text = "={{ $('" };
    case 6:
        return (value_t){ .type = VALUE_ARRAY, .count = 0, .items = &s_empty_item };
    case 7:
        return (value_t){ .type = VALUE_MAP, .count = 0, .items = &s_empty_item };
    default:
        return (value_t){ .type = VALUE_ARRAY, .count = 1, .items = &s_empty_item };
    }
}

/* Replaces every value of the tree in turn, analyses, and puts it back. Keys stay. */
static uint32_t s_spoil(kit_t *kit, const value_t *value, uint32_t *turn)
{
    uint32_t runs = 0;
    /* the test's own copy; only the library sees it as const */
    value_t *open = (value_t *)(uintptr_t)value;
    const value_t kept = *value;
    arena_t passing = { 0 };
    uint8_t key[ANALYSIS_KEY_BYTES];
    char why[ANALYSIS_WHY_SIZE];

    *open = s_odd((*turn)++);
    analysis_verdict_t verdict =
        analysis_run(&passing, kit->document, &(analysis_options_t){ 0 }, &kit->result);
    if (verdict == ANALYSIS_REFUSED)
        insist(*kit->result.why);
    if (analysis_key(&passing, kit->document, &(analysis_options_t){ 0 }, key, why) ==
        ANALYSIS_REFUSED)
        insist(*why);
    arena_free(&passing);
    *open = kept;
    runs++;
    for (uint32_t i = 0; kept.type == VALUE_ARRAY && i < kept.count; i++)
        runs += s_spoil(kit, &kept.items[i], turn);
    for (uint32_t i = 0; kept.type == VALUE_MAP && i < kept.count; i++)
        runs += s_spoil(kit, &kept.items[2 * (size_t)i + 1], turn);
    return runs;
}

static void wrong_types_everywhere(void)
{
    kit_t kit = { 0 };
    const char *folder = kit_folder(&kit, "tests/fixtures/analysis");
    DIR *open = opendir(folder);
    struct dirent *entry;
    uint32_t runs = 0, turn = 0;

    if (!ok(open != NULL))
        return;
    while ((entry = readdir(open))) {
        kit_t one = { 0 };
        /* the large ones say nothing that the small ones do not */
        if (text_ends(entry->d_name, ".json") && !strstr(entry->d_name, "WF50") &&
            kit_read(&one, arena_format(&one.arena, "%s/%s", folder, entry->d_name)))
            runs += s_spoil(&one, one.document, &turn);
        kit_free(&one);
    }
    closedir(open);
    ok(runs > 5000);
    note("%u documents", runs);
    kit_free(&kit);
}

/* ---- shapes ---------------------------------------------------------------------------------- */

static void s_add_n8n_node(buf_t *out, int i, const char *name, const char *type,
                           const char *parameters)
{
    buf_printf(out,
               "%s{\"id\":\"%d\",\"name\":\"%s\",\"type\":\"n8n-nodes-base.%s\","
               "\"typeVersion\":3,\"parameters\":{%s}}",
               i ? "," : "", i, name, type, parameters);
}

static const char *s_name(char text[32], int i)
{
    snprintf(text, 32, "N%d", i);
    return text;
}

/* Every node reads from the one before it and from the first; every hundredth is a trigger. */
static void s_chain(buf_t *out, int nodes)
{
    char name[32], parameters[200];
    buf_add_text(out, "{\"nodes\":[");
    for (int i = 0; i < nodes; i++) {
        snprintf(parameters, sizeof parameters,
                 "\"url\":\"={{ $('N%d').item.json.x }}{{ $('N0').item.json.x }}\"", i ? i - 1 : 0);
        s_add_n8n_node(out, i, s_name(name, i), i % 100 ? "httpRequest" : "webhook", parameters);
    }
    buf_add_text(out, "],\"connections\":{");
    for (int i = 0; i + 1 < nodes; i++)
        buf_printf(out, "%s\"N%d\":{\"main\":[[{\"node\":\"N%d\"}]]}", i ? "," : "", i, i + 1);
    buf_add_text(out, "}}");
}

/* One cycle through all nodes, with chords back. */
static void s_ring(buf_t *out, int nodes)
{
    char name[32];
    buf_add_text(out, "{\"nodes\":[");
    s_add_n8n_node(out, 0, "N0", "webhook", "\"httpMethod\":\"POST\"");
    for (int i = 1; i < nodes; i++)
        s_add_n8n_node(out, i, s_name(name, i), i % 3 ? "slack" : "splitInBatches",
                       "\"text\":\"={{ $('N7').item.json.x }}\"");
    buf_add_text(out, "],\"connections\":{\"N0\":{\"main\":[[{\"node\":\"N1\"}]]}");
    for (int i = 1; i < nodes; i++)
        buf_printf(out, ",\"N%d\":{\"main\":[[{\"node\":\"N%d\"},{\"node\":\"N%d\"}]]}", i,
                   i % (nodes - 1) + 1, i / 2 + 1);
    buf_add_text(out, "}}");
}

/* Everything has one name, and is wired to names that are not there. */
static void s_one_name(buf_t *out, int nodes)
{
    buf_add_text(out, "{\"nodes\":[");
    for (int i = 0; i < nodes; i++)
        s_add_n8n_node(out, i, "Same", "set",
                       "\"v\":\"={{ $('Same').item }}{{ $('Gone').item }}\"");
    buf_add_text(out, "],\"connections\":{\"Same\":{\"main\":[[");
    for (int i = 0; i < nodes; i++)
        buf_printf(out, "%s{\"node\":\"%s%d\"}", i ? "," : "", i % 2 ? "Gone" : "Same",
                   i % 2 ? i : 0);
    buf_add_text(out, "]]}}}");
}

/* A merge of everything, each node with an error output back to the start. */
static void s_star(buf_t *out, int nodes)
{
    char name[32];
    buf_add_text(out, "{\"nodes\":[");
    s_add_n8n_node(out, 0, "N0", "webhook", "\"httpMethod\":\"POST\"");
    s_add_n8n_node(out, 1, "N1", "merge", "\"mode\":\"combine\"");
    for (int i = 2; i < nodes; i++)
        s_add_n8n_node(out, i, s_name(name, i), i % 2 ? "if" : "code",
                       "\"jsCode\":\"return $('N1').all(); // token\"");
    buf_add_text(out, "],\"connections\":{\"N0\":{\"main\":[[{\"node\":\"N1\"}");
    for (int i = 2; i < nodes; i++)
        buf_printf(out, ",{\"node\":\"N%d\"}", i);
    buf_add_text(out, "]]}");
    for (int i = 2; i < nodes; i++)
        buf_printf(out,
                   ",\"N%d\":{\"main\":[[{\"node\":\"N1\",\"index\":%d}],[{\"node\":\"N1\"}]]}", i,
                   i);
    buf_add_text(out, "}}");
}

/* Catch nodes that each name all others, in one tab. */
static void s_scopes(buf_t *out, int nodes)
{
    const int catches = 20;
    buf_add_text(out,
                 "[{\"id\":\"t\",\"type\":\"tab\"},{\"id\":\"i\",\"type\":\"http in\",\"z\":\"t\","
                 "\"wires\":[[\"n0\"]]}");
    for (int i = 0; i < nodes; i++)
        buf_printf(out, ",{\"id\":\"n%d\",\"type\":\"%s\",\"z\":\"t\",\"wires\":[[\"n%d\"]]}", i,
                   i % 2 ? "http request" : "switch", (i + 1) % nodes);
    for (int c = 0; c < catches; c++) {
        buf_printf(
            out, ",{\"id\":\"c%d\",\"type\":\"catch\",\"z\":\"t\",\"wires\":[[\"n0\"]],\"scope\":[",
            c);
        for (int i = c; i < nodes; i += catches)
            buf_printf(out, "%s\"n%d\"", i > c ? "," : "", i);
        buf_add_text(out, "]}");
    }
    buf_add_text(out, "]");
}

/* Maps inside maps side by side, all tasks. */
static void s_machines(buf_t *out, int nodes)
{
    buf_add_text(out, "{\"StartAt\":\"S0\",\"States\":{");
    for (int i = 0; i < nodes / 2; i++)
        buf_printf(
            out,
            "%s\"S%d\":{\"Type\":\"Map\",\"Next\":\"S%d\",\"ItemProcessor\":{\"StartAt\":\"T\","
            "\"States\":{\"T\":{\"Type\":\"Task\",\"Resource\":\"arn:aws:states:::sns:publish\","
            "\"End\":true}}}}",
            i ? "," : "", i, (i + 1) % (nodes / 2));
    buf_add_text(out, "}}");
}

static uint64_t s_steps(void (*shape)(buf_t *out, int nodes), int nodes)
{
    kit_t kit = { 0 };
    buf_t text = { 0 };
    shape(&text, nodes);
    uint64_t steps = kit_analyse(&kit, buf_text(&text)) ? kit.result.steps : 0;
    if (!steps)
        note("%s", kit.result.why);
    buf_free(&text);
    kit_free(&kit);
    return steps;
}

static void twice_the_size_is_twice_the_work(void)
{
    static const struct {
        const char *name;
        void (*shape)(buf_t *out, int nodes);
    } shapes[] = {
        { "chain", s_chain }, { "ring", s_ring },     { "one name", s_one_name },
        { "star", s_star },   { "scopes", s_scopes }, { "machines", s_machines },
    };
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        uint64_t one = s_steps(shapes[i].shape, 4000), two = s_steps(shapes[i].shape, 8000);
        ok_named(one > 0 && (double)two / (double)one < 2.2, shapes[i].name);
        note("%s: %llu steps for 4000 nodes, %llu for 8000", shapes[i].name,
             (unsigned long long)one, (unsigned long long)two);
    }
}

/* ---- stack ----------------------------------------------------------------------------------- */

#define SMALL_STACK 131072 /* with the sanitizers' larger frames, too */

static void *s_run_large(void *context)
{
    uint64_t *steps = context;
    *steps = s_steps(s_chain, 10000);
    return NULL;
}

static void *s_run_deep(void *context)
{
    uint64_t *steps = context;
    kit_t kit = { 0 };
    buf_t text = { 0 };
    buf_add_text(&text, "{\"nodes\":[{\"id\":\"a\",\"params\":");
    for (int i = 0; i < 60; i++)
        buf_add_text(&text, i % 2 ? "[" : "{\"k\":");
    buf_add_text(&text, "1");
    for (int i = 60; i > 0; i--)
        buf_add_text(&text, i % 2 ? "}" : "]");
    buf_add_text(&text, "}],\"edges\":[]}");
    *steps = kit_analyse(&kit, buf_text(&text)) ? kit.result.steps : 0;
    buf_free(&text);
    kit_free(&kit);
    return NULL;
}

static void small_stack(void)
{
    static void *(*const runs[])(void *) = { s_run_large, s_run_deep };
    for (size_t i = 0; i < COUNT_OF(runs); i++) {
        pthread_attr_t attributes;
        pthread_t thread;
        uint64_t steps = 0;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, SMALL_STACK);
        if (ok(pthread_create(&thread, &attributes, runs[i], &steps) == 0))
            pthread_join(thread, NULL);
        pthread_attr_destroy(&attributes);
        ok(steps > 0);
    }
}

/* ---- texts ----------------------------------------------------------------------------------- */

static void large_texts(void)
{
    static const char *const fills[] = { "{{ ",    "$('",   "-----BEGIN PRIVATE KEY-----",
                                         "://a:b", "eval(", "aeval(",
                                         "/*",     "sk-",   "'{{",
                                         "\\\\",   "a1" };
    for (size_t i = 0; i < COUNT_OF(fills); i++) {
        kit_t kit = { 0 };
        buf_t text = { 0 };
        buf_add_text(&text,
                     "{\"nodes\":[{\"id\":\"1\",\"name\":\"A\",\"type\":\"n8n-nodes-base.code\","
                     "\"parameters\":{\"jsCode\":\"=");
        while (text.size < 1 << 20)
            buf_add_text(&text, fills[i]);
        buf_add_text(&text, "\"}}],\"connections\":{}}");
        ok_named(kit_analyse(&kit, buf_text(&text)), fills[i]);
        ok_named(kit.result.unscanned > 0 && kit.result.unscanned < 1 << 20,
                 "... and what was not looked at is said");
        ok_named(kit.result.steps < 1 << 20, "... in one pass or so");
        buf_free(&text);
        kit_free(&kit);
    }
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void too_many_nodes(void)
{
    kit_t kit = { 0 };
    buf_t text = { 0 };
    buf_add_text(&text, "{\"nodes\":[");
    for (int i = 0; i <= MODEL_NODES_MAX; i++)
        buf_printf(&text, "%s{\"id\":\"%d\"}", i ? "," : "", i);
    buf_add_text(&text, "],\"edges\":[]}");
    ok(kit_parse(&kit, buf_text(&text), text.size));
    ok(kit_run(&kit) == ANALYSIS_REFUSED);
    is_text(kit.result.why, "The workflow has more than 20000 nodes, the most that are analysed.");
    buf_free(&text);
    kit_free(&kit);
}

static void no_nodes(void)
{
    static const char *const texts[] = {
        "{\"nodes\":[],\"connections\":{}}",
        "{\"nodes\":[],\"edges\":[]}",
        "{\"States\":{}}",
        "{\"nodes\":[{\"id\":\"a\"}],\"edges\":[]}",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        kit_t kit = { 0 };
        ok_named(kit_analyse(&kit, texts[i]), texts[i]);
        kit_free(&kit);
    }
}

/* What is found is capped, what is counted is not, and the score does not care. */
static void many_findings(void)
{
    kit_t kit = { 0 };
    buf_t text = { 0 };
    buf_add_text(&text, "{\"nodes\":[{\"id\":\"t\",\"type\":\"trigger\"}");
    for (int i = 0; i < 1000; i++)
        buf_printf(&text, ",{\"id\":\"n%d\",\"type\":\"if\"}", i);
    buf_add_text(&text, "],\"edges\":[");
    for (int i = 0; i < 1000; i++)
        buf_printf(&text, "%s{\"from\":\"t\",\"to\":\"n%d\"}", i ? "," : "", i);
    buf_add_text(&text, "]}");
    ok(kit_analyse(&kit, buf_text(&text)));
    is_int(kit.result.by_severity[SEVERITY_WARNING], 1000);
    is_int(kit.result.finding_count, REPORT_FINDINGS_MAX + 2); /* and size, and no note */
    is_int(kit.result.left_out, 1000 - REPORT_FINDINGS_MAX);
    is_int(kit.result.score.score, 100 - 12 - 4);
    buf_free(&text);
    kit_free(&kit);
}

TESTS({ "wrong types everywhere", wrong_types_everywhere },
      { "twice the size is twice the work", twice_the_size_is_twice_the_work },
      { "small stack", small_stack }, { "large texts", large_texts },
      { "too many nodes", too_many_nodes }, { "no nodes", no_nodes },
      { "many findings", many_findings })
