/* SPDX-License-Identifier: MPL-2.0
 *
 * address - whose address a request comes from, and what limits make of it
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "edge/address.h"

#define SUBJECT_BITS 56

const char *address_subject(const address_t *self, char text[ADDRESS_SUBJECT_SIZE])
{
    char plain[ADDRESS_TEXT_SIZE];
    address_t network = *self;
    bool is_ipv4 = address_is_ipv4(self);
    if (!is_ipv4)
        memset(network.bytes + SUBJECT_BITS / 8, 0, sizeof network.bytes - SUBJECT_BITS / 8);
    snprintf(text, ADDRESS_SUBJECT_SIZE, "address:%s%s", address_text(&network, plain),
             is_ipv4 ? "" : "/56");
    return text;
}

address_t address_of_caller(const address_t *connection, const char *forwarded_for,
                            const networks_t *trusted)
{
    address_t caller = *connection, named;
    const char *end = forwarded_for ? forwarded_for + strlen(forwarded_for) : NULL;
    while (end && end > forwarded_for && networks_have(trusted, &caller)) {
        const char *start = end;
        while (start > forwarded_for && start[-1] != ',')
            start--;
        const char *from = start, *to = end;
        while (from < to && (*from == ' ' || *from == '\t'))
            from++;
        while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
            to--;
        if (!address_parse(from, (size_t)(to - from), &named))
            break;
        caller = named;
        end = start > forwarded_for ? start - 1 : NULL;
    }
    return caller;
}
