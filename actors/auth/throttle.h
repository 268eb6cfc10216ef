/* SPDX-License-Identifier: MPL-2.0
 *
 * throttle - counts tries that are about one user, wherever they come from
 *
 * The edge counts failures by the address or account they come from; a code of six digits needs to
 * be counted by whose it is, or many addresses guess it together. The limiter counts, by the policy
 * `auth.failures`; where an operator has deleted that, nobody does. When the limiter cannot be
 * asked, the try is refused.
 */
#ifndef SIGNALBOX_AUTH_THROTTLE_H
#define SIGNALBOX_AUTH_THROTTLE_H

#include "actors/runtime/actor.h"

typedef struct {
    char subject[64];
    int64_t taken_at_ms; /* 0: nothing was taken */
} try_t;

/* Takes a try of the user; waits for the limiter. False: the call has been answered. */
bool throttle_require(call_t *call, const char *user_id, try_t *taken);

/* Gives it back: it was no failure. */
void throttle_give_back(actor_t *actor, const try_t *taken);

#endif
