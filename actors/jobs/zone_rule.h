/* SPDX-License-Identifier: MPL-2.0
 *
 * zone_rule - the footer of a TZif file: how clocks are changed each year from then on
 *
 * A TZ text of POSIX (XBD 8.3) with the extension of RFC 8536, 3.3.1: hours of a change from -167
 * to 167. "CET-1CEST,M3.5.0,M10.5.0/3".
 */
#ifndef SIGNALBOX_JOBS_ZONE_RULE_H
#define SIGNALBOX_JOBS_ZONE_RULE_H

#include "actors/jobs/zone.h"

typedef enum {
    ZONE_DAY_JULIAN,  /* Jn: 1 to 365, February 29 is never counted */
    ZONE_DAY_OF_YEAR, /* n: 0 to 365 */
    ZONE_DAY_OF_WEEK, /* Mm.w.d: the w-th d-day of month m, the last one when w is 5 */
} zone_day_kind_t;

typedef struct {
    zone_day_kind_t kind;
    unsigned month, week, day;
    int32_t time_s; /* wall time of the change, from that day's midnight */
} zone_day_t;

typedef struct {
    int32_t standard, summer; /* seconds ahead of UTC */
    bool has_summer;          /* else clocks are never changed */
    zone_day_t begin, end;    /* of summer time */
} zone_rule_t;

bool zone_rule_parse(zone_rule_t *self, const char *text, size_t size) MUST_CHECK;

/* The span by the rule that an instant lies in, as if the rule had always held. */
zone_span_t zone_rule_span(const zone_rule_t *self, int64_t utc_s);

#endif
