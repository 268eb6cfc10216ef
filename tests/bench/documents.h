/* SPDX-License-Identifier: MPL-2.0
 *
 * documents - workflows of any size for the benchmarks: the same each time, of our own making
 */
#ifndef SIGNALBOX_BENCH_DOCUMENTS_H
#define SIGNALBOX_BENCH_DOCUMENTS_H

#include "actors/base/buf.h"
#include "proto/value.h"

/* Appends an n8n export of so many nodes, about 1 KB each: hooks, branches, loops, calls with
 * expressions that read from earlier nodes, code, databases; about three wires for two nodes. */
void documents_n8n(buf_t *out, uint32_t nodes);

/* JSON to a tree; the msgpack in `packed` and the tree in the arena are replaced. Stops the process
 * when it is no JSON. */
const value_t *documents_parse(const buf_t *json, buf_t *packed, arena_t *arena);

#endif
