/* SPDX-License-Identifier: MPL-2.0
 *
 * flags - feature flags, and for whom they are on
 */
#include "config.h"

#include <string.h>

#include <sodium.h>

#include "actors/base/log.h"
#include "edge/flags.h"
#include "edge/respond.h"
#include "edge/state.h"
#include "proto/json.h"
#include "proto/topic.h"

#define EVENT_LIMITS ((value_limits_t){ .depth = 5, .nodes = 50000 })
#define EVERYBODY    100 /* per cent */

struct flag_set {
    arena_t arena; /* holds the rest */
    const value_t *list;
};

/* ---- a set ----------------------------------------------------------------------------------- */

flag_set_t *flag_set_read(const void *bytes, size_t size)
{
    flag_set_t *self = mem_zeroed(sizeof *self);
    value_verdict_t verdict;
    const char *kept = arena_text(&self->arena, bytes, size);
    self->list = value_get(value_parse(&self->arena, kept, size, EVENT_LIMITS, &verdict), "flags");
    if (!value_is_type(self->list, VALUE_ARRAY))
        flag_set_destroy(&self);
    return self;
}

void flag_set_destroy(flag_set_t **self_p)
{
    flag_set_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    arena_free(&self->arena);
    mem_free(self);
}

unsigned flag_place(const char *name, const char *account)
{
    uint8_t hash[crypto_generichash_BYTES_MIN];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof hash);
    crypto_generichash_update(&state, (const uint8_t *)name, strlen(name) + 1);
    crypto_generichash_update(&state, (const uint8_t *)account, strlen(account));
    crypto_generichash_final(&state, hash, sizeof hash);
    return (unsigned)(get_u64(hash) % EVERYBODY);
}

static bool s_names(const value_t *list, const char *name)
{
    const value_t *item;
    for (uint32_t i = 0; (item = value_item(list, i)); i++)
        if (value_is(item, name))
            return true;
    return false;
}

static bool s_is_on(const value_t *flag, const char *name, const char *account, const char *tier)
{
    return value_get_bool(flag, "enabled", false) &&
           (s_names(value_get(flag, "tiers"), tier) ||
            s_names(value_get(flag, "accounts"), account) ||
            flag_place(name, account) < value_get_int(flag, "percentage", 0));
}

bool flag_set_is_on(const flag_set_t *self, const char *name, const char *account, const char *tier)
{
    const value_t *flag;
    for (uint32_t i = 0; (flag = value_item(self->list, i)); i++)
        if (value_is(value_get(flag, "name"), name))
            return s_is_on(flag, name, account, tier);
    return false;
}

/* ---- of an edge ------------------------------------------------------------------------------ */

static bool s_fail_unknown(exchange_t *x)
{
    return exchange_fail(x, ERROR_UNAVAILABLE, "Nobody has said yet which features are on");
}

bool flags_permit(exchange_t *x)
{
    flags_t *self = &x->edge->flags;
    const char *name = x->route->method->flag;
    const principal_t *who = &x->identity->principal;
    if (!name)
        return true;
    pthread_mutex_lock(&self->mutex);
    bool is_known = self->set != NULL;
    bool is_on = is_known && flag_set_is_on(self->set, name, who->account, who->tier);
    pthread_mutex_unlock(&self->mutex);
    if (!is_known)
        return s_fail_unknown(x);
    return is_on || exchange_fail(x, ERROR_NOT_FOUND, "The feature '%s' is not on here", name);
}

static void s_write(const flag_set_t *set, const principal_t *who, arena_t *arena, buf_t *out)
{
    const value_t *flag;
    const char *separator = "";
    buf_add_text(out, "{\"flags\":{");
    for (uint32_t i = 0; (flag = value_item(set->list, i)); i++) {
        const char *name = value_dup_text(arena, flag, "name");
        if (!name)
            continue;
        buf_add_text(out, separator);
        json_add_text(out, name, strlen(name));
        buf_add_text(out, s_is_on(flag, name, who->account, who->tier) ? ":true" : ":false");
        separator = ",";
    }
    buf_add_text(out, "}}");
}

void flags_serve(exchange_t *x)
{
    flags_t *self = &x->edge->flags;
    pthread_mutex_lock(&self->mutex);
    bool is_known = self->set != NULL;
    if (is_known)
        s_write(self->set, &x->identity->principal, &x->arena, &x->content);
    pthread_mutex_unlock(&self->mutex);
    if (is_known)
        respond(x, &(response_t){ .status = 200,
                                  .media = "application/json",
                                  .bytes = x->content.bytes,
                                  .size = x->content.size,
                                  .is_tagged = true });
    else
        s_fail_unknown(x);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void s_on_flags(void *arg, const client_event_t *event)
{
    flags_t *self = arg;
    flag_set_t *set = flag_set_read(event->body, event->size);
    if (!set) {
        LOG(LOG_WARN, "flags.bad", LOG_INT("bytes", event->size));
        return;
    }
    pthread_mutex_lock(&self->mutex);
    flag_set_t *old = self->set;
    self->set = set;
    pthread_mutex_unlock(&self->mutex);
    flag_set_destroy(&old);
}

void flags_init(flags_t *self)
{
    *self = (flags_t){ .set = NULL };
    pthread_mutex_init(&self->mutex, NULL);
}

void flags_free(flags_t *self)
{
    flag_set_destroy(&self->set);
    pthread_mutex_destroy(&self->mutex);
}

void flags_connect(flags_t *self, client_t *bus)
{
    client_subscribe(bus, topic_row(TOPIC_AUTH_FLAGS)->prefix, s_on_flags, self);
}
