/* SPDX-License-Identifier: MPL-2.0
 *
 * address - an IP address, and whether it is in a network
 */
#include "config.h"

#include <arpa/inet.h>
#include <string.h>

#include "actors/base/address.h"
#include "actors/base/text.h"

#define IPV4_AT   12 /* where the four bytes stand */
#define IPV4_BITS 96

static const uint8_t s_mapped[IPV4_AT] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

bool address_is_ipv4(const address_t *self)
{
    return memcmp(self->bytes, s_mapped, sizeof s_mapped) == 0;
}

address_t address_of_ipv4(in_addr_t address)
{
    address_t self;
    memcpy(self.bytes, s_mapped, sizeof s_mapped);
    memcpy(self.bytes + IPV4_AT, &address, sizeof address);
    return self;
}

bool address_of_socket(const struct sockaddr *socket, address_t *address)
{
    if (socket->sa_family == AF_INET) {
        struct sockaddr_in ipv4;
        memcpy(&ipv4, socket, sizeof ipv4);
        *address = address_of_ipv4(ipv4.sin_addr.s_addr);
    } else if (socket->sa_family == AF_INET6) {
        struct sockaddr_in6 ipv6;
        memcpy(&ipv6, socket, sizeof ipv6);
        memcpy(address->bytes, &ipv6.sin6_addr, sizeof address->bytes);
    } else {
        return false;
    }
    return true;
}

static bool s_parse_plain(const char *text, address_t *address)
{
    struct in_addr ipv4;
    if (inet_pton(AF_INET, text, &ipv4) == 1) {
        *address = address_of_ipv4(ipv4.s_addr);
        return true;
    }
    return inet_pton(AF_INET6, text, address->bytes) == 1;
}

static bool s_is_port(const char *text)
{
    return text[0] && strlen(text) <= 5 && strspn(text, "0123456789") == strlen(text);
}

bool address_parse(const char *text, size_t size, address_t *address)
{
    char copy[ADDRESS_TEXT_SIZE + 8], *start = copy, *port = NULL;
    if (!text_copy(copy, sizeof copy, text, size) || strlen(copy) != size)
        return false;
    if (copy[0] == '[') {
        char *end = strchr(copy, ']');
        if (!end || (end[1] && end[1] != ':'))
            return false;
        start = copy + 1;
        port = end[1] ? end + 2 : NULL;
        *end = '\0';
    } else {
        char *colon = strchr(copy, ':');
        if (colon && !strchr(colon + 1, ':')) {
            *colon = '\0';
            port = colon + 1;
        }
    }
    return (!port || s_is_port(port)) && s_parse_plain(start, address);
}

const char *address_text(const address_t *self, char text[ADDRESS_TEXT_SIZE])
{
    bool is_ipv4 = address_is_ipv4(self);
    insist(inet_ntop(is_ipv4 ? AF_INET : AF_INET6, self->bytes + (is_ipv4 ? IPV4_AT : 0), text,
                     ADDRESS_TEXT_SIZE));
    return text;
}

/* ---- networks ------------------------------------------------------------------------------- */

static bool s_read_network(networks_t *self, const char *word, size_t size)
{
    const char *slash = memchr(word, '/', size);
    address_t address;
    int64_t bits = 128;
    char plain[ADDRESS_TEXT_SIZE];
    if (!text_copy(plain, sizeof plain, word, slash ? (size_t)(slash - word) : size) ||
        !s_parse_plain(plain, &address) || self->count == NETWORKS_MAX)
        return false;
    bool is_ipv4 = strchr(plain, '.') && address_is_ipv4(&address);
    if (slash) {
        if (!text_to_i64(slash + 1, size - (size_t)(slash - word) - 1, &bits) || bits < 0 ||
            bits > (is_ipv4 ? 32 : 128))
            return false;
        bits += is_ipv4 ? IPV4_BITS : 0;
    }
    self->list[self->count].address = address;
    self->list[self->count++].bits = (unsigned)bits;
    return true;
}

bool networks_read(networks_t *self, const char *text, char bad[ADDRESS_TEXT_SIZE + 8])
{
    self->count = 0;
    while (*(text += strspn(text, " ,"))) {
        size_t size = strcspn(text, " ,");
        if (!s_read_network(self, text, size)) {
            text_copy(bad, ADDRESS_TEXT_SIZE + 8, text, size);
            return false;
        }
        text += size;
    }
    return true;
}

static bool s_begins_alike(const address_t *a, const address_t *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a->bytes, b->bytes, whole) != 0)
        return false;
    return rest == 0 || (a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest) == 0;
}

bool networks_have(const networks_t *self, const address_t *address)
{
    for (size_t i = 0; i < self->count; i++)
        if (s_begins_alike(&self->list[i].address, address, self->list[i].bits))
            return true;
    return false;
}
