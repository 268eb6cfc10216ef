/* SPDX-License-Identifier: MPL-2.0
 *
 * cached - the steps of a request whose answer may be given again
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "actors/base/id.h"
#include "actors/base/log.h"
#include "edge/cached.h"
#include "edge/reply.h"
#include "edge/respond.h"
#include "edge/state.h"
#include "proto/cache.h"
#include "proto/topic.h"

#define WAIT_MS       2000 /* for what somebody else computes */
#define ANSWER_MS     1000 /* for the service itself */
#define INVALIDATE_MS 1000
#define REPLY_LIMITS  ((value_limits_t){ .depth = 2, .nodes = 40 })
#define EVENT_LIMITS  ((value_limits_t){ .depth = 3, .nodes = 1000 })

/* ---- keys ----------------------------------------------------------------------------------- */

typedef crypto_generichash_state hash_t;

static void s_hash_text(hash_t *hash, const char *text)
{
    crypto_generichash_update(hash, (const unsigned char *)text, strlen(text) + 1);
}

/* Whose answer it is: "" when it is everybody's. */
static const char *s_owner(exchange_t *x)
{
    const char *vary = x->route->method->cache.vary;
    const principal_t *principal = &x->identity->principal;
    if (!vary)
        return "";
    return strcmp(vary, "user") == 0
               ? arena_format(&x->arena, "%s/%s", principal->account, principal->user)
               : principal->account;
}

/* The request as it was sent. */
static void s_make_key(exchange_t *x, uint8_t key[SHELF_KEY_BYTES])
{
    hash_t hash;
    crypto_generichash_init(&hash, NULL, 0, SHELF_KEY_BYTES);
    s_hash_text(&hash, x->route->descriptor->service);
    s_hash_text(&hash, x->route->method->name);
    crypto_generichash_update(&hash, (const unsigned char *)&x->route->descriptor->hash,
                              sizeof x->route->descriptor->hash);
    s_hash_text(&hash, s_owner(x));
    s_hash_text(&hash, x->target);
    s_hash_text(&hash, x->query ? x->query : "");
    crypto_generichash_update(&hash, x->body.bytes, x->body.size);
    crypto_generichash_final(&hash, key, SHELF_KEY_BYTES);
}

/* The request as it was understood. */
static const char *s_make_name(exchange_t *x)
{
    uint8_t hash[SHELF_KEY_BYTES];
    char hex[2 * SHELF_KEY_BYTES + 1];
    crypto_generichash(hash, sizeof hash, x->message.bytes, x->message.size, NULL, 0);
    return arena_format(&x->arena, "edge:%s.%s:%016llx:%s:%s", x->route->descriptor->service,
                        x->route->method->name, (unsigned long long)x->route->descriptor->hash,
                        s_owner(x), id_hex(hash, sizeof hash, hex));
}

/* The rule's tags, each ended by '\n', with fields of `map` in place of braces; NULL when one is
 * missing: an answer that cannot be made void is not kept. */
static const char *s_make_tags(exchange_t *x, const value_t *map)
{
    const char *at = x->route->method->cache.tags;
    buf_t tags = { 0 };
    bool good = true;
    while (at && good && *(at += strspn(at, " ,"))) {
        size_t size = strcspn(at, " ,");
        good = reply_location(arena_text(&x->arena, at, size), map, &tags);
        buf_add_byte(&tags, '\n');
        at += size;
    }
    const char *text = good ? arena_text(&x->arena, tags.bytes, tags.size) : NULL;
    buf_free(&tags);
    return text;
}

static const value_t *s_request(exchange_t *x)
{
    value_verdict_t verdict;
    return value_parse(&x->arena, x->message.bytes, x->message.size, VALUE_LIMITS, &verdict);
}

/* ---- copies --------------------------------------------------------------------------------- */

static bool s_is_read(const exchange_t *x)
{
    return x->verb == HTTP_GET || x->verb == HTTP_HEAD;
}

static bool s_applies(const exchange_t *x)
{
    const descriptor_method_t *method = x->route->method;
    if (!method->cache.ttl_s)
        return false;
    return s_is_read(x) ? method->status == 200 : method->idempotent;
}

typedef enum { CACHE_MISS, CACHE_HIT, CACHE_STALE } outcome_t;

static void s_add_headers(exchange_t *x, outcome_t outcome)
{
    static const char *const states[] = { "MISS", "HIT", "STALE" };
    static const char *const names[] = { "miss", "hit", "stale" };
    char age[24];
    x->cache_outcome = names[outcome];
    respond_header(x, "X-Cache", states[outcome]);
    if (outcome == CACHE_MISS)
        return;
    snprintf(age, sizeof age, "%llu", (unsigned long long)x->caching.age_ms / 1000);
    respond_header(x, "Age", age);
}

