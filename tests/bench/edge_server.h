/* SPDX-License-Identifier: MPL-2.0
 *
 * edge_server - what edge_bench asks
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

/* The same with the actors limiter, cache and analysis, as in `signalbox run`, and one that says of
 * everybody that they are signed in. Limits are counted, and higher than anybody gets. */
void edge_server_guarded(void *arg);

/* Once it was killed: removes the folder it kept its data in. */
void edge_server_tidy(void);

/* Appends an access token that the last one takes. */
void edge_server_token(buf_t *out);

#endif
