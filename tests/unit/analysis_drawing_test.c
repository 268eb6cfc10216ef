/* SPDX-License-Identifier: MPL-2.0
 *
 * Drawings, SVG and Mermaid: nothing in a workflow gets out of its text, and large ones are cut.
 */
#include "config.h"

#include "actors/analysis/mermaid.h"
#include "actors/analysis/svg.h"
#include "tests/unit/analysis_drawn.h"

/* ---- is it XML? ------------------------------------------------------------------------------ */

typedef struct {
    const char *at;
    char open[64][16]; /* names of the elements that are open */
    size_t depth;
} xml_t;

static const char *const s_elements[] = { "svg",  "title", "style", "defs",   "marker", "path",
                                          "rect", "text",  "g",     "circle", "polygon" };

static bool s_is_element(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(s_elements); i++)
        if (strcmp(name, s_elements[i]) == 0)
            return true;
    return false;
}

/* Attributes are name="value", and the value has no markup; links and handlers there are none. */
static bool s_skip_attributes(xml_t *self)
{
    while (*self->at == ' ') {
        size_t name = strspn(++self->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");
        if (name == 0 || strncmp(self->at, "on", 2) == 0 || strncmp(self->at, "href", 4) == 0)
            return false;
        self->at += name;
        if (strncmp(self->at, "=\"", 2) != 0)
            return false;
        self->at += 2;
        self->at += strcspn(self->at, "\"<&");
        if (*self->at++ != '"')
            return false;
    }
    return true;
}

static bool s_read_tag(xml_t *self)
{
    char name[16] = "";
    bool is_end = self->at[1] == '/';
    self->at += 1 + is_end;
    size_t size = strspn(self->at, "abcdefghijklmnopqrstuvwxyz");
    if (size == 0 || size >= sizeof name)
        return false;
    memcpy(name, self->at, size);
    self->at += size;
    if (is_end)
        return self->depth > 0 && strcmp(self->open[--self->depth], name) == 0 &&
               *self->at++ == '>';
    if (!s_is_element(name) || !s_skip_attributes(self))
        return false;
    bool is_empty = *self->at == '/';
    self->at += is_empty;
    if (!is_empty && self->depth == COUNT_OF(self->open))
        return false;
    if (!is_empty)
        memcpy(self->open[self->depth++], name, sizeof name);
    return *self->at++ == '>';
}

static bool s_read_entity(xml_t *self)
{
    static const char *const entities[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;", "&#10;" };
    for (size_t i = 0; i < COUNT_OF(entities); i++)
        if (strncmp(self->at, entities[i], strlen(entities[i])) == 0) {
            self->at += strlen(entities[i]);
            return true;
        }
    return false;
}

/* A character that XML 1.0 has (section 2.2) and that is no markup. */
static bool s_read_character(xml_t *self)
{
    size_t size = text_utf8_step(self->at, strlen(self->at));
    bool good = size > 0 && ((unsigned char)*self->at >= 0x20 || *self->at == '\n') &&
                *self->at != '>' && strncmp(self->at, "\xef\xbf\xbe", 3) != 0 &&
                strncmp(self->at, "\xef\xbf\xbf", 3) != 0;
    self->at += size;
    return good;
}

/* Whether the text is one well-formed element of those we draw with, and nothing else. */
static bool s_is_svg(const char *text)
{
    xml_t xml = { .at = text };
    if (strncmp(text, "<svg xmlns=\"http://www.w3.org/2000/svg\" ", 40) != 0)
        return false;
    do {
        bool good = *xml.at == '<'   ? s_read_tag(&xml)
                    : *xml.at == '&' ? s_read_entity(&xml)
                                     : s_read_character(&xml);
        if (!good) {
            note("at %.60s", xml.at);
            return false;
        }
    } while (xml.depth > 0);
    return strcmp(xml.at, "\n") == 0;
}

/* ---- is it Mermaid? -------------------------------------------------------------------------- */

/* A line is a node with a quoted label, a wire, a class or a comment; a label has no signs. */
static bool s_is_mermaid_line(const char *line, size_t size)
{
    static const char *const arrows[] = { " --> n", " -. error .-> n", " -.-o n" };
    char copy[2048];
    if (size >= sizeof copy || strncmp(line, "    ", 4) != 0)
        return false;
    memcpy(copy, line + 4, size - 4);
    copy[size - 4] = '\0';
    if (strncmp(copy, "classDef ", 9) == 0 || strncmp(copy, "%% ", 3) == 0)
        return true;
    if (copy[0] != 'n')
        return false;
    char *at = copy + 1 + strspn(copy + 1, "0123456789");
    for (size_t i = 0; i < COUNT_OF(arrows); i++)
        if (strncmp(at, arrows[i], strlen(arrows[i])) == 0) {
            at += strlen(arrows[i]);
            return at[strspn(at, "0123456789")] == '\0';
        }
    at += strspn(at, "[({");
    if (*at++ != '"')
        return false;
    at += strcspn(at, "\"<>&'`|\\[](){}%$");
    return *at == '"' && at[1 + strspn(at + 1, "])}")] != ' ';
}

static bool s_is_mermaid(const char *text)
{
    static const char head[] = "flowchart LR\n";
    if (strncmp(text, head, sizeof head - 1) != 0)
        return false;
    for (text += sizeof head - 1; *text;) {
        size_t size = strcspn(text, "\n");
        if (!s_is_mermaid_line(text, size)) {
            note("line %.*s", (int)size, text);
            return false;
        }
        text += size + (text[size] == '\n');
    }
    return true;
}

/* ---- drawings -------------------------------------------------------------------------------- */

static void s_check(drawn_t *drawn, const char *title, const char *name)
{
    buf_t svg = { 0 }, mermaid = { 0 };
    svg_write(&drawn->sketch, drawn->result, title, &svg);
    ok_named(s_is_svg(buf_text(&svg)), name);
    mermaid_write(&drawn->sketch, drawn->result, &mermaid);
    ok_named(s_is_mermaid(buf_text(&mermaid)), name);
    buf_free(&svg);
    buf_free(&mermaid);
}

static void test_hostile(void)
{
    for (size_t i = 0; i < COUNT_OF(drawn_hostile); i++) {
        drawn_t drawn;
        ok_named(drawn_make_of(&drawn, drawn_hostile[i]), drawn_hostile[i]);
        s_check(&drawn, NULL, drawn_hostile[i]);
        s_check(&drawn, "<b>&amp;]]>\"'", drawn_hostile[i]);
        drawn_free(&drawn);
    }
}

static void test_kinds(void)
{
    static const char *const files[] = { "WF102-fires.json",          "WF102-fires-asl.json",
                                         "WF102-fires-node-red.json", "WF102-fires-generic.json",
                                         "WF106-fires.json",          "WF204-fires.json" };
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        kit_t file = { 0 };
        drawn_t drawn;
        char path[64];
        snprintf(path, sizeof path, "tests/fixtures/analysis/%s", files[i]);
        ok(kit_read(&file, kit_folder(&file, path)));
        ok_named(drawn_make(&drawn, buf_text(&file.text)), files[i]);
        s_check(&drawn, files[i], files[i]);
        drawn_free(&drawn);
        kit_free(&file);
    }
}

/* Names in letters of every width are cut between letters, and an ellipsis says so. */
static void test_long_names(void)
{
    static const char *const letters[] = { "a", "\xc3\xa4", "\xe4\xb8\xad", "\xf0\x9f\x98\x80" };
    for (size_t i = 0; i < COUNT_OF(letters); i++) {
        char name[400] = "";
        drawn_t drawn;
        buf_t svg = { 0 };
        for (int n = 0; n < 90; n++)
            strcat(name, letters[i]);
        ok(drawn_make_of(&drawn, name));
        s_check(&drawn, name, letters[i]);
        svg_write(&drawn.sketch, drawn.result, name, &svg);
        ok(strstr(buf_text(&svg), "\xe2\x80\xa6</text>") != NULL);
        buf_free(&svg);
        drawn_free(&drawn);
    }
}

/* What is too much is left out, and said. */
static void test_large(void)
{
    enum { COUNT = SVG_NODES_MAX + 500 };
    buf_t text = { 0 }, svg = { 0 }, mermaid = { 0 };
    drawn_t drawn;
    buf_printf(&text, "{\"nodes\":[{\"id\":\"n0\"}");
    for (int i = 1; i < COUNT; i++)
        buf_printf(&text, ",{\"id\":\"n%d\"}", i);
    buf_printf(&text, "],\"edges\":[{\"from\":\"n0\",\"to\":\"n1\"}");
    for (int i = 2; i < COUNT; i++)
        buf_printf(&text, ",{\"from\":\"n%d\",\"to\":\"n%d\"}", i - 1, i);
    buf_printf(&text, "]}");
    ok(drawn_make(&drawn, buf_text(&text)));
    s_check(&drawn, "large", "large");
    svg_write(&drawn.sketch, drawn.result, "large", &svg);
    ok(strstr(buf_text(&svg), "1000 nodes and wires are not drawn") != NULL);
    mermaid_write(&drawn.sketch, drawn.result, &mermaid);
    ok(strstr(buf_text(&mermaid), "    %% 2500 nodes are left out\n") != NULL);
    buf_free(&text);
    buf_free(&svg);
    buf_free(&mermaid);
    drawn_free(&drawn);
}

static void test_deterministic(void)
{
    drawn_t drawn;
    buf_t one = { 0 }, other = { 0 };
    ok(drawn_make_of(&drawn, "name"));
    svg_write(&drawn.sketch, drawn.result, "x", &one);
    svg_write(&drawn.sketch, drawn.result, "x", &other);
    is_text(buf_text(&one), buf_text(&other));
    buf_free(&one);
    buf_free(&other);
    drawn_free(&drawn);
}

TESTS({ "hostile", test_hostile }, { "kinds", test_kinds }, { "long names", test_long_names },
      { "large", test_large }, { "deterministic", test_deterministic })
