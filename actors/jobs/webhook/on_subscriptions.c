/* SPDX-License-Identifier: MPL-2.0
 *
 * on_subscriptions - who wants to be told of what: make, list, change, end, new secrets
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/jobs/webhook/kind.h"
#include "actors/jobs/webhook/webhook.h"
#include "proto/json.h"

#define MS_PER_HOUR INT64_C(3600000)

/* ---- replies ----------------------------------------------------------------------------- */

static void s_pack_json(pack_t *pack, const char *key, const char *json)
{
    json_error_t error;
    pack_text(pack, key);
    bool good = json_to_msgpack(json, strlen(json), VALUE_LIMITS, 0, pack->out, &error);
    insist(good); /* we wrote it */
}

/* Nine pairs; proto/webhook_subscriptions.c lists them. */
static void s_write(pack_t *pack, const subscription_t *from, int64_t now_ms)
{
    pack_pair_text(pack, "id", from->id);
    pack_pair_text(pack, "url", from->url);
    s_pack_json(pack, "events", from->events);
    pack_pair_text(pack, "about", from->about);
    pack_pair_text(pack, "status", from->status);
    pack_pair_text(pack, "reason", from->reason);
    if (from->old_until_ms > now_ms)
        pack_pair_time(pack, "old_secret_until", from->old_until_ms);
    else
        pack_pair_text(pack, "old_secret_until", NULL);
    pack_pair_time(pack, "created_at", from->created_ms);
    pack_pair_time(pack, "updated_at", from->updated_ms);
}

static void s_reply(call_t *call, const subscription_t *subscription)
{
    pack_map(call_pack(call), 9);
    s_write(call_pack(call), subscription, clock_wall_ms());
    call_reply(call, 0);
}

static void s_reply_with_secret(call_t *call, const subscription_t *subscription,
                                const char *secret)
{
    pack_map(call_pack(call), 10);
    s_write(call_pack(call), subscription, clock_wall_ms());
    pack_pair_text(call_pack(call), "secret", secret);
    call_reply(call, 0);
}

/* ---- fields ------------------------------------------------------------------------------ */

/* The field `events` as JSON; NULL: the call has been failed. */
static const char *s_require_events(call_t *call)
{
    const value_t *list = value_get(call_request(call), "events"), *item;
    arena_t *arena = call_arena(call);
    for (uint32_t i = 0; (item = value_item(list, i)); i++) {
        if (item->type == VALUE_TEXT && kind_is_wish(item->text, item->count))
            continue;
        outlet_fail_field(call, arena_format(arena, "/events/%u", i),
                          "must be a kind like `analysis.finished`, `analysis.*`, or `*`");
        return NULL;
    }
    buf_t json = { 0 };
    json_write(list, &json);
    const char *text = arena_text(arena, json.bytes, json.size);
    buf_free(&json);
    return text;
}

/* Makes a secret, sealed for `subscription` in the arena. */
static void s_make_secret(call_t *call, const webhook_t *self, subscription_t *subscription,
                          char secret[SIGNATURE_TEXT_SIZE])
{
    buf_t sealed = { 0 };
    signature_new_secret(secret);
    secret_seal(self->sealing, subscription->id, secret, strlen(secret), &sealed);
    subscription->secret = (const uint8_t *)arena_text(call_arena(call), sealed.bytes, sealed.size);
    subscription->secret_size = sealed.size;
    buf_free(&sealed);
}

/* ---- making ------------------------------------------------------------------------------ */

typedef struct {
    subscription_t subscription;
    bool too_many;
} making_t;

static db_status_t s_make_work(db_conn_t *conn, void *arg)
{
    making_t *self = arg;
    int64_t count;
    db_status_t status = webhook_store_count(conn, self->subscription.account, &count);
    self->too_many = status == DB_OK && count >= WEBHOOK_SUBSCRIPTIONS;
    return status == DB_OK && !self->too_many ? webhook_store_add(conn, &self->subscription)
                                              : status;
}

void webhook_on_create(call_t *call, void *arg)
{
    webhook_t *self = arg;
    char id[ID_UUID_SIZE], secret[SIGNATURE_TEXT_SIZE];
    url_t url;
    const int64_t now_ms = clock_wall_ms();
    if (!outlet_require_outside(&self->outlet, call, "url", &url))
        return;
    const char *events = s_require_events(call);
    if (!events)
        return;
    making_t making = { .subscription = { .id = id_uuid7(id),
                                          .account = webhook_account(call),
                                          .url = url.text,
                                          .about = call_text(call, "about"),
                                          .events = events,
                                          .status = "active",
                                          .created_ms = now_ms,
                                          .updated_ms = now_ms } };
    s_make_secret(call, self, &making.subscription, secret);
    if (!webhook_require_ok(call, db_write(self->db, s_make_work, &making)))
        return;
    if (making.too_many) {
        call_fail(call, ERROR_UNPROCESSABLE, "The account has %d subscriptions: delete one first",
                  WEBHOOK_SUBSCRIPTIONS);
    } else {
        webhook_tell_wishes(self);
        s_reply_with_secret(call, &making.subscription, secret);
    }
    mem_wipe(secret, sizeof secret);
}

