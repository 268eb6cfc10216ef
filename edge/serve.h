/* SPDX-License-Identifier: MPL-2.0
 *
 * serve - a request's way, from its accepted head to its answer
 */
#ifndef SIGNALBOX_EDGE_SERVE_H
#define SIGNALBOX_EDGE_SERVE_H

#include "edge/exchange.h"

/* Answers a request that civetweb has parsed. The status it was answered with. */
int serve_request(edge_t *edge, connection_t *connection, struct mg_connection *server);

/* Answers a head that the guard refused. A bad_head_fn: `edge` is the edge. */
void serve_bad_head(void *edge, connection_t *connection, guard_verdict_t verdict);

/* Answers a request that passed the guard and failed in civetweb's own parser. */
void serve_parser_refusal(edge_t *edge, connection_t *connection, struct mg_connection *server,
                          int status);

#endif
