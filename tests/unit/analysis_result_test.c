/* SPDX-License-Identifier: MPL-2.0
 *
 * What a result says: proofs, groups, fingerprints, profiles, and the map it is written as.
 */
#include "config.h"

#include "tests/tap.h"
#include "tests/unit/analysis_kit.h"

#define NODE(id, name, type) "{\"id\":\"" id "\",\"name\":\"" name "\",\"type\":\"" type "\","
#define SET(id, name)        NODE(id, name, "n8n-nodes-base.set") "\"parameters\":{}}"
#define START                NODE("t", "Start", "n8n-nodes-base.scheduleTrigger") "\"parameters\":{}}"
#define TO(name)             "{\"node\":\"" name "\",\"type\":\"main\",\"index\":0}"

/* ---- proofs ---------------------------------------------------------------------------------- */

/* Names along the proof: "Start > A > B". */
static const char *s_path(kit_t *kit, const finding_t *finding)
{
    buf_t text = { 0 };
    for (uint32_t i = 0; finding && i < finding->path_count; i++)
        buf_printf(&text, "%s%s", i ? " > " : "", kit_name(kit, finding->path[i]));
    const char *path = arena_text(&kit->arena, text.bytes, text.size);
    buf_free(&text);
    return path;
}

static void shortest_path(void)
{
    kit_t kit = { 0 };
    ok(kit_analyse(
        &kit, "{\"nodes\":[" START "," SET("a", "A") "," SET("b", "B") "," NODE(
                  "c", "C",
                  "n8n-nodes-base.if") "\"parameters\":{}}],\"connections\":{"
                                       "\"Start\":{\"main\":[[" TO("A") "," TO(
                                           "B") "]]},"
                                                "\"A\":{\"main\":[[" TO(
                                                    "B") "]]},\"B\":{\"main\":[[" TO("C") "]]}}}"));
    is_text(s_path(&kit, kit_finding(&kit, "WF110")), "Start > B > C");
    kit_free(&kit);
}

static void cycle(void)
{
    kit_t kit = { 0 };
    ok(kit_analyse(
        &kit, "{\"nodes\":[" START
              "," SET("a", "A") "," SET("b", "B") "],\"connections\":{\"Start\":{\"main\":[[" TO(
                  "B") "]]},"
                       "\"A\":{\"main\":[[" TO("B") "]]},\"B\":{\"main\":[[" TO("A") "]]}}}"));
    is_text(s_path(&kit, kit_finding(&kit, "WF104")), "A > B > A");
    is_int(kit.result.score.score, 49);
    kit_free(&kit);
}

static void way_around(void)
{
    kit_t kit = { 0 };
    ok(kit_read(&kit, kit_folder(&kit, "tests/fixtures/analysis/WF210-fires.json")));
    ok(kit_run(&kit) == ANALYSIS_DONE);
    is_text(s_path(&kit, kit_finding(&kit, "WF210")), "Every morning > Is new > Shape");
    kit_free(&kit);
}

static void backward_walk_is_shown_forward(void)
{
    kit_t kit = { 0 };
    ok(kit_read(&kit, kit_folder(&kit, "tests/fixtures/analysis/WF206-fires.json")));
    ok(kit_run(&kit) == ANALYSIS_DONE);
    is_text(s_path(&kit, kit_finding(&kit, "WF206")), "Order in > Shape > Say thanks");
    kit_free(&kit);
}

/* Of a long way the start and the end are shown, and how much lies between. */
static void long_path(void)
{
    enum { STEPS = 100 };
    kit_t kit = { 0 };
    buf_t text = { 0 };
    buf_add_text(&text, "{\"nodes\":[{\"id\":\"n0\",\"type\":\"trigger\"}");
    for (int i = 1; i <= STEPS; i++)
        buf_printf(&text, ",{\"id\":\"n%d\",\"type\":\"%s\"}", i, i < STEPS ? "set" : "if");
    buf_add_text(&text, "],\"edges\":[");
    for (int i = 0; i < STEPS; i++)
        buf_printf(&text, "%s{\"from\":\"n%d\",\"to\":\"n%d\"}", i ? "," : "", i, i + 1);
    buf_add_text(&text, "]}");
    ok(kit_analyse(&kit, buf_text(&text)));
    const finding_t *finding = kit_finding(&kit, "WF110");
    if (ok(finding != NULL)) {
        is_int(finding->path_count, REPORT_PATH_MAX);
        is_int(finding->path_left_out, STEPS + 1 - REPORT_PATH_MAX);
        is_text(kit_name(&kit, finding->path[0]), "n0");
        is_text(kit_name(&kit, finding->path[1]), "n70");
        is_text(kit_name(&kit, finding->path[REPORT_PATH_MAX - 1]), "n100");
    }
    buf_free(&text);
    kit_free(&kit);
}

