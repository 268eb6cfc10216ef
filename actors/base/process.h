/* SPDX-License-Identifier: MPL-2.0
 *
 * process - what the operating system counts about this process
 *
 * There is one such set in a process, and one of its parts publishes it: however many parts play
 * in one process, its memory is told once. Names are those of Prometheus' own client libraries.
 */
#ifndef SIGNALBOX_PROCESS_H
#define SIGNALBOX_PROCESS_H

#include "actors/base/stats.h"

/* The set with fresh values if `part` is the part that publishes it: the first that asked, until it
 * leaves. NULL for the others. Borrowed until then. */
const stats_t *process_stats(const void *part);

/* The part publishes no more. */
void process_leave(const void *part);

#endif
