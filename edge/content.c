/* SPDX-License-Identifier: MPL-2.0
 *
 * content - whether a request's body is of a kind that is read here
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "edge/content.h"
#include "edge/respond.h"

/* application/json or application/...+json, in UTF-8. */
static bool s_is_json(const char *type)
{
    size_t size = strcspn(type, "; \t");
    bool is_json = size == 16 && strncasecmp(type, "application/json", 16) == 0;
    bool is_like = size > 17 && strncasecmp(type, "application/", 12) == 0 &&
                   strncasecmp(type + size - 5, "+json", 5) == 0;
    for (type += size; *(type += strspn(type, "; \t")); type += size) {
        size = strcspn(type, "; \t");
        if (strncasecmp(type, "charset=", 8) != 0)
            continue;
        bool is_quoted = type[8] == '"';
        if (strncasecmp(type + 8 + is_quoted, "utf-8", 5) != 0 ||
            size != 13 + 2 * (size_t)is_quoted)
            return false;
    }
    return is_json || is_like;
}

bool content_check(exchange_t *x)
{
    const char *type = x->headers[HEADER_CONTENT_TYPE],
               *coding = x->headers[HEADER_CONTENT_ENCODING];
    if (x->body_is_read)
        return true;
    if (x->verb == HTTP_GET || x->verb == HTTP_HEAD)
        return exchange_fail(x, ERROR_BAD_REQUEST, "A GET request has no body here");
    if (coding && strcasecmp(coding, "identity") != 0) {
        respond_header(x, "Accept-Encoding", "identity");
        return exchange_fail(x, ERROR_UNSUPPORTED_MEDIA_TYPE, "The body may not be packed");
    }
    if (x->route->method->headers)
        return true; /* taken as it stands */
    if (!type || !s_is_json(type))
        return exchange_fail(x, ERROR_UNSUPPORTED_MEDIA_TYPE,
                             "The Content-Type must be application/json in UTF-8");
    return true;
}
