/* SPDX-License-Identifier: MPL-2.0
 *
 * sentry - failures as Sentry and what is compatible with it take them
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/id.h"
#include "actors/base/text.h"
#include "actors/metrics/sentry.h"
#include "proto/json.h"

#define CLIENT      "signalbox/" PACKAGE_VERSION
#define KEY_BYTES   128
#define EVENT_ID    33
#define EVENT_ITEMS "error" /* the category of rate limits that events belong to */

/* ---- the DSN -------------------------------------------------------------------------------- */

static bool s_refuse(char *why, size_t why_size, const char *what)
{
    snprintf(why, why_size, "metrics.sentry_dsn is not like https://KEY@HOST/PROJECT: %s", what);
    return false;
}

/* "https://" or "http://"; its length, 0 when it is neither. */
static size_t s_scheme(const char *text)
{
    static const char *const schemes[] = { "https://", "http://" };
    for (size_t i = 0; i < COUNT_OF(schemes); i++)
        if (text_starts(text, schemes[i]))
            return strlen(schemes[i]);
    return 0;
}

bool sentry_dsn_read(sentry_dsn_t *self, const char *text, char *why, size_t why_size)
{
    const size_t scheme = s_scheme(text);
    const char *key = text + scheme, *at = strchr(key, '@');
    const char *host = at ? at + 1 : key, *path = strchr(host, '/'), *project = strrchr(host, '/');
    *self = (sentry_dsn_t){ 0 };
    if (!scheme)
        return s_refuse(why, why_size, "it begins with neither https:// nor http://");
    if (!at || memchr(key, '/', (size_t)(at - key)))
        return s_refuse(why, why_size, "it has no key");
    const char *colon = memchr(key, ':', (size_t)(at - key));
    const size_t key_size = (size_t)((colon ? colon : at) - key);
    const size_t secret_size = colon ? (size_t)(at - colon - 1) : 0;
    if (!id_is_name(key, key_size, KEY_BYTES) ||
        (secret_size && !id_is_name(colon + 1, secret_size, KEY_BYTES)))
        return s_refuse(why, why_size, "the key must be letters and digits");
    if (!path || path == host || strpbrk(host, "?# \t\"\\"))
        return s_refuse(why, why_size, "the host or the path is not good");
    if (!id_is_name(project + 1, strlen(project + 1), KEY_BYTES))
        return s_refuse(why, why_size, "it names no project");
    self->url = mem_format("%.*s%.*s/api/%s/envelope/", (int)scheme, text, (int)(project - host),
                           host, project + 1);
    self->auth = mem_format("X-Sentry-Auth: Sentry sentry_version=7, sentry_client=" CLIENT
                            ", sentry_key=%.*s%s%.*s",
                            (int)key_size, key, secret_size ? ", sentry_secret=" : "",
                            (int)secret_size, secret_size ? colon + 1 : "");
    return true;
}

void sentry_dsn_free(sentry_dsn_t *self)
{
    mem_free(self->url);
    mem_free(self->auth);
    *self = (sentry_dsn_t){ 0 };
}

/* ---- the event ------------------------------------------------------------------------------ */

/* A member whose value is text; nothing when there is none. Begins with a comma. */
static void s_add(buf_t *out, const char *name, const char *text)
{
    if (!text[0])
        return;
    buf_printf(out, ",\"%s\":", name);
    json_add_text(out, text, strlen(text));
}

static void s_add_time(buf_t *out, int64_t wall_ms)
{
    char time[CLOCK_TEXT_SIZE];
    buf_printf(out, "\"timestamp\":\"%s\"", clock_text(wall_ms, time));
}

/* Sentry's names for severities: debug, info, warning, error, fatal. */
static const char *s_level(const char *level)
{
    return strcmp(level, "warn") == 0 ? "warning" : level;
}

static void s_add_crumbs(const fault_t *fault, int64_t wall_ms, buf_t *out)
{
    buf_add_text(out, ",\"breadcrumbs\":{\"values\":[");
    for (size_t i = 0; i < fault->crumb_count; i++) {
        const fault_crumb_t *crumb = &fault->crumbs[i];
        buf_add_text(out, i ? ",{" : "{");
        s_add_time(out, crumb->wall_ms ? crumb->wall_ms : wall_ms);
        s_add(out, "type", "default");
        s_add(out, "category", crumb->event);
        s_add(out, "level", s_level(crumb->level));
        s_add(out, "message", crumb->text);
        buf_add_byte(out, '}');
    }
    buf_add_text(out, "]}");
}

