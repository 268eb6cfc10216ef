/* SPDX-License-Identifier: MPL-2.0
 *
 * rules_security - security: secrets, doors without a lock, transport
 */
#include "config.h"

#include <stdlib.h>

#include "actors/analysis/address.h"
#include "actors/analysis/facts.h"
#include "actors/analysis/secret.h"

/* ---- secrets --------------------------------------------------------------------------------- */

/* Where a secret stands. */
typedef struct {
    char hash[SECRET_HASH_SIZE];
    uint32_t node;
    slice_t label;
    secret_t secret;
} place_t;

typedef struct {
    place_t *list;
    uint32_t count, room;
} places_t;

static places_t s_find_secrets(const facts_t *facts)
{
    places_t places = { 0 };
    const text_t *text;
    secret_t secret;

    for (uint32_t n = 0; n < facts->model->node_count; n++)
        for (uint32_t i = 0; (text = texts_of(&facts->texts, n, i)); i++) {
            uint32_t from = 0;
            facts->work->steps += 1 + text->text.size / 8;
            while (secret_next(text->text, text->label, &from, &secret)) {
                places.list = work_grow(facts->work, places.list, places.count, &places.room,
                                        sizeof *places.list);
                place_t *place = &places.list[places.count++];
                *place = (place_t){ .node = n, .label = text->label, .secret = secret };
                secret_hash(secret.text, place->hash);
            }
        }
    return places;
}

static int s_by_hash(const void *a, const void *b)
{
    const place_t *one = a, *other = b;
    int order = strcmp(one->hash, other->hash);
    if (!order)
        order = (one->node > other->node) - (one->node < other->node);
    return order ? order : slice_compare(one->label, other->label);
}

/* One finding a secret, however often it was pasted. */
static void s_secret(const facts_t *facts, report_t *report)
{
    places_t places = s_find_secrets(facts);
    uint32_t *nodes = arena_array(facts->work->arena, places.count, sizeof *nodes);

    if (places.count)
        qsort(places.list, places.count, sizeof *places.list, s_by_hash);
    for (uint32_t i = 0, end; i < places.count; i = end) {
        const place_t *first = &places.list[i];
        uint32_t known = 0;
        for (end = i; end < places.count && strcmp(places.list[end].hash, first->hash) == 0; end++)
            if (!known || nodes[known - 1] != places.list[end].node)
                nodes[known++] = places.list[end].node;
        const char *prefix = first->secret.prefix;
        finding_t *finding = report_add(
            report, first->node, "\"" SLICE "\" holds %s%s%s%s: %u characters, SHA-256 %s...",
            SLICE_ARGS(first->label), first->secret.what, *prefix ? " (" : "", prefix,
            *prefix ? "...)" : "", first->secret.text.size, first->hash);
        report_mark(finding, slice_literal(first->hash));
        if (known > 1)
            report_group(report, finding, nodes, known);
    }
}

/* ---- doors ----------------------------------------------------------------------------------- */

/* A node that looks at what only an authorised caller knows: what lies behind it is guarded. */
static bool s_is_guard(const facts_t *facts, uint32_t node)
{
    static const char *const words[] = { "header",  "authorization", "signature", "hmac",
                                         "api_key", "apikey",        "api-key",   "token",
                                         "secret",  "password",      NULL };
    return node_has(&facts->model->nodes[node], NODE_GUARDS) && facts_mentions(facts, node, words);
}

static bool s_has_effect(const facts_t *facts, uint32_t node)
{
    return !facts->model->nodes[node].disabled && node_has(&facts->model->nodes[node], NODE_EFFECT);
}

static bool s_is_open_webhook(const facts_t *facts, uint32_t node)
{
    static const char *const methods[] = { "POST", "PUT", "PATCH", "DELETE", NULL };
    const node_t *n = &facts->model->nodes[node];
    return slice_is(n->type, "n8n-nodes-base.webhook") && facts_live(facts, node) &&
           !node_has(n, NODE_AUTHENTICATED) &&
           loader_starts_with(slice_get(n->params, "httpMethod"), methods) &&
           !slice_of(value_at(n->params, "options.ipWhitelist")).size;
}

