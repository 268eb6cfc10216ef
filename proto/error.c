/* SPDX-License-Identifier: MPL-2.0
 *
 * error - what can go wrong with a request, as a code, a sentence and a message
 */
#include "config.h"

#include <string.h>

#include "actors/base/text.h"
#include "proto/error.h"

static const error_row_t s_rows[ERROR_COUNT] = {
    [ERROR_NONE] = { "", 0, 0, false, "" },
#define ERROR(symbol, bus, http, retry, sentence)                                                  \
    [ERROR_##symbol] = { #symbol, bus, http, retry, sentence },
#include "proto/error.def"
#undef ERROR
};

const error_row_t *error_row(error_code_t code)
{
    insist(code < ERROR_COUNT);
    return &s_rows[code];
}

bool error_is_fault(error_code_t code)
{
    return error_row(code)->http_status >= 500;
}

error_code_t error_from_symbol(const char *symbol, size_t size)
{
    for (unsigned i = ERROR_NONE + 1; i < ERROR_COUNT; i++)
        if (strlen(s_rows[i].symbol) == size && memcmp(s_rows[i].symbol, symbol, size) == 0)
            return (error_code_t)i;
    return ERROR_NONE;
}

error_code_t error_from_status(uint32_t bus_status)
{
    for (unsigned i = ERROR_NONE + 1; i < ERROR_COUNT; i++)
        if (s_rows[i].bus_status == bus_status)
            return (error_code_t)i;
    return bus_status >= 400 && bus_status < 500 ? ERROR_BAD_REQUEST : ERROR_INTERNAL;
}

/* What was formatted may have been cut inside a character, which nobody could read. */
static void s_pack_text(pack_t *out, const char *name, const char *text)
{
    pack_text(out, name);
    pack_string(out, text, text_utf8_cut(text, strlen(text)));
}

void failure_write(const failure_t *failure, pack_t *out)
{
    size_t position = pack_open_map(out), pairs = 2;
    pack_pair_text(out, "code", error_row(failure->code)->symbol);
    s_pack_text(out, "detail",
                failure->detail[0] ? failure->detail : error_row(failure->code)->sentence);
    if (failure->retry_after_ms) {
        pack_pair_int(out, "retry_after_ms", failure->retry_after_ms);
        pairs++;
    }
    if (failure->is_outside) {
        pack_pair_bool(out, "outside", true);
        pairs++;
    }
    if (failure->fields && failure->fields->count) {
        pack_text(out, "errors");
        pack_array(out, failure->fields->count);
        for (size_t i = 0; i < failure->fields->count; i++) {
            pack_map(out, 2);
            s_pack_text(out, "pointer", failure->fields->list[i].pointer);
            s_pack_text(out, "detail", failure->fields->list[i].why);
        }
        pairs++;
    }
    pack_close(out, position, pairs);
}

static void s_read_fields(const value_t *list, schema_errors_t *fields)
{
    const value_t *item;
    fields->count = 0;
    for (uint32_t i = 0; (item = value_item(list, i)) && fields->count < SCHEMA_ERRORS_MAX; i++) {
        size_t pointer_size, why_size;
        const char *pointer = value_get_text(item, "pointer", &pointer_size);
        const char *why = value_get_text(item, "detail", &why_size);
        if (!pointer || !why)
            continue;
        schema_error_t *error = &fields->list[fields->count++];
        text_copy_utf8(error->pointer, sizeof error->pointer, pointer, pointer_size);
        text_copy_utf8(error->why, sizeof error->why, why, why_size);
    }
}

void failure_read(failure_t *failure, uint32_t bus_status, const void *body, size_t size,
                  schema_errors_t *fields)
{
    arena_t arena = { 0 };
    value_verdict_t verdict;
    size_t length;
    const value_t *map =
        value_parse(&arena, body, size, (value_limits_t){ .depth = 4, .nodes = 256 }, &verdict);

    *failure = (failure_t){ .code = ERROR_NONE, .fields = fields };
    const char *symbol = value_get_text(map, "code", &length);
    if (symbol)
        failure->code = error_from_symbol(symbol, length);
    if (failure->code == ERROR_NONE)
        failure->code = error_from_status(bus_status);
    const char *detail = value_get_text(map, "detail", &length);
    if (detail)
        text_copy_utf8(failure->detail, sizeof failure->detail, detail, length);
    int64_t wait = value_get_int(map, "retry_after_ms", 0);
    if (wait > 0 && wait <= UINT32_MAX)
        failure->retry_after_ms = (uint32_t)wait;
    failure->is_outside = value_get_bool(map, "outside", false);
    if (fields)
        s_read_fields(value_get(map, "errors"), fields);
    arena_free(&arena);
}
