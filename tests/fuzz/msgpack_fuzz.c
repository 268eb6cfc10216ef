/* SPDX-License-Identifier: MPL-2.0
 *
 * What the check accepts can be built, skipped over, read as a principal or a failure, and written.
 */
#include "config.h"

#include "proto/error.h"
#include "proto/json.h"
#include "proto/principal.h"
#include "tests/fuzz/fuzz.h"

#define LIMITS ((value_limits_t){ .depth = 32, .nodes = 5000 })

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    arena_t arena = { 0 };
    buf_t text = { 0 };
    value_verdict_t verdict;
    principal_t principal;
    failure_t failure;
    schema_errors_t fields;
    const value_t *value = value_parse(&arena, bytes, size, LIMITS, &verdict);
    insist((value != NULL) == (verdict == VALUE_GOOD));
    if (value) {
        insist(value_skip(bytes) == size);
        insist(value_equal(value, value) || text.size == 0); /* not-a-number differs from itself */
        json_write(value, &text);
    }
    if (principal_read(&principal, bytes, size))
        insist(value && value->type == VALUE_MAP);
    failure_read(&failure, 500, bytes, size, &fields);
    insist(failure.code != ERROR_NONE);
    buf_free(&text);
    arena_free(&arena);
    return 0;
}