/* ---- groups ---------------------------------------------------------------------------------- */

static void one_cause_is_one_finding(void)
{
    kit_t kit = { 0 };
    ok(kit_analyse(
        &kit,
        "{\"nodes\":[" START "," SET("a", "A") "," SET("z", "Last") "," SET("y", "First") "," SET(
            "x",
            "Alone") "],\"connections\":{\"Start\":{\"main\":[[" TO("A") "]]},\"First\":{\"main\":["
                                                                         "[" TO("Last") "]]}}}"));
    is_int(kit.result.by_category[CATEGORY_STRUCTURE], 2);
    const finding_t *finding = kit_finding(&kit, "WF102");
    if (ok(finding != NULL)) {
        is_text(kit_name(&kit, finding->node), "First");
        is_int(finding->group_count, 2);
        is_text(kit_name(&kit, finding->group[0]), "Last");
    }
    kit_free(&kit);
}

/* A part is no place to report at: the node it is plugged into is what was cut off. */
static void parts_hang_on_their_host(void)
{
    kit_t kit = { 0 };
    ok(kit_analyse(
        &kit,
        "{\"nodes\":[" NODE("m", "Model",
                            "@n8n/n8n-nodes-langchain.lmChatOpenAi") "\"parameters\":{}}," START
                                                                     "," SET("a", "A") "," NODE(
                                                                         "g", "Agent",
                                                                         "@n8n/"
                                                                         "n8n-nodes-langchain."
                                                                         "agent") "\"parameters\":{"
                                                                                  "}}],"
                                                                                  "\"connections\":"
                                                                                  "{\"Start\":{"
                                                                                  "\"main\":[[" TO(
                                                                                      "A") "]]},"
                                                                                           "\"Model"
                                                                                           "\":{"
                                                                                           "\"ai_"
                                                                                           "languag"
                                                                                           "eModel"
                                                                                           "\":[[{"
                                                                                           "\"node"
                                                                                           "\":"
                                                                                           "\"Agent"
                                                                                           "\","
                                                                                           "\"type"
                                                                                           "\":"
                                                                                           "\"ai_"
                                                                                           "languag"
                                                                                           "eModel"
                                                                                           "\","
                                                                                           "\"index"
                                                                                           "\":0}]]"
                                                                                           "}}}"));
    const finding_t *finding = kit_finding(&kit, "WF102");
    if (ok(finding != NULL)) {
        is_text(kit_name(&kit, finding->node), "Agent");
        is_int(finding->group_count, 2);
    }
    ok(!kit_finding(&kit, "WF115"));
    kit_free(&kit);
}

/* ---- fingerprints ---------------------------------------------------------------------------- */

static void fingerprints(void)
{
    static const char before[] = "{\"nodes\":[" START "," SET(
        "a", "A") ",{\"id\":\"i\",\"name\":\"If\",\"position\":[0,0],"
                  "\"type\":\"n8n-nodes-base.if\",\"parameters\":{}}],\"connections\":{\"Start\":{"
                  "\"main\":[[" TO("A") "]]},\"A\":{\"main\":[[" TO("If") "," TO("Gone") "]]}}}";
    /* moved, renamed, reordered, and further down */
    static const char after[] =
        "{\"nodes\":[{\"id\":\"i\",\"name\":\"Branch\",\"position\":[700,-3],"
        "\"type\":\"n8n-nodes-base.if\",\"parameters\":{}}," START
        "," SET("b", "B") "," SET("a", "A") "],\"connections\":{\"Start\":{\"main\":[[" TO(
            "B") "]]},\"B\":{\"main\":[[" TO("A") "]]},\"A\":{\"main\":[[" TO("Branch") "," TO("Gon"
                                                                                               "e") "]]}}}";
    /* another name is missing, another node is the branch */
    static const char other[] = "{\"nodes\":[" START "," SET(
        "a", "A") ",{\"id\":\"k\",\"name\":\"If\","
                  "\"type\":\"n8n-nodes-base.if\",\"parameters\":{}}],\"connections\":{\"Start\":{"
                  "\"main\":[[" TO("A") "]]},\"A\":{\"main\":[[" TO("If") "," TO("Lost") "]]}}}";
    static const char *const rules[] = { "WF103", "WF110" };
    kit_t one = { 0 }, two = { 0 }, three = { 0 };

    ok(kit_analyse(&one, before) && kit_analyse(&two, after) && kit_analyse(&three, other));
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        const finding_t *a = kit_finding(&one, rules[i]), *b = kit_finding(&two, rules[i]),
                        *c = kit_finding(&three, rules[i]);
        if (!ok(a && b && c))
            continue;
        is_int(strlen(a->fingerprint), 32);
        is_text(b->fingerprint, a->fingerprint);
        ok(strcmp(c->fingerprint, a->fingerprint) != 0);
    }
    ok(strcmp(kit_finding(&one, "WF103")->fingerprint, kit_finding(&one, "WF110")->fingerprint) !=
       0);
    kit_free(&one);
    kit_free(&two);
    kit_free(&three);
}

