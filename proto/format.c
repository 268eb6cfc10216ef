/* SPDX-License-Identifier: MPL-2.0
 *
 * format - the formats of JSON Schema that are enforced
 */
#include "config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "actors/base/clock.h"
#include "proto/format.h"

#define FORMAT_EMAIL_BYTES 254 /* RFC 5321, 4.5.3.1.3, less the angle brackets */
#define FORMAT_LOCAL_BYTES 64
#define FORMAT_LABEL_BYTES 63

static bool s_date_time(const char *text, size_t size)
{
    int64_t ms;
    return clock_parse(text, size, &ms);
}

static bool s_date(const char *text, size_t size)
{
    char full[32];
    int64_t ms;
    if (size != 10)
        return false;
    memcpy(full, text, 10);
    memcpy(full + 10, "T00:00:00Z", 10);
    return clock_parse(full, 20, &ms);
}

/* RFC 9562, 4: 8-4-4-4-12 hex digits. */
static bool s_uuid(const char *text, size_t size)
{
    if (size != 36)
        return false;
    for (size_t i = 0; i < size; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return true;
}

static bool s_host(const char *text, size_t size)
{
    size_t label = 0, labels = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '.') {
            if (label == 0 || text[i - 1] == '-')
                return false;
            label = 0;
            labels++;
        } else if (!(isalnum(c) || (c == '-' && label > 0)) || ++label > FORMAT_LABEL_BYTES) {
            return false;
        }
    }
    return label > 0 && labels > 0 && text[size - 1] != '-';
}

/* The dot-atom form of RFC 5322 with a domain of at least two labels: what mail servers deliver. */
static bool s_email(const char *text, size_t size)
{
    const char *at = size <= FORMAT_EMAIL_BYTES ? memrchr(text, '@', size) : NULL;
    if (!at || at == text || (size_t)(at - text) > FORMAT_LOCAL_BYTES)
        return false;
    for (const char *c = text; c < at; c++) {
        if (*c == '.' ? c == text || c + 1 == at || c[1] == '.'
                      : !(isalnum((unsigned char)*c) || strchr("!#$%&'*+/=?^_`{|}~-", *c)))
            return false;
        if (*c == '\0')
            return false;
    }
    return s_host(at + 1, (size_t)(text + size - at) - 1);
}

/* RFC 3986: a scheme, a colon, then only characters a URI may hold. */
static bool s_uri(const char *text, size_t size)
{
    size_t i = 0;
    if (size == 0 || !isalpha((unsigned char)text[0]))
        return false;
    while (i < size && (isalnum((unsigned char)text[i]) || (text[i] && strchr("+-.", text[i]))))
        i++;
    if (i == size || text[i] != ':' || i + 1 == size)
        return false;
    for (i++; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '%') {
            if (size - i < 3 || !isxdigit((unsigned char)text[i + 1]) ||
                !isxdigit((unsigned char)text[i + 2]))
                return false;
        } else if (!(isalnum(c) || (c && strchr("-._~:/?#[]@!$&'()*+,;=", c)))) {
            return false;
        }
    }
    return true;
}

static bool s_address(int family, const char *text, size_t size)
{
    char copy[INET6_ADDRSTRLEN + 1];
    uint8_t address[16];
    if (size >= sizeof copy || memchr(text, '\0', size))
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    return inet_pton(family, copy, address) == 1;
}

static bool s_ipv4(const char *text, size_t size)
{
    return s_address(AF_INET, text, size);
}

static bool s_ipv6(const char *text, size_t size)
{
    return s_address(AF_INET6, text, size);
}

static const struct {
    const char *name;
    format_check_t check;
} s_formats[] = {
    { "date-time", s_date_time }, { "date", s_date }, { "uuid", s_uuid },
    { "email", s_email },         { "uri", s_uri },   { "ipv4", s_ipv4 },
    { "ipv6", s_ipv6 },
};

format_check_t format_find(const char *name, size_t size)
{
    for (size_t i = 0; i < COUNT_OF(s_formats); i++)
        if (strlen(s_formats[i].name) == size && memcmp(s_formats[i].name, name, size) == 0)
            return s_formats[i].check;
    return NULL;
}
