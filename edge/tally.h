/* SPDX-License-Identifier: MPL-2.0
 *
 * tally - what this edge may decide about limits without asking the limiter
 *
 * The limiter alone counts. But when it has refused somebody until a moment, asking again before
 * that moment is of no use; and somebody busy may be lent a number of uses in advance (a lease,
 * counted by the limiter when it is lent), which are then spent here. For each pair of a subject
 * and the policies it is counted under, the tally keeps the refusal, the lease, and how the subject
 * stood at the last answer. While no limiter answers it counts by itself, coarsely.
 *
 * It is split by subject into parts with a lock each, so that threads rarely meet; each part holds
 * the set of policies in force. A part that is full forgets whoever came first.
 *
 * Leases follow use: whoever asks several times a second is lent a little, then twice as much, and
 * so on, and the next before the last is used up; whoever does not is lent nothing and counted
 * exactly where it stands. What is left of a lease that ends is given back.
 */
#ifndef SIGNALBOX_EDGE_TALLY_H
#define SIGNALBOX_EDGE_TALLY_H

#include <pthread.h>

#include "edge/quotas.h"

#define TALLY_PARTS        64
#define TALLY_ENTRIES      1024 /* of a part */
#define TALLY_SUBJECT_SIZE 129  /* the longest is "account:" and a name */
#define TALLY_POLICIES_MAX 2    /* a general one, and one of a class */
#define TALLY_NAMES_SIZE   (TALLY_POLICIES_MAX * (LIMITER_NAME_BYTES + 1))

/* How a subject stands under a policy. */
typedef struct {
    quota_t policy;
    int64_t remaining;
    uint64_t reset_ms; /* monotonic: when all of it is free again */
} standing_t;

/* Somebody who wants to do something. */
typedef struct {
    /* the caller's to set */
    char subject[TALLY_SUBJECT_SIZE];
    const char *general;    /* policy for everything: a tier, "address" */
    const char *rate_class; /* NULL: none */
    uint32_t cost;
    bool is_class_only; /* the general policy has counted it before */
    bool takes_no_lease;

    /* found */
    standing_t standings[TALLY_POLICIES_MAX];
    size_t count;
    size_t refused_by; /* of the standings, when refused */
    uint64_t retry_ms; /* monotonic, when refused */
    uint32_t lease;    /* to be asked for */
    int64_t taken_at;  /* what the limiter's `refund` asks for; 0: nothing was taken */
    int64_t version;   /* of the policies it was found with */
} claim_t;

typedef enum {
    TALLY_FREE,    /* no policy applies */
    TALLY_ALLOWED, /* out of a lease */
    TALLY_REFUSED, /* until retry_ms */
    TALLY_ASK,     /* the limiter decides; what it says is for tally_note() */
    TALLY_UNKNOWN, /* no policies are known yet */
} tally_verdict_t;

/* What the limiter said about a claim; times are monotonic. */
typedef struct {
    bool allowed;
    uint64_t retry_ms;
    uint32_t lease;
    uint64_t lease_until_ms;
    int64_t lease_taken_at; /* for refunds of what is left */
} ruling_t;

/* Gives back `count` uses of a lease; `names` are policies, each ended by '\n'. Must not block. */
typedef void (*tally_return_fn)(void *arg, const char *subject, const char *names, uint32_t count,
                                int64_t taken_at);

typedef struct tally_part tally_part_t;

typedef struct {
    tally_part_t *parts;
    uint32_t lease_max; /* 0: no leases */
    uint8_t key[16];    /* of the hash, since subjects come from outside */
    tally_return_fn on_return;
    void *arg;
} tally_t;

void tally_init(tally_t *self, uint32_t lease_max, tally_return_fn on_return, void *arg);

/* Leases are not given back: they end by themselves. */
void tally_free(tally_t *self);

/* Puts a set of policies in force and forgets what was decided under the one before; leases are
 * given back. The reference is taken over. False when it is older than the one in force. */
bool tally_set_quotas(tally_t *self, quotas_t *policies);

/* The policies in force with a reference for the caller, NULL while none are known. */
quotas_t *tally_quotas(tally_t *self);

/* Finds which policies apply, and decides if it can. */
tally_verdict_t tally_claim(tally_t *self, claim_t *claim, uint64_t now_ms);

/* Spends what is left of a lease, after the limiter has refused to lend more. False: nothing is. */
bool tally_spend(tally_t *self, claim_t *claim, uint64_t now_ms);

/* Whether the claim would be refused now, as far as is known here; takes nothing. */
bool tally_refuses(tally_t *self, claim_t *claim, uint64_t now_ms);

/* Keeps what the limiter said. Also called when it said nothing (NULL). */
void tally_note(tally_t *self, const claim_t *claim, const ruling_t *ruling, uint64_t now_ms);

/* Counts here, within the minute: whether the subject has been here less than `limit` times. */
bool tally_count(tally_t *self, claim_t *claim, uint32_t limit, uint64_t now_ms);

/* The periodic work: forgets what is over, in one part at a time. */
void tally_tick(tally_t *self, uint64_t now_ms);

#endif
