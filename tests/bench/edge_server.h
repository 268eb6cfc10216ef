/* SPDX-License-Identifier: MPL-2.0
 *
 * edge_server - servers of one process for edge_bench to ask
 *
 * Each is the body of a process of its own, which tells its port through the pipe that `arg` points
 * to and answers until it is killed.
 */
#ifndef SIGNALBOX_BENCH_EDGE_SERVER_H
#define SIGNALBOX_BENCH_EDGE_SERVER_H

#include "actors/base/buf.h"

/* civetweb, which answers the same bytes to everything. */
void edge_server_hello(void *arg);

/* Edge, broker and an echoing service over inproc; no limits, nothing kept. */
void edge_server_plain(void *arg);

#endif