bool cached_answer(exchange_t *x)
{
    cached_t *cached = &x->edge->cached;
    caching_t *caching = &x->caching;
    *caching = (caching_t){ .applies = s_applies(x), .name = "", .tags = "" };
    if (!caching->applies)
        return false;
    uint64_t now_ms = clock_ms();
    s_make_key(x, caching->key);
    caching->epoch = shelf_epoch(&cached->shelf);
    caching->fresh_for_ms = (uint64_t)x->route->method->cache.ttl_s * 1000;
    copy_t *copy = shelf_find(&cached->shelf, caching->key, now_ms);
    if (!copy)
        return false;
    stats_add(&x->edge->stats, COUNT_CACHE_COPIES, 1);
    caching->age_ms = now_ms - copy->made_ms;
    s_add_headers(x, CACHE_HIT);
    respond(x, &(response_t){
                   .status = 200,
                   .media = copy->media,
                   .bytes = copy->bytes,
                   .size = copy->size,
                   .policy = x->route->method->media ? POLICY_MEDIA : POLICY_DATA,
                   .is_tagged = s_is_read(x),
                   .tag = copy->etag,
               });
    copy_drop(&copy);
    return true;
}

/* ---- the service ---------------------------------------------------------------------------- */

static question_t s_question(const char *method, const char *name, buf_t *body,
                             uint32_t deadline_ms)
{
    return (question_t){ .method = method,
                         .body = body,
                         .deadline_ms = deadline_ms,
                         .flags = FRAME_IDEMPOTENT,
                         .has_route_key = true,
                         .route_key = cache_route_key(name, strlen(name)) };
}

static uint32_t s_lease_ms(const exchange_t *x)
{
    uint32_t deadline_ms = x->route->method->deadline_ms;
    return deadline_ms < CACHE_LEASE_MAX_MS ? deadline_ms : CACHE_LEASE_MAX_MS;
}

/* Whether the answer of the cache holds the reply. */
static bool s_take_value(exchange_t *x)
{
    value_verdict_t verdict;
    caching_t *caching = &x->caching;
    const value_t *map = value_parse(&x->arena, answer_bytes(&x->answer), answer_size(&x->answer),
                                     REPLY_LIMITS, &verdict);
    const value_t *state = value_get(map, "state"), *value = value_get(map, "value");
    caching->lease = value_get_int(map, "lease", 0);
    bool is_hit = value_is(state, "hit");
    bool is_stale = value_is(state, "stale") && caching->lease == 0;
    if (!(is_hit || is_stale) || !value_is_type(value, VALUE_BINARY))
        return false;
    x->reply = value->bytes;
    x->reply_size = value->count;
    caching->age_ms = (uint64_t)value_get_int(map, "age_ms", 0);
    caching->fresh_for_ms = is_hit ? (uint64_t)value_get_int(map, "ttl_ms", 0) : 0;
    stats_add(&x->edge->stats, is_hit ? COUNT_CACHE_HITS : COUNT_CACHE_STALE, 1);
    s_add_headers(x, is_hit ? CACHE_HIT : CACHE_STALE);
    return true;
}

bool cached_fetch(exchange_t *x)
{
    caching_t *caching = &x->caching;
    const descriptor_method_t *method = x->route->method;
    if (!caching->applies) {
        /* what a change makes void is named by its request, which is given away with the call */
        caching->tags = method->cache.tags && !s_is_read(x) ? s_make_tags(x, s_request(x)) : NULL;
        return false;
    }
    bool found = false;
    caching->tags = s_is_read(x) ? s_make_tags(x, s_request(x)) : "";
    if (s_is_read(x) && caching->tags) {
        buf_t body = { 0 };
        pack_t pack;
        caching->name = s_make_name(x);
        pack_init(&pack, &body);
        pack_map(&pack, 3);
        pack_pair_text(&pack, "key", caching->name);
        pack_pair_int(&pack, "wait_ms", WAIT_MS);
        pack_pair_int(&pack, "lease_ms", s_lease_ms(x));
        const question_t question =
            s_question(cache_get.name, caching->name, &body, WAIT_MS + ANSWER_MS);
        x->has_answer = true;
        found = inquire(&x->edge->cached.cache, &question, &x->answer) && s_take_value(x);
        if (!found)
            answer_close(&x->answer);
    }
    if (!found) {
        stats_add(&x->edge->stats, COUNT_CACHE_MISSES, 1);
        s_add_headers(x, CACHE_MISS);
    }
    return found;
}

/* A pair of a map. */
static void s_pack_tags(pack_t *pack, const char *tags)
{
    uint16_t count = 0;
    pack_text(pack, "tags");
    size_t position = pack_open_array(pack);
    for (const char *end; (end = strchr(tags, '\n')); tags = end + 1, count++)
        pack_string(pack, tags, (size_t)(end - tags));
    pack_close(pack, position, count);
}