/* ---- the map --------------------------------------------------------------------------------- */

static const value_t *s_written(kit_t *kit, buf_t *out)
{
    value_verdict_t verdict;
    pack_t pack;
    pack_init(&pack, out);
    result_write(&kit->result, &pack);
    return value_parse(&kit->arena, out->bytes, out->size, VALUE_LIMITS, &verdict);
}

static void map(void)
{
    kit_t kit = { 0 };
    buf_t out = { 0 };
    ok(kit_analyse(
        &kit,
        "{\"nodes\":[" START "," SET("a", "A\\u0000\\u0007b") "," NODE(
            "i", "If",
            "n8n-nodes-base.if") "\"parameters\":{}}],"
                                 "\"connections\":{\"Start\":{\"main\":[[" TO(
                                     "A\\u0000\\u0007b") "]]},"
                                                         "\"A\\u0000\\u0007b\":{\"main\":[[" TO(
                                                             "If") "]]}}}"));
    const value_t *result = s_written(&kit, &out);
    if (ok(result != NULL)) {
        ok(value_is(value_get(result, "kind"), "n8n"));
        is_int(value_get_int(result, "analyser_version", 0), 1);
        ok(value_is(value_get(result, "profile"), "default"));
        is_int(value_get_int(result, "score", -1), 94);
        ok(value_is(value_get(result, "grade"), "A"));
        is_int(value_get_int(value_get(result, "summary"), "nodes", -1), 3);
        is_int(value_get_int(value_get(result, "summary"), "wires", -1), 2);
        is_int(value_get_int(value_get(result, "summary"), "issues", -1), 1);
        is_int(value_get_int(value_at(result, "summary.by_severity"), "warning", -1), 1);
        is_int(value_get_int(value_at(result, "summary.by_category"), "structure", -1), 1);
        is_int(value_get_int(value_at(result, "summary.points"), "structure", -1), 6);
        const value_t *issue = value_item(value_get(result, "issues"), 0);
        ok(value_is(value_get(issue, "rule"), "WF110"));
        ok(value_is(value_at(issue, "node.id"), "i"));
        ok(value_is(value_at(issue, "node.type"), "n8n-nodes-base.if"));
        ok(value_is_type(value_get(issue, "evidence"), VALUE_NIL));
        is_int(value_get_int(issue, "points", -1), 6);
        is_int(value_get(issue, "nodes")->count, 0);
        is_int(value_get(issue, "path")->count, 3);
        ok(value_is(value_get(value_item(value_get(issue, "path"), 1), "name"), "A  b"));
        ok(value_get(issue, "why") && value_get(issue, "fix") && value_get(issue, "title"));
        is_int(value_get(issue, "fingerprint")->count, 32);
    }
    buf_free(&out);
    kit_free(&kit);
}

static void no_secret_leaves(void)
{
    static const char secret[] = "q7Zt4mWc9Lx2Vb8Rk3Ns6Hd1";
    kit_t kit = { 0 };
    buf_t out = { 0 };
    ok(kit_read(&kit, kit_folder(&kit, "tests/fixtures/analysis/WF301-fires.json")));
    ok(kit_run(&kit) == ANALYSIS_DONE);
    ok(memmem(kit.packed.bytes, kit.packed.size, secret, strlen(secret)) != NULL);
    s_written(&kit, &out);
    ok(memmem(out.bytes, out.size, secret, 6) == NULL);
    is_text(kit_finding(&kit, "WF301")->evidence,
            "\"X-Api-Key\" holds a secret: 24 characters, SHA-256 8cb454fc...");
    buf_free(&out);
    kit_free(&kit);
}

