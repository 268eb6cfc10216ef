/* SPDX-License-Identifier: MPL-2.0
 *
 * SARIF documents: what the standard's schema requires of each object that is written, and that
 * references lead somewhere. Numbers in brackets are sections of SARIF 2.1.0.
 */
#include "config.h"

#include "actors/analysis/sarif.h"
#include "tests/unit/analysis_drawn.h"

typedef struct {
    buf_t text, packed;
    arena_t arena;
    const value_t *document, *run;
} document_t;

static void s_close(document_t *self, sarif_t *sarif)
{
    json_error_t error;
    value_verdict_t verdict;
    *self = (document_t){ 0 };
    sarif_close(sarif, &self->text);
    ok(json_to_msgpack((const char *)self->text.bytes, self->text.size, VALUE_LIMITS, 0,
                       &self->packed, &error));
    self->document =
        value_parse(&self->arena, self->packed.bytes, self->packed.size, VALUE_LIMITS, &verdict);
    self->run = value_item(value_get(self->document, "runs"), 0);
}

static void s_free(document_t *self)
{
    buf_free(&self->text);
    buf_free(&self->packed);
    arena_free(&self->arena);
}

static bool s_is_text(const value_t *map, const char *path)
{
    const value_t *text = value_at(map, path);
    return value_is_type(text, VALUE_TEXT) && text->count > 0;
}

/* ---- what has to hold of each object --------------------------------------------------------- */

static bool s_is_level(const value_t *level)
{
    return value_is(level, "error") || value_is(level, "warning") || value_is(level, "note");
}

/* 3.28: every location says where, physically or logically. */
static bool s_is_location(const value_t *location)
{
    const value_t *logical = value_item(value_get(location, "logicalLocations"), 0);
    return value_is_type(location, VALUE_MAP) &&
           (logical ? value_is_type(value_get(logical, "name"), VALUE_TEXT) &&
                          value_is(value_get(logical, "kind"), "node")
                    : s_is_text(location, "physicalLocation.artifactLocation.uri"));
}

static bool s_are_locations(const value_t *list)
{
    const value_t *location;
    for (uint32_t i = 0; (location = value_item(list, i)); i++)
        if (!s_is_location(location))
            return false;
    return true;
}

/* No two items of a list are equal ("uniqueItems" in the schema). */
static bool s_are_unique(const value_t *list)
{
    for (uint32_t i = 0; list && i < list->count; i++)
        for (uint32_t j = i + 1; j < list->count; j++)
            if (value_equal(&list->items[i], &list->items[j]))
                return false;
    return true;
}

/* 3.36, 3.37: a flow has threads, a thread has locations. */
static bool s_is_flow(const value_t *flows)
{
    const value_t *step, *thread = value_item(value_get(value_item(flows, 0), "threadFlows"), 0),
                         *steps = value_get(thread, "locations");
    for (uint32_t i = 0; (step = value_item(steps, i)); i++)
        if (!s_is_location(value_get(step, "location")))
            return false;
    return steps && steps->count > 0;
}

/* 3.27 */
static bool s_is_result(const value_t *result, const value_t *rules)
{
    const value_t *index = value_get(result, "ruleIndex"), *flows = value_get(result, "codeFlows"),
                  *rule = value_is_type(index, VALUE_INT)
                              ? value_item(rules, (uint32_t)index->integer)
                              : NULL;
    return s_is_text(result, "message.text") && s_is_level(value_get(result, "level")) && rule &&
           value_equal(value_get(rule, "id"), value_get(result, "ruleId")) &&
           s_are_locations(value_get(result, "locations")) &&
           s_are_locations(value_get(result, "relatedLocations")) &&
           s_are_unique(value_get(result, "relatedLocations")) &&
           value_get(value_get(result, "partialFingerprints"), "signalbox/v1") != NULL &&
           (!flows || s_is_flow(flows));
}

