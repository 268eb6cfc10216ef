/* SPDX-License-Identifier: MPL-2.0
 *
 * mermaid - a workflow as a Mermaid flowchart, coloured by its issues
 */
#include "config.h"

#include "actors/analysis/mermaid.h"
#include "actors/analysis/overlay.h"

static const char *const s_colours[SEVERITY_COUNT] = {
    [SEVERITY_CRITICAL] = "stroke:#82071e,stroke-width:3px",
    [SEVERITY_ERROR] = "stroke:#d1242f,stroke-width:2px",
    [SEVERITY_WARNING] = "stroke:#9a6700,stroke-width:2px",
    [SEVERITY_INFO] = "stroke:#0969da,stroke-width:2px",
};

/* What stands on both sides of a label. */
static const char *const s_brackets[][2] = {
    [SHAPE_STEP] = { "[", "]" },
    [SHAPE_START] = { "([", "])" },
    [SHAPE_CHOICE] = { "{", "}" },
    [SHAPE_PART] = { "((", "))" },
};

static const char *const s_arrows[] = {
    [CHANNEL_MAIN] = "-->", [CHANNEL_ERROR] = "-. error .->", [CHANNEL_AI] = "-.-o"
};

/* Letters, digits and a few signs stand for themselves, all other ASCII as the entity of its
 * number. */
static void s_add_label(buf_t *out, slice_t text)
{
    for (uint32_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.text[i];
        bool is_plain = c >= 0x80 || (c >= '0' && c <= '9') ||
                        ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == ' ' || c == '.' ||
                        c == ',' || c == '_' || c == '-' || c == '/' || c == ':';
        if (is_plain)
            buf_add_byte(out, c);
        else if (c == '"')
            buf_add_text(out, "#quot;");
        else
            buf_printf(out, "#%u;", c);
    }
}

static bool s_is_shown(const sketch_t *sketch, uint32_t node)
{
    return node < MERMAID_NODES_MAX && sketch->nodes[node].shape != SHAPE_SETTINGS;
}

static void s_add_node(buf_t *out, const sketch_node_t *node, uint32_t n,
                       const overlay_mark_t *mark)
{
    buf_printf(out, "    n%u%s\"", n, s_brackets[node->shape][0]);
    s_add_label(out, node->name);
    if (node->disabled)
        buf_add_text(out, " - disabled");
    buf_printf(out, "\"%s", s_brackets[node->shape][1]);
    if (mark->count)
        buf_printf(out, ":::%s", severity_name(mark->worst));
    buf_add_byte(out, '\n');
}

void mermaid_write(const sketch_t *sketch, const value_t *result, buf_t *out)
{
    arena_t arena = { 0 };
    overlay_t overlay;
    uint32_t left_out = 0;

    overlay_make(&overlay, &arena, sketch, result);
    buf_add_text(out, "flowchart LR\n");
    for (severity_t s = 0; s < SEVERITY_COUNT; s++)
        buf_printf(out, "    classDef %s %s\n", severity_name(s), s_colours[s]);
    for (uint32_t n = 0; n < sketch->node_count; n++) {
        if (s_is_shown(sketch, n))
            s_add_node(out, &sketch->nodes[n], n, &overlay.nodes[n]);
        else
            left_out += n >= MERMAID_NODES_MAX;
    }
    for (uint32_t w = 0; w < sketch->wire_count; w++) {
        const sketch_wire_t *wire = &sketch->wires[w];
        if (s_is_shown(sketch, wire->src) && s_is_shown(sketch, wire->dst))
            buf_printf(out, "    n%u %s n%u\n", wire->src, s_arrows[wire->channel], wire->dst);
    }
    if (left_out)
        buf_printf(out, "    %%%% %u nodes are left out\n", left_out);
    arena_free(&arena);
}
