/* SPDX-License-Identifier: MPL-2.0
 *
 * jobs_snapshot - jobs under constant load while somebody holds an old snapshot of the database
 *
 * As long as a transaction may still look at rows that were deleted since it began, PostgreSQL
 * keeps them, and their entries in indexes: a queue that walks over them slows down more and more.
 * Three parts of BENCH_SECONDS (60) each: without a snapshot, with one that is held, and without
 * one again. `ratio` is the rate with it to that of the other two together, `last_ratio` that of
 * its last sixth.
 */
#ifndef SIGNALBOX_JOBS_SNAPSHOT_H
#define SIGNALBOX_JOBS_SNAPSHOT_H

#include "tests/bench/jobs_system.h"

void bench_snapshot(const place_t *place);

#endif
