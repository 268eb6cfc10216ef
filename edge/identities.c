/* SPDX-License-Identifier: MPL-2.0
 *
 * identities - callers that have proved who they are, remembered by what they proved it with
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>
#include <uthash.h>

#include "edge/identities.h"

#define CACHE_LINE 64

typedef struct {
    UT_hash_handle hh;
    uint8_t hash[IDENTITIES_BYTES];
    identity_t *identity;
} remembered_t;

struct identities_part {
    _Alignas(CACHE_LINE) pthread_mutex_t mutex;
    remembered_t *list; /* the first that came first */
};

void identities_init(identities_t *self)
{
    const size_t bytes = IDENTITIES_PARTS * sizeof *self->parts;
    self->epoch = 1;
    self->parts = aligned_alloc(CACHE_LINE, bytes);
    insist(self->parts);
    memset(self->parts, 0, bytes);
    for (size_t i = 0; i < IDENTITIES_PARTS; i++)
        pthread_mutex_init(&self->parts[i].mutex, NULL);
}

static void s_remove(identities_part_t *part, remembered_t *remembered)
{
    HASH_DEL(part->list, remembered);
    identity_drop(&remembered->identity);
    mem_free(remembered);
}

void identities_free(identities_t *self)
{
    for (size_t i = 0; i < IDENTITIES_PARTS; i++) {
        while (self->parts[i].list)
            s_remove(&self->parts[i], self->parts[i].list);
        pthread_mutex_destroy(&self->parts[i].mutex);
    }
    free(self->parts);
    self->parts = NULL;
}

void identities_hash(const char *secret, size_t size, uint8_t hash[IDENTITIES_BYTES])
{
    crypto_generichash(hash, IDENTITIES_BYTES, (const unsigned char *)secret, size, NULL, 0);
}

static identities_part_t *s_lock(identities_t *self, const uint8_t hash[IDENTITIES_BYTES])
{
    identities_part_t *part = &self->parts[hash[0] % IDENTITIES_PARTS];
    pthread_mutex_lock(&part->mutex);
    return part;
}

static remembered_t *s_find(const identities_part_t *part, const uint8_t hash[IDENTITIES_BYTES])
{
    remembered_t *remembered;
    HASH_FIND(hh, part->list, hash, IDENTITIES_BYTES, remembered);
    return remembered;
}

identity_t *identities_find(identities_t *self, const uint8_t hash[IDENTITIES_BYTES],
                            int64_t wall_ms)
{
    identity_t *found = NULL;
    identities_part_t *part = s_lock(self, hash);
    remembered_t *remembered = s_find(part, hash);
    if (remembered && wall_ms >= remembered->identity->expires_ms)
        s_remove(part, remembered);
    else if (remembered)
        found = identity_hold(remembered->identity);
    pthread_mutex_unlock(&part->mutex);
    return found;
}

uint64_t identities_epoch(const identities_t *self)
{
    return atomic_load(&self->epoch);
}

void identities_add(identities_t *self, const uint8_t hash[IDENTITIES_BYTES], identity_t *identity,
                    uint64_t epoch)
{
    identities_part_t *part = s_lock(self, hash);
    if (epoch == atomic_load(&self->epoch)) {
        remembered_t *remembered = s_find(part, hash);
        if (remembered)
            s_remove(part, remembered);
        else if (HASH_COUNT(part->list) >= IDENTITIES_ENTRIES)
            s_remove(part, part->list);
        remembered = mem_zeroed(sizeof *remembered);
        memcpy(remembered->hash, hash, IDENTITIES_BYTES);
        remembered->identity = identity_hold(identity);
        HASH_ADD(hh, part->list, hash, IDENTITIES_BYTES, remembered);
    }
    pthread_mutex_unlock(&part->mutex);
}

/* ---- forgetting ----------------------------------------------------------------------------- */

static const char *s_name(const identity_t *identity, identities_what_t what)
{
    switch (what) {
    case IDENTITIES_USER:
        return identity->principal.user;
    case IDENTITIES_ACCOUNT:
        return identity->principal.account;
    case IDENTITIES_SESSION:
        return identity->principal.session;
    case IDENTITIES_KEY:
        return identity->key_id;
    case IDENTITIES_ALL:
        break;
    }
    return "";
}

static bool s_is_meant(const identity_t *identity, identities_what_t what, const char *id,
                       size_t size)
{
    const char *name = s_name(identity, what);
    return what == IDENTITIES_ALL ||
           (size > 0 && strlen(name) == size && memcmp(name, id, size) == 0);
}

size_t identities_forget(identities_t *self, identities_what_t what, const char *id, size_t size)
{
    size_t count = 0;
    atomic_fetch_add(&self->epoch, 1); /* first: what is added from here on is seen below */
    for (size_t i = 0; i < IDENTITIES_PARTS; i++) {
        identities_part_t *part = &self->parts[i];
        remembered_t *remembered, *next;
        pthread_mutex_lock(&part->mutex);
        HASH_ITER(hh, part->list, remembered, next)
        {
            if (!s_is_meant(remembered->identity, what, id, size))
                continue;
            atomic_store(&remembered->identity->is_void, true);
            s_remove(part, remembered);
            count++;
        }
        pthread_mutex_unlock(&part->mutex);
    }
    return count;
}
