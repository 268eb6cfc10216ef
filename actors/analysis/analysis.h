/* SPDX-License-Identifier: MPL-2.0
 *
 * analysis - reads a workflow and says what is wrong with it
 *
 * A pure function from a document to a result: no sockets, no SQL, no clock. Time and memory are
 * linear in the document; a document over a limit is refused with a sentence. Nothing in the result
 * shows a secret. Two documents with the same key (`analysis_key`) get the same answer but for the
 * places of nodes, so a result may be stored and given again.
 *
 * The document's depth has to be limited where it is parsed (VALUE_LIMITS): walks of values go as
 * deep as it does. Everything else may be anything at all.
 */
#ifndef SIGNALBOX_ANALYSIS_ANALYSIS_H
#define SIGNALBOX_ANALYSIS_ANALYSIS_H

#include "actors/analysis/finding.h"
#include "proto/pack.h"

#define ANALYSIS_KEY_BYTES    32
#define ANALYSIS_WHY_SIZE     LOADER_WHY_SIZE
#define ANALYSIS_FINDINGS_MAX 500 /* in one result; the rest is counted */

typedef enum {
    ANALYSIS_DONE,
    ANALYSIS_REFUSED, /* the document or an option cannot be used; `why` says so */
    ANALYSIS_STOPPED, /* `proceed` said to stop */
} analysis_verdict_t;

typedef struct {
    const char *kind;    /* "n8n", "node-red", "asl", "generic"; NULL: found out */
    const char *profile; /* which rules apply, see `analysis_profile_at`; NULL: "default" */
    /* Asked between steps, which take milliseconds at most: false stops the work. `done` of `total`
     * steps are behind it. May be NULL. */
    bool (*proceed)(void *context, unsigned done, unsigned total);
    void *context;
} analysis_options_t;

typedef struct {
    const analyser_t *analyser; /* of the kind given or found; NULL when it is unknown */
    const char *profile;
    score_t score;
    uint32_t nodes, wires;                /* nodes that run; wires between any */
    uint64_t by_severity[SEVERITY_COUNT]; /* findings, with those left out below */
    uint64_t by_category[CATEGORY_COUNT];
    const finding_t **findings; /* the most severe first, then by rule and place */
    uint32_t finding_count;
    uint64_t left_out;    /* findings that were counted only */
    uint64_t unscanned;   /* bytes of text that were too many to look at */
    uint64_t steps;       /* of work done (work.h) */
    const model_t *model; /* for drawing */
    char why[ANALYSIS_WHY_SIZE];
} analysis_result_t;

/* Everything the result points to is in the arena or borrowed from the document: it is valid as
 * long as both. */
analysis_verdict_t analysis_run(arena_t *arena, const value_t *document,
                                const analysis_options_t *options,
                                analysis_result_t *result) MUST_CHECK;

/* Whether the document can be analysed at all: refuses what `analysis_run` would, for the price of
 * reading it. The arena is used for passing work. */
analysis_verdict_t analysis_check(arena_t *arena, const value_t *document,
                                  const analysis_options_t *options,
                                  char why[ANALYSIS_WHY_SIZE]) MUST_CHECK;

/* The name of the answer: SHA-256 over kind, analyser version, profile and the canonical document.
 * Takes nothing from the document but its values: positions, recorded data, note texts and the
 * order of keys do not matter. ANALYSIS_REFUSED with `why` when the kind or profile is unknown. The
 * arena is used for passing work. */
analysis_verdict_t analysis_key(arena_t *arena, const value_t *document,
                                const analysis_options_t *options, uint8_t key[ANALYSIS_KEY_BYTES],
                                char why[ANALYSIS_WHY_SIZE]) MUST_CHECK;

/* A choice of rules. */
typedef struct {
    const char *name;
    severity_t least;    /* rules below are left out */
    unsigned categories; /* bits, 1 << category_t */
    const char *about;
} analysis_profile_t;

/* The profiles in order; NULL behind the last. The first is the default. */
const analysis_profile_t *analysis_profile_at(size_t i);

/* Packs the answer, one map:
 *
 *   kind              text
 *   analyser_version  int
 *   profile           text
 *   score             int, 0..100
 *   grade             text, A B C D F
 *   summary           map:
 *     nodes           int, that run
 *     wires           int
 *     issues          int, all that were found
 *     left_out        int, of them not in the list
 *     unscanned       int, bytes of parameters that were too many to look at
 *     by_severity     map of int: critical, error, warning, info
 *     by_category     map of int: structure, reliability, security, performance, maintainability
 *     points          map of double, lost by category: the same keys
 *   issues            list of maps, the most severe first:
 *     rule            text, "WF102"
 *     category        text
 *     severity        text
 *     title           text
 *     node            map { id, name, type }, or nil when it is about the whole workflow
 *     nodes           list of such maps: all with the same cause; empty when it is one
 *     nodes_left_out  int, further ones not listed
 *     path            list of such maps: the proof; from a start to the node, or once round a cycle
 *                     (the last is the first again), or the two of a pair; may be empty
 *     path_left_out   int, nodes left out of the middle of the path
 *     evidence        text, or nil
 *     why             text
 *     fix             text
 *     points          double, lost to it (before the ceilings that errors put on the score)
 *     fingerprint     text, 32 hex digits, see finding.h
 *
 * Texts from the document are cut at 200 bytes, with control characters replaced by spaces. */
void result_write(const analysis_result_t *result, pack_t *pack);

#endif
