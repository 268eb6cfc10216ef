/* SPDX-License-Identifier: MPL-2.0
 *
 * store - what the files of the store share
 */
#include "config.h"

#include <string.h>

#include "actors/base/id.h"
#include "actors/jobs/store.h"
#include "proto/json.h"

const char *jobs_store_state(job_state_t state)
{
    static const char *const names[] = { "ready", "running",   "scheduled", "blocked",
                                         "done",  "cancelled", "dead" };
    insist(state < COUNT_OF(names));
    return names[state];
}

job_bytes_t jobs_store_dup_bytes(const db_rows_t *rows, arena_t *arena, const char *column)
{
    size_t size;
    const uint8_t *bytes = db_blob(rows, column, &size);
    if (!bytes)
        return (job_bytes_t){ 0 };
    return (job_bytes_t){ arena_text(arena, bytes, size), size };
}

void jobs_store_add_text(buf_t *json, const char *name, const char *text)
{
    buf_printf(json, ",\"%s\":", name);
    if (text)
        json_add_text(json, text, strlen(text));
    else
        buf_add_text(json, "null");
}

void jobs_store_add_hex(buf_t *json, const char *name, job_bytes_t bytes)
{
    if (!bytes.bytes)
        return;
    buf_printf(json, ",\"%s\":\"", name);
    id_hex(bytes.bytes, bytes.size, (char *)buf_reserve(json, 2 * bytes.size + 1));
    json->size += 2 * bytes.size;
    buf_add_byte(json, '"');
}
