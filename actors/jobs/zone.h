/* SPDX-License-Identifier: MPL-2.0
 *
 * zone - what the clocks on the wall of a region show, from a TZif file (RFC 8536, RFC 9636)
 *
 * libc knows one zone a process and changes it under all threads' feet (tzset), and the libraries
 * that know more (ICU, GLib) are larger than all of Signalbox; a file of the system's time zone
 * data is two tables and a rule, so it is read here. After the last time of the table the rule of
 * its footer goes on for ever (zone_rule.h).
 *
 * A zone is read-only once it is made. Instants are seconds since 1970-01-01 UTC; a wall time is
 * what a clock there shows, in seconds since its own 1970-01-01 00:00:00. When clocks are put
 * forward, some wall times are never shown; when they are put back, some are shown twice. The two
 * questions asked here have one answer all the same, since "at or after" orders what "equal" does
 * not: when does a clock first show a time or a later one, and what is the latest it has shown.
 *
 * "right/" zones, whose clocks count leap seconds, are refused.
 */
#ifndef SIGNALBOX_JOBS_ZONE_H
#define SIGNALBOX_JOBS_ZONE_H

#include "actors/base/base.h"

#define ZONE_FILE_BYTES 65536 /* larger files are refused; the system's have up to 4 KB */
#define ZONE_OFFSET_MAX 93599 /* no clock differs more from UTC, in seconds (RFC 8536, 3.2) */
#define ZONE_WHY_SIZE   120

typedef struct zone zone_t;

/* The instants from `from` until before `to` in which clocks are `offset` seconds ahead of UTC.
 * INT64_MIN and INT64_MAX stand for ever. */
typedef struct {
    int64_t from, to;
    int32_t offset;
} zone_span_t;

/* Reads a TZif file; NULL with a sentence in `why` when it is none, or not of version 2 or later.
 */
zone_t *zone_parse(const void *bytes, size_t size, char why[ZONE_WHY_SIZE]);
void zone_destroy(zone_t **self_p);

/* The span that an instant lies in. */
zone_span_t zone_span(const zone_t *self, int64_t utc_s);

/* The first instant at which a clock shows `wall_s` or a later time: of a time shown twice the
 * first one, of a time skipped the moment at which the clock is put forward. It never decreases as
 * `wall_s` grows. */
int64_t zone_first(const zone_t *self, int64_t wall_s);

/* The latest time a clock has shown until and at `utc_s`, which after it was put back is later than
 * what it shows. */
int64_t zone_latest(const zone_t *self, int64_t utc_s);

#endif
