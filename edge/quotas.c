/* SPDX-License-Identifier: MPL-2.0
 *
 * quotas - the rate limits in force, as the limiter publishes them
 */
#include "config.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/base/text.h"
#include "edge/quotas.h"
#include "proto/value.h"

struct quotas {
    _Atomic int references;
    int64_t version;
    size_t count;
    quota_t list[]; /* by name */
};

static int s_by_name(const void *a, const void *b)
{
    const quota_t *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static bool s_read_policy(quota_t *policy, const value_t *map)
{
    size_t size;
    const char *name = value_get_text(map, "name", &size);
    policy->limit = value_get_int(map, "limit", 0);
    policy->window_ms = value_get_int(map, "window_ms", 0);
    return name && text_copy(policy->name, sizeof policy->name, name, size) &&
           strlen(policy->name) == size && policy->limit > 0 && policy->window_ms > 0;
}

quotas_t *quotas_read(const void *bytes, size_t size)
{
    arena_t arena = { 0 };
    value_verdict_t verdict;
    const value_t *map = value_parse(
        &arena, bytes, size, (value_limits_t){ .depth = 4, .nodes = 20 * QUOTAS_MAX }, &verdict);
    const value_t *list = value_get(map, "policies");
    quotas_t *self = NULL;
    if (value_is_type(list, VALUE_ARRAY) && list->count <= QUOTAS_MAX) {
        self = mem_zeroed(sizeof *self + list->count * sizeof *self->list);
        self->references = 1;
        self->version = value_get_int(map, "version", 0);
        for (uint32_t i = 0; i < list->count; i++)
            self->count += s_read_policy(&self->list[self->count], value_item(list, i));
        qsort(self->list, self->count, sizeof *self->list, s_by_name);
    }
    arena_free(&arena);
    return self;
}

quotas_t *quotas_hold(quotas_t *self)
{
    atomic_fetch_add(&self->references, 1);
    return self;
}

void quotas_drop(quotas_t **self_p)
{
    quotas_t *self = *self_p;
    *self_p = NULL;
    if (self && atomic_fetch_sub(&self->references, 1) == 1)
        mem_free(self);
}

int64_t quotas_version(const quotas_t *self)
{
    return self->version;
}

const quota_t *quotas_find(const quotas_t *self, const char *name)
{
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(self->list[middle].name, name);
        if (order == 0)
            return &self->list[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const quota_t *quotas_of_class(const quotas_t *self, const char *general, const char *rate_class)
{
    char name[LIMITER_NAME_BYTES + 1];
    int size = snprintf(name, sizeof name, "%s.%s", general, rate_class);
    const quota_t *own = size > 0 && (size_t)size < sizeof name ? quotas_find(self, name) : NULL;
    return own ? own : quotas_find(self, rate_class);
}
