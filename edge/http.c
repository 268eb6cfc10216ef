/* SPDX-License-Identifier: MPL-2.0
 *
 * http - the words of HTTP that several files share: verbs and character classes
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "edge/http.h"

static const char *const s_verbs[HTTP_VERBS] = {
    [HTTP_GET] = "GET",         [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
    [HTTP_PUT] = "PUT",         [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
    [HTTP_OPTIONS] = "OPTIONS",
};

/* The statuses this edge sends: those of proto/error.def, of answers, and of the protocol. */
static const struct {
    unsigned status;
    const char *reason;
} s_reasons[] = {
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { 304, "Not Modified" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 417, "Expectation Failed" },
    { 421, "Misdirected Request" },
    { 422, "Unprocessable Content" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
    { 505, "HTTP Version Not Supported" },
    { 507, "Insufficient Storage" },
};

const char *http_verb_name(http_verb_t verb)
{
    insist(verb < HTTP_VERBS);
    return s_verbs[verb];
}

http_verb_t http_verb_find(const char *name, size_t size)
{
    unsigned verb = 0;
    while (verb < HTTP_VERBS &&
           (strlen(s_verbs[verb]) != size || memcmp(s_verbs[verb], name, size) != 0))
        verb++;
    return (http_verb_t)verb;
}

const char *http_allow(unsigned verbs, char text[HTTP_ALLOW_SIZE])
{
    size_t used = 0;
    text[0] = '\0';
    for (unsigned verb = 0; verb < HTTP_VERBS; verb++)
        if (verbs & HTTP_BIT(verb))
            used += (size_t)snprintf(text + used, HTTP_ALLOW_SIZE - used, "%s%s", used ? ", " : "",
                                     s_verbs[verb]);
    return text;
}

const char *http_reason(unsigned status)
{
    for (size_t i = 0; i < COUNT_OF(s_reasons); i++)
        if (s_reasons[i].status == status)
            return s_reasons[i].reason;
    return "Status";
}

bool http_is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

const char *http_date(int64_t wall_ms, char text[HTTP_DATE_SIZE])
{
    static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    struct tm utc;
    time_t when = (time_t)(wall_ms / 1000);
    if (!gmtime_r(&when, &utc))
        return strcpy(text, "Thu, 01 Jan 1970 00:00:00 GMT");
    /* the remainders tell the compiler what gmtime_r promises: no field is wider than its place */
    snprintf(text, HTTP_DATE_SIZE, "%s, %02u %s %04u %02u:%02u:%02u GMT",
             days[(unsigned)utc.tm_wday % 7u], (unsigned)utc.tm_mday % 100u,
             months[(unsigned)utc.tm_mon % 12u], (unsigned)(utc.tm_year + 1900) % 10000u,
             (unsigned)utc.tm_hour % 100u, (unsigned)utc.tm_min % 100u,
             (unsigned)utc.tm_sec % 100u);
    return text;
}
