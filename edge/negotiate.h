/* SPDX-License-Identifier: MPL-2.0
 *
 * negotiate - what a client's Accept, Accept-Encoding and If-None-Match say
 */
#ifndef SIGNALBOX_EDGE_NEGOTIATE_H
#define SIGNALBOX_EDGE_NEGOTIATE_H

#include "actors/base/base.h"

/* All headers may be NULL: not sent. */

/* Whether gzip is wanted at least as much as no coding at all (RFC 9110, 12.5.3). */
bool negotiate_gzip(const char *accept_encoding);

/* Whether the client names HTML and likes it better than JSON, as browsers do. */
bool negotiate_html(const char *accept);

/* Whether OpenMetrics is named and liked at least as well as plain text, as Prometheus does. */
bool negotiate_openmetrics(const char *accept);

/* Whether `tag`, with its quotes, is among those the client has (RFC 9110, 13.1.2; weak). */
bool negotiate_has_tag(const char *if_none_match, const char *tag);

#endif
