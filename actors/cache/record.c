/* SPDX-License-Identifier: MPL-2.0
 *
 * record - a value as it lies in Redis
 */
#include "config.h"

#include "actors/cache/record.h"

#define RECORD_VERSION    1
#define RECORD_HEAD_BYTES 22

void record_write(const record_t *self, buf_t *out)
{
    uint8_t *head = buf_reserve(out, RECORD_HEAD_BYTES);
    head[0] = RECORD_VERSION;
    head[1] = (uint8_t)self->tag_count;
    put_u64(head + 2, (uint64_t)self->born_ms);
    put_u32(head + 10, self->fresh_ms);
    put_u64(head + 14, self->epoch);
    out->size += RECORD_HEAD_BYTES;
    for (size_t i = 0; i < self->tag_count; i++) {
        buf_add_byte(out, (uint8_t)self->tags[i].size);
        buf_add(out, self->tags[i].bytes, self->tags[i].size);
    }
    buf_add(out, self->value.bytes, self->value.size);
}

bool record_read(record_t *self, const void *bytes, size_t size)
{
    const uint8_t *at = bytes, *end = at + size;
    if (size < RECORD_HEAD_BYTES || at[0] != RECORD_VERSION || at[1] > CACHE_TAGS_MAX)
        return false;
    *self = (record_t){ .born_ms = (int64_t)get_u64(at + 2),
                        .fresh_ms = get_u32(at + 10),
                        .epoch = get_u64(at + 14),
                        .tag_count = at[1] };
    at += RECORD_HEAD_BYTES;
    for (size_t i = 0; i < self->tag_count; i++) {
        if (at == end || (size_t)(end - at) < 1u + at[0])
            return false;
        self->tags[i] = (span_t){ at + 1, at[0] };
        at += 1 + at[0];
    }
    self->value = (span_t){ at, (size_t)(end - at) };
    return true;
}
