/* SPDX-License-Identifier: MPL-2.0
 *
 * analyze_baseline - an earlier result of `signalbox analyze` that new ones are measured against
 */
#include "config.h"

#include "deploy/analyze_baseline.h"
#include "deploy/app.h"

/* A result is larger than a workflow may be; we have written it ourselves. */
#define LIMITS ((value_limits_t){ .depth = VALUE_LIMITS.depth, .nodes = UINT32_MAX })

static void s_index(analyze_baseline_t *self)
{
    work_t work = { .arena = &self->input.arena };
    slice_t *keys = arena_array(work.arena, self->files->count, sizeof *keys);
    for (uint32_t i = 0; i < self->files->count; i++)
        keys[i] = slice_get(&self->files->items[i], "path");
    names_build(&self->paths, &work, keys, self->files->count);
}

bool analyze_baseline_read(analyze_baseline_t *self, const char *path)
{
    const bool is_json = input_read(&self->input, path, LIMITS) == INPUT_GOOD;
    self->files = is_json ? value_get(self->input.document, "files") : NULL;
    if (value_is_type(self->files, VALUE_ARRAY))
        s_index(self);
    else
        app_fail(0, "--baseline: %s %s", path,
                 is_json ? "is not what `signalbox analyze --format json` prints"
                         : self->input.why);
    return value_is_type(self->files, VALUE_ARRAY);
}

void analyze_baseline_free(analyze_baseline_t *self)
{
    input_free(&self->input);
}

const value_t *analyze_baseline_find(const analyze_baseline_t *self, const char *path)
{
    uint32_t i = names_find(&self->paths, slice_literal(path));
    return i == UINT32_MAX ? NULL : &self->files->items[i];
}
