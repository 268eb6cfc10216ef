/* SPDX-License-Identifier: MPL-2.0
 *
 * otlp - spans for a collector that speaks OTLP/HTTP with JSON
 *
 * Bodies are ExportTraceServiceRequest of opentelemetry-proto 1.x in the protobuf-JSON mapping as
 * the OTLP specification has it: ids as hex, enums as numbers, 64-bit numbers as texts, names in
 * lowerCamelCase. What comes within a second is one body; the exporter carries it.
 *
 * Not for several threads.
 */
#ifndef SIGNALBOX_METRICS_OTLP_H
#define SIGNALBOX_METRICS_OTLP_H

#include "actors/metrics/exporter.h"
#include "actors/metrics/heard.h"

#define OTLP_SPANS_MAX   512 /* of a body */
#define OTLP_HEADERS_MAX 10

typedef struct {
    exporter_t exporter;
    char *headers[OTLP_HEADERS_MAX + 1]; /* "Name: value" */
    buf_t body;                          /* without its end */
    size_t spans;                        /* in it */
    size_t batch;                        /* spans of the present batch */
} otlp_t;

/* `headers` is "name=value,name=value"; values may have %XX in them, as those of
 * OTEL_EXPORTER_OTLP_HEADERS do. False with a sentence when they are not. An empty `url` exports
 * nothing. */
bool otlp_init(otlp_t *self, const char *url, const char *headers, char *why,
               size_t why_size) MUST_CHECK;
void otlp_free(otlp_t *self);

/* The spans of one instance: begin, add each, end. */
void otlp_begin(otlp_t *self, const heard_batch_t *batch);
void otlp_add(otlp_t *self, const heard_t *span);
void otlp_end(otlp_t *self);

/* How many spans a collector says that it has not taken, with its words in `why`: `partialSuccess`
 * of its answer (OTLP specification, "Partial Success"). 0 when it says nothing of the kind. */
size_t otlp_refused(const void *answer, size_t size, char why[EXPORTER_WHY_SIZE]);

/* Hands over what has come together. */
void otlp_flush(otlp_t *self);

#endif
