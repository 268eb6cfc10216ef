/* SPDX-License-Identifier: MPL-2.0
 *
 * target - the host and the path that a request names (RFC 9112, 3.2 and RFC 9110, 7.2)
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "edge/target.h"

#define HOST_BYTES 255

static bool s_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool s_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool s_is_port(const char *text, size_t size)
{
    unsigned port = 0;
    for (size_t i = 0; i < size; i++) {
        if (!s_is_digit(text[i]))
            return false;
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    return size <= 5 && port <= 65535;
}

/* Bytes of "[::1]", 0 when it is no address in brackets. */
static size_t s_bracketed(const char *text, size_t size)
{
    size_t at = 1;
    while (at < size && (s_is_digit(text[at]) || (text[at] && strchr("abcdefABCDEF:.", text[at]))))
        at++;
    return at >= 3 && at < size && text[at] == ']' ? at + 1 : 0;
}

static size_t s_name(const char *text, size_t size)
{
    size_t at = 0;
    while (at < size && (s_is_digit(text[at]) || s_is_letter(text[at]) || text[at] == '-' ||
                         text[at] == '.' || text[at] == '_'))
        at++;
    return at;
}

bool target_is_authority(const char *text, size_t size, size_t *host_size)
{
    *host_size = size && text[0] == '[' ? s_bracketed(text, size) : s_name(text, size);
    if (*host_size == 0 || *host_size > HOST_BYTES)
        return false;
    const char *rest = text + *host_size;
    size_t left = size - *host_size;
    return left == 0 || (*rest == ':' && s_is_port(rest + 1, left - 1));
}

bool target_is_loopback(const char *host, size_t size)
{
    if ((size == 9 && strncasecmp(host, "localhost", 9) == 0) ||
        (size == 5 && memcmp(host, "[::1]", 5) == 0))
        return true;
    if (size < 9 || memcmp(host, "127.", 4) != 0)
        return false;
    unsigned dots = 0;
    for (size_t i = 0; i < size; i++) {
        if (!s_is_digit(host[i]) && host[i] != '.')
            return false;
        dots += host[i] == '.';
    }
    return dots == 3;
}

static bool s_is_target_char(char c)
{
    return c > ' ' && c < 0x7f && !strchr("\"#<>", c);
}

/* Bytes of "http://" or "https://", 0 when it begins with neither. */
static size_t s_scheme(const char *text, size_t size)
{
    static const char *const schemes[] = { "http://", "https://" };
    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        size_t length = strlen(schemes[i]);
        if (size > length && strncasecmp(text, schemes[i], length) == 0)
            return length;
    }
    return 0;
}

static bool s_read_absolute(target_t *self, char *text, size_t *size, bool is_options)
{
    size_t from = s_scheme(text, *size), end = from, host_size;
    while (end < *size && text[end] != '/' && text[end] != '?')
        end++;
    if (!from || !target_is_authority(text + from, end - from, &host_size))
        return false;
    self->is_absolute = true;
    self->host_is_loopback = target_is_loopback(text + from, host_size);
    self->is_asterisk = end == *size && is_options;
    if (end == *size || text[end] != '/')
        text[--end] = '/'; /* an empty path is "/" (RFC 9110, 4.2.3) */
    *size -= end;
    memmove(text, text + end, *size);
    return true;
}

bool target_read(target_t *self, char *text, size_t *size, bool is_options)
{
    *self = (target_t){ 0 };
    for (size_t i = 0; i < *size; i++)
        if (!s_is_target_char(text[i]))
            return false;
    if (text[0] == '/')
        return true;
    if (*size == 1 && text[0] == '*' && is_options) {
        self->is_asterisk = true;
        text[0] = '/';
        return true;
    }
    return s_read_absolute(self, text, size, is_options);
}
