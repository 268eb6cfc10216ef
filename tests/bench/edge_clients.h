/* SPDX-License-Identifier: MPL-2.0
 *
 * edge_clients - HTTP clients for edge_bench
 */
#ifndef SIGNALBOX_BENCH_EDGE_CLIENTS_H
#define SIGNALBOX_BENCH_EDGE_CLIENTS_H

#include "actors/base/buf.h"

#define CLIENTS_MAX 500

/* What every client sends, again and again. */
typedef struct {
    buf_t bytes;
    size_t serial_at; /* where eight digits stand that are to differ each time; 0: nowhere */
} clients_request_t;

/* Closed loop: each of `count` clients sends its next request over the same connection when it has
 * its answer. How long the whole took; ends the benchmark when an answer is not a success. */
uint64_t clients_run(unsigned port, clients_request_t *request, uint64_t requests, size_t count);

/* Sends one request and waits for the answer, which replaces what is in `answer`: as it came, with
 * its head. */
void clients_ask(unsigned port, const buf_t *request, buf_t *answer);

/* "GET PATH" with header lines, each ended by "\r\n". Replaces what is in `out`. */
void clients_write_get(const char *path, const char *headers, buf_t *out);

/* The same for "POST PATH" with a JSON body. */
void clients_write_post(const char *path, const char *headers, const buf_t *body, buf_t *out);

#endif