/* 3.49 */
static bool s_is_rule(const value_t *rule)
{
    bool is_security = value_is(value_item(value_at(rule, "properties.tags"), 0), "security");
    return s_is_text(rule, "id") && s_is_text(rule, "shortDescription.text") &&
           s_is_text(rule, "fullDescription.text") && s_is_text(rule, "help.text") &&
           s_is_text(rule, "help.markdown") &&
           s_is_level(value_at(rule, "defaultConfiguration.level")) &&
           s_is_text(rule, "properties.security-severity") == is_security;
}

/* 3.13, 3.14, 3.18, 3.19 */
static void s_check(const document_t *self, const char *name)
{
    const value_t *rules = value_at(self->run, "tool.driver.rules"),
                  *results = value_get(self->run, "results"), *item;
    ok_named(value_is(value_get(self->document, "version"), "2.1.0") &&
                 s_is_text(self->document, "$schema") &&
                 value_get(self->document, "runs")->count == 1 &&
                 value_is(value_at(self->run, "tool.driver.name"), "Signalbox") &&
                 value_is_type(results, VALUE_ARRAY),
             name);
    bool good = s_are_unique(rules);
    for (uint32_t i = 0; (item = value_item(rules, i)); i++)
        good &= s_is_rule(item);
    for (uint32_t i = 0; (item = value_item(results, i)); i++)
        good &= s_is_result(item, rules);
    ok_named(good, name);
}

/* ---- documents ------------------------------------------------------------------------------- */

static void test_nothing(void)
{
    sarif_t sarif;
    document_t document;
    sarif_open(&sarif);
    s_close(&document, &sarif);
    s_check(&document, "no result");
    is_int(value_get(document.run, "results")->count, 0);
    ok(!value_get(document.run, "artifacts"));
    s_free(&document);
}

static void test_several(void)
{
    static const char *const files[] = { "WF102-fires.json", "WF106-fires.json", "WF107-fires.json",
                                         "WF202-fires.json", "WF209-fires.json", "WF301-fires.json",
                                         "WF303-fires.json", "WF401-fires.json" };
    sarif_t sarif;
    document_t document;
    uint32_t issues = 0;
    sarif_open(&sarif);
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        kit_t file = { 0 };
        drawn_t drawn;
        char path[64];
        snprintf(path, sizeof path, "tests/fixtures/analysis/%s", files[i]);
        ok(kit_read(&file, kit_folder(&file, path)));
        ok_named(drawn_make(&drawn, buf_text(&file.text)), files[i]);
        sarif_add(&sarif, drawn.result, files[i]);
        issues += value_get(drawn.result, "issues")->count;
        drawn_free(&drawn);
        kit_free(&file);
    }
    s_close(&document, &sarif);
    s_check(&document, "several files");
    is_int(value_get(document.run, "results")->count, issues);
    is_int(value_get(document.run, "artifacts")->count, COUNT_OF(files));
    s_free(&document);
}

/* Nodes that are equal to the letter are related locations that are not. */
static void test_equal_nodes(void)
{
    static const char text[] =
        "{\"issues\":[{\"rule\":\"WF106\",\"severity\":\"error\",\"title\":\"t\",\"node\":{\"id\":"
        "\"a\",\"name\":\"a\"},\"nodes\":[{\"id\":\"a\",\"name\":\"a\"},{\"id\":\"a\",\"name\":"
        "\"a\"},{\"id\":\"a\",\"name\":\"a\"}],\"path\":[],\"points\":1.5,\"fingerprint\":\"f\"}]}";
    kit_t kit = { 0 };
    sarif_t sarif;
    document_t document;
    ok(kit_parse(&kit, text, sizeof text - 1));
    sarif_open(&sarif);
    sarif_add(&sarif, kit.document, NULL);
    s_close(&document, &sarif);
    s_check(&document, "equal nodes");
    const value_t *result = value_item(value_get(document.run, "results"), 0);
    is_int(value_get(result, "relatedLocations")->count, 2);
    s_free(&document);
    kit_free(&kit);
}

