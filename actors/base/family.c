/* SPDX-License-Identifier: MPL-2.0
 *
 * family - the numbers of one name, told apart by labels whose values are met at run time
 */
#include "config.h"

#include <string.h>

#include "actors/base/id.h"
#include "actors/base/family.h"
#include "actors/base/text.h"

static series_t *s_new(const family_t *self, const char *const *values, uint64_t hash)
{
    series_t *made = mem_zeroed(sizeof *made);
    made->hash = hash;
    if (self->has_histograms)
        made->histogram = mem_zeroed(sizeof *made->histogram);
    if (self->has_exemplars)
        made->exemplars = mem_zeroed(sizeof *made->exemplars);
    for (size_t i = 0; i < self->label_count; i++)
        made->labels[i] = mem_strdup(values[i]);
    return made;
}

static void s_free(const family_t *self, series_t *series)
{
    for (size_t i = 0; i < self->label_count; i++)
        mem_free((char *)(uintptr_t)series->labels[i]);
    mem_free(series->histogram);
    mem_free(series->exemplars);
    mem_free(series);
}

family_t *family_new(size_t label_count, bool has_histograms, bool has_exemplars)
{
    static const char *const other[FAMILY_LABELS_MAX] = { FAMILY_OVERFLOW, FAMILY_OVERFLOW,
                                                          FAMILY_OVERFLOW };
    family_t *self = mem_zeroed(sizeof *self);
    insist(label_count > 0 && label_count <= FAMILY_LABELS_MAX);
    self->label_count = label_count;
    self->has_histograms = has_histograms;
    self->has_exemplars = has_exemplars;
    pthread_mutex_init(&self->mutex, NULL);
    self->other = s_new(self, other, 0);
    return self;
}

void family_destroy(family_t **self_p)
{
    family_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    for (size_t i = 0; i < FAMILY_SLOTS; i++)
        if (self->slots[i] && self->slots[i] != self->other)
            s_free(self, self->slots[i]);
    s_free(self, self->other);
    pthread_mutex_destroy(&self->mutex);
    mem_free(self);
}

/* ---- looking up ----------------------------------------------------------------------------- */

static uint64_t s_hash(const family_t *self, const char *const *values)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < self->label_count; i++)
        hash = id_mix(hash, id_hash(values[i], strlen(values[i])));
    return hash;
}

static bool s_is(const family_t *self, const series_t *series, const char *const *values,
                 uint64_t hash)
{
    if (series->hash != hash)
        return false;
    for (size_t i = 0; i < self->label_count; i++)
        if (strcmp(series->labels[i], values[i]) != 0)
            return false;
    return true;
}

/* The number with these values, or NULL with the free slot where it belongs: there always is one,
 * since half of them stay free. */
static series_t *s_find(family_t *self, const char *const *values, uint64_t hash, size_t *slot)
{
    for (*slot = hash % FAMILY_SLOTS;; *slot = (*slot + 1) % FAMILY_SLOTS) {
        series_t *at = atomic_load_explicit(&self->slots[*slot], memory_order_acquire);
        if (!at || s_is(self, at, values, hash))
            return at;
    }
}

static bool s_is_fit(const family_t *self, const char *const *values)
{
    for (size_t i = 0; i < self->label_count; i++) {
        size_t size = strlen(values[i]);
        if (size > FAMILY_VALUE_MAX || !text_is_utf8(values[i], size))
            return false;
    }
    return true;
}

/* Values may be met that are those of what is counted together: there is one number of them. */
static bool s_are_other(const family_t *self, const char *const *values)
{
    for (size_t i = 0; i < self->label_count; i++)
        if (strcmp(values[i], FAMILY_OVERFLOW) != 0)
            return false;
    return true;
}

static series_t *s_make(family_t *self, const char *const *values, uint64_t hash)
{
    if (!s_are_other(self, values))
        return s_new(self, values, hash);
    self->other->hash = hash;
    atomic_store(&self->has_other, true);
    return self->other;
}

/* Another thread may have added the same meanwhile. */
static series_t *s_add(family_t *self, const char *const *values, uint64_t hash)
{
    size_t slot;
    if (!s_is_fit(self, values))
        return NULL;
    pthread_mutex_lock(&self->mutex);
    series_t *found = s_find(self, values, hash, &slot);
    if (!found && self->count < FAMILY_SERIES_MAX) {
        found = s_make(self, values, hash);
        atomic_store_explicit(&self->slots[slot], found, memory_order_release);
        self->count++;
    }
    pthread_mutex_unlock(&self->mutex);
    return found;
}

series_t *family_at(family_t *self, const char *const *values)
{
    size_t slot;
    uint64_t hash = s_hash(self, values);
    series_t *found = s_find(self, values, hash, &slot);
    if (!found && atomic_load_explicit(&self->count, memory_order_relaxed) < FAMILY_SERIES_MAX)
        found = s_add(self, values, hash);
    if (found)
        return found;
    atomic_fetch_add_explicit(&self->overflow, 1, memory_order_relaxed);
    return self->other;
}

series_t *family_next(family_t *self, size_t *slot)
{
    while (*slot < FAMILY_SLOTS) {
        series_t *at = atomic_load_explicit(&self->slots[(*slot)++], memory_order_acquire);
        if (at)
            return at;
    }
    if ((*slot)++ == FAMILY_SLOTS && atomic_load(&self->overflow) > 0 &&
        !atomic_load(&self->has_other))
        return self->other;
    return NULL;
}

/* ---- traces --------------------------------------------------------------------------------- */

void series_record_traced(series_t *self, uint64_t value, const uint8_t trace[16], int64_t wall_ms)
{
    exemplars_t *exemplars = self->exemplars;
    series_record(self, value);
    exemplar_t *at = &exemplars->octaves[histogram_bucket(value) / HISTOGRAM_SUB];
    /* mostly there is a recent one: reading a time that is just being written does no harm */
    if (wall_ms - __atomic_load_n(&at->wall_ms, __ATOMIC_RELAXED) < EXEMPLARS_FRESH_MS ||
        atomic_flag_test_and_set_explicit(&exemplars->is_busy, memory_order_acquire))
        return;
    memcpy(at->trace, trace, sizeof at->trace);
    at->value = value;
    __atomic_store_n(&at->wall_ms, wall_ms, __ATOMIC_RELAXED);
    atomic_flag_clear_explicit(&exemplars->is_busy, memory_order_release);
}

bool series_exemplar(series_t *self, uint32_t octave, exemplar_t *copy)
{
    exemplars_t *exemplars = self->exemplars;
    if (!exemplars || atomic_flag_test_and_set_explicit(&exemplars->is_busy, memory_order_acquire))
        return false;
    *copy = exemplars->octaves[octave];
    atomic_flag_clear_explicit(&exemplars->is_busy, memory_order_release);
    return copy->wall_ms != 0;
}
