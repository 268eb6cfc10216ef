/* SPDX-License-Identifier: MPL-2.0
 *
 * finding - what a rule found, and the report that collects it
 *
 * One finding is one cause. What several nodes have from the same cause is one finding with the
 * list of them.
 *
 * The fingerprint stays the same while the cause does: it is the first 16 bytes, in hex, of the
 * SHA-256 over the rule's id, the node's id (empty when the finding is about the whole workflow)
 * and the mark, each followed by a NUL byte. The mark tells the findings of one rule at one node
 * apart: the name that is missing, the hash of the secret, the other end of the pair; it is empty
 * for rules that fire once a node. Positions, order, names and evidence do not go in.
 */
#ifndef SIGNALBOX_ANALYSIS_FINDING_H
#define SIGNALBOX_ANALYSIS_FINDING_H

#include "actors/analysis/graph.h"
#include "actors/analysis/rule.h"

#define FINDING_FINGERPRINT_SIZE 33

/* What a report keeps; beyond it findings are counted only. */
#define REPORT_FINDINGS_MAX 50 /* of one rule */
#define REPORT_GROUP_MAX    50 /* nodes listed in one finding */
#define REPORT_PATH_MAX     32 /* nodes of one proof: both ends, up to this many */

typedef struct {
    const rule_t *rule;
    uint32_t node; /* NODE_NONE: the workflow as a whole */
    slice_t mark;
    const char *evidence; /* one short sentence; NULL: the title says all */
    uint32_t *group;      /* nodes with the same cause, `node` among them; NULL: it is alone */
    uint32_t group_count, group_left_out;
    uint32_t *path; /* the proof: nodes from a start to the node, or once round the cycle (ends
                       where it began), or the two of a pair; NULL: none is needed */
    uint32_t path_count, path_left_out; /* left out of its middle */
    double points;                      /* lost to it, the category's cap applied */
    char fingerprint[FINDING_FINGERPRINT_SIZE];
} finding_t;

/* The findings of one rule. */
typedef struct {
    finding_t *list;
    uint32_t kept, room;
    uint64_t count; /* with those that were not kept */
} rule_findings_t;

struct report {
    work_t *work;
    const model_t *model;
    const rule_t *rule;        /* whose check runs */
    rule_findings_t *of_rules; /* one for each rule, in their order */
    rule_findings_t *now;      /* of `rule` */
};

void report_init(report_t *self, work_t *work, const model_t *model);

/* From here on findings are of rule number `i`. */
void report_begin(report_t *self, size_t i);

/* A new finding about a node; `evidence` is a printf format, NULL for none. NULL when the report
 * keeps no more of this rule: it is counted, and the functions below pass it over. */
finding_t *report_add(report_t *self, uint32_t node, const char *evidence, ...) PRINTF_LIKE(3, 4);

/* What tells it apart; borrowed until the fingerprint is made by `report_finish`. */
void report_mark(finding_t *finding, slice_t mark);

/* The nodes that share the cause. */
void report_group(report_t *self, finding_t *finding, const uint32_t *nodes, uint32_t count);

/* One finding for all the nodes together, at the first; none when there are none. `evidence` is a
 * format with %u for their number. */
void report_together(report_t *self, const uint32_t *nodes, uint32_t count, const char *evidence);

/* The proof: the way the walk went between a seed and `node`, in the order of execution. */
void report_path(report_t *self, finding_t *finding, const tree_t *tree, uint32_t node,
                 bool backward);

/* The proof is a cycle: its nodes in order, each once. */
void report_cycle(report_t *self, finding_t *finding, const uint32_t *nodes, uint32_t count);

/* The proof is two nodes. */
void report_pair(report_t *self, finding_t *finding, uint32_t one, uint32_t other);

/* A name that stands for a cause, and a node that has it. */
typedef struct {
    slice_t name;
    uint32_t node; /* may be NODE_NONE */
} named_t;

/* One finding for each different name, grouping its nodes and marked with it; `evidence` is a
 * format with SLICE for the name. Sorts the list. */
void report_by_name(report_t *self, named_t *list, uint32_t count, const char *evidence);

/* The same for the names that more than one node has. */
void report_repeated(report_t *self, named_t *list, uint32_t count, const char *evidence);

/* Gives each finding without a proof the path from a start (`starts`), if there is one, and makes
 * points and fingerprints. */
void report_finish(report_t *self, const tree_t *starts, score_t *score);

#endif
