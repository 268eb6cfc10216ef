/* SPDX-License-Identifier: MPL-2.0
 *
 * authority - whose a token or an API key is
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/base/text.h"
#include "edge/authority.h"
#include "edge/counters.h"
#include "proto/auth.h"
#include "proto/topic.h"

#define IDENTIFY_MS  2000
#define KEY_PREFIX   "sbx_"
#define EVENT_LIMITS ((value_limits_t){ .depth = 4, .nodes = 400 })
#define REPLY_LIMITS ((value_limits_t){ .depth = 3, .nodes = 200 })

/* ---- what a caller sent --------------------------------------------------------------------- */

static bool s_is_key(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", text[i]))
            return false;
    return size > strlen(KEY_PREFIX) && size <= AUTHORITY_KEY_MAX && text_starts(text, KEY_PREFIX);
}

/* "Bearer" and one text (RFC 6750, 2.1). */
static const char *s_bearer(const char *authorization)
{
    if (strncasecmp(authorization, "Bearer ", 7) != 0)
        return NULL;
    authorization += 7;
    authorization += strspn(authorization, " ");
    return authorization[0] && !strpbrk(authorization, " \t,") ? authorization : NULL;
}

credential_state_t credential_read(credential_t *self, const char *authorization,
                                   const char *api_key)
{
    if (!authorization && !api_key)
        return CREDENTIAL_NONE;
    if (authorization && api_key) /* which one is meant? */
        return CREDENTIAL_BAD;
    const char *text = authorization ? s_bearer(authorization) : api_key;
    if (!text)
        return CREDENTIAL_BAD;
    size_t size = strlen(text);
    bool is_token = authorization && !text_starts(text, KEY_PREFIX);
    *self = (credential_t){ .token = is_token ? text : NULL,
                            .api_key = is_token ? NULL : text,
                            .size = size };
    if (is_token ? size > JWT_BYTES_MAX : !s_is_key(text, size))
        return CREDENTIAL_BAD;
    identities_hash(text, size, self->hash);
    return CREDENTIAL_GOOD;
}

/* ---- finding out ---------------------------------------------------------------------------- */

identity_t *authority_recall(authority_t *self, const credential_t *credential)
{
    return identities_find(&self->identities, credential->hash, clock_wall_ms());
}

/* Verifies the token and packs the question about its session. */
static credential_state_t s_read_token(authority_t *self, const credential_t *credential,
                                       buf_t *question, int64_t *expires_ms)
{
    authority_keys_t keys;
    jwt_claims_t claims;
    pack_t pack;
    pthread_mutex_lock(&self->mutex);
    keys = self->keys;
    pthread_mutex_unlock(&self->mutex);
    if (keys.count == 0)
        return CREDENTIAL_UNKNOWN;
    const jwt_verifier_t verifier = {
        .issuer = keys.issuer, .audience = keys.audience, .keys = keys.list, .key_count = keys.count
    };
    jwt_verdict_t verdict =
        jwt_verify(&verifier, credential->token, credential->size, clock_wall_ms(), &claims);
    if (verdict != JWT_GOOD) {
        LOG(LOG_INFO, "token.refused", LOG_TEXT("why", jwt_verdict_text(verdict)));
        return CREDENTIAL_BAD;
    }
    *expires_ms = claims.expires_s * 1000;
    pack_init(&pack, question);
    pack_map(&pack, 2);
    pack_pair_text(&pack, "user", claims.principal.user);
    pack_pair_text(&pack, "session", claims.principal.session);
    return CREDENTIAL_GOOD;
}

static void s_pack_key(const credential_t *credential, buf_t *question)
{
    pack_t pack;
    pack_init(&pack, question);
    pack_map(&pack, 1);
    pack_text(&pack, "key");
    pack_string(&pack, credential->api_key, credential->size);
}

static identity_t *s_read_identity(const answer_t *answer)
{
    arena_t arena = { 0 };
    value_verdict_t verdict;
    const value_t *reply =
        value_parse(&arena, answer_bytes(answer), answer_size(answer), REPLY_LIMITS, &verdict);
    identity_t *identity = reply ? identity_read(reply) : NULL;
    arena_free(&arena);
    return identity;
}

static credential_state_t s_ask(authority_t *self, buf_t *body, identity_t **identity)
{
    answer_t answer;
    const question_t question = { .method = auth_identify.name,
                                  .body = body,
                                  .deadline_ms = IDENTIFY_MS,
                                  .flags = FRAME_IDEMPOTENT };
    stats_add(self->stats, COUNT_IDENTITIES_ASKED, 1);
    bool good = inquire(&self->auth, &question, &answer);
    *identity = good ? s_read_identity(&answer) : NULL;
    bool is_refused = !good && answer.failure.code == ERROR_UNAUTHENTICATED;
    answer_close(&answer);
    return *identity ? CREDENTIAL_GOOD : is_refused ? CREDENTIAL_BAD : CREDENTIAL_UNKNOWN;
}

credential_state_t authority_identify(authority_t *self, const credential_t *credential,
                                      identity_t **identity)
{
    buf_t question = { 0 };
    int64_t expires_ms = INT64_MAX;
    credential_state_t state = CREDENTIAL_GOOD;
    uint64_t epoch = identities_epoch(&self->identities);
    *identity = NULL;
    if (credential->token)
        state = s_read_token(self, credential, &question, &expires_ms);
    else
        s_pack_key(credential, &question);
    if (state == CREDENTIAL_GOOD)
        state = s_ask(self, &question, identity);
    buf_free(&question);
    if (state != CREDENTIAL_GOOD)
        return state;
    if ((*identity)->expires_ms > expires_ms)
        (*identity)->expires_ms = expires_ms;
    if (authority_is_in_order(self))
        identities_add(&self->identities, credential->hash, *identity, epoch);
    return state;
}

