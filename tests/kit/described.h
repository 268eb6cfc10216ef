/* SPDX-License-Identifier: MPL-2.0
 *
 * described - descriptors for tests, written as JSON
 */
#ifndef SIGNALBOX_TEST_DESCRIBED_H
#define SIGNALBOX_TEST_DESCRIBED_H

#include "proto/descriptor.h"
#include "proto/json.h"

/* Packs JSON; stops the test when it is none. The caller frees the buffer. */
static inline buf_t described_pack(const char *json)
{
    buf_t packed = { 0 };
    json_error_t error;
    if (!json_to_msgpack(json, strlen(json), VALUE_LIMITS, 0, &packed, &error))
        die("line %u, column %u: %s", error.line, error.column, json_verdict_text(error.verdict));
    return packed;
}

/* The descriptor that the JSON describes; stops the test when it is not acceptable. */
static inline descriptor_t *described_read(const char *json)
{
    char why[DESCRIPTOR_WHY_SIZE];
    buf_t packed = described_pack(json);
    descriptor_t *descriptor = descriptor_read(packed.bytes, packed.size, why);
    if (!descriptor)
        die("%s", why);
    buf_free(&packed);
    return descriptor;
}

#endif
