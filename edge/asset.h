/* SPDX-License-Identifier: MPL-2.0
 *
 * asset - the files of the API page
 *
 * They lie in `edge.web_root`, are named in a table, and are read when they are asked for: nobody
 * waits for them but developers. Beside a file, its packed form may lie as NAME.gz.
 */
#ifndef SIGNALBOX_EDGE_ASSET_H
#define SIGNALBOX_EDGE_ASSET_H

#include "edge/exchange.h"

/* Answers with the file of the exchange's pattern; without swagger-ui's files the page says how to
 * get them. */
void asset_serve(exchange_t *exchange);

#endif
