/* SPDX-License-Identifier: MPL-2.0
 *
 * What the reader accepts is msgpack that the check accepts, and what is written of it reads back
 * the same.
 */
#include "config.h"

#include "proto/json.h"
#include "tests/fuzz/fuzz.h"

#define LIMITS ((value_limits_t){ .depth = 32, .nodes = 5000 })

static const value_t *s_read(arena_t *arena, const char *text, size_t size, buf_t *packed)
{
    json_error_t error;
    value_verdict_t verdict;
    if (!json_to_msgpack(text, size, LIMITS, 0, packed, &error)) {
        insist(error.verdict != JSON_GOOD && error.offset <= size && packed->size == 0);
        return NULL;
    }
    const value_t *value = value_parse(arena, packed->bytes, packed->size, LIMITS, &verdict);
    insist(value);
    return value;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    buf_t packed = { 0 }, again = { 0 }, text = { 0 };
    arena_t arena = { 0 };
    const value_t *value = s_read(&arena, (const char *)bytes, size, &packed);
    if (value) {
        json_write(value, &text);
        const value_t *other = s_read(&arena, (const char *)text.bytes, text.size, &again);
        insist(other && value_equal(value, other));
        text.size = 0;
        json_write_pretty(value, &text);
    }
    buf_free(&packed);
    buf_free(&again);
    buf_free(&text);
    arena_free(&arena);
    return 0;
}