/* Backwards from all effects at once, stopping at guards: a webhook that is reached is open. */
static void s_open_webhook(const facts_t *facts, report_t *report)
{
    const model_t *model = facts->model;
    uint32_t count;
    uint32_t *webhooks = facts_select(facts, s_is_open_webhook, &count);
    bool *guards = arena_array(facts->work->arena, model->node_count, sizeof *guards);

    if (!count)
        return; /* spares the search for guards, which reads every text */
    for (uint32_t n = 0; n < model->node_count; n++)
        guards[n] = s_is_guard(facts, n);
    tree_t effects = facts_walk(facts, s_has_effect, FOLLOW_ALL, true, guards);
    for (uint32_t i = 0; i < count; i++) {
        if (!tree_has(&effects, webhooks[i]))
            continue;
        finding_t *finding =
            report_add(report, webhooks[i], "Whoever knows the address reaches \"" SLICE "\".",
                       SLICE_ARGS(model->nodes[effects.seed[webhooks[i]]].name));
        report_path(report, finding, &effects, webhooks[i], true);
    }
}

static void s_open_chat(const facts_t *facts, report_t *report)
{
    for (uint32_t n = 0; n < facts->model->node_count; n++)
        if (facts_is_type(facts, n, "@n8n/n8n-nodes-langchain.chatTrigger") &&
            facts_live(facts, n) && node_has(&facts->model->nodes[n], NODE_PUBLIC) &&
            !node_has(&facts->model->nodes[n], NODE_AUTHENTICATED))
            report_add(report, n, NULL);
}

/* ---- transport ------------------------------------------------------------------------------- */

static slice_t s_url(const facts_t *facts, uint32_t node)
{
    slice_t url = facts_param(facts, node, "url");
    return url.size ? url : facts_param(facts, node, "ApiEndpoint");
}

static void s_plain_http(const facts_t *facts, report_t *report)
{
    for (uint32_t n = 0; n < facts->model->node_count; n++) {
        slice_t url = s_url(facts, n), host = address_host(url);
        if (!facts_live_class(facts, n, CLASS_HTTP) || !address_is_public(host) ||
            !(slice_starts(url, "http://") || slice_starts(url, "=http://")))
            continue;
        finding_t *finding =
            report_add(report, n, "It calls " SLICE " without encryption.", SLICE_ARGS(host));
        report_mark(finding, host);
    }
}

static bool s_skips_check(const node_t *node)
{
    static const char *const keys[] = { "allowUnauthorizedCerts", "ignoreSSLIssues", NULL };
    const value_t *options = value_get(node->params, "options");
    for (const char *const *key = keys; *key; key++)
        if (value_get_bool(node->params, *key, false) || value_get_bool(options, *key, false))
            return true;
    return slice_is(node->type, "tls-config") &&
           !value_get_bool(node->params, "verifyservercert", true);
}

static void s_no_certificate_check(const facts_t *facts, report_t *report)
{
    for (uint32_t n = 0; n < facts->model->node_count; n++) {
        const node_t *node = &facts->model->nodes[n];
        slice_t host = address_host(s_url(facts, n));
        bool is_private = host.size && !address_is_public(host);
        if (!node->disabled && !is_private && s_skips_check(node))
            report_add(report, n, NULL);
    }
}

/* ---- what else leaks or runs ----------------------------------------------------------------- */

static void s_pinned(const facts_t *facts, report_t *report)
{
    if (facts->model->pinned)
        report_add(report, NODE_NONE, NULL);
}

/* The part of a line in front of `at`, as far back as is worth looking. */
static slice_t s_line_before(slice_t program, const char *at)
{
    size_t back = (size_t)(at - program.text);
    back = back < 1024 ? back : 1024;
    const char *line = memrchr(at - back, '\n', back);
    const char *start = line ? line : at - back;
    return slice_make(start, (size_t)(at - start));
}

/* Whether a call stands in a program, not as the end of another word (medieval), as a method of
 * something, or behind a comment mark. */