static void s_store(exchange_t *x)
{
    const caching_t *caching = &x->caching;
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 5);
    pack_pair_text(&pack, "key", caching->name);
    pack_text(&pack, "value");
    pack_bytes(&pack, x->reply, x->reply_size);
    pack_pair_int(&pack, "ttl_s", x->route->method->cache.ttl_s);
    s_pack_tags(&pack, caching->tags);
    pack_pair_int(&pack, "lease", caching->lease);
    const question_t question = s_question(cache_set.name, caching->name, &body, ANSWER_MS);
    inquiry_tell(&x->edge->cached.cache, &question);
}

static void s_release(exchange_t *x)
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 2);
    pack_pair_text(&pack, "key", x->caching.name);
    pack_pair_int(&pack, "lease", x->caching.lease);
    const question_t question = s_question(cache_release.name, x->caching.name, &body, ANSWER_MS);
    inquiry_tell(&x->edge->cached.cache, &question);
}

/* ---- what a change makes void --------------------------------------------------------------- */

static void s_pack_drop(const char *tags, buf_t *body)
{
    pack_t pack;
    pack_init(&pack, body);
    pack_map(&pack, 1);
    s_pack_tags(&pack, tags);
}

/* Here at once; everywhere by the service, which tells all edges, or, without it, by ourselves. */
static void s_make_void(exchange_t *x)
{
    cached_t *cached = &x->edge->cached;
    answer_t answer;
    buf_t body = { 0 };
    shelf_invalidate_tags(&cached->shelf, x->caching.tags);
    s_pack_drop(x->caching.tags, &body);
    const question_t question = { .method = cache_invalidate.name,
                                  .body = &body,
                                  .deadline_ms = INVALIDATE_MS,
                                  .flags = FRAME_IDEMPOTENT };
    bool good = inquire(&cached->cache, &question, &answer);
    answer_close(&answer);
    if (good)
        return;
    s_pack_drop(x->caching.tags, &body);
    client_publish(cached->bus, topic_row(TOPIC_CACHE_INVALIDATE)->prefix, false, &body);
}

/* ---- keeping -------------------------------------------------------------------------------- */

static void s_copy(exchange_t *x, const char *media, const void *bytes, size_t size)
{
    const caching_t *caching = &x->caching;
    uint8_t etag[SHELF_TAG_SIZE / 2];
    uint64_t now_ms = clock_ms();
    uint64_t fresh_for_ms =
        caching->fresh_for_ms < SHELF_AGE_MS ? caching->fresh_for_ms : SHELF_AGE_MS;
    copy_t copy = { .bytes = bytes,
                    .size = size,
                    .media = media,
                    .name = caching->name,
                    .tags = caching->tags,
                    .made_ms = now_ms - caching->age_ms,
                    .until_ms = now_ms + fresh_for_ms };
    crypto_generichash(etag, sizeof etag, bytes, size, NULL, 0);
    id_hex(etag, sizeof etag, copy.etag);
    if (fresh_for_ms)
        shelf_add(&x->edge->cached.shelf, caching->key, &copy, caching->epoch);
}

void cached_keep(exchange_t *x, unsigned status, const char *media, const void *bytes, size_t size,
                 const value_t *reply)
{
    caching_t *caching = &x->caching;
    if (!caching->applies && caching->tags)
        s_make_void(x);
    if (!caching->applies || status != 200)
        return;
    if (!s_is_read(x))
        caching->tags = s_make_tags(x, reply);
    if (caching->lease)
        s_store(x);
    caching->lease = 0;
    if (caching->tags)
        s_copy(x, media, bytes, size);
}

void cached_settle(exchange_t *x)
{
    if (x->caching.lease)
        s_release(x);
    x->caching.lease = 0;
}

/* ---- life ----------------------------------------------------------------------------------- */

static void s_on_invalidate(void *arg, const client_event_t *event)
{
    cached_t *self = arg;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    const value_t *drop = value_parse(&arena, event->body, event->size, EVENT_LIMITS, &verdict);
    if (!drop || event->missed)
        shelf_clear(&self->shelf);
    else
        shelf_invalidate(&self->shelf, drop);
    arena_free(&arena);
}

void cached_init(cached_t *self, size_t bytes_max)
{
    *self = (cached_t){ .cache = { .service = cache_service.name } };
    shelf_init(&self->shelf, bytes_max);
}

void cached_free(cached_t *self)
{
    shelf_free(&self->shelf);
}

void cached_connect(cached_t *self, client_t *bus)
{
    self->bus = self->cache.bus = bus;
    client_subscribe(bus, topic_row(TOPIC_CACHE_INVALIDATE)->prefix, s_on_invalidate, self);
}

void cached_tick(cached_t *self)
{
    int64_t lost = stats_get(client_stats(self->bus), CLIENT_BROKERS_LOST);
    if (lost != self->brokers_lost)
        shelf_clear(&self->shelf);
    self->brokers_lost = lost;
}
