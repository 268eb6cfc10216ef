/* SPDX-License-Identifier: MPL-2.0
 *
 * archive - analyses that are stored together
 */
#include "config.h"

#include "actors/analysis/archive.h"
#include "actors/runtime/traced.h"

#define ARCHIVE_BYTES (1 << 20) /* of one transaction, unless a single analysis has more */

void archive_init(archive_t *self, actor_t *actor)
{
    self->actor = actor;
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

/* The next ones to be stored; when there are none, somebody else may begin. */
static size_t s_take(archive_t *self, archive_entry_t *taken[ARCHIVE_MOST])
{
    size_t count = 0, bytes = 0;
    archive_entry_t *entry;
    pthread_mutex_lock(&self->mutex);
    while (count < ARCHIVE_MOST && (entry = STAILQ_FIRST(&self->waiting)) &&
           (count == 0 || bytes + s_bytes(entry) <= ARCHIVE_BYTES)) {
        STAILQ_REMOVE_HEAD(&self->waiting, next);
        bytes += s_bytes(entry);
        taken[count++] = entry;
    }
    self->is_busy = count > 0;
    pthread_mutex_unlock(&self->mutex);
    return count;
}

static void s_store(const archive_t *self, archive_entry_t *const *entries, size_t count)
{
    new_analysis_t *list[ARCHIVE_MOST];
    for (size_t i = 0; i < count; i++)
        list[i] = &entries[i]->analysis;
    call_enter(entries[0]->call);
    store_add(actor_db(self->actor), list, count);
    for (size_t i = 0; i < count; i++) {
        call_enter(entries[i]->call);
        entries[i]->on_stored(entries[i]);
    }
    traced_end(); /* the call of this thread has ended: what comes now is of others */
}

void archive_add(archive_t *self, archive_entry_t *entry)
{
    archive_entry_t *taken[ARCHIVE_MOST];
    call_defer(entry->call);
    pthread_mutex_lock(&self->mutex);
    STAILQ_INSERT_TAIL(&self->waiting, entry, next);
    const bool is_mine = !self->is_busy;
    self->is_busy = true;
    pthread_mutex_unlock(&self->mutex);
    if (!is_mine)
        return;
    for (size_t count; (count = s_take(self, taken));)
        s_store(self, taken, count);
}