static void s_add_tags(const fault_t *fault, buf_t *out)
{
    buf_add_text(out, ",\"tags\":{\"code\":");
    json_add_text(out, fault->code, strlen(fault->code));
    s_add(out, "part", fault->part);
    s_add(out, "method", fault->method);
    s_add(out, "request_id", fault->request_id);
    buf_add_byte(out, '}');
}

/* A trace has a span, or is not told: both are required. */
static void s_add_trace(const fault_t *fault, buf_t *out)
{
    if (fault->trace_id[0] && fault->span_id[0])
        buf_printf(out, ",\"contexts\":{\"trace\":{\"trace_id\":\"%s\",\"span_id\":\"%s\"}}",
                   fault->trace_id, fault->span_id);
}

static void s_add_event(const fault_t *fault, const sentry_about_t *about, const char *event_id,
                        buf_t *out)
{
    char name[2 * FAULT_NAME_BYTES];
    buf_printf(out, "{\"event_id\":\"%s\",", event_id);
    s_add_time(out, about->wall_ms);
    s_add(out, "platform", "other");
    s_add(out, "level", "error");
    s_add(out, "logger", fault->part);
    snprintf(name, sizeof name, "%s.%s", fault->part, fault->method);
    s_add(out, "transaction", name);
    s_add(out, "server_name", about->instance);
    s_add(out, "environment", about->environment);
    snprintf(name, sizeof name, "signalbox@%s", fault->version);
    s_add(out, "release", fault->version[0] ? name : "");
    buf_printf(
        out, ",\"fingerprint\":[\"%s\"],\"exception\":{\"values\":[{\"type\":", about->fingerprint);
    json_add_text(out, fault->code, strlen(fault->code));
    s_add(out, "value", fault->message);
    buf_add_text(out, "}]}");
    s_add_tags(fault, out);
    s_add_trace(fault, out);
    if (fault->crumb_count)
        s_add_crumbs(fault, about->wall_ms, out);
    buf_add_byte(out, '}');
}

void sentry_write(const fault_t *fault, const sentry_about_t *about, buf_t *out)
{
    uint8_t id[16];
    char event_id[EVENT_ID], now[CLOCK_TEXT_SIZE];
    buf_t event = { 0 };
    id_fresh(id, sizeof id);
    id[6] = (uint8_t)((id[6] & 0x0f) | 0x40); /* a UUID of version 4, without its dashes */
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
    s_add_event(fault, about, id_hex(id, sizeof id, event_id), &event);
    buf_printf(out,
               "{\"event_id\":\"%s\",\"sent_at\":\"%s\","
               "\"sdk\":{\"name\":\"signalbox\",\"version\":\"" PACKAGE_VERSION "\"}}\n"
               "{\"type\":\"event\",\"length\":%zu,\"content_type\":\"application/json\"}\n",
               event_id, clock_text(about->wall_ms, now), event.size);
    buf_add(out, event.bytes, event.size);
    buf_add_byte(out, '\n');
    buf_free(&event);
}

/* ---- rest ----------------------------------------------------------------------------------- */

/* Whether a list of categories (`a;b`) has ours; an empty one has all. */
static bool s_is_meant(const char *list, size_t size)
{
    const char *end = list + size;
    if (size == 0)
        return true;
    for (const char *next; list < end; list = next + 1) {
        next = memchr(list, ';', (size_t)(end - list));
        if (!next)
            next = end;
        if ((size_t)(next - list) == strlen(EVENT_ITEMS) &&
            memcmp(list, EVENT_ITEMS, strlen(EVENT_ITEMS)) == 0)
            return true;
    }
    return false;
}

/* One quota: `seconds:categories:scope:...`; 0 when it is another's, or none. */
static uint32_t s_quota_ms(const char *quota, size_t size)
{
    double seconds;
    const char *colon = memchr(quota, ':', size);
    if (!colon || !text_to_double(quota, (size_t)(colon - quota), &seconds) || !(seconds > 0))
        return 0;
    const char *categories = colon + 1;
    const size_t left = size - (size_t)(categories - quota);
    const char *end = memchr(categories, ':', left);
    if (!s_is_meant(categories, end ? (size_t)(end - categories) : left))
        return 0;
    return seconds * 1000 < SENTRY_REST_MAX ? (uint32_t)(seconds * 1000) : SENTRY_REST_MAX;
}

uint32_t sentry_rest_ms(uint32_t status, uint32_t retry_after_ms, const char *limits)
{
    uint32_t longest = 0;
    if (!limits[0])
        return status == 429 && !retry_after_ms ? SENTRY_REST_MS : retry_after_ms;
    while (*(limits += strspn(limits, " ,"))) {
        size_t size = strcspn(limits, " ,");
        uint32_t ms = s_quota_ms(limits, size);
        longest = ms > longest ? ms : longest;
        limits += size;
    }
    return longest;
}
