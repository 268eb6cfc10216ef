/* SPDX-License-Identifier: MPL-2.0
 *
 * submission - what is to be analysed: which version of which workflow of whom
 *
 * Works out what a submission is without analysing it: two that are the same version of the same
 * workflow have the same key.
 */
#ifndef SIGNALBOX_ANALYSIS_SUBMISSION_H
#define SIGNALBOX_ANALYSIS_SUBMISSION_H

#include "actors/analysis/analysis.h"
#include "actors/base/id.h"

typedef struct {
    const value_t *request; /* a map of workflow, kind, profile and name; all but the first may be
                               missing */
    const value_t *document;
    analysis_options_t options; /* kind and profile: found out, or as they are by default */
    const char *account;
    const char *name;                /* NULL: nothing says */
    uint8_t key[ANALYSIS_KEY_BYTES]; /* of content and name */
    char workflow_id[ID_UUID_SIZE];
} submission_t;

/* `workflow_id` is the workflow of which it is to be a version, NULL the one that the request or
 * the document names; where both are the same so are the keys. Everything it points to is in the
 * arena, the request's or the account's. False with a sentence when the document, the kind or the
 * profile is none that is known. */
bool submission_read(submission_t *self, arena_t *arena, const char *account,
                     const char *workflow_id, const value_t *request,
                     char why[ANALYSIS_WHY_SIZE]) MUST_CHECK;

#endif
