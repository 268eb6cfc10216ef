/* SPDX-License-Identifier: MPL-2.0
 *
 * hasher - a bounded pool of threads for calls that hash a password
 *
 * Argon2id takes tens of milliseconds of a processor and megabytes of memory each time, by design.
 * A pool of its own keeps the actor's other threads free for everybody else, and its bound makes a
 * flood of logins an answer at once, OVERLOADED, instead of a queue.
 */
#ifndef SIGNALBOX_AUTH_HASHER_H
#define SIGNALBOX_AUTH_HASHER_H

#include "actors/runtime/actor.h"

typedef struct hasher hasher_t;
typedef void (*hasher_work_t)(call_t *call, void *self);

hasher_t *hasher_new(size_t threads, size_t waiting);

/* Calls that still wait are answered UNAVAILABLE; those under way are finished. */
void hasher_destroy(hasher_t **self_p);

/* Defers the call: `work` ends it, on a thread of the pool. Answers OVERLOADED and returns false
 * when too many wait. */
bool hasher_push(hasher_t *self, call_t *call, hasher_work_t work, void *arg);

#endif
