/* SPDX-License-Identifier: MPL-2.0
 *
 * archive - analyses that are stored together
 *
 * Whatever arrives during a commit is the next transaction: many callers share the price of one,
 * and nobody waits for a timer. There is no thread for it: whoever brings an analysis while nobody
 * stores stores his own, and then, as long as there are some, what others have brought meanwhile,
 * while they go on with their next calls.
 */
#ifndef SIGNALBOX_ANALYSIS_ARCHIVE_H
#define SIGNALBOX_ANALYSIS_ARCHIVE_H

#include <pthread.h>
#include <sys/queue.h>

#include "actors/analysis/store.h"
#include "actors/runtime/actor.h"

#define ARCHIVE_MOST 32 /* analyses of one transaction, and calls that may wait for one */

typedef struct archive_entry archive_entry_t;

/* An analysis of a call, which is deferred until it is stored; in the call's arena. */
struct archive_entry {
    STAILQ_ENTRY(archive_entry) next;
    call_t *call;
    new_analysis_t analysis;
    void (*on_stored)(archive_entry_t *self); /* stored, or not; ends the call, on a pool thread */
};

typedef struct {
    actor_t *actor;
    pthread_mutex_t mutex; /* over what follows */
    STAILQ_HEAD(archive_entries, archive_entry) waiting;
    bool is_busy; /* somebody stores */
} archive_t;

void archive_init(archive_t *self, actor_t *actor);

/* Nobody stores, and nothing waits. */
void archive_free(archive_t *self);

/* On a pool thread. Takes the call over: on return it may have ended. */
void archive_add(archive_t *self, archive_entry_t *entry);

#endif
