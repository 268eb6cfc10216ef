/* SPDX-License-Identifier: MPL-2.0
 *
 * fence - which addresses may be called on somebody's word
 *
 * Whoever may name an URL could otherwise have us call what only we can reach: this machine, the
 * network it stands in, the metadata service of a cloud. Allowed is what is reachable from
 * everywhere, by IANA's registries of special-purpose addresses (RFC 6890), and what the operator
 * has allowed by name. An IPv4 address inside an IPv6 one (RFC 4291, 2.5.5.2) is judged as what it
 * is; addresses that a translator or a tunnel would turn into others are refused. Pure.
 */
#ifndef SIGNALBOX_OUTBOUND_FENCE_H
#define SIGNALBOX_OUTBOUND_FENCE_H

#include "actors/base/address.h"

typedef struct {
    networks_t allowed; /* by the operator */
} fence_t;

/* `allow` is a list of networks, separated by spaces or commas; "" allows none. False with a
 * sentence in `why`. */
bool fence_read(fence_t *self, const char *allow, char *why, size_t why_size) MUST_CHECK;

/* NULL when the address may be called; else what it is: "a loopback address". */
const char *fence_refusal(const fence_t *self, const address_t *address);

#endif
