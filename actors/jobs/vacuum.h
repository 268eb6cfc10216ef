/* SPDX-License-Identifier: MPL-2.0
 *
 * vacuum - reclaims what jobs that ended leave in the database
 *
 * Their remains in an index are walked over by every claim that passes them, so reclaiming them is
 * not left to a timer that knows nothing of claims. It has a thread of its own, since it takes long
 * where much is waiting, or where nothing may be reclaimed because somebody holds an old snapshot;
 * and it is done the less often the longer it takes. SQLite needs none of it.
 */
#ifndef SIGNALBOX_JOBS_VACUUM_H
#define SIGNALBOX_JOBS_VACUUM_H

#include "actors/runtime/db.h"

typedef struct vacuum vacuum_t;

/* Its thread starts at once. */
vacuum_t *vacuum_new(db_t *db, const char *instance);

/* Waits for one that is under way, at most until its statement's deadline. */
void vacuum_destroy(vacuum_t **self_p);

/* So many jobs have ended. */
void vacuum_add(vacuum_t *self, size_t ended);

#endif
