/* SPDX-License-Identifier: MPL-2.0
 *
 * A file is read or refused with a sentence; the spans of one that is read follow each other
 * without gaps, and its two questions agree with what its clocks show.
 */
#include "config.h"

#include "actors/jobs/cron.h"
#include "tests/fuzz/fuzz.h"

static const int64_t s_instants[] = {
    INT64_C(-2000000000), 0, INT64_C(1000), INT64_C(1774659600), INT64_C(1792890000),
    INT64_C(4000000000),
};

static void s_ask(const zone_t *zone, int64_t at)
{
    for (unsigned i = 0; i < 20; i++) {
        zone_span_t span = zone_span(zone, at);
        int64_t wall = at + span.offset;
        insist(span.from <= at && at < span.to);
        insist(zone_latest(zone, at) >= wall && zone_first(zone, wall) <= at);
        insist(zone_first(zone, wall) <= zone_first(zone, wall + 1));
        insist(zone_first(zone, zone_latest(zone, at) + 1) > at);
        if (span.to == INT64_MAX)
            return;
        insist(zone_span(zone, span.to).from == span.to);
        insist(zone_span(zone, span.to - 1).to == span.to);
        at = span.to;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char why[ZONE_WHY_SIZE], cron_why[CRON_WHY_SIZE];
    zone_t *zone = zone_parse(bytes, size, why);
    if (!zone) {
        insist(why[0]);
        return 0;
    }
    cron_t cron;
    insist(cron_parse(&cron, "*/30 2 * * *", 12, cron_why));
    for (size_t i = 0; i < COUNT_OF(s_instants); i++) {
        int64_t at = s_instants[i], due;
        s_ask(zone, at);
        if (cron_next(&cron, zone, at, at + CRON_HORIZON_S, &due))
            insist(due > at);
    }
    zone_destroy(&zone);
    return 0;
}
