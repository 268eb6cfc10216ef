/* SPDX-License-Identifier: MPL-2.0
 *
 * address - whose address a request comes from, and what limits make of it
 *
 * The address of the connection is the caller's, unless it is that of a proxy we were told to
 * trust: then the caller is whom that proxy names in X-Forwarded-For. A name that nobody trusted
 * wrote is worth nothing.
 */
#ifndef SIGNALBOX_EDGE_ADDRESS_H
#define SIGNALBOX_EDGE_ADDRESS_H

#include "actors/base/address.h"

#define ADDRESS_SUBJECT_SIZE 64

/* Whom limits count: an IPv4 address as it is, of IPv6 the /56 that one customer has. Returns
 * `text`: "address:192.0.2.1", "address:2001:db8:0:ab00::/56". */
const char *address_subject(const address_t *self, char text[ADDRESS_SUBJECT_SIZE]);

/* The caller's address: the connection's, or, as long as the sender is trusted, whom it names:
 * `forwarded_for` (may be NULL) is read from its end. */
address_t address_of_caller(const address_t *connection, const char *forwarded_for,
                            const networks_t *trusted);

#endif
