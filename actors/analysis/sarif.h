/* SPDX-License-Identifier: MPL-2.0
 *
 * sarif - results in the format of code scanning: SARIF 2.1.0 (OASIS, 27 March 2020)
 *
 *     sarif_t sarif;
 *     sarif_open(&sarif);
 *     sarif_add(&sarif, result, "flows/morning.json");
 *     sarif_close(&sarif, &out);
 *
 * One run holds all results. A node is a logical location, for a workflow has no lines; a proof is
 * a code flow; the fingerprint of an issue is a partial fingerprint. Rules that fired are described
 * once, with help and level.
 */
#ifndef SIGNALBOX_ANALYSIS_SARIF_H
#define SIGNALBOX_ANALYSIS_SARIF_H

#include "actors/analysis/analysis.h"

typedef struct sarif_file sarif_file_t;

typedef struct {
    buf_t rules, results, artifacts; /* msgpack items of these lists */
    uint32_t rule_count, result_count, artifact_count;
    sarif_file_t *files; /* in `artifacts` */
    uint32_t *indices;   /* of each rule of ours in `rules`, from 1; 0: it has not fired yet */
} sarif_t;

void sarif_open(sarif_t *self);

/* Adds the issues of a result, a map as `result_write` writes it. `path` is the file it is about,
 * relative to where the reader's sources are; NULL when there is none. */
void sarif_add(sarif_t *self, const value_t *result, const char *path);

/* The same, measured against the result of an earlier version: each issue says whether it is new or
 * unchanged. Readers that do not know of baselines take an absent one for present, so those that
 * only `baseline` has are added if they are asked for. */
void sarif_add_against(sarif_t *self, const value_t *result, const char *path,
                       const value_t *baseline, bool with_absent);

/* Appends the document as JSON and frees everything. */
void sarif_close(sarif_t *self, buf_t *out);

#endif
