/* SPDX-License-Identifier: MPL-2.0
 *
 * engine - decides: subjects in memory, and what each has used under each policy
 *
 * Promises: a take counts under all of its policies or under none; no window of a policy of the
 * kind `window` ever holds more than the limit; memory is bounded, and making room never forgets a
 * use that still counts, unless the store has it.
 *
 * A subject that is not in memory may be in the store. With `has_store` the engine does not decide
 * about it until it has been told what the store knows (ENGINE_NOT_LOADED; engine_open, then
 * engine_absorb, then `is_loaded`).
 *
 * Pure: no clock, no threads, no I/O. Times are wall-clock milliseconds and must not run backwards.
 */
#ifndef SIGNALBOX_LIMITER_ENGINE_H
#define SIGNALBOX_LIMITER_ENGINE_H

#include <sys/queue.h>

#include "actors/limiter/gcra.h"
#include "actors/limiter/policy.h"
#include "actors/limiter/window.h"
#include "proto/pack.h"
#include "proto/value.h"

#define ENGINE_LEASE_SHARE  4     /* a lease is at most this part of what is left */
#define ENGINE_LEASE_WINDOW 10    /* and lasts at most this part of the shortest window */
#define ENGINE_AHEAD_MS     60000 /* further ahead of our clock nothing from elsewhere is believed */

/* What one subject has used under one policy. */
typedef struct {
    uint16_t slot;                /* of the policy */
    policy_algorithm_t algorithm; /* which of the two it is */
    union {
        window_t window;
        gcra_t gcra;
    };
} counter_t;

typedef struct subject subject_t;

struct subject {
    UT_hash_handle hh;
    TAILQ_ENTRY(subject) used_entry;  /* in engine->used */
    TAILQ_ENTRY(subject) dirty_entry; /* in engine->dirty */
    counter_t *counters;
    uint16_t counter_count;
    bool is_loaded;  /* the store has been asked */
    bool is_guess;   /* in vain: what it knows must be taken in before it is written over */
    bool is_own;     /* this instance decides about it; else it holds a copy */
    bool is_dirty;   /* in the list of what is to be stored */
    uint32_t epoch;  /* grows when another instance takes the subject over, or after a restart */
    uint32_t change; /* grows with every change */
    uint32_t stored; /* the change that the store has */
    int64_t used_ms;
    uint64_t key;       /* limiter_route_key */
    uint64_t copied_to; /* hash of the instance that has all of it; 0: none has */
    size_t bytes;       /* of memory */
    char name[];
};

typedef TAILQ_HEAD(subjects, subject) subjects_t;

typedef struct {
    policies_t policies;
    subject_t *by_name;
    subjects_t used;  /* the last used first */
    subjects_t dirty; /* changed and not stored, the longest waiting first */
    size_t count, bytes, bytes_max;
    bool has_store;
    int64_t lease_ms;  /* a lease lasts at most as long */
    uint8_t seed[16];  /* of the hash of names, which come from outside */
    uint64_t evicted;  /* subjects put out of memory that still count */
    uint64_t overrun;  /* uses by which merged logs went beyond their policies */
    uint64_t takeover; /* subjects this instance has taken over */
} engine_t;

typedef enum {
    ENGINE_DONE,
    ENGINE_NOT_LOADED, /* the store must be asked first */
    ENGINE_NO_ROOM,    /* memory is full of what still counts */
} engine_verdict_t;

typedef struct {
    const char *subject;
    size_t subject_size;
    const policy_t *policies[LIMITER_TAKE_POLICIES]; /* each once */
    size_t policy_count;
    uint32_t cost, lease;
} take_t;

typedef struct {
    bool allowed;
    const policy_t *refused_by; /* the one that refuses longest; NULL when allowed */
    int64_t at_ms;              /* when it was counted */
    int64_t retry_at_ms;        /* 0 when allowed */
    struct {
        uint32_t remaining;
        int64_t reset_at_ms;
    } standing[LIMITER_TAKE_POLICIES];
    uint32_t lease;
    int64_t lease_until_ms;
    subject_t *subject; /* until the engine is used again */
} taken_t;

void engine_init(engine_t *self, size_t bytes_max, const uint8_t seed[16]);
void engine_free(engine_t *self);

/* ---- deciding -------------------------------------------------------------------------------- */

engine_verdict_t engine_take(engine_t *self, const take_t *take, int64_t now_ms,
                             taken_t *taken) MUST_CHECK;
engine_verdict_t engine_peek(engine_t *self, const take_t *take, int64_t now_ms,
                             taken_t *taken) MUST_CHECK;

/* Gives back what was counted at `at_ms`, where it still counts; `refunded` is what every policy
 * gave back. `lease` is not looked at. */
engine_verdict_t engine_refund(engine_t *self, const take_t *take, int64_t at_ms, int64_t now_ms,
                               uint32_t *refunded, subject_t **subject) MUST_CHECK;

/* ---- subjects -------------------------------------------------------------------------------- */

/* NULL when it is not in memory. */
subject_t *engine_find(const engine_t *self, const char *name, size_t size);

/* Finds it or makes an empty one; NULL when there is no room. */
subject_t *engine_open(engine_t *self, const char *name, size_t size, int64_t now_ms);

/* Until when something of it counts; 0 when nothing does. */
int64_t engine_expiry(const engine_t *self, const subject_t *subject);

/* Puts subjects out of memory that were not used for `idle_ms`, at most `most`: those of which
 * nothing counts, and those the store has. */
void engine_evict_idle(engine_t *self, int64_t now_ms, int64_t idle_ms, size_t most);

/* Takes a subject off the list of what is to be stored, or puts it there again. */
void engine_set_clean(engine_t *self, subject_t *subject);
void engine_set_dirty(engine_t *self, subject_t *subject);

/* Everything of this instance's is to be stored again. */
void engine_set_all_dirty(engine_t *self);

/* ---- as msgpack (engine_state.c) ------------------------------------------------------------- */

/* What it has used, an array of [policy, algorithm, number...]: runs, or the one time of gcra. */
void engine_pack(const engine_t *self, const subject_t *subject, pack_t *out);

/* The same of some policies, and of these only the runs of the uses counted at `times`. A run that
 * is gone has the amount 0. */
void engine_pack_uses(const subject_t *subject, const policy_t *const *policies, size_t count,
                      const int64_t *times, size_t time_count, pack_t *out);

/* What somebody else knows about a subject, at the epoch it knew it. */
typedef struct {
    uint32_t epoch;
    bool is_live; /* an owner tells it, in order; else it may be older than what is known here */
    const value_t *state; /* engine_pack or engine_pack_uses */
} absorb_t;

/* Takes it in. Where it is not sure who is right, the larger amount counts. False when it cannot be
 * read: what could be is taken in. */
bool engine_absorb(engine_t *self, subject_t *subject, const absorb_t *news,
                   int64_t now_ms) MUST_CHECK;

#endif
