/* SPDX-License-Identifier: MPL-2.0
 *
 * A descriptor is read or refused with a sentence; what is read validates anything without harm.
 */
#include "config.h"

#include "proto/descriptor.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char why[DESCRIPTOR_WHY_SIZE] = "";
    descriptor_t *descriptor = descriptor_read(bytes, size, why);
    insist(descriptor || why[0]);
    if (descriptor) {
        arena_t arena = { 0 };
        value_verdict_t verdict;
        schema_errors_t errors;
        /* the descriptor itself is as good a value as any */
        const value_t *value = value_parse(&arena, bytes, size, VALUE_LIMITS, &verdict);
        for (uint32_t i = 0; i < descriptor->method_count; i++) {
            const descriptor_method_t *method = &descriptor->methods[i];
            bool good = schema_validate(method->request, value, &errors);
            insist(good == (errors.count == 0));
            insist(method->deadline_ms <= 600000);
        }
        arena_free(&arena);
        descriptor_destroy(&descriptor);
    }
    return 0;
}
