/* SPDX-License-Identifier: MPL-2.0
 *
 * zones - the time zones of the system by their IANA names, each read once
 *
 * A file that was replaced (an update of the time zone data) is read again at the next look. What
 * has been handed out stays valid until the end, old rules included: updates are few, and nobody
 * has to say when he no longer reads.
 */
#ifndef SIGNALBOX_JOBS_ZONES_H
#define SIGNALBOX_JOBS_ZONES_H

#include "actors/jobs/zone.h"

#define ZONES_FOLDER     "/usr/share/zoneinfo" /* where Debian's tzdata is */
#define ZONES_NAME_BYTES 64
#define ZONES_WHY_SIZE   240

typedef struct zones zones_t;

/* `folder` is borrowed until the end. */
zones_t *zones_new(const char *folder);
void zones_destroy(zones_t **self_p);

/* The zone of a name ("Europe/Berlin", "UTC"); NULL with a sentence in `why` when the system has
 * none. A name cannot leave the folder. From any thread. */
const zone_t *zones_get(zones_t *self, const char *name, char why[ZONES_WHY_SIZE]);

#endif
