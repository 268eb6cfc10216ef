/* SPDX-License-Identifier: MPL-2.0
 *
 * analysis - the contract of the service that analyses workflows and keeps their history
 *
 * Everything belongs to the caller's account; what belongs to another one is NOT_FOUND. A service
 * that calls for itself has the account "service".
 */
#ifndef SIGNALBOX_PROTO_ANALYSIS_H
#define SIGNALBOX_PROTO_ANALYSIS_H

#include "proto/method.h"

#define ANALYSIS_TREND_MAX 500 /* points of one trend */
#define ANALYSIS_DIFF_MAX  500 /* entries of one list of a comparison */

#define ANALYSIS_BATCH_MAX 100 /* workflows of one batch */

extern const method_t analysis_submit, analysis_run_later, analysis_batch, analysis_summarize,
    analysis_refetch, analysis_list, analysis_get, analysis_delete, analysis_sarif,
    analysis_graph_svg, analysis_graph_mmd, analysis_workflows, analysis_workflow,
    analysis_baseline_put, analysis_baseline_get, analysis_baseline_delete, analysis_diff,
    analysis_trend, analysis_rules, analysis_rule;

extern const service_t analysis_service;

#endif
