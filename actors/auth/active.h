/* SPDX-License-Identifier: MPL-2.0
 *
 * active - how many users are at work, and what becomes of accounts, by tier
 */
#ifndef SIGNALBOX_AUTH_ACTIVE_H
#define SIGNALBOX_AUTH_ACTIVE_H

#include "actors/auth/auth.h"

#define ACTIVE_MS INT64_C(900000) /* whose session or key was used so lately is active */

/* Counts who is active now. Every instance tells the same: whoever adds instances up takes the
 * largest. */
void active_show(actor_t *actor, int64_t now_ms);

/* What happened to an account: "created", or "changed" to this tier. */
void active_count_event(call_t *call, const char *event, const char *tier);

#endif
