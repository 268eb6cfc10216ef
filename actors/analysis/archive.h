/* SPDX-License-Identifier: MPL-2.0
 *
 * archive - analyses that are stored together
 *
 * Many callers share the price of one transaction. There is no thread for it: a thread of the pool
 * looks between its calls, and so do a long analysis now and then and the actor's tick, whether it
 * is time to store what has gathered. It is when nobody waits for a thread, so who is alone is not
 * held up; when there are enough; and when the first has waited long enough. One stores at a time:
 * whatever is analysed during a commit is of the next transaction.
 */
#ifndef SIGNALBOX_ANALYSIS_ARCHIVE_H
#define SIGNALBOX_ANALYSIS_ARCHIVE_H

#include <pthread.h>
#include <sys/queue.h>

#include "actors/analysis/store.h"
#include "actors/runtime/actor.h"

#define ARCHIVE_US   10000 /* that one waits for others */
#define ARCHIVE_MOST 32    /* analyses of one transaction, and calls that may wait for one */

typedef struct archive_entry archive_entry_t;

/* An analysis of a call, which is deferred until it is stored; in the call's arena. */
struct archive_entry {
    STAILQ_ENTRY(archive_entry) next;
    uint64_t since_us; /* that it waits */
    call_t *call;
    new_analysis_t analysis;
    void (*on_stored)(archive_entry_t *self); /* stored, or not; ends the call, on a pool thread */
};

typedef struct {
    actor_t *actor;
    pthread_mutex_t mutex; /* over what follows */
    STAILQ_HEAD(archive_entries, archive_entry) waiting;
    size_t count;
    bool is_busy; /* somebody stores */
} archive_t;

void archive_init(archive_t *self, actor_t *actor);

/* Nobody stores, and nothing waits. */
void archive_free(archive_t *self);

/* Takes the call over. */
void archive_add(archive_t *self, archive_entry_t *entry);

/* On a thread that may block: stores what waits, if it is time to. */
void archive_look(archive_t *self);

#endif
