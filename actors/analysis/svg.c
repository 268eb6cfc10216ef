/* SPDX-License-Identifier: MPL-2.0
 *
 * svg - a workflow drawn, with its issues in place
 */
#include "config.h"

#include <stdlib.h>

#include "actors/analysis/layout.h"
#include "actors/analysis/overlay.h"
#include "actors/analysis/svg.h"

#define MARGIN        24
#define HEAD_HEIGHT   44 /* name and score */
#define LINE_HEIGHT   20
#define WIDTH_MIN     720 /* of the legend */
#define TIP_ISSUES    12  /* in one tooltip */
#define BELOW_ISSUES  10  /* about the whole workflow */
#define LETTER_WIDTH  7   /* of the names, on average */
#define NAME_COLUMNS  80  /* of the head */
#define BELOW_COLUMNS 110

typedef struct {
    buf_t *out;
    const sketch_t *sketch;
    const value_t *result;
    const layout_t *layout;
    const overlay_t *overlay;
    uint32_t left_out; /* nodes and wires that are not drawn */
} drawing_t;

/* In the order a reader wants them. */
static const severity_t s_severities[SEVERITY_COUNT] = { SEVERITY_CRITICAL, SEVERITY_ERROR,
                                                         SEVERITY_WARNING, SEVERITY_INFO };

static const char s_style[] =
    "<style>"
    "text{font:12px system-ui,sans-serif;fill:#1f2328}"
    ".paper{fill:#fff}"
    ".head{font-weight:600;font-size:16px}"
    ".dim{fill:#656d76;font-size:10px}"
    ".box{fill:#f6f8fa;stroke:#8c959f;stroke-width:1.2}"
    ".off .box{stroke-dasharray:4 3}.off text{fill:#656d76}"
    ".wire{fill:none;stroke:#8c959f;stroke-width:1.5}"
    ".wire.error{stroke:#d1242f;stroke-dasharray:6 3}"
    ".wire.ai{stroke-dasharray:2 3}"
    ".tip{fill:#8c959f}"
    ".count{fill:#fff;font-size:11px;font-weight:600;text-anchor:middle}"
    ".critical .box{stroke:#82071e;stroke-width:2.5}.critical .mark{fill:#82071e}"
    ".error .box{stroke:#d1242f;stroke-width:2}.error .mark{fill:#d1242f}"
    ".warning .box{stroke:#9a6700;stroke-width:2}.warning .mark{fill:#9a6700}"
    ".info .box{stroke:#0969da;stroke-width:2}.info .mark{fill:#0969da}"
    "@media(prefers-color-scheme:dark){"
    "text{fill:#e6edf3}.paper{fill:#0d1117}.dim,.off text{fill:#8d96a0}.box{fill:#161b22}"
    ".count{fill:#0d1117}"
    ".critical .box{stroke:#ff8fab}.critical .mark{fill:#ff8fab}"
    ".error .box,.wire.error{stroke:#ff7b72}.error .mark{fill:#ff7b72}"
    ".warning .box{stroke:#d29922}.warning .mark{fill:#d29922}"
    ".info .box{stroke:#58a6ff}.info .mark{fill:#58a6ff}"
    "}</style>"
    "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" "
    "markerHeight=\"7\" orient=\"auto\"><path class=\"tip\" d=\"M0 0L8 4L0 "
    "8z\"/></marker></defs>\n";

/* ---- text ------------------------------------------------------------------------------------ */

/* Bytes of the character at `at`; `*columns` is how wide it is, from U+1100 on twice the Latin. */
static uint32_t s_step(const char *at, uint32_t left, uint32_t *columns)
{
    size_t size = text_utf8_step(at, left);
    *columns = size > 3 || (size == 3 && (unsigned char)at[0] >= 0xe1) ? 2 : 1;
    return size ? (uint32_t)size : 1;
}

/* XML 1.0 has no characters below U+0020 but tab and line ends, no U+FFFE and no U+FFFF. */
static void s_add_char(buf_t *out, const char *at, uint32_t size)
{
    static const struct {
        char character;
        const char *entity;
    } escapes[] = {
        { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\'', "&#39;" },
    };
    const unsigned char *bytes = (const unsigned char *)at;
    for (size_t i = 0; i < COUNT_OF(escapes); i++)
        if (*at == escapes[i].character) {
            buf_add_text(out, escapes[i].entity);
            return;
        }
    if (size == 1 && (bytes[0] < 0x20 || bytes[0] >= 0x7f))
        buf_add_byte(out, ' ');
    else if (size == 3 && bytes[0] == 0xef && bytes[1] == 0xbf && bytes[2] >= 0xbe)
        buf_add_text(out, "\xef\xbf\xbd");
    else
        buf_add(out, at, size);
}

