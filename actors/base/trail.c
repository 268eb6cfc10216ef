/* SPDX-License-Identifier: MPL-2.0
 *
 * trail - what this thread has logged about the request it works on
 */
#include "config.h"

#include <string.h>

#include "actors/base/text.h"
#include "actors/base/trail.h"

static _Thread_local crumb_t s_crumbs[TRAIL_CRUMBS];
static _Thread_local size_t s_count; /* that the request has left, also those overwritten */

void trail_begin(void)
{
    s_count = 0;
}

void trail_keep(int64_t wall_ms, log_level_t level, const char *event, const char *fields,
                size_t size)
{
    crumb_t *crumb = &s_crumbs[s_count++ % TRAIL_CRUMBS];
    crumb->wall_ms = wall_ms;
    crumb->level = level;
    text_copy(crumb->event, sizeof crumb->event, event, strlen(event));
    if (size > 0) { /* what stands between fields */
        fields++;
        size--;
    }
    text_copy_utf8(crumb->text, sizeof crumb->text, fields, size);
}

const crumb_t *trail_crumb(size_t i)
{
    const size_t first = s_count > TRAIL_CRUMBS ? s_count - TRAIL_CRUMBS : 0;
    return first + i < s_count ? &s_crumbs[(first + i) % TRAIL_CRUMBS] : NULL;
}
