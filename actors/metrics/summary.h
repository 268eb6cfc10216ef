/* SPDX-License-Identifier: MPL-2.0
 *
 * summary - how the whole system does, made of the last snapshots (proto/metrics.c says its fields)
 */
#ifndef SIGNALBOX_METRICS_SUMMARY_H
#define SIGNALBOX_METRICS_SUMMARY_H

#include "actors/metrics/board.h"
#include "actors/metrics/errors.h"
#include "proto/pack.h"

/* Packs it as one map, all but the last member: how the rules stand (alerts.h) comes of the rest.
 */
#define SUMMARY_MEMBERS 7
void summary_write(const board_t *board, const errors_t *errors, uint64_t now_ms, int64_t wall_ms,
                   pack_t *out);

#endif
