/* SPDX-License-Identifier: MPL-2.0
 *
 * address - an IP address, and whether it is in a network
 */
#ifndef SIGNALBOX_ADDRESS_H
#define SIGNALBOX_ADDRESS_H

#include <netinet/in.h>

#include "actors/base/base.h"

/* An IPv6 address; an IPv4 address is ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
typedef struct {
    uint8_t bytes[16];
} address_t;

#define ADDRESS_TEXT_SIZE 46 /* INET6_ADDRSTRLEN */

address_t address_of_ipv4(in_addr_t address);
bool address_is_ipv4(const address_t *self);

/* Of a socket's address; false when that is not an IP address. */
bool address_of_socket(const struct sockaddr *socket, address_t *address) MUST_CHECK;

/* Reads "192.0.2.1", "2001:db8::1", either with a port, as proxies write it ("192.0.2.1:80",
 * "[2001:db8::1]:80"). False when it is neither. */
bool address_parse(const char *text, size_t size, address_t *address) MUST_CHECK;

/* As people write it; returns `text`. */
const char *address_text(const address_t *self, char text[ADDRESS_TEXT_SIZE]);

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

#endif
