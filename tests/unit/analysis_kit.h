/* SPDX-License-Identifier: MPL-2.0
 *
 * analysis_kit - what the tests of the analysis share: documents from text and files, and results
 *
 * A document lives in one arena with all that is made of it; `kit_free` ends both.
 */
#ifndef SIGNALBOX_ANALYSIS_KIT_H
#define SIGNALBOX_ANALYSIS_KIT_H

#include <stdio.h>
#include <stdlib.h>

#include "actors/analysis/analysis.h"
#include "proto/json.h"

typedef struct {
    arena_t arena;
    buf_t text, packed;
    const value_t *document; /* NULL when the text is no JSON */
    analysis_result_t result;
} kit_t;

static inline void kit_free(kit_t *self)
{
    arena_free(&self->arena);
    buf_free(&self->text);
    buf_free(&self->packed);
    *self = (kit_t){ 0 };
}

static inline bool kit_parse(kit_t *self, const char *text, size_t size)
{
    value_verdict_t verdict;
    json_error_t error;
    self->packed.size = 0;
    self->document = NULL;
    if (json_to_msgpack(text, size, VALUE_LIMITS, 0, &self->packed, &error))
        self->document = value_parse(&self->arena, self->packed.bytes, self->packed.size,
                                     VALUE_LIMITS, &verdict);
    else
        printf("# JSON: %s at line %u\n", json_verdict_text(error.verdict), error.line);
    return self->document != NULL;
}

static inline bool kit_read(kit_t *self, const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t got;
    if (!file)
        return false;
    self->text.size = 0;
    while ((got = fread(buf_reserve(&self->text, 65536), 1, 65536, file)))
        self->text.size += got;
    fclose(file);
    return kit_parse(self, (const char *)self->text.bytes, self->text.size);
}

static inline analysis_verdict_t kit_run(kit_t *self)
{
    return analysis_run(&self->arena, self->document, &(analysis_options_t){ 0 }, &self->result);
}

/* Parses and analyses; for documents of which the test wants a result. */
static inline bool kit_analyse(kit_t *self, const char *text)
{
    return kit_parse(self, text, strlen(text)) && kit_run(self) == ANALYSIS_DONE;
}

/* The first finding of a rule, NULL when it did not fire. */
static inline const finding_t *kit_finding(const kit_t *self, const char *rule)
{
    for (uint32_t i = 0; i < self->result.finding_count; i++)
        if (strcmp(self->result.findings[i]->rule->id, rule) == 0)
            return self->result.findings[i];
    return NULL;
}

/* The name of a node in the arena, for is_text. */
static inline const char *kit_name(kit_t *self, uint32_t node)
{
    slice_t name = self->result.model->nodes[node].name;
    return node == NODE_NONE ? "" : arena_text(&self->arena, name.text, name.size);
}

/* A folder of the sources: automake exports where they are. */
static inline const char *kit_folder(kit_t *self, const char *below)
{
    const char *srcdir = getenv("srcdir");
    return arena_format(&self->arena, "%s/%s", srcdir ? srcdir : ".", below);
}

#endif
