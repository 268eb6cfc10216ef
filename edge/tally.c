/* SPDX-License-Identifier: MPL-2.0
 *
 * tally - what this edge may decide about limits without asking the limiter
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>
#include <uthash.h>

#include "actors/base/id.h"
#include "actors/base/text.h"
#include "edge/tally.h"

#define BUSY_MS     250 /* whoever asks again within this time is lent something */
#define ASKING_MS   2000
#define IDLE_MS     10000
#define RENEW_SHARE 4 /* of a lease: when no more is left, the next is asked for */
#define MINUTE_MS   60000
#define COARSE      "degraded"
#define CACHE_LINE  64

typedef struct {
    uint32_t left;
    uint64_t until_ms;
    int64_t taken_at;
} lease_t;

typedef struct {
    UT_hash_handle hh;
    uint64_t used_ms;
    uint64_t refused_until_ms;
    uint32_t refused_cost; /* the least that was refused */
    size_t refused_by;
    uint64_t asked_ms;
    uint64_t asking_until_ms; /* a lease has been asked for */
    uint32_t pace;            /* how large the next one is */
    lease_t leases[2];        /* in use, and the next one */
    uint64_t minute;          /* counted here */
    uint32_t counted;
    standing_t standings[TALLY_POLICIES_MAX];
    size_t count;
    size_t key_size;
    const char *names; /* in `key` */
    char key[];        /* subject, NUL, names */
} entry_t;

struct tally_part {
    _Alignas(CACHE_LINE) pthread_mutex_t mutex;
    quotas_t *policies;
    entry_t *entries; /* the first that came first */
    uint32_t turn;    /* of the first part: which one is tidied next */
};

void tally_init(tally_t *self, uint32_t lease_max, tally_return_fn on_return, void *arg)
{
    *self = (tally_t){ .lease_max = lease_max, .on_return = on_return, .arg = arg };
    void *memory = aligned_alloc(CACHE_LINE, TALLY_PARTS * sizeof *self->parts);
    insist(memory);
    self->parts = memory;
    memset(self->parts, 0, TALLY_PARTS * sizeof *self->parts);
    id_random(self->key, sizeof self->key);
    for (size_t i = 0; i < TALLY_PARTS; i++)
        pthread_mutex_init(&self->parts[i].mutex, NULL);
}

static void s_forget(tally_part_t *part, entry_t *entry)
{
    HASH_DEL(part->entries, entry);
    mem_free(entry);
}

void tally_free(tally_t *self)
{
    for (size_t i = 0; i < TALLY_PARTS; i++) {
        tally_part_t *part = &self->parts[i];
        while (part->entries)
            s_forget(part, part->entries);
        quotas_drop(&part->policies);
        pthread_mutex_destroy(&part->mutex);
    }
    free(self->parts);
    self->parts = NULL;
}

/* ---- entries -------------------------------------------------------------------------------- */

static tally_part_t *s_lock(tally_t *self, const char *subject)
{
    uint8_t hash[crypto_shorthash_BYTES];
    crypto_shorthash(hash, (const unsigned char *)subject, strlen(subject), self->key);
    tally_part_t *part = &self->parts[hash[0] % TALLY_PARTS];
    pthread_mutex_lock(&part->mutex);
    return part;
}

static void s_unlock(tally_part_t *part)
{
    pthread_mutex_unlock(&part->mutex);
}

static void s_return(tally_t *self, const entry_t *entry, lease_t *lease)
{
    if (lease->left)
        self->on_return(self->arg, entry->key, entry->names, lease->left, lease->taken_at);
    lease->left = 0;
}

static void s_return_leases(tally_t *self, entry_t *entry)
{
    s_return(self, entry, &entry->leases[0]);
    s_return(self, entry, &entry->leases[1]);
}

/* Ends what has ended; the next one moves up. */
static void s_age_leases(tally_t *self, entry_t *entry, uint64_t now_ms)
{
    for (size_t i = 0; i < COUNT_OF(entry->leases); i++)
        if (now_ms >= entry->leases[i].until_ms)
            s_return(self, entry, &entry->leases[i]);
    if (!entry->leases[0].left) {
        entry->leases[0] = entry->leases[1];
        entry->leases[1].left = 0;
    }
}

static size_t s_key(const claim_t *claim, char *key)
{
    size_t size = strlen(claim->subject) + 1;
    memcpy(key, claim->subject, size);
    for (size_t i = 0; i < claim->count; i++) {
        const char *name = claim->standings[i].policy.name;
        memcpy(key + size, name, strlen(name));
        size += strlen(name);
        key[size++] = '\n';
    }
    return size;
}

#define KEY_SIZE (TALLY_SUBJECT_SIZE + TALLY_NAMES_SIZE + 1)

static entry_t *s_find(tally_part_t *part, const claim_t *claim)
{
    char key[KEY_SIZE];
    entry_t *entry;
    size_t size = s_key(claim, key);
    HASH_FIND(hh, part->entries, key, size, entry);
    return entry;
}

