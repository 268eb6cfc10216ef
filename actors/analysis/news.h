/* SPDX-License-Identifier: MPL-2.0
 *
 * news - what an account is told of a new analysis
 *
 * `analysis.finished` tells of each, `analysis.regressed` of one that is worse than what it is
 * measured against: the baseline of the workflow, or without one the version before. Worse is a
 * lower score, or a critical issue or an error that was not there, by its fingerprint; what was
 * fixed makes up for a score, but not for a new error. Whether an analysis is worse is looked up
 * only for accounts that have subscribed to it.
 */
#ifndef SIGNALBOX_ANALYSIS_NEWS_H
#define SIGNALBOX_ANALYSIS_NEWS_H

#include "actors/analysis/store.h"
#include "actors/runtime/outbox.h"

typedef struct {
    outbox_event_t events[2];
    size_t count;
} news_t;

/* An analysis that is about to be stored. */
typedef struct {
    const char *account;
    const brief_t *brief;
    const buf_t *result; /* the map of result_write */
} news_of_t;

/* Gathers what the account wants to be told; the texts are in the call's arena. Looks up what the
 * analysis is measured against only for who wants to be told of regressions. */
db_status_t news_gather(news_t *self, call_t *call, outbox_t *outbox,
                        const news_of_t *of) MUST_CHECK;

/* Tells of the analysis, after the commit: everybody on the topics of those names, and webhooks. */
void news_tell(const news_t *self, call_t *call, outbox_t *outbox, const news_of_t *of);

#endif
