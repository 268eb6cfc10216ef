/* SPDX-License-Identifier: MPL-2.0
 *
 * fault - a failure that is no fault of the caller's, as an event on the topic `error`
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/base/log.h"
#include "actors/base/redact.h"
#include "actors/base/text.h"
#include "actors/base/trail.h"
#include "proto/client_state.h"
#include "proto/fault.h"

#define FAULT_LIMITS ((value_limits_t){ .depth = 4, .nodes = 512 })

/* ---- writing -------------------------------------------------------------------------------- */

static void s_write_crumb(const fault_crumb_t *crumb, pack_t *out)
{
    pack_map(out, 4);
    pack_pair_time(out, "at", crumb->wall_ms);
    pack_pair_text(out, "level", crumb->level);
    pack_pair_text(out, "event", crumb->event);
    pack_pair_text(out, "text", crumb->text);
}

void fault_write(const fault_t *self, pack_t *out)
{
    pack_map(out, 9);
    pack_pair_text(out, "code", self->code);
    pack_pair_text(out, "part", self->part);
    pack_pair_text(out, "method", self->method);
    pack_pair_text(out, "message", self->message);
    pack_pair_text(out, "version", self->version);
    pack_pair_text(out, "request_id", self->request_id);
    pack_pair_text(out, "trace_id", self->trace_id);
    pack_pair_text(out, "span_id", self->span_id);
    pack_text(out, "breadcrumbs");
    pack_array(out, self->crumb_count);
    for (size_t i = 0; i < self->crumb_count; i++)
        s_write_crumb(&self->crumbs[i], out);
}

/* ---- telling -------------------------------------------------------------------------------- */

/* Whether one more may be published now: the generic cell rate algorithm, of which the state is one
 * number, the time at which all that was published would have been due. */
static bool s_may_tell(client_t *client)
{
    const uint64_t now_ms = clock_ms();
    unsigned long long due_ms = atomic_load(&client->faults_due_ms), next_ms;
    do {
        next_ms = (due_ms > now_ms ? due_ms : now_ms) + FAULT_EVERY_MS;
        if (next_ms > now_ms + (uint64_t)FAULT_BURST * FAULT_EVERY_MS)
            return false;
    } while (!atomic_compare_exchange_weak(&client->faults_due_ms, &due_ms, next_ms));
    return true;
}

/* What this thread has logged, if that was about the same request. */
static void s_take_crumbs(fault_t *fault)
{
    const log_request_t *request = log_request();
    const crumb_t *crumb;
    if (strcmp(request->request_id, fault->request_id) != 0 ||
        strcmp(request->trace_id, fault->trace_id) != 0)
        return;
    for (size_t i = 0; i < FAULT_CRUMBS_MAX && (crumb = trail_crumb(i)); i++)
        fault->crumbs[fault->crumb_count++] =
            (fault_crumb_t){ .wall_ms = crumb->wall_ms,
                             .level = log_level_text(crumb->level),
                             .event = crumb->event,
                             .text = crumb->text };
}

void fault_tell(client_t *client, const fault_source_t *source, const failure_t *failure)
{
    const error_row_t *row = error_row(failure->code);
    char method[FAULT_NAME_BYTES + 1], trace_id[FAULT_TRACE_BYTES + 1] = "";
    char span_id[FAULT_SPAN_BYTES + 1] = "";
    buf_t body = { 0 };
    pack_t pack;
    if (!error_is_fault(failure->code) || failure->is_outside)
        return;
    if (!s_may_tell(client)) {
        client_count(client, CLIENT_FAULTS_UNTOLD);
        return;
    }
    text_copy(method, sizeof method, source->method, source->method_size);
    if (source->trace)
        id_hex(source->trace, FAULT_TRACE_BYTES / 2, trace_id);
    if (source->span)
        id_hex(source->span, FAULT_SPAN_BYTES / 2, span_id);
    fault_t fault = { .code = row->symbol,
                      .part = source->part,
                      .method = method,
                      .message = failure->detail[0] ? failure->detail : row->sentence,
                      .version = PACKAGE_VERSION,
                      .request_id = source->request_id,
                      .trace_id = trace_id,
                      .span_id = span_id };
    s_take_crumbs(&fault);
    pack_init(&pack, &body);
    fault_write(&fault, &pack);
    client_count(client, CLIENT_FAULTS_TOLD);
    client_publish(client, topic_row(TOPIC_ERROR)->prefix, false, &body);
}

