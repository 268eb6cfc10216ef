/* SPDX-License-Identifier: MPL-2.0
 *
 * redis_url - where a Redis is and how to sign in there
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/text.h"
#include "actors/runtime/redis_url.h"

static int s_hex(char digit)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *at = digit ? strchr(digits, digit) : NULL;
    int value = at ? (int)(at - digits) : -1;
    return value > 15 ? value - 6 : value;
}

/* Copies with %XX decoded; false when it is too long, cut, or holds a NUL. */
static bool s_decode(char *to, size_t room, const char *from, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        char byte = from[i];
        if (byte == '%') {
            int high = i + 2 < size ? s_hex(from[i + 1]) : -1;
            int low = i + 2 < size ? s_hex(from[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            byte = (char)(high << 4 | low);
            i += 2;
        }
        if (!byte || used + 1 == room)
            return false;
        to[used++] = byte;
    }
    to[used] = '\0';
    return true;
}

static bool s_number(const char *text, size_t size, int64_t most, int64_t *value)
{
    return text_to_i64(text, size, value) && *value >= 0 && *value <= most;
}

/* Takes "[user]:password@" off the front. */
static bool s_read_identity(redis_url_t *self, const char **text)
{
    size_t end = strcspn(*text, "@/");
    if ((*text)[end] != '@')
        return true;
    size_t colon = strcspn(*text, ":@");
    bool has_password = (*text)[colon] == ':';
    bool good = has_password && s_decode(self->user, sizeof self->user, *text, colon) &&
                s_decode(self->password, sizeof self->password, *text + colon + 1, end - colon - 1);
    *text += end + 1;
    return good;
}

/* "host", "host:port", "[::1]:port", each with "/database" behind it. */
static bool s_read_host(redis_url_t *self, const char *text)
{
    bool is_v6 = text[0] == '[';
    size_t size = is_v6 ? strcspn(++text, "]") : strcspn(text, ":/");
    int64_t number;
    if (size == 0 || (is_v6 && text[size] != ']') ||
        !text_copy(self->host, sizeof self->host, text, size))
        return false;
    text += size + is_v6;
    if (*text == ':') {
        size = strcspn(++text, "/");
        if (!s_number(text, size, UINT16_MAX, &number) || number == 0)
            return false;
        self->port = (uint16_t)number;
        text += size;
    }
    if (*text == '/' && text[1]) {
        if (!s_number(text + 1, strlen(text + 1), REDIS_DATABASES_MAX, &number))
            return false;
        self->database = (uint32_t)number;
        return true;
    }
    return *text == '\0' || text[1] == '\0';
}

static bool s_read_path(redis_url_t *self, const char *text)
{
    static const char option[] = "?db=";
    size_t size = strcspn(text, "?");
    int64_t number = 0;
    if (text[0] != '/' || !text_copy(self->path, sizeof self->path, text, size))
        return false;
    text += size;
    if (*text && (!text_starts(text, option) ||
                  !s_number(text + strlen(option), strlen(text + strlen(option)),
                            REDIS_DATABASES_MAX, &number)))
        return false;
    self->database = (uint32_t)number;
    return true;
}

bool redis_url_parse(redis_url_t *self, const char *text, char *why, size_t why_size)
{
    *self = (redis_url_t){ .port = REDIS_PORT };
    if (text_starts(text, "rediss://")) {
        snprintf(why, why_size,
                 "storage.redis: TLS (rediss://) is not spoken; use a unix socket, or a tunnel");
        return false;
    }
    bool is_unix = text_starts(text, "unix://"), good = is_unix || text_starts(text, "redis://");
    if (good) {
        text += strlen(is_unix ? "unix://" : "redis://");
        good = s_read_identity(self, &text) &&
               (is_unix ? s_read_path(self, text) : s_read_host(self, text));
    }
    if (!good)
        snprintf(why, why_size,
                 "storage.redis is not like redis://:password@host:6379/0 or "
                 "unix:///path/to/socket");
    return good;
}
