/* SPDX-License-Identifier: MPL-2.0
 *
 * fingerprints - which issues two results share
 */
#include "config.h"

#include "actors/analysis/fingerprints.h"
#include "actors/analysis/overlay.h"

void fingerprints_make(fingerprints_t *self, arena_t *arena, const value_t *result)
{
    work_t work = { .arena = arena };
    const value_t *issues = value_get(result, "issues");
    uint32_t count = value_is_type(issues, VALUE_ARRAY) ? issues->count : 0;
    slice_t *keys = arena_array(arena, count, sizeof *keys);
    for (uint32_t i = 0; i < count; i++)
        keys[i] = slice_get(&issues->items[i], "fingerprint");
    names_build(&self->names, &work, keys, count);
}

bool fingerprints_have(const fingerprints_t *self, const value_t *issue)
{
    return names_find(&self->names, slice_get(issue, "fingerprint")) != UINT32_MAX;
}

void fingerprints_count_new(arena_t *arena, const value_t *before, const value_t *after,
                            int64_t by_severity[SEVERITY_COUNT])
{
    fingerprints_t known;
    const value_t *issue, *issues = value_get(after, "issues");
    fingerprints_make(&known, arena, before);
    for (severity_t s = 0; s < SEVERITY_COUNT; s++)
        by_severity[s] = 0;
    for (uint32_t i = 0; (issue = value_item(issues, i)); i++)
        if (!fingerprints_have(&known, issue))
            by_severity[issue_severity(issue)]++;
}
