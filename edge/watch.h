/* SPDX-License-Identifier: MPL-2.0
 *
 * watch - whether everything on the topic `auth.changed` was heard (proto/auth.h)
 *
 * Every instance of auth publishes every change, and a beacon in between. As long as each of them
 * is heard without a gap, what is remembered about callers is true. When one has missed something
 * or falls silent, somebody's rights may have been taken away without our hearing of it: everything
 * remembered is to be forgotten, and nobody is let at what is for administrators before the topic
 * is in order again: the next event arrives right behind the last.
 *
 * An instance that leaves says so, and its silence means nothing then. If it was the last one,
 * nothing can change until another comes; if that one does not go on from the same sequence,
 * something was missed.
 */
#ifndef SIGNALBOX_EDGE_WATCH_H
#define SIGNALBOX_EDGE_WATCH_H

#include "actors/base/base.h"
#include "proto/frame.h"

#define WATCH_HERALDS_MAX 32 /* instances; more are not listened to */

typedef struct {
    char name[EVENT_NAME_BYTES + 1];
    uint64_t heard_ms;
    bool is_behind; /* missed something, and has not been heard in order since */
} herald_mark_t;

typedef struct {
    herald_mark_t heralds[WATCH_HERALDS_MAX];
    size_t count;
    int64_t sequence;   /* the highest heard */
    bool has_sequence;  /* there was an event at all */
    bool left_in_order; /* the last herald said good-bye */
} watch_t;

typedef struct {
    const char *publisher; /* not NUL-terminated */
    size_t publisher_size;
    bool is_bye;
    uint64_t missed; /* events of this publisher lost before this one */
    int64_t sequence;
} watch_event_t;

/* Takes an event; true: something may have been missed before it. */
bool watch_hear(watch_t *self, const watch_event_t *event, uint64_t now_ms) MUST_CHECK;

/* Looks for who fell silent; true: something may be missed from now on. */
bool watch_tick(watch_t *self, uint64_t now_ms) MUST_CHECK;

/* Whether what is remembered is true as far as can be known. */
bool watch_is_in_order(const watch_t *self, uint64_t now_ms);

#endif