static entry_t *s_find_or_make(tally_t *self, tally_part_t *part, const claim_t *claim)
{
    char key[KEY_SIZE];
    entry_t *entry;
    size_t size = s_key(claim, key);
    HASH_FIND(hh, part->entries, key, size, entry);
    if (entry)
        return entry;
    if (HASH_COUNT(part->entries) >= TALLY_ENTRIES) {
        s_return_leases(self, part->entries);
        s_forget(part, part->entries);
    }
    entry = mem_zeroed(sizeof *entry + size + 1);
    memcpy(entry->key, key, size);
    entry->key_size = size;
    entry->names = entry->key + strlen(claim->subject) + 1;
    entry->count = claim->count;
    memcpy(entry->standings, claim->standings, sizeof entry->standings);
    HASH_ADD(hh, part->entries, key, size, entry);
    return entry;
}

/* ---- policies ------------------------------------------------------------------------------- */

bool tally_set_quotas(tally_t *self, quotas_t *policies)
{
    bool is_news = true;
    for (size_t i = 0; i < TALLY_PARTS && is_news; i++) {
        tally_part_t *part = &self->parts[i];
        pthread_mutex_lock(&part->mutex);
        is_news = !part->policies || quotas_version(policies) > quotas_version(part->policies);
        if (is_news) {
            quotas_drop(&part->policies);
            part->policies = quotas_hold(policies);
            while (part->entries) {
                s_return_leases(self, part->entries);
                s_forget(part, part->entries);
            }
        }
        s_unlock(part);
    }
    quotas_drop(&policies);
    return is_news;
}

quotas_t *tally_quotas(tally_t *self)
{
    tally_part_t *part = &self->parts[0];
    pthread_mutex_lock(&part->mutex);
    quotas_t *policies = part->policies ? quotas_hold(part->policies) : NULL;
    s_unlock(part);
    return policies;
}

static void s_apply(claim_t *claim, const quota_t *policy)
{
    if (policy)
        claim->standings[claim->count++] = (standing_t){ .policy = *policy };
}

static void s_find_policies(const tally_part_t *part, claim_t *claim)
{
    claim->count = 0;
    claim->version = quotas_version(part->policies);
    if (!claim->is_class_only)
        s_apply(claim, quotas_find(part->policies, claim->general));
    if (claim->rate_class)
        s_apply(claim, quotas_of_class(part->policies, claim->general, claim->rate_class));
}

/* ---- deciding ------------------------------------------------------------------------------- */

static bool s_is_refused(const entry_t *entry, claim_t *claim, uint64_t now_ms)
{
    if (now_ms >= entry->refused_until_ms || claim->cost < entry->refused_cost)
        return false;
    memcpy(claim->standings, entry->standings, sizeof claim->standings);
    claim->refused_by = entry->refused_by;
    claim->retry_ms = entry->refused_until_ms;
    return true;
}

static bool s_spend(entry_t *entry, claim_t *claim)
{
    lease_t *lease = &entry->leases[0];
    if (lease->left < claim->cost || claim->takes_no_lease)
        return false;
    lease->left -= claim->cost;
    memcpy(claim->standings, entry->standings, sizeof claim->standings);
    for (size_t i = 0; i < claim->count; i++)
        claim->standings[i].remaining += lease->left + entry->leases[1].left;
    claim->taken_at = lease->taken_at;
    return true;
}

/* How much to ask for. One at a time asks, or what several are lent would add up. */
static uint32_t s_ask(const tally_t *self, entry_t *entry, const claim_t *claim, uint64_t now_ms)
{
    bool is_busy = entry->asked_ms && now_ms - entry->asked_ms < BUSY_MS;
    bool is_asking = now_ms < entry->asking_until_ms;
    entry->asked_ms = now_ms;
    if (claim->takes_no_lease || is_asking || entry->leases[1].left || !self->lease_max)
        return 0;
    entry->pace = !is_busy ? 0 : entry->pace ? entry->pace * 2 : 1;
    if (entry->pace > self->lease_max)
        entry->pace = self->lease_max;
    if (entry->pace)
        entry->asking_until_ms = now_ms + ASKING_MS;
    return entry->pace;
}

/* Whether it is time to ask for the next lease: before this one is used up, or all who come until
 * the next is there would have to ask each for itself. */
static bool s_runs_low(const entry_t *entry, uint64_t now_ms)
{
    return entry->leases[0].left <= entry->pace / RENEW_SHARE && !entry->leases[1].left &&
           now_ms >= entry->asking_until_ms && now_ms - entry->asked_ms < BUSY_MS;
}