/* ---- reading -------------------------------------------------------------------------------- */

/* A copy in valid UTF-8 of at most `limit` bytes, without control characters, and without what
 * looks like a secret: not every service has a log that hides them. */
static const char *s_clean(arena_t *arena, const value_t *map, const char *key, size_t limit)
{
    size_t size = 0;
    const char *text = value_get_text(map, key, &size);
    buf_t shown = { 0 };
    if (!text)
        return "";
    redact_text(text, size, &shown);
    text = buf_text(&shown);
    size = text_utf8_cut(text, shown.size < limit ? shown.size : limit);
    char *copy = arena_text(arena, text, size);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)copy[i] < ' ' || copy[i] == 0x7f)
            copy[i] = ' ';
    buf_free(&shown);
    return copy;
}

/* The same for what must be a name; "" when it is none. */
static const char *s_name(arena_t *arena, const value_t *map, const char *key, size_t limit)
{
    size_t size = 0;
    const char *text = value_get_text(map, key, &size);
    return text && id_is_name(text, size, limit) ? arena_text(arena, text, size) : "";
}

/* A number of so many hexadecimal digits. */
static const char *s_hex(arena_t *arena, const value_t *map, const char *key, size_t digits)
{
    const char *text = s_name(arena, map, key, digits);
    return strlen(text) == digits && strspn(text, "0123456789abcdef") == digits ? text : "";
}

static const char *s_level(const value_t *map)
{
    for (int level = LOG_DEBUG; level <= LOG_ERROR; level++)
        if (value_is(value_get(map, "level"), log_level_text((log_level_t)level)))
            return log_level_text((log_level_t)level);
    return log_level_text(LOG_INFO);
}

/* The last ones, if there are more than are kept. */
static void s_read_crumbs(fault_t *self, arena_t *arena, const value_t *list)
{
    const value_t *item;
    uint32_t count = value_is_type(list, VALUE_ARRAY) ? list->count : 0;
    for (uint32_t i = count > FAULT_CRUMBS_MAX ? count - FAULT_CRUMBS_MAX : 0;
         (item = value_item(list, i)); i++) {
        fault_crumb_t *crumb = &self->crumbs[self->crumb_count++];
        size_t size = 0;
        const char *at = value_get_text(item, "at", &size);
        if (!at || !clock_parse(at, size, &crumb->wall_ms))
            crumb->wall_ms = 0;
        crumb->level = s_level(item);
        crumb->event = s_clean(arena, item, "event", FAULT_EVENT_BYTES);
        crumb->text = s_clean(arena, item, "text", FAULT_TEXT_BYTES);
    }
}

bool fault_read(fault_t *self, arena_t *arena, const void *bytes, size_t size)
{
    value_verdict_t verdict;
    const value_t *map =
        size <= FAULT_BYTES_MAX ? value_parse(arena, bytes, size, FAULT_LIMITS, &verdict) : NULL;
    *self = (fault_t){ .code = s_name(arena, map, "code", FAULT_CODE_BYTES),
                       .part = s_name(arena, map, "part", FAULT_CODE_BYTES),
                       .method = s_clean(arena, map, "method", FAULT_NAME_BYTES),
                       .message = s_clean(arena, map, "message", FAULT_TEXT_BYTES),
                       .version = s_name(arena, map, "version", FAULT_CODE_BYTES),
                       .request_id = s_name(arena, map, "request_id", FAULT_CODE_BYTES),
                       .trace_id = s_hex(arena, map, "trace_id", FAULT_TRACE_BYTES),
                       .span_id = s_hex(arena, map, "span_id", FAULT_SPAN_BYTES) };
    s_read_crumbs(self, arena, value_get(map, "breadcrumbs"));
    return self->code[0] && self->part[0];
}
