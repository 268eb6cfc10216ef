/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include "edge/problem.h"
#include "proto/json.h"
#include "tests/tap.h"

static arena_t s_arena;

/* The document, read again. */
static const value_t *s_write(const failure_t *failure, const char *instance, const char *id)
{
    buf_t text = { 0 }, *packed = arena_alloc(&s_arena, sizeof *packed);
    json_error_t error;
    value_verdict_t verdict;
    problem_write(failure, instance, id, NULL, &text);
    bool good =
        json_to_msgpack((const char *)text.bytes, text.size, VALUE_LIMITS, 0, packed, &error);
    ok(good);
    if (!good)
        note("%s", buf_text(&text));
    buf_free(&text);
    /* the tree points into `packed`: it is left to the end of the program's arena */
    uint8_t *bytes = arena_alloc(&s_arena, packed->size);
    memcpy(bytes, packed->bytes, packed->size);
    size_t size = packed->size;
    buf_free(packed);
    return value_parse(&s_arena, bytes, size, VALUE_LIMITS, &verdict);
}

static void test_documents(void)
{
    static schema_errors_t fields = {
        .count = 2,
        .list = { { "/a~1b", "must be \"good\"" }, { "", "must be an object" } },
    };
    failure_t failure;
    problem_set(&failure, ERROR_VALIDATION_FAILED, "%s", "");
    failure.fields = &fields;
    failure.retry_after_ms = 1001;
    const value_t *map = s_write(&failure, "/v1/<a>", "id-1");
    ok(value_is(value_get(map, "type"), "urn:signalbox:problem:VALIDATION_FAILED"));
    ok(value_is(value_get(map, "title"), "The request does not fit its schema"));
    is_int(value_get_int(map, "status", 0), 422);
    ok(value_is(value_get(map, "detail"), "The request does not fit its schema"));
    ok(value_is(value_get(map, "instance"), "/v1/<a>"));
    ok(value_is(value_get(map, "code"), "VALIDATION_FAILED"));
    ok(value_is(value_get(map, "request_id"), "id-1"));
    is_int(value_get_int(map, "retry_after", 0), 2);
    const value_t *first = value_item(value_get(map, "errors"), 0);
    ok(value_is(value_get(first, "pointer"), "/a~1b"));
    ok(value_is(value_get(first, "detail"), "must be \"good\""));

    problem_set(&failure, ERROR_NOT_FOUND, "no '%s'\n", "x");
    map = s_write(&failure, NULL, NULL);
    ok(value_is(value_get(map, "detail"), "no 'x'\n"));
    ok(!value_get(map, "instance") && !value_get(map, "request_id") && !value_get(map, "errors"));
    is_int(problem_retry_after(&failure), 0);

    /* a text that another process cut in the middle of a character */
    strcpy(failure.detail, "caf\xc3");
    ok(value_is(value_get(s_write(&failure, NULL, NULL), "detail"), "caf"));
    arena_free(&s_arena);
}

TESTS({ "documents", test_documents })
