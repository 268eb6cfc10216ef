/* SPDX-License-Identifier: MPL-2.0
 *
 * inquiry - what the edge asks other services for its own work
 *
 * Every request would wait for a service that does not answer. So a service that could not be
 * reached is left alone for INQUIRY_PAUSE_MS, then one request tries again; meanwhile the others
 * are told at once that it is away. A refusal by the service itself is an answer.
 *
 * A question that a request waits for is a span of its trace (tracing.h).
 */
#ifndef SIGNALBOX_EDGE_INQUIRY_H
#define SIGNALBOX_EDGE_INQUIRY_H

#include <stdatomic.h>

#include "proto/client.h"

#define INQUIRY_PAUSE_MS 1000

typedef struct {
    client_t *bus;
    const char *service;
    _Atomic uint64_t away_until_ms; /* 0: it answers */
} inquiry_t;

typedef struct {
    const char *method;
    buf_t *body; /* given away */
    uint32_t deadline_ms;
    bool has_route_key;
    uint64_t route_key;
    uint8_t flags; /* besides FRAME_ROUTE_KEY */
} question_t;

/* Asks and waits; the answer is always to be closed. False with a failure in it: the service's own,
 * ERROR_UNAVAILABLE when it is away, ERROR_WORKER_LOST when the instance that had the question is
 * lost: whoever can may ask again. */
bool inquire(inquiry_t *self, const question_t *question, answer_t *answer) MUST_CHECK;

/* Tells without waiting; what comes of it is only logged. */
void inquiry_tell(inquiry_t *self, const question_t *question);

/* Whether the last question found nobody. */
bool inquiry_is_away(const inquiry_t *self);

#endif
