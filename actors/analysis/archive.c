/* SPDX-License-Identifier: MPL-2.0
 *
 * archive - analyses that are stored together
 */
#include "config.h"

#include "actors/analysis/archive.h"
#include "actors/base/clock.h"
#include "actors/base/log.h"

#define ARCHIVE_ENOUGH 8         /* more together save little */
#define ARCHIVE_BYTES  (1 << 20) /* of one transaction, unless a single analysis has more */

void archive_init(archive_t *self, actor_t *actor)
{
    self->actor = actor;
    self->count = 0;
    self->is_busy = false;
    STAILQ_INIT(&self->waiting);
    insist(pthread_mutex_init(&self->mutex, NULL) == 0);
}

void archive_free(archive_t *self)
{
    insist(!self->is_busy && STAILQ_EMPTY(&self->waiting));
    pthread_mutex_destroy(&self->mutex);
}

static size_t s_bytes(const archive_entry_t *entry)
{
    return entry->analysis.stored.result.size + entry->analysis.stored.sketch.size;
}

static bool s_is_time(const archive_t *self)
{
    const archive_entry_t *first = STAILQ_FIRST(&self->waiting);
    return first && (self->count >= ARCHIVE_ENOUGH || actor_waiting(self->actor) == 0 ||
                     clock_us() - first->since_us >= ARCHIVE_US);
}

/* Those that are to be stored now; whoever has taken some says so by `s_is_done`. */
static size_t s_take(archive_t *self, archive_entry_t *taken[ARCHIVE_MOST])
{
    size_t count = 0, bytes = 0;
    archive_entry_t *entry;
    pthread_mutex_lock(&self->mutex);
    bool may = !self->is_busy && s_is_time(self);
    while (may && count < ARCHIVE_MOST && (entry = STAILQ_FIRST(&self->waiting)) &&
           (count == 0 || bytes + s_bytes(entry) <= ARCHIVE_BYTES)) {
        STAILQ_REMOVE_HEAD(&self->waiting, next);
        bytes += s_bytes(entry);
        taken[count++] = entry;
    }
    self->count -= count;
    self->is_busy |= count > 0;
    pthread_mutex_unlock(&self->mutex);
    return count;
}

static void s_is_done(archive_t *self)
{
    pthread_mutex_lock(&self->mutex);
    self->is_busy = false;
    pthread_mutex_unlock(&self->mutex);
}

static void s_store(const archive_t *self, archive_entry_t *const *entries, size_t count)
{
    new_analysis_t *list[ARCHIVE_MOST];
    for (size_t i = 0; i < count; i++)
        list[i] = &entries[i]->analysis;
    const log_request_t before = *log_request();
    call_enter(entries[0]->call);
    store_add(actor_db(self->actor), list, count);
    for (size_t i = 0; i < count; i++) {
        call_enter(entries[i]->call);
        entries[i]->on_stored(entries[i]);
    }
    log_enter(&before);
}

void archive_add(archive_t *self, archive_entry_t *entry)
{
    call_defer(entry->call);
    entry->since_us = clock_us();
    pthread_mutex_lock(&self->mutex);
    STAILQ_INSERT_TAIL(&self->waiting, entry, next);
    self->count++;
    pthread_mutex_unlock(&self->mutex);
}

/* Others that looked during a commit may be waiting for calls now: so it is looked again. */
void archive_look(archive_t *self)
{
    archive_entry_t *taken[ARCHIVE_MOST];
    for (size_t count; (count = s_take(self, taken));) {
        s_store(self, taken, count);
        s_is_done(self);
    }
}
