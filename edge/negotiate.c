/* SPDX-License-Identifier: MPL-2.0
 *
 * negotiate - what a client's Accept, Accept-Encoding and If-None-Match say
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "edge/negotiate.h"

#define QUALITY_ONE     1000
#define QUALITY_NOT_SET (-1)

/* "0", "0.5", "1.000" in thousandths (RFC 9110, 12.4.2); what is none counts as 0. */
static int s_quality(const char *text, size_t size)
{
    if (size == 0 || (text[0] != '0' && text[0] != '1') || (size > 1 && text[1] != '.') || size > 5)
        return 0;
    int quality = (text[0] - '0') * QUALITY_ONE;
    for (size_t i = 2, unit = QUALITY_ONE / 10; i < size; i++, unit /= 10) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        quality += (text[i] - '0') * (int)unit;
    }
    return quality > QUALITY_ONE ? 0 : quality;
}

/* The quality in the parameters behind a list item, QUALITY_ONE when they name none. */
static int s_item_quality(const char *params, size_t size)
{
    for (size_t at = 0; at < size;) {
        at += strspn(params + at, "; \t");
        size_t length = strcspn(params + at, ",; \t");
        if (at < size && length >= 2 && (params[at] | 0x20) == 'q' && params[at + 1] == '=')
            return s_quality(params + at + 2, length - 2);
        at += length ? length : 1;
    }
    return QUALITY_ONE;
}

/* The quality a list gives to `token`, QUALITY_NOT_SET when it does not name it. */
static int s_find(const char *list, const char *token)
{
    size_t token_size = strlen(token);
    while (*list) {
        list += strspn(list, ", \t");
        size_t item = strcspn(list, ","), name = strcspn(list, ",; \t");
        if (name == token_size && strncasecmp(list, token, name) == 0)
            return s_item_quality(list + name, item - name);
        list += item;
    }
    return QUALITY_NOT_SET;
}

bool negotiate_gzip(const char *accept_encoding)
{
    if (!accept_encoding)
        return false;
    int gzip = s_find(accept_encoding, "gzip"), plain = s_find(accept_encoding, "identity");
    if (gzip == QUALITY_NOT_SET)
        gzip = s_find(accept_encoding, "*");
    return gzip > 0 && gzip >= plain;
}

bool negotiate_html(const char *accept)
{
    return accept && s_find(accept, "text/html") > s_find(accept, "application/json");
}

bool negotiate_openmetrics(const char *accept)
{
    if (!accept)
        return false;
    int quality = s_find(accept, "application/openmetrics-text");
    return quality > 0 && quality >= s_find(accept, "text/plain");
}

bool negotiate_has_tag(const char *if_none_match, const char *tag)
{
    size_t size = strlen(tag);
    for (const char *at = if_none_match; at && *at;) {
        at += strspn(at, ", \t");
        if (*at == '*')
            return true;
        if (at[0] == 'W' && at[1] == '/')
            at += 2;
        if (strncmp(at, tag, size) == 0 && strchr(", \t", at[size]))
            return true;
        at += strcspn(at, ",");
    }
    return false;
}
