/* SPDX-License-Identifier: MPL-2.0
 *
 * texts - every text among the parameters of every node, found once for all rules
 *
 * Texts are borrowed from the document. Of one node at most TEXTS_BYTES_MAX bytes are taken; what
 * is beyond is counted, so that a result can say that it did not look at everything.
 */
#ifndef SIGNALBOX_ANALYSIS_TEXTS_H
#define SIGNALBOX_ANALYSIS_TEXTS_H

#include "actors/analysis/model.h"

#define TEXTS_BYTES_MAX 262144 /* of one node */

enum {
    TEXT_EXPRESSION = 1 << 0, /* n8n: begins with "=", so what is in braces is evaluated */
    TEXT_BRACES = 1 << 1,     /* has "{{" */
    TEXT_DOLLAR = 1 << 2,     /* has "$" */
    TEXT_CODE = 1 << 3,       /* a program in JavaScript */
};

typedef struct {
    slice_t text;
    slice_t label; /* the key it stands under; of a pair { name, value } the name */
    uint32_t flags;
} text_t;

typedef struct {
    text_t *list;
    uint32_t *first;    /* texts of node n: list[first[n] .. first[n + 1]) */
    uint64_t unscanned; /* bytes left out */
} texts_t;

void texts_gather(texts_t *self, work_t *work, const model_t *model);

/* for (uint32_t i = 0; (text = texts_of(texts, node, i)); i++) */
static inline const text_t *texts_of(const texts_t *self, uint32_t node, uint32_t i)
{
    uint32_t at = self->first[node] + i;
    return at < self->first[node + 1] ? &self->list[at] : NULL;
}

#endif
