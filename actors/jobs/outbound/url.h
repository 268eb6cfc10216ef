/* SPDX-License-Identifier: MPL-2.0
 *
 * url - an address of the web that we may be asked to call, taken apart by the library that calls
 *
 * The same parser reads it here and sends the request later, so that the two cannot disagree about
 * which host is meant.
 */
#ifndef SIGNALBOX_OUTBOUND_URL_H
#define SIGNALBOX_OUTBOUND_URL_H

#include "actors/base/address.h"

#define URL_BYTES_MAX   2048
#define URL_HOST_SIZE   256
#define URL_TARGET_SIZE (URL_HOST_SIZE + 8)
#define URL_WHY_SIZE    160

typedef enum { URL_WEB, URL_MAIL } url_kind_t;

typedef struct {
    char text[URL_BYTES_MAX + 1];
    char host[URL_HOST_SIZE];     /* lower case; of an IPv6 address without brackets */
    char target[URL_TARGET_SIZE]; /* "host:port", the other side that calls are counted for */
    uint16_t port;
    bool is_tls;
    bool is_address; /* the host is an address already: `address` */
    address_t address;
} url_t;

/* Reads an URL of http or https, or for mail of smtp or smtps. Refused, with a sentence in `why`:
 * other schemes, names and passwords in it, zones of link-local addresses, more than URL_BYTES_MAX
 * bytes, hosts in other scripts (IDNA has an ASCII form for them). */
bool url_read(url_t *self, const char *text, url_kind_t kind, char why[URL_WHY_SIZE]) MUST_CHECK;

#endif
