/* SPDX-License-Identifier: MPL-2.0
 *
 * target - the host and the path that a request names (RFC 9112, 3.2 and RFC 9110, 7.2)
 */
#ifndef SIGNALBOX_EDGE_TARGET_H
#define SIGNALBOX_EDGE_TARGET_H

#include "actors/base/base.h"

/* host [":" port]: a name, an IPv4 address, or an IPv6 address in brackets; `*host_size` is without
 * the port. Stricter than RFC 3986, 3.2.2: no percent escapes and no sub-delimiters, since no host
 * is called so. */
bool target_is_authority(const char *text, size_t size, size_t *host_size) MUST_CHECK;

/* Whether a host is this machine: localhost, 127.0.0.0/8 or ::1. A name that merely begins with
 * "127." could resolve anywhere. */
bool target_is_loopback(const char *host, size_t size);

typedef struct {
    bool is_absolute;      /* it named the host itself */
    bool host_is_loopback; /* which is this machine */
    bool is_asterisk;      /* it was "*", or an absolute one without a path, of OPTIONS */
} target_t;

/* Reads a target of `*size` bytes, at least one, and leaves in its place the path and query that it
 * means, which are never longer. False when it is none. Visible ASCII that RFC 3986 leaves out is
 * accepted where browsers send it ("{", "|" ...). */
bool target_read(target_t *self, char *text, size_t *size, bool is_options) MUST_CHECK;

#endif
