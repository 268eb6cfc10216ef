/* SPDX-License-Identifier: MPL-2.0
 *
 * zone - what the clocks on the wall of a region show, from a TZif file (RFC 8536, RFC 9636)
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/jobs/zone.h"
#include "actors/jobs/zone_rule.h"

#define HEADER_BYTES    44
#define CHANGES_MAX     4096
#define CHANGE_TIME_MAX (INT64_C(1) << 59) /* RFC 8536, 3.2, says so of the past */

typedef struct {
    int64_t at;
    int32_t offset; /* from then on */
} change_t;

struct zone {
    int32_t first_offset; /* before the first change */
    bool has_rule;        /* after the last change; else its offset stays */
    zone_rule_t rule;
    size_t count;
    change_t changes[]; /* in order of time */
};

/* ---- reading --------------------------------------------------------------------------------- */

/* A header and where its data are; `time_bytes` is 4 in the first block and 8 in the second. */
typedef struct {
    uint8_t version;
    uint32_t utc_marks, standard_marks, leaps, changes, types, letters;
    const uint8_t *data;
    size_t time_bytes, size;
} block_t;

static zone_t *s_refuse(char why[ZONE_WHY_SIZE], const char *reason)
{
    snprintf(why, ZONE_WHY_SIZE, "%s", reason);
    return NULL;
}

static bool s_read_block(block_t *self, const uint8_t *bytes, size_t size, size_t time_bytes)
{
    if (size < HEADER_BYTES || memcmp(bytes, "TZif", 4) != 0)
        return false;
    *self = (block_t){ .version = bytes[4],
                       .utc_marks = get_u32(bytes + 20),
                       .standard_marks = get_u32(bytes + 24),
                       .leaps = get_u32(bytes + 28),
                       .changes = get_u32(bytes + 32),
                       .types = get_u32(bytes + 36),
                       .letters = get_u32(bytes + 40),
                       .data = bytes + HEADER_BYTES,
                       .time_bytes = time_bytes };
    const uint32_t counts[] = { self->utc_marks, self->standard_marks, self->leaps,
                                self->changes,   self->types,          self->letters };
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        if (counts[i] > size)
            return false;
    self->size = self->changes * (time_bytes + 1) + self->types * (size_t)6 + self->letters +
                 self->leaps * (time_bytes + 4) + self->standard_marks + self->utc_marks;
    return self->size <= size - HEADER_BYTES;
}

/* The footer stands between two line feeds; what follows it is left to later versions. */
static bool s_read_footer(zone_t *self, const uint8_t *bytes, size_t size)
{
    const uint8_t *last = size > 0 && bytes[0] == '\n' ? memchr(bytes + 1, '\n', size - 1) : NULL;
    if (!last)
        return false;
    self->has_rule = last > bytes + 1;
    return !self->has_rule ||
           zone_rule_parse(&self->rule, (const char *)bytes + 1, (size_t)(last - bytes) - 1);
}

static bool s_read_changes(zone_t *self, const block_t *block)
{
    const uint8_t *times = block->data, *which = times + 8 * (size_t)block->changes,
                  *types = which + block->changes;
    for (uint32_t i = 0; i < block->types; i++) {
        int32_t offset = (int32_t)get_u32(types + 6 * (size_t)i);
        if (offset > ZONE_OFFSET_MAX || offset < -ZONE_OFFSET_MAX)
            return false;
    }
    self->first_offset = (int32_t)get_u32(types);
    for (uint32_t i = 0; i < block->changes; i++) {
        int64_t at = (int64_t)get_u64(times + 8 * (size_t)i);
        if (which[i] >= block->types || at > CHANGE_TIME_MAX || at < -CHANGE_TIME_MAX ||
            (i > 0 && at <= self->changes[i - 1].at))
            return false;
        self->changes[i] = (change_t){ at, (int32_t)get_u32(types + 6 * (size_t)which[i]) };
    }
    self->count = block->changes;
    return true;
}

zone_t *zone_parse(const void *bytes, size_t size, char why[ZONE_WHY_SIZE])
{
    block_t first, second;
    const uint8_t *at = bytes;
    why[0] = '\0';
    if (size > ZONE_FILE_BYTES || !s_read_block(&first, at, size, 4))
        return s_refuse(why, "it is no time zone file (RFC 8536)");
    if (first.version < '2')
        return s_refuse(why, "it is a time zone file of version 1, which knows no future");
    at += HEADER_BYTES + first.size;
    size -= HEADER_BYTES + first.size;
    if (!s_read_block(&second, at, size, 8) || second.types == 0 || second.changes > CHANGES_MAX)
        return s_refuse(why, "the time zone file is damaged");
    if (second.leaps > 0)
        return s_refuse(why, "its clocks count leap seconds");
    zone_t *self = mem_zeroed(sizeof *self + second.changes * sizeof self->changes[0]);
    if (!s_read_changes(self, &second) ||
        !s_read_footer(self, at + HEADER_BYTES + second.size, size - HEADER_BYTES - second.size)) {
        zone_destroy(&self);
        return s_refuse(why, "the time zone file is damaged");
    }
    return self;
}

void zone_destroy(zone_t **self_p)
{
    mem_free(*self_p);
    *self_p = NULL;
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* How many changes lie at or before an instant. */
static size_t s_changes_until(const zone_t *self, int64_t utc_s)
{
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (self->changes[middle].at <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

zone_span_t zone_span(const zone_t *self, int64_t utc_s)
{
    size_t before = s_changes_until(self, utc_s);
    int64_t last = before ? self->changes[before - 1].at : INT64_MIN;
    if (before < self->count || !self->has_rule)
        return (zone_span_t){
            .from = last,
            .to = before < self->count ? self->changes[before].at : INT64_MAX,
            .offset = before ? self->changes[before - 1].offset : self->first_offset,
        };
    zone_span_t span = zone_rule_span(&self->rule, utc_s);
    if (span.from < last)
        span.from = last;
    return span;
}

/* No clock shows more than ZONE_OFFSET_MAX less or more than UTC, which bounds both searches. */
int64_t zone_first(const zone_t *self, int64_t wall_s)
{
    for (int64_t at = wall_s - ZONE_OFFSET_MAX;;) {
        zone_span_t span = zone_span(self, at);
        int64_t first = wall_s - span.offset;
        if (first < span.to)
            return first > at ? first : at;
        at = span.to;
    }
}

int64_t zone_latest(const zone_t *self, int64_t utc_s)
{
    zone_span_t span = zone_span(self, utc_s);
    int64_t latest = utc_s + span.offset;
    while (span.from > utc_s - 2 * ZONE_OFFSET_MAX) {
        int64_t last = span.from - 1;
        span = zone_span(self, last);
        if (last + span.offset > latest)
            latest = last + span.offset;
    }
    return latest;
}