/* ---- what auth says ------------------------------------------------------------------------- */

static bool s_read_key(jwt_key_t *key, const value_t *map)
{
    size_t size;
    const char *kid = value_get_text(map, "kid", &size);
    const value_t *x = value_get(map, "x");
    key->not_before_ms = value_get_int(map, "not_before_ms", 0);
    key->expires_at_ms = value_get_int(map, "expires_at_ms", 0);
    if (!kid || !text_copy(key->kid, sizeof key->kid, kid, size) ||
        !value_is_type(x, VALUE_BINARY) || x->count != sizeof key->x)
        return false;
    memcpy(key->x, x->bytes, sizeof key->x);
    return true;
}

static bool s_read_name(char *to, size_t room, const value_t *map, const char *key)
{
    size_t size;
    const char *text = value_get_text(map, key, &size);
    return text && text_copy(to, room, text, size);
}

static void s_on_keys(void *arg, const client_event_t *event)
{
    authority_t *self = arg;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    authority_keys_t keys = { .count = 0 };
    const value_t *map = value_parse(&arena, event->body, event->size, EVENT_LIMITS, &verdict);
    const value_t *list = value_get(map, "keys"), *item;
    bool good = s_read_name(keys.issuer, sizeof keys.issuer, map, "issuer") &&
                s_read_name(keys.audience, sizeof keys.audience, map, "audience");
    for (uint32_t i = 0; (item = value_item(list, i)) && keys.count < AUTHORITY_KEYS_MAX; i++)
        keys.count += s_read_key(&keys.list[keys.count], item);
    arena_free(&arena);
    if (!good || keys.count == 0) {
        LOG(LOG_WARN, "auth.keys.bad", LOG_INT("bytes", event->size));
        return;
    }
    pthread_mutex_lock(&self->mutex);
    self->keys = keys;
    pthread_mutex_unlock(&self->mutex);
}

static void s_forget_all(authority_t *self, const char *why)
{
    size_t count = identities_forget(&self->identities, IDENTITIES_ALL, "", 0);
    stats_add(self->stats, COUNT_IDENTITIES_CLEARED, 1);
    LOG(count ? LOG_WARN : LOG_DEBUG, "identities.cleared", LOG_TEXT("why", why),
        LOG_INT("count", count));
}

static void s_apply(authority_t *self, const value_t *map)
{
    static const struct {
        const char *name;
        identities_what_t what;
    } rows[] = {
        { "user", IDENTITIES_USER },
        { "account", IDENTITIES_ACCOUNT },
        { "session", IDENTITIES_SESSION },
        { "key", IDENTITIES_KEY },
    };
    size_t size = 0;
    const value_t *what = value_get(map, "what");
    const char *id = value_get_text(map, "id", &size);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (value_is(what, rows[i].name) && id) {
            identities_forget(&self->identities, rows[i].what, id, size);
            return;
        }
    /* "all", and whatever a later version may say */
    identities_forget(&self->identities, IDENTITIES_ALL, "", 0);
}

static void s_on_changed(void *arg, const client_event_t *event)
{
    authority_t *self = arg;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    const value_t *map = value_parse(&arena, event->body, event->size, EVENT_LIMITS, &verdict);
    const value_t *what = value_get(map, "what");
    const watch_event_t heard = { .publisher = event->head.publisher,
                                  .publisher_size = event->head.publisher_size,
                                  .is_bye = value_is(what, "bye"),
                                  .missed = event->missed,
                                  .sequence = value_get_int(map, "sequence", 0) };
    if (!heard.is_bye && !value_is(what, "beacon"))
        s_apply(self, map);
    pthread_mutex_lock(&self->mutex);
    bool misses = watch_hear(&self->watch, &heard, clock_ms());
    pthread_mutex_unlock(&self->mutex);
    if (misses)
        s_forget_all(self, "events were missed");
    arena_free(&arena);
}

void authority_tick(authority_t *self, uint64_t now_ms)
{
    pthread_mutex_lock(&self->mutex);
    bool misses = watch_tick(&self->watch, now_ms);
    pthread_mutex_unlock(&self->mutex);
    if (misses)
        s_forget_all(self, "an instance of auth fell silent");
}

bool authority_is_in_order(authority_t *self)
{
    pthread_mutex_lock(&self->mutex);
    bool is_in_order = watch_is_in_order(&self->watch, clock_ms());
    pthread_mutex_unlock(&self->mutex);
    return is_in_order;
}

/* ---- life ----------------------------------------------------------------------------------- */

void authority_init(authority_t *self, stats_t *stats)
{
    *self = (authority_t){ .auth = { .service = auth_service.name }, .stats = stats };
    identities_init(&self->identities);
    pthread_mutex_init(&self->mutex, NULL);
}

void authority_free(authority_t *self)
{
    identities_free(&self->identities);
    pthread_mutex_destroy(&self->mutex);
}

void authority_connect(authority_t *self, client_t *bus)
{
    self->auth.bus = bus;
    client_subscribe(bus, topic_row(TOPIC_AUTH_KEYS)->prefix, s_on_keys, self);
    client_subscribe(bus, topic_row(TOPIC_AUTH_CHANGED)->prefix, s_on_changed, self);
}