/* The text in at most so many columns. */
static void s_add_text(buf_t *out, slice_t text, uint32_t columns)
{
    uint32_t used = 0, width, cut = 0, size;
    for (uint32_t i = 0; i < text.size; i += size) {
        size = s_step(text.text + i, text.size - i, &width);
        if (used + width <= columns - 1)
            cut = i + size; /* up to here, if an ellipsis has to follow */
        used += width;
        if (used > columns)
            break;
    }
    uint32_t end = used > columns ? cut : text.size;
    for (uint32_t i = 0; i < end; i += size) {
        size = s_step(text.text + i, text.size - i, &width);
        s_add_char(out, text.text + i, size);
    }
    if (end < text.size)
        buf_add_text(out, "\xe2\x80\xa6");
}

static void s_add_whole(buf_t *out, slice_t text)
{
    s_add_text(out, text, UINT32_MAX);
}

static void s_open_text(drawing_t *self, const char *class, int32_t x, int32_t y)
{
    buf_printf(self->out, "<text class=\"%s\" x=\"%d\" y=\"%d\">", class, x, y);
}

static void s_close_text(drawing_t *self)
{
    buf_add_text(self->out, "</text>\n");
}

/* ---- issues ---------------------------------------------------------------------------------- */

static const value_t *s_issue(const drawing_t *self, uint32_t entry)
{
    return &self->overlay->issues->items[self->overlay->entries[entry].issue];
}

/* "WF209 error: Expression reads from a missing node. There is no node ..." */
static void s_add_issue(drawing_t *self, const value_t *issue, uint32_t columns)
{
    buf_t line = { 0 };
    slice_t rule = slice_get(issue, "rule"), title = slice_get(issue, "title"),
            evidence = slice_get(issue, "evidence");
    buf_add(&line, rule.text, rule.size);
    buf_printf(&line, " %s: ", severity_name(issue_severity(issue)));
    buf_add(&line, title.text, title.size);
    if (evidence.size) {
        buf_add_text(&line, ". ");
        buf_add(&line, evidence.text, evidence.size);
    }
    s_add_text(self->out, slice_make((const char *)line.bytes, line.size), columns);
    buf_free(&line);
}

static void s_add_tooltip(drawing_t *self, const sketch_node_t *node, const overlay_mark_t *mark)
{
    uint32_t shown = 0;
    buf_add_text(self->out, "<title>");
    s_add_whole(self->out, node->name);
    if (node->type.size) {
        buf_add_text(self->out, " (");
        s_add_whole(self->out, node->type);
        buf_add_byte(self->out, ')');
    }
    if (node->disabled)
        buf_add_text(self->out, ", disabled");
    for (uint32_t e = mark->first; e != OVERLAY_NONE && shown < TIP_ISSUES; shown++) {
        buf_add_text(self->out, "&#10;");
        s_add_issue(self, s_issue(self, e), UINT32_MAX);
        e = self->overlay->entries[e].next;
    }
    if (mark->count > shown)
        buf_printf(self->out, "&#10;and %u more", mark->count - shown);
    buf_add_text(self->out, "</title>");
}

/* ---- nodes and wires ------------------------------------------------------------------------- */

static spot_t s_spot(const drawing_t *self, uint32_t node)
{
    spot_t spot = self->layout->spots[node];
    return (spot_t){ .x = spot.x + MARGIN, .y = spot.y + MARGIN + HEAD_HEIGHT };
}

static void s_draw_box(drawing_t *self, const sketch_node_t *node, spot_t at)
{
    const int32_t width = self->layout->box_width, height = self->layout->box_height;
    if (node->shape == SHAPE_CHOICE) {
        buf_printf(self->out,
                   "<polygon class=\"box\" points=\"%d,%d %d,%d %d,%d %d,%d %d,%d %d,%d\"/>", at.x,
                   at.y + height / 2, at.x + 12, at.y, at.x + width - 12, at.y, at.x + width,
                   at.y + height / 2, at.x + width - 12, at.y + height, at.x + 12, at.y + height);
        return;
    }
    bool is_round = node->shape == SHAPE_START || node->shape == SHAPE_PART;
    buf_printf(self->out,
               "<rect class=\"box\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/>", at.x,
               at.y, width, height, is_round ? height / 2 : 6);
}

