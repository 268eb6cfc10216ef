/* SPDX-License-Identifier: MPL-2.0
 *
 * references - which node's data an n8n expression or program reads
 *
 * The forms are $('Name').item, .first(), .last(), .all(), .itemMatching(), .params, .context,
 * .isExecuted, .pairedItem; $node["Name"], $node.Name; and $items("Name"). A call of $ without one
 * of those accessors is somebody's jQuery or cheerio and no reference. Comments are passed over,
 * and names put together at run time are not known.
 */
#ifndef SIGNALBOX_ANALYSIS_REFERENCES_H
#define SIGNALBOX_ANALYSIS_REFERENCES_H

#include "actors/analysis/texts.h"

typedef struct {
    uint32_t reader; /* the node whose parameters hold it */
    uint32_t target; /* the node that is read; NODE_NONE: there is none of that name */
    slice_t name;    /* as written, escapes resolved */
    bool guarded;    /* the text asks isExecuted, or stands in a try: failing is provided for */
} reference_t;

typedef struct {
    reference_t *list; /* by reader; the same target once per reader */
    uint32_t count, room;
} references_t;

void references_gather(references_t *self, work_t *work, const model_t *model,
                       const texts_t *texts);

#endif