static bool s_calls(slice_t program, const char *call)
{
    const char *at;
    for (slice_t rest = program; (at = slice_find(rest, call));
         rest = slice_after(program, (size_t)(at - program.text) + 1)) {
        char before = at > program.text ? at[-1] : ' ';
        bool is_word = (before >= 'a' && before <= 'z') || (before >= 'A' && before <= 'Z') ||
                       before == '_' || before == '.' || before == '$';
        if (!is_word && !slice_has(s_line_before(program, at), "//"))
            return true;
    }
    return false;
}

static bool s_node_calls(const facts_t *facts, uint32_t node, const char *call)
{
    const text_t *text;
    for (uint32_t i = 0; (text = texts_of(&facts->texts, node, i)); i++)
        if ((text->flags & TEXT_CODE) && s_calls(text->text, call))
            return true;
    return false;
}

static void s_eval(const facts_t *facts, report_t *report)
{
    static const char *const calls[] = { "eval(", "new Function(", "require('child_process')",
                                         "require(\"child_process\")", NULL };
    for (uint32_t n = 0; n < facts->model->node_count; n++)
        for (const char *const *call = calls; *call; call++)
            if (facts_live(facts, n) && s_node_calls(facts, n, *call))
                report_mark(report_add(report, n, "The program has %s", *call),
                            slice_literal(*call));
}

const rule_t rules_security[] = {
    { .id = "WF301",
      .kinds = KIND_ALL,
      .category = CATEGORY_SECURITY,
      .severity = SEVERITY_CRITICAL,
      .title = "Hard-coded secret",
      .why =
          "Everyone who can read or export the workflow has the credential, and so has every copy "
          "and backup of it.",
      .fix = "Revoke it, and keep its successor in the credential store.",
      .check = s_secret },
    { .id = "WF302",
      .kinds = KIND_N8N,
      .category = CATEGORY_SECURITY,
      .severity = SEVERITY_WARNING,
      .title = "Webhook without authentication causes effects",
      .why = "Anyone who finds or guesses the address can make the workflow send, write or change.",
      .fix = "Set an authentication at the webhook, or check a signature right behind it.",
      .check = s_open_webhook },
    { .id = "WF306",
      .kinds = KIND_ALL,
      .category = CATEGORY_SECURITY,
      .severity = SEVERITY_WARNING,
      .title = "Plain HTTP to a public host",
      .why =
          "Everybody on the way can read and change what is sent and what comes back, credentials "
          "included.",
      .fix = "Use https://.",
      .check = s_plain_http },
    { .id = "WF307",
      .kinds = KIND_N8N,
      .category = CATEGORY_SECURITY,
      .severity = SEVERITY_WARNING,
      .title = "Pinned data in the workflow",
      .why = "Recorded data of real runs travels with every copy of the workflow, often with names "
             "and addresses in it; and a test that runs on it proves nothing about today's data.",
      .fix = "Unpin the data before the workflow is shared.",
      .check = s_pinned },
    { .id = "WF308",
      .kinds = KIND_N8N | KIND_NODE_RED,
      .category = CATEGORY_SECURITY,
      .severity = SEVERITY_WARNING,
      .title = "Certificate check switched off",
      .why =
          "The connection is encrypted, but to whom is not known: anybody on the way can pose as "
          "the server.",
      .fix = "Switch the check on, and install the server's own authority where it has one.",
      .check = s_no_certificate_check },
    { .id = "WF309",
      .kinds = KIND_N8N | KIND_NODE_RED,
      .category = CATEGORY_SECURITY,
      .severity = SEVERITY_WARNING,
      .title = "Program that runs programs",
      .why =
          "Whoever controls the text that is evaluated, or the command that is started, controls "
          "the server.",
      .fix = "Say what is meant in the program itself, or use the node made for it.",
      .check = s_eval },
    { .id = "WF313",
      .kinds = KIND_N8N,
      .category = CATEGORY_SECURITY,
      .severity = SEVERITY_INFO,
      .title = "Public chat without authentication",
      .why = "Anyone who finds the page can talk to the model at the owner's expense, and use the "
             "tools it has.",
      .fix = "Set an authentication at the chat trigger, or a limit in front of it.",
      .check = s_open_chat },
    { 0 },
};
