/* SPDX-License-Identifier: MPL-2.0
 *
 * herald - tells everybody whose rights have changed, and that nobody else's have
 *
 * A thread of its own reads on in the audit log and publishes, on `auth.changed`, every entry that
 * says what others must forget; then a beacon, four times a second. The log is written in the
 * transaction of the change, and every instance publishes all of it: a change is told even when the
 * instance that made it fell over right after the commit.
 *
 * It also publishes the signing keys and the flags whenever they changed, and now and then, since a
 * broker that was started anew has forgotten them.
 */
#ifndef SIGNALBOX_AUTH_HERALD_H
#define SIGNALBOX_AUTH_HERALD_H

#include "actors/runtime/actor.h"

typedef struct herald herald_t;

/* `publish_state` publishes the retained topics; it runs on the herald's thread. What it is woken
 * for before `herald_start` is told then. */
herald_t *herald_new(actor_t *actor, void (*publish_state)(void *arg), void *arg);

/* Once the actor may publish. */
void herald_start(herald_t *self);
void herald_destroy(herald_t **self_p);

/* There is something new in the log; `is_state`: something retained has changed, too. */
void herald_wake(herald_t *self, bool is_state);

#endif
