/* SPDX-License-Identifier: MPL-2.0
 *
 * analyser - one kind of workflow: how to recognise it, hash it and bring it into normal form
 *
 * Each kind is one const row. A new kind is one file with its row, a line in analyser.c, and a bit
 * for the rules that apply to it.
 */
#ifndef SIGNALBOX_ANALYSIS_ANALYSER_H
#define SIGNALBOX_ANALYSIS_ANALYSER_H

#include "actors/analysis/canonical.h"
#include "actors/analysis/model.h"

#define LOADER_WHY_SIZE 200

/* One bit a kind, for the rows of rules. */
enum {
    KIND_N8N = 1 << 0,
    KIND_NODE_RED = 1 << 1,
    KIND_ASL = 1 << 2,
    KIND_GENERIC = 1 << 3,
    KIND_ALL = (1 << 4) - 1,
};

typedef struct {
    work_t *work;
    model_t *model;
    char why[LOADER_WHY_SIZE]; /* a sentence when loading is refused */
} loader_t;

typedef struct {
    const char *kind; /* "n8n" ... */
    unsigned bit;     /* KIND_... */
    /* Raised with every change after which the same document may get another answer. */
    unsigned version;
    /* Whether a document looks like one of these; cheap. */
    bool (*detect)(const value_t *document);
    /* What the document calls itself: the id its platform gave it, and a name for people. Sets what
     * it finds; NULL when documents of this kind have neither. */
    void (*identify)(const value_t *document, slice_t *id, slice_t *name);
    /* Writes all of the document that loading and the rules look at. */
    void (*canonicalise)(canon_t *canon, const value_t *document);
    /* Fills the model; false with `why` when it is not one of these or too large. Wrong types of
     * what is not needed to tell nodes and wires are passed over. */
    bool (*load)(loader_t *loader, const value_t *document);
} analyser_t;

extern const analyser_t analyser_n8n, analyser_node_red, analyser_asl, analyser_generic;

/* The row of a kind by name, NULL when there is none. */
const analyser_t *analyser_named(slice_t kind);

/* The row whose `detect` says yes, NULL when none does. */
const analyser_t *analyser_detected(const value_t *document);

/* The rows in order; NULL behind the last. */
const analyser_t *analyser_at(size_t i);

/* `identify` of the row; both empty when the document does not say. */
void analyser_identify(const analyser_t *self, const value_t *document, slice_t *id, slice_t *name);

/* ---- for the analysers ----------------------------------------------------------------------- */

/* Writes the sentence and returns false. */
bool loader_refuse(loader_t *self, const char *format, ...) PRINTF_LIKE(2, 3);

/* As the model's, refusing with a sentence when there are too many. */
node_t *loader_add_node(loader_t *self, const catalog_row_t *row) MUST_CHECK;
wire_t *loader_add_wire(loader_t *self, uint32_t src, uint32_t dst) MUST_CHECK;

/* The number under `key`, 0 when there is none. */
double loader_number(const value_t *map, const char *key);

/* Takes a node's place from the list of two numbers `position` in its body. */
void loader_read_position(node_t *node);

/* Whether a text starts with one of the words, a NULL-ended list. */
bool loader_starts_with(slice_t text, const char *const *words);

#endif
