/* SPDX-License-Identifier: MPL-2.0
 *
 * analysis_drawn - a document that has been analysed and drawn: its result as it is stored, and its
 * sketch
 */
#ifndef SIGNALBOX_ANALYSIS_DRAWN_H
#define SIGNALBOX_ANALYSIS_DRAWN_H

#include "actors/analysis/sketch.h"
#include "tests/tap.h"
#include "tests/unit/analysis_kit.h"

typedef struct {
    kit_t kit;
    buf_t packed;          /* of the result */
    const value_t *result; /* the map of result_write */
    sketch_t sketch;
} drawn_t;

/* Texts that want out of whatever they are written into. */
static const char *const drawn_hostile[] = {
    "<script>alert(1)</script>",
    "\\\"/><script>alert(1)</script>",
    "' onload='alert(1)",
    "]]><!--",
    "&amp;&#x3c;&lt",
    "</title></svg>",
    "\\\"]:::critical",
    "\\\"); click n0 href \\\"javascript:alert(1)",
    "#quot;#35;",
    "%%{init: {}}%%",
    "end\\nsubgraph x",
    "\\u0000\\u0001\\u001b[31m\\u007f\\u009b",
    "\\uffff\\ufffe\\ufeff\\u202e",
    "\\ud83d\\ude00\\u4e2d\\u6587",
    "",
    " ",
};

static inline void drawn_free(drawn_t *self)
{
    kit_free(&self->kit);
    buf_free(&self->packed);
}

/* False when the text is no workflow. */
static inline bool drawn_make(drawn_t *self, const char *text)
{
    value_verdict_t verdict;
    pack_t pack;
    *self = (drawn_t){ 0 };
    if (!kit_analyse(&self->kit, text))
        return false;
    pack_init(&pack, &self->packed);
    result_write(&self->kit.result, &pack);
    self->result = value_parse(&self->kit.arena, self->packed.bytes, self->packed.size,
                               VALUE_LIMITS, &verdict);
    sketch_make(&self->sketch, &self->kit.arena, &self->kit.result);
    return self->result != NULL;
}

/* A document of the plain kind whose texts are all `text`, JSON-escaped: two nodes and a wire. */
static inline bool drawn_make_of(drawn_t *self, const char *text)
{
    char document[8192];
    snprintf(document, sizeof document,
             "{\"name\":\"%s\",\"nodes\":[{\"id\":\"a%s\",\"name\":\"%s\",\"type\":\"http\","
             "\"params\":{\"url\":\"http://%s/\"}},{\"id\":\"b\",\"name\":\"%s\",\"type\":\"%s\"}],"
             "\"edges\":[{\"from\":\"a%s\",\"to\":\"b\"},{\"from\":\"b\",\"to\":\"%s\"}]}",
             text, text, text, text, text, text, text, text);
    return drawn_make(self, document);
}

#endif