/* What follows the last dot is what people call the type. */
static slice_t s_short_type(slice_t type)
{
    const char *dot = type.size ? memrchr(type.text, '.', type.size) : NULL;
    return dot ? slice_after(type, (uint32_t)(dot - type.text) + 1) : type;
}

static void s_draw_node(drawing_t *self, uint32_t n)
{
    const sketch_node_t *node = &self->sketch->nodes[n];
    const overlay_mark_t *mark = &self->overlay->nodes[n];
    const int32_t width = self->layout->box_width, height = self->layout->box_height;
    const uint32_t columns = (uint32_t)(width - 24) / LETTER_WIDTH;
    const spot_t at = s_spot(self, n);
    bool has_type = height >= 40 && node->type.size;

    buf_printf(self->out, "<g class=\"%s%s\">", mark->count ? severity_name(mark->worst) : "fine",
               node->disabled ? " off" : "");
    s_add_tooltip(self, node, mark);
    s_draw_box(self, node, at);
    s_open_text(self, "name", at.x + 14, at.y + height / 2 + (has_type ? -2 : 4));
    s_add_text(self->out, node->name, columns);
    buf_add_text(self->out, "</text>");
    if (has_type) {
        s_open_text(self, "dim", at.x + 14, at.y + height / 2 + 13);
        s_add_text(self->out, s_short_type(node->type), columns + 4);
        buf_add_text(self->out, "</text>");
    }
    if (mark->count)
        buf_printf(self->out,
                   "<circle class=\"mark\" cx=\"%d\" cy=\"%d\" r=\"10\"/>"
                   "<text class=\"count\" x=\"%d\" y=\"%d\">%u</text>",
                   at.x + width - 4, at.y + 4, at.x + width - 4, at.y + 8, mark->count);
    buf_add_text(self->out, "</g>\n");
}

static const char *const s_channels[] = {
    [CHANNEL_MAIN] = "", [CHANNEL_ERROR] = " error", [CHANNEL_AI] = " ai"
};

/* From the right side of one box to the left side of the other, bent more the further it goes back;
 * a part hangs below the node it is plugged into. */
static void s_draw_wire(drawing_t *self, const sketch_wire_t *wire)
{
    const int32_t width = self->layout->box_width, height = self->layout->box_height;
    spot_t from = s_spot(self, wire->src), to = s_spot(self, wire->dst);
    if (wire->channel == CHANNEL_AI && to.y + height <= from.y) {
        buf_printf(self->out, "<path class=\"wire ai\" d=\"M%d %dC%d %d %d %d %d %d\"/>\n",
                   from.x + width / 2, from.y, from.x + width / 2, from.y - 30, to.x + width / 2,
                   to.y + height + 30, to.x + width / 2, to.y + height);
        return;
    }
    from.x += width;
    from.y += height / 2;
    to.y += height / 2;
    int32_t reach = abs(to.x - from.x) / 2;
    int32_t bend = reach < 40 ? 40 : reach > 160 ? 160 : reach;
    buf_printf(self->out,
               "<path class=\"wire%s\" marker-end=\"url(#tip)\" d=\"M%d %dC%d %d %d %d %d %d\"/>\n",
               s_channels[wire->channel], from.x, from.y, from.x + bend, from.y, to.x - bend, to.y,
               to.x, to.y);
}

static bool s_is_drawn(const drawing_t *self, uint32_t node)
{
    return node < SVG_NODES_MAX && self->sketch->nodes[node].shape != SHAPE_SETTINGS;
}

static void s_draw_wires(drawing_t *self)
{
    uint32_t drawn = 0;
    for (uint32_t w = 0; w < self->sketch->wire_count; w++) {
        const sketch_wire_t *wire = &self->sketch->wires[w];
        if (!s_is_drawn(self, wire->src) || !s_is_drawn(self, wire->dst) || drawn == SVG_WIRES_MAX)
            continue;
        s_draw_wire(self, wire);
        drawn++;
    }
    self->left_out += self->sketch->wire_count - drawn;
}

static void s_draw_nodes(drawing_t *self)
{
    for (uint32_t n = 0; n < self->sketch->node_count; n++) {
        if (s_is_drawn(self, n))
            s_draw_node(self, n);
        else
            self->left_out += n >= SVG_NODES_MAX;
    }
}

static void s_draw_bands(drawing_t *self)
{
    for (uint32_t g = 0; g < self->sketch->group_count; g++)
        if (self->layout->tops[g] >= 0 && self->sketch->groups[g].size) {
            s_open_text(self, "name", MARGIN, self->layout->tops[g] + MARGIN + HEAD_HEIGHT + 12);
            s_add_text(self->out, self->sketch->groups[g], NAME_COLUMNS);
            s_close_text(self);
        }
}

