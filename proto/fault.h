/* SPDX-License-Identifier: MPL-2.0
 *
 * fault - a failure that is no fault of the caller's, as an event on the topic `error`
 *
 * The edge publishes one for every answer 5xx, the actors' runtime for every call that fails so;
 * services in other languages may do the same. It belongs to the part that failed, whoever tells of
 * it: what an edge was answered by a service is that service's, by the service's and the method's
 * name, so both tell of the same.
 *
 *     {code, part, method, message, version, request_id, trace_id, span_id,
 *      breadcrumbs: [{at, level, event, text}]}
 *
 * `code` is a symbol of proto/error.def, or another service's own. Breadcrumbs are the lines that
 * were logged about the request before, the oldest first: without what the log hides.
 */
#ifndef SIGNALBOX_FAULT_H
#define SIGNALBOX_FAULT_H

#include "proto/client.h"

#define FAULT_BYTES_MAX   16384 /* of an event */
#define FAULT_CODE_BYTES  64    /* of code, part, version and request id, each */
#define FAULT_NAME_BYTES  160   /* of the method */
#define FAULT_TEXT_BYTES  500
#define FAULT_TRACE_BYTES 32
#define FAULT_SPAN_BYTES  16
#define FAULT_CRUMBS_MAX  16
#define FAULT_EVENT_BYTES 64

/* How many each client publishes: FAULT_BURST at once, then one every FAULT_EVERY_MS; the others
 * are counted (`bus_faults_untold_total`). */
#define FAULT_BURST    50
#define FAULT_EVERY_MS 100

typedef struct {
    int64_t wall_ms;
    const char *level, *event, *text;
} fault_crumb_t;

/* Texts are never NULL; "" is not known. */
typedef struct {
    const char *code, *part, *method, *message;
    const char *version; /* of the program that tells of it */
    const char *request_id, *trace_id, *span_id;
    fault_crumb_t crumbs[FAULT_CRUMBS_MAX];
    size_t crumb_count;
} fault_t;

/* Whose failure it is, and about which request. */
typedef struct {
    const char *part, *method; /* the method need not end with a NUL */
    size_t method_size;
    const char *request_id;      /* "": not known */
    const uint8_t *trace, *span; /* 16 bytes, and 8; NULL: none */
} fault_source_t;

/* Publishes a failure, with what this thread has logged about the same request (log_set_request).
 * Nothing happens when its code says that it is the caller's fault, or it is somebody's outside:
 * what a webhook's receiver cannot take is nothing to mend here. From any thread; never waits. */
void fault_tell(client_t *client, const fault_source_t *source, const failure_t *failure);

/* Reads an event from outside; the texts live as long as the arena. False when it is none: what is
 * too long is cut, what is not known to be harmless is left out. */
bool fault_read(fault_t *self, arena_t *arena, const void *bytes, size_t size) MUST_CHECK;

void fault_write(const fault_t *self, pack_t *out);

#endif
