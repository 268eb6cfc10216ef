/* SPDX-License-Identifier: MPL-2.0
 *
 * log_parts - from which severity on each part of the process writes lines
 */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/crash.h"
#include "actors/base/log_parts.h"
#include "actors/base/text.h"

typedef struct {
    char name[LOG_PART_SIZE]; /* does not change once it stands */
    _Atomic int level;        /* what counts now */
    bool is_own;
    uint64_t until_ms; /* of its own level; 0: without end */
} part_t;

static pthread_mutex_t s_mutex = PTHREAD_MUTEX_INITIALIZER;
static part_t s_parts[LOG_PARTS_MAX] = { { .name = "main", .level = LOG_INFO } };
static size_t s_count = 1;
static int s_configured = LOG_INFO;
static _Atomic uint64_t s_expires_ms; /* the first end of a level of its own; 0: none */

_Thread_local const _Atomic int *log_threshold = &s_parts[0].level;
static _Thread_local const part_t *s_part = &s_parts[0];

/* The row of a name, made when it is new; the caller holds the lock. */
static part_t *s_find(const char *name)
{
    char cut[LOG_PART_SIZE];
    text_copy(cut, sizeof cut, name, strlen(name));
    for (size_t i = 0; i < s_count; i++)
        if (strcmp(s_parts[i].name, cut) == 0)
            return &s_parts[i];
    if (s_count == LOG_PARTS_MAX)
        return &s_parts[LOG_PARTS_MAX - 1];
    part_t *part = &s_parts[s_count++];
    const char *kept = s_count < LOG_PARTS_MAX ? cut : "other";
    text_copy(part->name, sizeof part->name, kept, strlen(kept));
    atomic_store(&part->level, s_configured);
    return part;
}

void log_set_part(const char *name)
{
    pthread_mutex_lock(&s_mutex);
    s_part = s_find(name);
    log_threshold = &s_part->level;
    pthread_mutex_unlock(&s_mutex);
    crash_cover_thread();
}

const char *log_part(void)
{
    return s_part->name;
}

/* ---- levels --------------------------------------------------------------------------------- */

static void s_note_expiry(void)
{
    uint64_t first = 0;
    for (size_t i = 0; i < s_count; i++)
        if (s_parts[i].until_ms && (!first || s_parts[i].until_ms < first))
            first = s_parts[i].until_ms;
    atomic_store(&s_expires_ms, first);
}

static void s_give(part_t *part, log_level_t level, uint64_t until_ms)
{
    part->is_own = true;
    part->until_ms = until_ms;
    atomic_store(&part->level, (int)level);
}

static void s_take(part_t *part)
{
    part->is_own = false;
    part->until_ms = 0;
    atomic_store(&part->level, s_configured);
}

static bool s_is_meant(const part_t *part, const char *name)
{
    return !name || strcmp(part->name, name) == 0;
}

void log_set_level(log_level_t level)
{
    pthread_mutex_lock(&s_mutex);
    s_configured = (int)level;
    for (size_t i = 0; i < s_count; i++)
        if (!s_parts[i].is_own)
            s_take(&s_parts[i]);
    pthread_mutex_unlock(&s_mutex);
}

size_t log_set_part_level(const char *part, log_level_t level, uint32_t for_s)
{
    size_t count = 0;
    const uint64_t until_ms = for_s ? clock_ms() + (uint64_t)for_s * 1000 : 0;
    pthread_mutex_lock(&s_mutex);
    for (size_t i = 0; i < s_count; i++)
        if (s_is_meant(&s_parts[i], part)) {
            s_give(&s_parts[i], level, until_ms);
            count++;
        }
    s_note_expiry();
    pthread_mutex_unlock(&s_mutex);
    return count;
}

size_t log_reset_part_level(const char *part)
{
    size_t count = 0;
    pthread_mutex_lock(&s_mutex);
    for (size_t i = 0; i < s_count; i++)
        if (s_is_meant(&s_parts[i], part)) {
            s_take(&s_parts[i]);
            count++;
        }
    s_note_expiry();
    pthread_mutex_unlock(&s_mutex);
    return count;
}

void log_expire(uint64_t now_ms)
{
    const uint64_t first = atomic_load_explicit(&s_expires_ms, memory_order_relaxed);
    if (!first || now_ms < first)
        return;
    pthread_mutex_lock(&s_mutex);
    for (size_t i = 0; i < s_count; i++)
        if (s_parts[i].until_ms && s_parts[i].until_ms <= now_ms)
            s_take(&s_parts[i]);
    s_note_expiry();
    pthread_mutex_unlock(&s_mutex);
}

size_t log_list_parts(log_part_t list[LOG_PARTS_MAX])
{
    const uint64_t now_ms = clock_ms();
    pthread_mutex_lock(&s_mutex);
    const size_t count = s_count;
    for (size_t i = 0; i < count; i++) {
        const part_t *part = &s_parts[i];
        list[i] =
            (log_part_t){ .level = (log_level_t)atomic_load(&part->level), .is_own = part->is_own };
        memcpy(list[i].part, part->name, sizeof list[i].part);
        if (part->until_ms > now_ms) /* rounded up: what holds is never told as 0 */
            list[i].left_s = (uint32_t)((part->until_ms - now_ms + 999) / 1000);
    }
    pthread_mutex_unlock(&s_mutex);
    return count;
}
