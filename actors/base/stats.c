/* SPDX-License-Identifier: MPL-2.0
 *
 * stats - the numbers a part counts about itself
 */
#include "config.h"

#include <string.h>

#include "actors/base/stats.h"

/* How many labels stand in the braces of a name without values; 0: none, or they have values. */
static size_t s_open_labels(const char *name)
{
    const char *at = strchr(name, '{');
    size_t count = 1;
    if (!at || strchr(at, '='))
        return 0;
    while ((at = strchr(at, ','))) {
        at++;
        count++;
    }
    return count;
}

void stats_init(stats_t *self, const stats_row_t *rows)
{
    *self = (stats_t){ .rows = rows };
    while (rows[self->count].name)
        self->count++;
    self->values = mem_array(self->count, sizeof *self->values);
    self->histograms = mem_array(self->count, sizeof *self->histograms);
    self->families = mem_array(self->count, sizeof *self->families);
    for (size_t i = 0; i < self->count; i++) {
        size_t labels = s_open_labels(rows[i].name);
        bool is_histogram = rows[i].kind == STATS_HISTOGRAM || rows[i].kind == STATS_TRACED;
        insist(labels || rows[i].kind != STATS_TRACED);
        if (labels)
            self->families[i] = family_new(labels, is_histogram, rows[i].kind == STATS_TRACED);
        else if (is_histogram)
            self->histograms[i] = mem_zeroed(sizeof(histogram_t));
    }
}

void stats_free(stats_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        mem_free(self->histograms[i]);
        family_destroy(&self->families[i]);
    }
    mem_free(self->histograms);
    mem_free(self->families);
    mem_free(self->values);
    *self = (stats_t){ 0 };
}

int64_t stats_overflow(const stats_t *self)
{
    int64_t sum = 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->families[i])
            sum += atomic_load_explicit(&self->families[i]->overflow, memory_order_relaxed);
    return sum;
}

static bool s_ends(const char *text, size_t size, const char *suffix)
{
    size_t length = strlen(suffix);
    return size >= length && memcmp(text + size - length, suffix, length) == 0;
}

bool stats_is_time(const char *name, size_t size)
{
    return s_ends(name, size, "_seconds") || s_ends(name, size, "_seconds_total");
}
