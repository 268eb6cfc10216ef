/* SPDX-License-Identifier: MPL-2.0
 *
 * pace - what happened between two snapshots
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "actors/metrics/pace.h"

/* The same series in the snapshot before. */
static const view_series_t *s_before(const span_t *span, const view_family_t *family,
                                     const view_series_t *series)
{
    const view_family_t *old = span->before ? view_family(span->before, family->name) : NULL;
    return old && old->kind == family->kind ? view_series(old, series->labels) : NULL;
}

double pace_rate(const span_t *span, const view_family_t *family, const view_series_t *series)
{
    const view_series_t *old = s_before(span, family, series);
    int64_t grown = series->value - (old ? old->value : 0);
    return span->before && span->seconds > 0 && grown > 0 ? (double)grown / span->seconds : 0;
}

void pace_add_times(pace_t *self, const span_t *span, const view_family_t *family,
                    const view_series_t *series)
{
    const view_series_t *old = s_before(span, family, series);
    size_t next = 0;
    if (!span->before)
        return;
    for (size_t i = 0; i < series->bucket_count; i++) {
        const view_bucket_t *at = &series->buckets[i];
        while (old && next < old->bucket_count && old->buckets[next].index < at->index)
            next++;
        bool has_old = old && next < old->bucket_count && old->buckets[next].index == at->index;
        uint64_t known = has_old ? old->buckets[next].records : 0;
        if (at->records > known)
            self->times.buckets[at->index] += at->records - known;
    }
}

#define RATE_MAX  1e15
#define WHOLE_MAX (INT64_C(1) << 53) /* what JSON's readers keep exactly */

double pace_bounded(double rate)
{
    return rate < 0 ? 0 : rate > RATE_MAX ? RATE_MAX : rate;
}

int64_t pace_whole(int64_t number)
{
    return number < 0 ? 0 : number >= WHOLE_MAX ? WHOLE_MAX - 1 : number;
}

static void s_pack_number(pack_t *out, const char *key, double value)
{
    pack_text(out, key);
    pack_double(out, pace_bounded(round(value * 1000) / 1000));
}

void pace_write(const pace_t *self, pack_t *out)
{
    s_pack_number(out, "requests_per_s", self->requests);
    s_pack_number(out, "errors_per_s", self->errors);
    s_pack_number(out, "error_ratio",
                  self->requests > 0 ? fmin(self->errors / self->requests, 1) : 0);
    pack_pair_int(out, "p50_us", (int64_t)histogram_quantile(&self->times, 0.50));
    pack_pair_int(out, "p95_us", (int64_t)histogram_quantile(&self->times, 0.95));
    pack_pair_int(out, "p99_us", (int64_t)histogram_quantile(&self->times, 0.99));
}
