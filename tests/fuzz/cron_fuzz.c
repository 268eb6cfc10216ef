/* SPDX-License-Identifier: MPL-2.0
 *
 * An expression is read or refused with a sentence; one that is read is due later than it was asked
 * for, and never twice at the same time, also where clocks are changed.
 */
#include "config.h"

#include <string.h>

#include "actors/base/text.h"
#include "actors/jobs/cron.h"
#include "tests/fuzz/fuzz.h"
#include "tests/kit/tzif.h"

#define BEFORE_SPRING INT64_C(1774659600) /* 2026-03-28 */
#define BEFORE_AUTUMN INT64_C(1792800000) /* 2026-10-24 */

static void s_ask(const cron_t *cron, const zone_t *zone, int64_t after)
{
    int64_t until = after + CRON_HORIZON_S, due;
    for (unsigned i = 0; i < 50 && cron_next(cron, zone, after, until, &due); i++) {
        int64_t again;
        insist(due > after && due <= until);
        insist(cron_next(cron, zone, due - 1, until, &again) && again == due);
        after = due;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char why[CRON_WHY_SIZE], zone_why[ZONE_WHY_SIZE];
    cron_t cron;
    buf_t file = { 0 };
    if (!cron_parse(&cron, (const char *)bytes, size, why)) {
        insist(why[0]);
        insist(!text_is_utf8((const char *)bytes, size) || text_is_utf8(why, strlen(why)));
        return 0;
    }
    tzif_write(&file, 0, "CET-1CEST,M3.5.0,M10.5.0/3");
    zone_t *zone = zone_parse(file.bytes, file.size, zone_why);
    insist(zone);
    s_ask(&cron, zone, BEFORE_SPRING);
    s_ask(&cron, zone, BEFORE_AUTUMN);
    zone_destroy(&zone);
    buf_free(&file);
    return 0;
}
