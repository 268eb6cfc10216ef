/* SPDX-License-Identifier: MPL-2.0
 *
 * counters - what the broker counts, and tells (proto/snapshot.h); private to broker/
 */
#ifndef SIGNALBOX_BROKER_COUNTERS_H
#define SIGNALBOX_BROKER_COUNTERS_H

#include "broker/state.h"

extern const stats_row_t broker_counter_rows[];

/* Publishes the counters when it is time to. */
void broker_counters_tick(broker_t *broker);

/* Publishes them for the last time. */
void broker_counters_end(broker_t *broker);

#endif
