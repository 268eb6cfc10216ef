/* SPDX-License-Identifier: MPL-2.0
 *
 * url - an address of the web that we may be asked to call, taken apart by the library that calls
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "actors/base/text.h"
#include "actors/jobs/outbound/url.h"

/* Schemes, with and without TLS, and how they are to be spelt. */
static const struct {
    const char *plain, *tls, *example;
} s_schemes[] = {
    [URL_WEB] = { "http", "https", "https://example.com/path" },
    [URL_MAIL] = { "smtp", "smtps", "smtp://mail.example.com:587" },
};

static bool s_refuse(char why[URL_WHY_SIZE], const char *sentence)
{
    snprintf(why, URL_WHY_SIZE, "%s", sentence);
    return false;
}

/* Copies one part; false when it is missing or too long. */
static bool s_get(CURLU *parts, CURLUPart part, unsigned flags, char *to, size_t room)
{
    char *text = NULL;
    bool good = curl_url_get(parts, part, &text, flags) == CURLUE_OK && text &&
                text_copy(to, room, text, strlen(text));
    curl_free(text);
    return good;
}

static bool s_has(CURLU *parts, CURLUPart part)
{
    char *text = NULL;
    bool has = curl_url_get(parts, part, &text, 0) == CURLUE_OK;
    curl_free(text);
    return has;
}

static bool s_read_scheme(url_t *self, CURLU *parts, url_kind_t kind, char why[URL_WHY_SIZE])
{
    char scheme[16];
    bool good = s_get(parts, CURLUPART_SCHEME, 0, scheme, sizeof scheme);
    self->is_tls = good && strcmp(scheme, s_schemes[kind].tls) == 0;
    if (self->is_tls || (good && strcmp(scheme, s_schemes[kind].plain) == 0))
        return true;
    snprintf(why, URL_WHY_SIZE, "The scheme must be %s or %s", s_schemes[kind].tls,
             s_schemes[kind].plain);
    return false;
}

/* The host in the one spelling that everything after this uses, the URL included. */
static bool s_read_host(url_t *self, CURLU *parts, char why[URL_WHY_SIZE])
{
    char *host = self->host;
    if (s_has(parts, CURLUPART_ZONEID))
        return s_refuse(why, "The host must not name a zone");
    if (!s_get(parts, CURLUPART_HOST, 0, host, sizeof self->host))
        return s_refuse(why, "The host is missing or too long");
    for (char *at = host; *at; at++) {
        if ((unsigned char)*at >= 0x80)
            return s_refuse(why, "The host must be written in ASCII, as xn--...");
        *at = (char)tolower((unsigned char)*at);
    }
    if (curl_url_set(parts, CURLUPART_HOST, host, 0) != CURLUE_OK)
        return s_refuse(why, "The host is no name there can be");
    size_t size = strlen(host);
    if (host[0] == '[') {
        memmove(host, host + 1, size);
        host[size - 2] = '\0';
    }
    self->is_address = address_parse(host, strlen(host), &self->address);
    return true;
}

static bool s_read_parts(url_t *self, CURLU *parts, url_kind_t kind, char why[URL_WHY_SIZE])
{
    char port[8];
    if (!s_read_scheme(self, parts, kind, why))
        return false;
    if (s_has(parts, CURLUPART_USER) || s_has(parts, CURLUPART_PASSWORD))
        return s_refuse(why, "The URL must not hold a name or a password");
    if (!s_read_host(self, parts, why))
        return false;
    if (!s_get(parts, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof port) || atoi(port) < 1)
        return s_refuse(why, "The port must be from 1 to 65535");
    self->port = (uint16_t)atoi(port);
    if (curl_url_set(parts, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK ||
        !s_get(parts, CURLUPART_URL, 0, self->text, sizeof self->text))
        return s_refuse(why, "The URL is too long");
    bool is_ipv6 = self->is_address && strchr(self->host, ':');
    snprintf(self->target, sizeof self->target, is_ipv6 ? "[%s]:%u" : "%s:%u", self->host,
             (unsigned)self->port);
    return true;
}

bool url_read(url_t *self, const char *text, url_kind_t kind, char why[URL_WHY_SIZE])
{
    *self = (url_t){ 0 };
    if (strlen(text) > URL_BYTES_MAX)
        return s_refuse(why, "The URL is too long");
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f)
            return s_refuse(why, "The URL must not hold spaces or control characters");
    CURLU *parts = curl_url();
    insist(parts);
    bool good = curl_url_set(parts, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
    if (good)
        good = s_read_parts(self, parts, kind, why);
    else
        snprintf(why, URL_WHY_SIZE, "This is no URL like %s", s_schemes[kind].example);
    curl_url_cleanup(parts);
    return good;
}