/* The same key in three places is one leak. */
static void one_secret_is_one_finding(void)
{
    kit_t kit = { 0 };
    ok(kit_analyse(&kit, "{\"nodes\":[{\"id\":\"a\",\"params\":{\"token\":\"q7Zt4mWc9Lx2Vb8Rk3Ns\","
                         "\"apiKey\":\"q7Zt4mWc9Lx2Vb8Rk3Ns\"}},"
                         "{\"id\":\"b\",\"params\":{\"token\":\"q7Zt4mWc9Lx2Vb8Rk3Ns\"}}],"
                         "\"edges\":[]}"));
    is_int(kit.result.by_severity[SEVERITY_CRITICAL], 1);
    is_int(kit_finding(&kit, "WF301")->group_count, 2);
    kit_free(&kit);
}

/* ---- options --------------------------------------------------------------------------------- */

static void profiles(void)
{
    kit_t kit = { 0 };
    const analysis_profile_t *profile;
    ok(kit_read(&kit, kit_folder(&kit, "tests/fixtures/analysis/WF301-fires.json")));
    for (size_t i = 0; (profile = analysis_profile_at(i)); i++) {
        analysis_options_t options = { .profile = profile->name };
        ok(analysis_run(&kit.arena, kit.document, &options, &kit.result) == ANALYSIS_DONE);
        ok(kit_finding(&kit, "WF301") != NULL);
    }
    ok(kit_read(&kit, kit_folder(&kit, "tests/fixtures/analysis/WF201-fires.json")));
    analysis_options_t gate = { .profile = "gate" };
    ok(analysis_run(&kit.arena, kit.document, &gate, &kit.result) == ANALYSIS_DONE);
    is_int(kit.result.finding_count, 0);
    is_int(kit.result.score.score, 100);
    analysis_options_t odd = { .profile = "lenient" };
    ok(analysis_run(&kit.arena, kit.document, &odd, &kit.result) == ANALYSIS_REFUSED);
    ok(strstr(kit.result.why, "profile") != NULL);
    kit_free(&kit);
}

static void kinds(void)
{
    static const struct {
        const char *text, *kind;
    } cases[] = {
        { "{\"nodes\":[],\"connections\":{}}", "n8n" },
        { "[{\"id\":\"a\",\"type\":\"tab\"}]", "node-red" },
        { "{\"flows\":[{\"id\":\"a\",\"type\":\"tab\"}],\"rev\":\"x\"}", "node-red" },
        { "{\"StartAt\":\"A\",\"States\":{}}", "asl" },
        { "{\"nodes\":[],\"edges\":[]}", "generic" },
        { "{\"nodes\":[]}", NULL },
        { "[]", NULL },
        { "[1]", NULL },
        { "7", NULL },
        { "null", NULL },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        kit_t kit = { 0 };
        ok(kit_parse(&kit, cases[i].text, strlen(cases[i].text)));
        analysis_verdict_t verdict = kit_run(&kit);
        if (cases[i].kind)
            ok_named(verdict == ANALYSIS_DONE &&
                         strcmp(kit.result.analyser->kind, cases[i].kind) == 0,
                     cases[i].text);
        else
            ok_named(verdict == ANALYSIS_REFUSED && strlen(kit.result.why) > 40, cases[i].text);
        kit_free(&kit);
    }
}

static bool s_count_down(void *context, unsigned done, unsigned total)
{
    unsigned *left = context;
    (void)done;
    return total > 10 && (*left)-- > 0;
}

static void stopping(void)
{
    kit_t kit = { 0 };
    unsigned stops = 0, left;
    analysis_options_t options = { .proceed = s_count_down, .context = &left };
    ok(kit_read(&kit, kit_folder(&kit, "tests/fixtures/analysis/WF210-fires.json")));
    for (unsigned allowed = 0; allowed < 500; allowed++) {
        left = allowed;
        if (analysis_run(&kit.arena, kit.document, &options, &kit.result) != ANALYSIS_STOPPED)
            break;
        stops++;
    }
    is_int(stops, rule_count() + 2);
    kit_free(&kit);
}

TESTS({ "shortest path", shortest_path }, { "cycle", cycle }, { "way around", way_around },
      { "backward walk is shown forward", backward_walk_is_shown_forward },
      { "long path", long_path }, { "one cause is one finding", one_cause_is_one_finding },
      { "parts hang on their host", parts_hang_on_their_host }, { "fingerprints", fingerprints },
      { "map", map }, { "no secret leaves", no_secret_leaves },
      { "one secret is one finding", one_secret_is_one_finding }, { "profiles", profiles },
      { "kinds", kinds }, { "stopping", stopping })