/* Rules of another version are not described, and results are what is missing in them. */
static void test_odd_results(void)
{
    static const char text[] = "{\"issues\":[{\"rule\":\"ZZ999\",\"severity\":\"odd\"},{},7]}";
    kit_t kit = { 0 };
    sarif_t sarif;
    document_t document;
    ok(kit_parse(&kit, text, sizeof text - 1));
    sarif_open(&sarif);
    sarif_add(&sarif, kit.document, NULL);
    sarif_add(&sarif, NULL, NULL);
    s_close(&document, &sarif);
    const value_t *result = value_item(value_get(document.run, "results"), 0);
    ok(value_is(value_get(result, "level"), "note"));
    ok(!value_get(result, "ruleIndex"));
    is_int(value_get(document.run, "results")->count, 3);
    s_free(&document);
    kit_free(&kit);
}

/* 3.27.24 */
static void test_against(void)
{
#define ISSUE(print)                                                                               \
    "{\"rule\":\"WF106\",\"severity\":\"error\",\"title\":\"t\",\"node\":{\"id\":\"a\",\"name\":"  \
    "\"a"                                                                                          \
    "\"},\"nodes\":[],\"path\":[],\"points\":1.5,\"fingerprint\":\"" print "\"}"
    static const char before[] = "{\"issues\":[" ISSUE("old") "," ISSUE("both") "]}",
                      after[] = "{\"issues\":[" ISSUE("both") "," ISSUE("new") "]}";
    static const char *const states[] = { "unchanged", "new", "absent" };
    kit_t old = { 0 }, new = { 0 };
    ok(kit_parse(&old, before, sizeof before - 1) && kit_parse(&new, after, sizeof after - 1));
    for (int with_absent = 0; with_absent <= 1; with_absent++) {
        sarif_t sarif;
        document_t document;
        sarif_open(&sarif);
        sarif_add_against(&sarif, new.document, "a.json", old.document, with_absent);
        s_close(&document, &sarif);
        s_check(&document, "against a baseline");
        const value_t *results = value_get(document.run, "results");
        is_int(results->count, 2 + with_absent);
        for (uint32_t i = 0; i < results->count; i++)
            ok_named(value_is(value_get(&results->items[i], "baselineState"), states[i]),
                     states[i]);
        s_free(&document);
    }
    kit_free(&old);
    kit_free(&new);
#undef ISSUE
}

static void test_addresses(void)
{
    static const struct {
        const char *path, *uri;
    } cases[] = {
        { "flows/a.json", "flows/a.json" },
        { "a b.json", "a%20b.json" },
        { "a:b?c#d%.json", "a%3Ab%3Fc%23d%25.json" },
        { "\xc3\xa4.json", "%C3%A4.json" },
        { "\"><script>.json", "%22%3E%3Cscript%3E.json" },
    };
    kit_t kit = { 0 };
    sarif_t sarif;
    document_t document;
    ok(kit_parse(&kit, "{\"issues\":[]}", 13));
    sarif_open(&sarif);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        sarif_add(&sarif, kit.document, cases[i].path);
    sarif_add(&sarif, kit.document, cases[0].path);
    s_close(&document, &sarif);
    is_int(value_get(document.run, "artifacts")->count, COUNT_OF(cases)); /* each once */
    for (uint32_t i = 0; i < COUNT_OF(cases); i++)
        ok_named(
            value_is(value_at(value_item(value_get(document.run, "artifacts"), i), "location.uri"),
                     cases[i].uri),
            cases[i].path);
    s_free(&document);
    kit_free(&kit);
}

static void test_hostile(void)
{
    for (size_t i = 0; i < COUNT_OF(drawn_hostile); i++) {
        drawn_t drawn;
        sarif_t sarif;
        document_t document;
        ok_named(drawn_make_of(&drawn, drawn_hostile[i]), drawn_hostile[i]);
        sarif_open(&sarif);
        sarif_add(&sarif, drawn.result, NULL);
        s_close(&document, &sarif);
        s_check(&document, drawn_hostile[i]);
        s_free(&document);
        drawn_free(&drawn);
    }
}

TESTS({ "nothing", test_nothing }, { "several", test_several }, { "equal nodes", test_equal_nodes },
      { "odd results", test_odd_results }, { "against", test_against },
      { "addresses", test_addresses }, { "hostile", test_hostile })