static tally_verdict_t s_decide(tally_t *self, tally_part_t *part, claim_t *claim, uint64_t now_ms)
{
    entry_t *entry = s_find_or_make(self, part, claim);
    entry->used_ms = now_ms;
    s_age_leases(self, entry, now_ms);
    bool is_refused = s_is_refused(entry, claim, now_ms);
    if ((is_refused || !s_runs_low(entry, now_ms)) && s_spend(entry, claim))
        return TALLY_ALLOWED;
    if (is_refused)
        return TALLY_REFUSED;
    claim->lease = s_ask(self, entry, claim, now_ms);
    return TALLY_ASK;
}

tally_verdict_t tally_claim(tally_t *self, claim_t *claim, uint64_t now_ms)
{
    tally_verdict_t verdict = TALLY_UNKNOWN;
    tally_part_t *part = s_lock(self, claim->subject);
    claim->count = claim->lease = 0;
    claim->taken_at = 0;
    if (part->policies) {
        s_find_policies(part, claim);
        verdict = claim->count ? s_decide(self, part, claim, now_ms) : TALLY_FREE;
    }
    s_unlock(part);
    return verdict;
}

bool tally_spend(tally_t *self, claim_t *claim, uint64_t now_ms)
{
    tally_part_t *part = s_lock(self, claim->subject);
    entry_t *entry = s_find(part, claim);
    if (entry)
        s_age_leases(self, entry, now_ms);
    bool allowed = entry && s_spend(entry, claim);
    s_unlock(part);
    return allowed;
}

bool tally_refuses(tally_t *self, claim_t *claim, uint64_t now_ms)
{
    bool refuses = false;
    tally_part_t *part = s_lock(self, claim->subject);
    if (part->policies) {
        s_find_policies(part, claim);
        const entry_t *entry = claim->count ? s_find(part, claim) : NULL;
        refuses = entry && !entry->leases[0].left && s_is_refused(entry, claim, now_ms);
    }
    s_unlock(part);
    return refuses;
}

static void s_keep(tally_t *self, entry_t *entry, const claim_t *claim, const ruling_t *ruling)
{
    memcpy(entry->standings, claim->standings, sizeof entry->standings);
    if (ruling->lease) {
        lease_t *lease = &entry->leases[entry->leases[0].left > 0];
        s_return(self, entry, lease);
        *lease = (lease_t){ .left = ruling->lease,
                            .until_ms = ruling->lease_until_ms,
                            .taken_at = ruling->lease_taken_at };
    }
    if (!ruling->allowed) {
        entry->refused_until_ms = ruling->retry_ms;
        entry->refused_cost = claim->cost;
        entry->refused_by = claim->refused_by;
    }
}

void tally_note(tally_t *self, const claim_t *claim, const ruling_t *ruling, uint64_t now_ms)
{
    char key[KEY_SIZE];
    tally_part_t *part = s_lock(self, claim->subject);
    if (claim->version == quotas_version(part->policies)) {
        entry_t *entry = s_find_or_make(self, part, claim);
        entry->used_ms = now_ms;
        if (claim->lease)
            entry->asking_until_ms = 0;
        if (ruling)
            s_keep(self, entry, claim, ruling);
    } else if (ruling && ruling->lease) {
        key[s_key(claim, key)] = '\0';
        self->on_return(self->arg, claim->subject, key + strlen(claim->subject) + 1, ruling->lease,
                        ruling->lease_taken_at);
    }
    s_unlock(part);
}

bool tally_count(tally_t *self, claim_t *claim, uint32_t limit, uint64_t now_ms)
{
    tally_part_t *part = s_lock(self, claim->subject);
    claim->count = 1;
    claim->standings[0] = (standing_t){ .policy = { COARSE, limit, MINUTE_MS } };
    entry_t *entry = s_find_or_make(self, part, claim);
    entry->used_ms = now_ms;
    if (entry->minute != now_ms / MINUTE_MS) {
        entry->minute = now_ms / MINUTE_MS;
        entry->counted = 0;
    }
    bool allowed = entry->counted < limit;
    entry->counted += allowed;
    claim->standings[0].remaining = limit - entry->counted;
    claim->standings[0].reset_ms = claim->retry_ms = (entry->minute + 1) * MINUTE_MS;
    claim->refused_by = 0;
    s_unlock(part);
    return allowed;
}

/* ---- tidying -------------------------------------------------------------------------------- */

void tally_tick(tally_t *self, uint64_t now_ms)
{
    tally_part_t *part = &self->parts[self->parts[0].turn++ % TALLY_PARTS];
    entry_t *entry, *next;
    pthread_mutex_lock(&part->mutex);
    HASH_ITER(hh, part->entries, entry, next)
    {
        s_age_leases(self, entry, now_ms);
        uint64_t rest_ms = entry->count && entry->minute ? MINUTE_MS : IDLE_MS;
        if (!entry->leases[0].left && now_ms >= entry->refused_until_ms &&
            now_ms - entry->used_ms > rest_ms)
            s_forget(part, entry);
    }
    s_unlock(part);
}
