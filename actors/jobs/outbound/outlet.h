/* SPDX-License-Identifier: MPL-2.0
 *
 * outlet - what an actor needs to call the outside: the calls, what is known of hosts, who tells
 * whom
 *
 * The state of such an actor begins with its outlet, so that these functions are the hooks of the
 * same names in its spec, or are called by them. Instances of all
 * actors that have an outlet tell each other of hosts that rest, and of those an operator has
 * forced open or closed, on the topic `outbound.hosts` {items: [{target, is_open, forced, at_ms,
 * open_ms}]}: at once when something changes, and again every few seconds for whoever missed it or
 * is new.
 */
#ifndef SIGNALBOX_OUTBOUND_OUTLET_H
#define SIGNALBOX_OUTBOUND_OUTLET_H

#include "actors/jobs/outbound/outbound.h"

typedef struct {
    actor_t *actor;
    hosts_t *hosts;
    outbound_t *outbound;
    uint32_t ticks;
} outlet_t;

/* Tests put another one here before an actor starts: NULL is the system's. */
extern resolve_fn outlet_resolve;

bool outlet_init(actor_t *actor, void *self, char *why, size_t why_size) MUST_CHECK;
uint32_t outlet_deferred(const void *self);
void outlet_connected(actor_t *actor, void *self);
void outlet_tick(actor_t *actor, void *self);
void outlet_stop(actor_t *actor, void *self);
void outlet_release(actor_t *actor, void *self);

/* Tells the other instances what has changed. */
void outlet_tell(outlet_t *self);

/* Hands a transfer over for a call, which `done` ends later; its `arg` is the call unless it is
 * set. When too many wait the call is failed at once, and false returned. */
bool outlet_require_sent(outlet_t *self, call_t *call, transfer_t *transfer) MUST_CHECK;

/* Makes the transfer a span of the call's trace, if it is in one, and tells the other side of it
 * (traceparent, tracestate). Before it is handed over. (outlet_trace.c) */
void outlet_trace(call_t *call, transfer_t *transfer);

/* What it means to the call that a transfer was not answered; whether trying again may help follows
 * from the error. */
failure_t outlet_failure(const call_t *call, const transferred_t *result);

/* Fails a call with it, as the failure of somebody outside. */
void outlet_fail(call_t *call, const transferred_t *result);

/* Reads the field `field` of a call as an URL of the web; when it is none the call is failed. */
bool outlet_require_url(call_t *call, const char *field, url_t *url) MUST_CHECK;

/* The same of an URL that is to be called again and again: one that says itself that it leads
 * inside is refused before anything is stored. What a name leads to is looked at each time. */
bool outlet_require_outside(const outlet_t *self, call_t *call, const char *field,
                            url_t *url) MUST_CHECK;

/* Fails a call because of one field. */
void outlet_fail_field(call_t *call, const char *pointer, const char *why);

#endif
