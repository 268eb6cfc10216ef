/* SPDX-License-Identifier: MPL-2.0
 *
 * keeper - the edge's one thread of its own, and the one place where periodic work lives
 *
 * It reads what the registry stored as soon as it is woken, and looks after the connections every
 * KEEPER_TICK_MS: what is overdue ends, and when most threads are in use somebody has to go. It
 * also publishes the edge's counters, the last time when it stops.
 */
#ifndef SIGNALBOX_EDGE_KEEPER_H
#define SIGNALBOX_EDGE_KEEPER_H

#include "edge/exchange.h"

#define KEEPER_TICK_MS 50

void keeper_start(edge_t *edge);
void keeper_stop(edge_t *edge);

#endif
