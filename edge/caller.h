/* SPDX-License-Identifier: MPL-2.0
 *
 * caller - who asks, how often, and whether it may
 *
 * The steps of serve.c that are about the caller, in their order. A caller is counted before it is
 * refused for who it is: so guessing has a limit, too.
 */
#ifndef SIGNALBOX_EDGE_CALLER_H
#define SIGNALBOX_EDGE_CALLER_H

#include "edge/exchange.h"

/* Finds out who calls; whoever proves nothing is a stranger, or, where that is allowed, anonymous.
 * `rate_class` is that of what is asked for. */
void caller_identify(exchange_t *exchange, const char *rate_class);

/* Counts the request as one of `rate_class` (NULL: none), and says in the answer how the caller
 * stands. False with a failure set when a limit is reached. */
bool caller_limit(exchange_t *exchange, const char *rate_class, uint32_t cost) MUST_CHECK;

/* The same for a method that costs by item: first as one item, before anything of it is read, then,
 * when it is known that there are `items` of them, for the rest. All of them, or none. */
bool caller_limit_method(exchange_t *exchange) MUST_CHECK;
bool caller_limit_items(exchange_t *exchange, uint32_t items) MUST_CHECK;

/* Whether the caller may have what is open to `access`; or what the exchange's method is open to,
 * by access, role and scope. False with a failure set. */
bool caller_permit(exchange_t *exchange, access_t access) MUST_CHECK;
bool caller_permit_method(exchange_t *exchange) MUST_CHECK;

/* Whether the method is for administrators: its role says so. */
bool caller_administers(const descriptor_method_t *method);

#endif