/* ---- head and foot --------------------------------------------------------------------------- */

static void s_add_headline(drawing_t *self, const char *name, uint32_t columns)
{
    slice_t grade = slice_get(self->result, "grade");
    s_add_text(self->out, name ? slice_literal(name) : slice_make("Workflow", 8), columns);
    buf_printf(self->out, ": score %lld, grade ",
               (long long)value_get_int(self->result, "score", 0));
    s_add_whole(self->out, grade);
}

static void s_draw_legend(drawing_t *self, int32_t y)
{
    const value_t *counts = value_at(self->result, "summary.by_severity");
    int32_t x = MARGIN;
    for (size_t i = 0; i < SEVERITY_COUNT; i++, x += 110) {
        const char *severity = severity_name(s_severities[i]);
        buf_printf(self->out,
                   "<g class=\"%s\"><circle class=\"mark\" cx=\"%d\" cy=\"%d\" r=\"6\"/></g>",
                   severity, x + 6, y - 4);
        s_open_text(self, "name", x + 18, y);
        buf_printf(self->out, "%s %lld", severity, (long long)value_get_int(counts, severity, 0));
        s_close_text(self);
    }
    static const char *const names[] = { "runs next", "on failure", "plugged in" };
    for (size_t i = 0; i < COUNT_OF(names); i++, x += 90) {
        buf_printf(self->out, "<path class=\"wire%s\" d=\"M%d %dh22\"/>", s_channels[i], x, y - 4);
        s_open_text(self, "dim", x + 28, y);
        buf_add_text(self->out, names[i]);
        s_close_text(self);
    }
}

/* What is about the whole workflow, a line each. */
static void s_draw_general(drawing_t *self, int32_t y)
{
    const overlay_mark_t *mark = &self->overlay->workflow;
    uint32_t shown = 0;
    for (uint32_t e = mark->first; e != OVERLAY_NONE && shown < BELOW_ISSUES; shown++) {
        s_open_text(self, "name", MARGIN, y);
        s_add_issue(self, s_issue(self, e), BELOW_COLUMNS);
        s_close_text(self);
        e = self->overlay->entries[e].next;
        y += LINE_HEIGHT;
    }
    if (mark->count > shown || self->left_out) {
        s_open_text(self, "dim", MARGIN, y);
        if (mark->count > shown)
            buf_printf(self->out, "%u more issues about the whole workflow. ", mark->count - shown);
        if (self->left_out)
            buf_printf(self->out, "%u nodes and wires are not drawn.", self->left_out);
        s_close_text(self);
    }
}

static void s_draw(drawing_t *self, const char *name)
{
    const layout_t *layout = self->layout;
    uint32_t lines = self->overlay->workflow.count;
    lines = (lines < BELOW_ISSUES ? lines : BELOW_ISSUES) + 1;
    int32_t foot = MARGIN + HEAD_HEIGHT + layout->height + 48;
    int32_t width = (layout->width > WIDTH_MIN ? layout->width : WIDTH_MIN) + 2 * MARGIN;
    int32_t height = foot + LINE_HEIGHT * ((int32_t)lines + 1) + MARGIN;

    buf_printf(self->out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
               "viewBox=\"0 0 %d %d\" role=\"img\">\n<title>",
               width, height, width, height);
    s_add_headline(self, name, UINT32_MAX);
    buf_add_text(self->out, "</title>\n");
    buf_add_text(self->out, s_style);
    buf_printf(self->out, "<rect class=\"paper\" width=\"%d\" height=\"%d\"/>\n", width, height);
    s_open_text(self, "head", MARGIN, MARGIN + 12);
    s_add_headline(self, name, NAME_COLUMNS);
    s_close_text(self);
    s_draw_bands(self);
    s_draw_wires(self);
    s_draw_nodes(self);
    s_draw_legend(self, foot);
    s_draw_general(self, foot + LINE_HEIGHT + 4);
    buf_add_text(self->out, "</svg>\n");
}

void svg_write(const sketch_t *sketch, const value_t *result, const char *name, buf_t *out)
{
    arena_t arena = { 0 };
    layout_t layout;
    overlay_t overlay;
    layout_make(&layout, &arena, sketch);
    overlay_make(&overlay, &arena, sketch, result);
    drawing_t drawing = {
        .out = out, .sketch = sketch, .result = result, .layout = &layout, .overlay = &overlay
    };
    s_draw(&drawing, name);
    arena_free(&arena);
}