/* ---- looking ----------------------------------------------------------------------------- */

void webhook_on_list(call_t *call, void *arg)
{
    cursor_t from;
    subscriptions_t found;
    size_t limit = (size_t)call_int(call, "limit");
    (void)arg;
    if (!page_require_cursor(call, WEBHOOK_LIST_SUBSCRIPTIONS, &from))
        return;
    db_conn_t *conn = webhook_require_conn(call);
    if (!conn ||
        !webhook_require_ok(call, webhook_store_list(conn, call_arena(call), webhook_account(call),
                                                     &from, limit + 1, &found)))
        return;
    pack_t *pack = call_pack(call);
    const size_t shown = page_begin(pack, found.count, limit);
    const subscription_t *last = found.count > shown ? &found.list[shown - 1] : NULL;
    for (size_t i = 0; i < shown; i++) {
        pack_map(pack, 9);
        s_write(pack, &found.list[i], clock_wall_ms());
    }
    page_end(pack, WEBHOOK_LIST_SUBSCRIPTIONS, last ? last->created_ms : 0, last ? last->id : NULL);
    call_reply(call, 0);
}

void webhook_on_get(call_t *call, void *arg)
{
    const subscription_t *found = webhook_require_subscription(call);
    (void)arg;
    if (found)
        s_reply(call, found);
}

/* ---- changing ---------------------------------------------------------------------------- */

/* A change of what is stored at that moment: others may be changing something else of it. */
typedef struct {
    call_t *call;
    void (*change)(call_t *call, subscription_t *subscription, const subscription_t *to);
    subscription_t to; /* what is to be in it; of `change` alone */
    subscription_t changed;
    bool is_there;
} changing_t;

static db_status_t s_change_work(db_conn_t *conn, void *arg)
{
    changing_t *self = arg;
    call_t *call = self->call;
    const subscription_t *found;
    db_status_t status = webhook_store_lock(conn, call_arena(call), webhook_account(call),
                                            call_text(call, "id"), &found);
    self->is_there = status == DB_OK && found;
    if (!self->is_there)
        return status;
    self->changed = *found;
    self->changed.updated_ms = clock_wall_ms();
    self->change(call, &self->changed, &self->to);
    return webhook_store_update(conn, &self->changed);
}

/* False: the call has been failed. */
static bool s_require_changed(webhook_t *self, changing_t *changing)
{
    if (!webhook_require_ok(changing->call, db_write(self->db, s_change_work, changing)))
        return false;
    if (!changing->is_there)
        webhook_fail_missing(changing->call);
    return changing->is_there;
}

static void s_update(call_t *call, subscription_t *subscription, const subscription_t *to)
{
    if (to->url)
        subscription->url = to->url;
    if (to->events)
        subscription->events = to->events;
    if (value_get(call_request(call), "about"))
        subscription->about = call_text(call, "about");
    if (value_get(call_request(call), "status")) {
        subscription->status = call_text(call, "status");
        subscription->reason = NULL;
    }
}

void webhook_on_update(call_t *call, void *arg)
{
    webhook_t *self = arg;
    url_t url;
    const value_t *request = call_request(call);
    changing_t changing = { .call = call, .change = s_update };
    if (value_get(request, "url")) {
        if (!outlet_require_outside(&self->outlet, call, "url", &url))
            return;
        changing.to.url = url.text;
    }
    if (value_get(request, "events") && !(changing.to.events = s_require_events(call)))
        return;
    if (!s_require_changed(self, &changing))
        return;
    webhook_tell_wishes(self);
    s_reply(call, &changing.changed);
}

static void s_rotate(call_t *call, subscription_t *subscription, const subscription_t *to)
{
    const int64_t hours = call_int(call, "overlap_hours");
    subscription->old_secret = hours ? subscription->secret : NULL;
    subscription->old_secret_size = hours ? subscription->secret_size : 0;
    subscription->old_until_ms = hours ? subscription->updated_ms + hours * MS_PER_HOUR : 0;
    subscription->secret = to->secret;
    subscription->secret_size = to->secret_size;
}

void webhook_on_rotate(call_t *call, void *arg)
{
    webhook_t *self = arg;
    char secret[SIGNATURE_TEXT_SIZE];
    changing_t changing = { .call = call,
                            .change = s_rotate,
                            .to = { .id = call_text(call, "id") } };
    s_make_secret(call, self, &changing.to, secret);
    if (s_require_changed(self, &changing))
        s_reply_with_secret(call, &changing.changed, secret);
    mem_wipe(secret, sizeof secret);
}

typedef struct {
    const char *account, *id;
    bool changed;
} deleting_t;

static db_status_t s_delete_work(db_conn_t *conn, void *arg)
{
    deleting_t *self = arg;
    return webhook_store_delete(conn, self->account, self->id, &self->changed);
}

void webhook_on_delete(call_t *call, void *arg)
{
    webhook_t *self = arg;
    deleting_t deleting = { .account = webhook_account(call), .id = call_text(call, "id") };
    if (!webhook_require_ok(call, db_write(self->db, s_delete_work, &deleting)))
        return;
    if (deleting.changed)
        call_reply(call, 0);
    else
        webhook_fail_missing(call);
}
