/* SPDX-License-Identifier: MPL-2.0
 *
 * documents - workflows of any size for the benchmarks
 */
#include "config.h"

#include "proto/json.h"
#include "tests/bench/documents.h"

/* What the nodes are, in turn; %u is an earlier node. */
static const struct {
    const char *type, *parameters;
} s_kinds[] = {
    { "set",
      "\"assignments\":{\"assignments\":[{\"id\":\"a1\",\"name\":\"customer\",\"value\":"
      "\"={{ $json.body.customer }}\",\"type\":\"string\"},{\"id\":\"a2\",\"name\":\"total\","
      "\"value\":\"={{ $('Step %u').item.json.total * 1.2 }}\",\"type\":\"number\"}]}" },
    { "httpRequest",
      "\"method\":\"POST\",\"url\":\"https://orders.acme-shop.com/v2/orders\","
      "\"sendHeaders\":true,\"headerParameters\":{\"parameters\":[{\"name\":"
      "\"Accept\",\"value\":\"application/json\"}]},\"jsonBody\":\"={{ { \\\"id\\\": "
      "$('Step %u').item.json.id, \\\"lines\\\": $json.lines } }}\"" },
    { "if", "\"conditions\":{\"options\":{\"caseSensitive\":true},\"conditions\":[{\"leftValue\":"
            "\"={{ $json.total }}\",\"rightValue\":%u,\"operator\":{\"type\":\"number\","
            "\"operation\":\"gte\"}}],\"combinator\":\"and\"}" },
    { "code",
      "\"jsCode\":\"const rows = $input.all();\\nconst seen = new Map();\\nfor (const row of "
      "rows) {\\n  seen.set(row.json.id, $('Step %u').first().json);\\n}\\nreturn "
      "[...seen.values()].map((json) => ({ json }));\"" },
    { "postgres", "\"operation\":\"executeQuery\",\"query\":\"SELECT id, total FROM orders WHERE "
                  "customer = $1 AND total > %u ORDER BY id LIMIT 100\",\"options\":{"
                  "\"queryReplacement\":\"={{ $json.customer }}\"}" },
};

static const char s_note[] =
    "Kept by the team that runs the shop; ask before changing how orders are priced. The numbers "
    "come from the price list of the season, which is loaded each morning, and the discounts from "
    "the table that sales maintains. When a call fails three times the order waits for a person.";

static void s_add_node(buf_t *out, uint32_t i)
{
    const uint32_t earlier = i / 2;
    buf_printf(out,
               "%s{\"id\":\"7c9e6679-7425-40de-944b-%012u\",\"name\":\"Step %u\",\"type\":"
               "\"n8n-nodes-base.%s\",\"typeVersion\":2,\"position\":[%u,%u],\"notes\":\"%s\","
               "\"credentials\":{\"account\":{\"id\":\"k7Pq2\",\"name\":\"Shop account\"}},"
               "\"retryOnFail\":%s,\"parameters\":{",
               i ? "," : "", i, i, i ? s_kinds[i % COUNT_OF(s_kinds)].type : "webhook",
               i % 40 * 220, i / 40 * 160, s_note, i % 3 ? "true" : "false");
    if (i == 0)
        buf_add_text(out, "\"httpMethod\":\"POST\",\"path\":\"orders\"");
    else
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        buf_printf(out, s_kinds[i % COUNT_OF(s_kinds)].parameters, earlier);
#pragma GCC diagnostic pop
    buf_add_text(out, "}}");
}

static void s_add_wires(buf_t *out, uint32_t i, uint32_t nodes)
{
    buf_printf(out,
               "%s\"Step %u\":{\"main\":[[{\"node\":\"Step %u\",\"type\":\"main\",\"index\":0}]",
               i ? "," : "", i, i + 1);
    if (i % 2 && i + 3 < nodes)
        buf_printf(out, ",[{\"node\":\"Step %u\",\"type\":\"main\",\"index\":0}]", i + 3);
    buf_add_text(out, "]}");
}

void documents_n8n(buf_t *out, uint32_t nodes)
{
    buf_add_text(out, "{\"name\":\"Orders of the day\",\"active\":true,\"nodes\":[");
    for (uint32_t i = 0; i < nodes; i++)
        s_add_node(out, i);
    buf_add_text(out, "],\"connections\":{");
    for (uint32_t i = 0; i + 1 < nodes; i++)
        s_add_wires(out, i, nodes);
    buf_add_text(out, "},\"settings\":{\"executionOrder\":\"v1\"},\"tags\":[]}");
}

const value_t *documents_parse(const buf_t *json, buf_t *packed, arena_t *arena)
{
    json_error_t error;
    value_verdict_t verdict;
    const value_limits_t limits = { .depth = VALUE_LIMITS.depth, .nodes = UINT32_MAX };
    packed->size = 0;
    arena_reset(arena);
    if (!json_to_msgpack((const char *)json->bytes, json->size, limits, 0, packed, &error))
        die("line %u, column %u: %s", error.line, error.column, json_verdict_text(error.verdict));
    const value_t *value = value_parse(arena, packed->bytes, packed->size, limits, &verdict);
    insist(value);
    return value;
}
