/* SPDX-License-Identifier: MPL-2.0
 *
 * assess - from a submission to an analysis in the history: known already, or analysed and stored
 *
 * The key is looked up first, with one indexed read, so that what was analysed before is not
 * analysed again. It is also what makes a table of idempotency keys needless: a submission sent
 * twice is the same content, and the content decides. Two at the same time both analyse, one of
 * them is stored, and both are answered with that one.
 */
#ifndef SIGNALBOX_ANALYSIS_ASSESS_H
#define SIGNALBOX_ANALYSIS_ASSESS_H

#include "actors/analysis/service.h"
#include "actors/analysis/submission.h"

typedef struct assessment assessment_t;

struct assessment {
    call_t *call;
    analysis_t *service;
    /* Ends the call with the analysis: `result` is the map that was stored. */
    void (*reply)(const assessment_t *self, const brief_t *brief, repeated_t repeated,
                  const uint8_t *result, size_t size);
    const char *waiting;       /* the kept submission that it is of; NULL: none */
    const workflow_t *into;    /* of which it is to be a version; NULL: what is submitted says */
    uint64_t patient_until_us; /* then it is handed to a job; 0: never */

    submission_t what;
    uint64_t look_us; /* while it is analysed: when to look after what waits to be stored */
    bool is_answered; /* by the job that it was handed to */
};

/* Reads what is submitted. False: the call has been answered. */
bool assess_require(assessment_t *self, const value_t *request) MUST_CHECK;

/* Ends the call: with the analysis, with a failure, or with the job that it was handed to. */
void assess(assessment_t *self);

/* Likewise, but what is not known already is not analysed here. */
void assess_later(assessment_t *self);

#endif
