/* SPDX-License-Identifier: MPL-2.0
 *
 * stats - the numbers a part counts about itself
 */
#include "config.h"

#include "actors/base/stats.h"

void stats_init(stats_t *self, const stats_row_t *rows)
{
    *self = (stats_t){ .rows = rows };
    while (rows[self->count].name)
        self->count++;
    self->values = mem_array(self->count, sizeof *self->values);
    self->histograms = mem_array(self->count, sizeof *self->histograms);
    for (size_t i = 0; i < self->count; i++)
        if (rows[i].kind == STATS_HISTOGRAM)
            self->histograms[i] = mem_zeroed(sizeof(histogram_t));
}

void stats_free(stats_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        mem_free(self->histograms[i]);
    mem_free(self->histograms);
    mem_free(self->values);
    *self = (stats_t){ 0 };
}
