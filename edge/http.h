/* SPDX-License-Identifier: MPL-2.0
 *
 * http - the words of HTTP that several files share: verbs and character classes
 */
#ifndef SIGNALBOX_EDGE_HTTP_H
#define SIGNALBOX_EDGE_HTTP_H

#include "actors/base/base.h"

typedef enum {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_VERBS,
} http_verb_t;

/* A set of verbs: HTTP_BIT(HTTP_GET) | ... */
#define HTTP_BIT(verb) (1u << (verb))

/* "GET" ... */
const char *http_verb_name(http_verb_t verb);

/* The verb of that name (case matters, RFC 9110, 9.1); HTTP_VERBS when it is none of ours. */
http_verb_t http_verb_find(const char *name, size_t size);

/* "GET, HEAD, OPTIONS", the value of an Allow header; returns `text`. */
#define HTTP_ALLOW_SIZE 64
const char *http_allow(unsigned verbs, char text[HTTP_ALLOW_SIZE]);

/* "OK" for 200, and so on; "Status" for a status nobody has named. */
const char *http_reason(unsigned status);

/* A character of a token: method and header names (RFC 9110, 5.6.2). */
bool http_is_token_char(char c);

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7); returns `text`. */
#define HTTP_DATE_SIZE 30
const char *http_date(int64_t wall_ms, char text[HTTP_DATE_SIZE]);

#endif
