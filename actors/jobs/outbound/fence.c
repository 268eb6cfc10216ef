/* SPDX-License-Identifier: MPL-2.0
 *
 * fence - which addresses may be called on somebody's word
 */
#include "config.h"

#include <stdio.h>

#include "actors/jobs/outbound/fence.h"

/* What is not reachable from everywhere, or is reachable and yet nobody's to call. */
static const struct {
    const char *network, *what;
} s_refused[] = {
    { "0.0.0.0/8", "an address of this host" },
    { "10.0.0.0/8", "a private address" },
    { "100.64.0.0/10", "an address shared behind a provider's translator" },
    { "127.0.0.0/8", "a loopback address" },
    { "169.254.0.0/16", "a link-local address" },
    { "172.16.0.0/12", "a private address" },
    { "192.0.0.0/24", "an address for protocols" },
    { "192.0.2.0/24", "an address for documents" },
    { "192.88.99.0/24", "an address of a tunnel" },
    { "192.168.0.0/16", "a private address" },
    { "198.18.0.0/15", "an address for benchmarks" },
    { "198.51.100.0/24", "an address for documents" },
    { "203.0.113.0/24", "an address for documents" },
    { "224.0.0.0/4", "a multicast address" },
    { "240.0.0.0/4", "a reserved address" },
    /* looks public, and is the host that a virtual machine of Azure runs on */
    { "168.63.129.16/32", "an address of a cloud's host" },
    { "::/128", "an address of this host" },
    { "::1/128", "a loopback address" },
    { "64:ff9b::/96", "an address that a translator turns into another" },
    { "64:ff9b:1::/48", "an address that a translator turns into another" },
    { "2001::/23", "an address of a tunnel or for protocols" },
    { "2001:db8::/32", "an address for documents" },
    { "2002::/16", "an address of a tunnel" },
    { "3fff::/20", "an address for documents" },
    { "fc00::/7", "a private address" },
    { "fe80::/10", "a link-local address" },
    { "fec0::/10", "a private address" },
    { "ff00::/8", "a multicast address" },
};

/* All that is given out of IPv6 (RFC 4291, 2.4). */
#define GLOBAL_UNICAST "2000::/3"

static bool s_is_in(const char *network, const address_t *address)
{
    networks_t one;
    char bad[ADDRESS_TEXT_SIZE + 8];
    bool good = networks_read(&one, network, bad);
    insist(good);
    return networks_have(&one, address);
}

bool fence_read(fence_t *self, const char *allow, char *why, size_t why_size)
{
    char bad[ADDRESS_TEXT_SIZE + 8];
    if (networks_read(&self->allowed, allow, bad))
        return true;
    snprintf(why, why_size, "outbound.allow: '%s' is no network like 10.0.0.0/8 or fd00::/8", bad);
    return false;
}

const char *fence_refusal(const fence_t *self, const address_t *address)
{
    if (networks_have(&self->allowed, address))
        return NULL;
    for (size_t i = 0; i < COUNT_OF(s_refused); i++)
        if (s_is_in(s_refused[i].network, address))
            return s_refused[i].what;
    if (address_is_ipv4(address) || s_is_in(GLOBAL_UNICAST, address))
        return NULL;
    return "an address that is not given out";
}
