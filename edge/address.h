/* SPDX-License-Identifier: MPL-2.0
 *
 * address - whose address a request comes from, and whether it is in a network
 *
 * The address of the connection is the caller's, unless it is that of a proxy we were told to
 * trust: then the caller is whom that proxy names in X-Forwarded-For. A name that nobody trusted
 * wrote is worth nothing.
 */
#ifndef SIGNALBOX_EDGE_ADDRESS_H
#define SIGNALBOX_EDGE_ADDRESS_H

#include <netinet/in.h>

#include "actors/base/base.h"

/* An IPv6 address; an IPv4 address is ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
typedef struct {
    uint8_t bytes[16];
} address_t;

#define ADDRESS_TEXT_SIZE    46 /* INET6_ADDRSTRLEN */
#define ADDRESS_SUBJECT_SIZE 64

address_t address_of_ipv4(in_addr_t address);

/* Reads "192.0.2.1", "2001:db8::1", either with a port, as proxies write it ("192.0.2.1:80",
 * "[2001:db8::1]:80"). False when it is neither. */
bool address_parse(const char *text, size_t size, address_t *address) MUST_CHECK;

/* As people write it; returns `text`. */
const char *address_text(const address_t *self, char text[ADDRESS_TEXT_SIZE]);

/* Whom limits count: an IPv4 address as it is, of IPv6 the /56 that one customer has. Returns
 * `text`: "address:192.0.2.1", "address:2001:db8:0:ab00::/56". */
const char *address_subject(const address_t *self, char text[ADDRESS_SUBJECT_SIZE]);

/* ---- networks ------------------------------------------------------------------------------- */

#define NETWORKS_MAX 64

typedef struct {
    struct {
        address_t address;
        unsigned bits; /* of the 128 that count */
    } list[NETWORKS_MAX];
    size_t count;
} networks_t;

/* Reads "127.0.0.0/8 10.1.2.3 2001:db8::/32", separated by spaces or commas. False with the word in
 * `bad` that is no network. */
bool networks_read(networks_t *self, const char *text, char bad[ADDRESS_TEXT_SIZE + 8]) MUST_CHECK;

bool networks_have(const networks_t *self, const address_t *address);

/* The caller's address: the connection's, or, as long as the sender is trusted, whom it names:
 * `forwarded_for` (may be NULL) is read from its end. */
address_t address_of_caller(const address_t *connection, const char *forwarded_for,
                            const networks_t *trusted);

#endif
