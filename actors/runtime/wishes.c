/* SPDX-License-Identifier: MPL-2.0
 *
 * wishes - which accounts want to be told of which kinds of events, as far as webhooks know
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "actors/base/arena.h"
#include "actors/base/clock.h"
#include "actors/runtime/wishes.h"
#include "proto/topic.h"
#include "proto/value.h"

#define HASH_BYTES 4

/* The same in every process: the key has nothing to hide. */
static uint32_t s_hash(const char *account, const char *wish, size_t size, const char *end)
{
    uint8_t hash[crypto_generichash_BYTES_MIN];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    crypto_generichash_update(&state, (const uint8_t *)account, strlen(account) + 1);
    crypto_generichash_update(&state, (const uint8_t *)wish, size);
    crypto_generichash_update(&state, (const uint8_t *)end, strlen(end));
    crypto_generichash_final(&state, hash, sizeof hash);
    return get_u32(hash);
}

static int s_compare(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* ---- who tells ------------------------------------------------------------------------------- */

void wish_set_add(wish_set_t *self, const char *account, const char *wish, size_t size)
{
    if (self->count == self->room) {
        self->room = self->room ? 2 * self->room : 64;
        self->list = mem_resize(self->list, self->room * sizeof *self->list);
    }
    self->list[self->count++] = s_hash(account, wish, size, "");
}

void wish_set_free(wish_set_t *self)
{
    mem_free(self->list);
    *self = (wish_set_t){ 0 };
}

void wish_set_write(wish_set_t *self, int64_t at, pack_t *pack)
{
    const bool is_all = self->count > WISHES_MAX;
    const size_t count = is_all ? 0 : self->count;
    uint8_t *bytes = mem_zeroed(count * HASH_BYTES + 1);
    if (count)
        qsort(self->list, count, sizeof *self->list, s_compare);
    for (size_t i = 0; i < count; i++)
        put_u32(bytes + i * HASH_BYTES, self->list[i]);
    pack_map(pack, 3);
    pack_pair_int(pack, "at", at);
    pack_pair_bool(pack, "all", is_all);
    pack_text(pack, "wishes");
    pack_bytes(pack, bytes, count * HASH_BYTES);
    mem_free(bytes);
}

/* ---- who hears ------------------------------------------------------------------------------- */

void wishes_init(wishes_t *self)
{
    *self = (wishes_t){ 0 };
    insist(pthread_mutex_init(&self->mutex, NULL) == 0);
}

void wishes_free(wishes_t *self)
{
    mem_free(self->list);
    pthread_mutex_destroy(&self->mutex);
}

static bool s_is_known(const wishes_t *self, uint64_t now_ms)
{
    return self->heard_ms && now_ms - self->heard_ms < WISHES_SILENCE_MS;
}

static void s_take(wishes_t *self, const value_t *body, const value_t *bytes, uint64_t now_ms)
{
    self->at = value_get_int(body, "at", 0);
    self->is_all = value_get_bool(body, "all", true);
    self->heard_ms = now_ms ? now_ms : 1;
    self->count = bytes->count / HASH_BYTES;
    self->list = mem_resize(self->list, (self->count + 1) * sizeof *self->list);
    for (size_t i = 0; i < self->count; i++)
        self->list[i] = get_u32(bytes->bytes + i * HASH_BYTES);
}

bool wishes_hear(wishes_t *self, const void *body, size_t size, uint64_t now_ms)
{
    arena_t arena = { 0 };
    value_verdict_t verdict;
    const value_t *map = value_parse(&arena, body, size, VALUE_LIMITS, &verdict);
    const value_t *bytes = value_get(map, "wishes");
    bool good = value_is_type(bytes, VALUE_BINARY) && bytes->count <= WISHES_MAX * HASH_BYTES;
    pthread_mutex_lock(&self->mutex);
    /* what is older came late; after a silence there may be another database behind it */
    good = good && (!s_is_known(self, now_ms) || value_get_int(map, "at", 0) >= self->at);
    if (good)
        s_take(self, map, bytes, now_ms);
    pthread_mutex_unlock(&self->mutex);
    arena_free(&arena);
    return good;
}

static void s_on_event(void *arg, const client_event_t *event)
{
    bool is_news = wishes_hear(arg, event->body, event->size, clock_ms());
    (void)is_news;
}

void wishes_follow(wishes_t *self, client_t *client)
{
    client_subscribe(client, topic_row(TOPIC_WEBHOOK_WISHES)->prefix, s_on_event, self);
}

/* ---- who asks -------------------------------------------------------------------------------- */

static bool s_has(const wishes_t *self, uint32_t hash)
{
    return bsearch(&hash, self->list, self->count, sizeof hash, s_compare) != NULL;
}

/* The wishes that are for a kind: "a.b.c" is among "*", "a.*", "a.b.*" and "a.b.c". */
static bool s_wants(const wishes_t *self, const char *account, const char *kind)
{
    if (self->count == 0)
        return false;
    if (s_has(self, s_hash(account, "*", 1, "")) ||
        s_has(self, s_hash(account, kind, strlen(kind), "")))
        return true;
    for (const char *dot = strchr(kind, '.'); dot; dot = strchr(dot + 1, '.'))
        if (s_has(self, s_hash(account, kind, (size_t)(dot - kind), ".*")))
            return true;
    return false;
}

bool wishes_want(wishes_t *self, const char *account, const char *kind, uint64_t now_ms)
{
    pthread_mutex_lock(&self->mutex);
    bool wanted = !s_is_known(self, now_ms) || self->is_all || s_wants(self, account, kind);
    pthread_mutex_unlock(&self->mutex);
    return wanted;
}
