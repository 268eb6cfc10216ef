/* SPDX-License-Identifier: MPL-2.0
 *
 * on_billing - a subscription that is paid for has changed: the account's tier follows
 */
#include "config.h"

#include <string.h>

#include "actors/base/text.h"
#include "actors/jobs/webhook/webhook.h"
#include "proto/auth.h"

#define FREE_TIER     "free"
#define CREATED_MAX_S INT64_C(253402300799) /* the last second that RFC 3339 can write */
#define SET_TRIES     5

/* The tier of a price, in the arena; NULL when it stands for none. */
static const char *s_tier_of(arena_t *arena, const char *price)
{
    for (const char *at = webhook_settings.tiers; *(at += strspn(at, " ,"));) {
        const size_t size = strcspn(at, " ,");
        const char *equals = memchr(at, '=', size);
        if (equals && price && strlen(price) == (size_t)(equals - at) &&
            memcmp(at, price, strlen(price)) == 0)
            return arena_text(arena, equals + 1, size - (size_t)(equals - at) - 1);
        at += size;
    }
    return NULL;
}

/* Whether it is paid for, or soon will be. */
static bool s_is_good(const value_t *status)
{
    static const char *const good[] = { "active", "trialing", "past_due" };
    for (size_t i = 0; i < COUNT_OF(good); i++)
        if (value_is(status, good[i]))
            return true;
    return false;
}

const char *billing_account(arena_t *arena, const value_t *body)
{
    return value_dup_text(arena, value_at(body, "data.object.metadata"), "account");
}

/* What an event of Stripe says of a tier. */
static billed_t s_read(call_t *call)
{
    arena_t *arena = call_arena(call);
    const value_t *body = value_get(call_request(call), "body");
    const value_t *object = value_at(body, "data.object");
    const value_t *price = value_get(value_item(value_at(object, "items.data"), 0), "price");
    const char *type = call_text(call, "type");
    const int64_t created = value_get_int(body, "created", 0);
    billed_t change = { .at_ms = created > 0 && created <= CREATED_MAX_S ? created * 1000 : 0,
                        .subscription = value_dup_text(arena, object, "id") };
    if (!type || !text_starts(type, "customer.subscription."))
        return change;
    change.account = billing_account(arena, body);
    /* it has not begun: that may be told after its beginning, in the same second */
    if (value_is(value_get(object, "status"), "incomplete"))
        return change;
    if (strcmp(type, "customer.subscription.deleted") == 0 ||
        !s_is_good(value_get(object, "status"))) {
        change.tier = FREE_TIER;
        change.is_end = true;
        return change;
    }
    change.tier = s_tier_of(arena, value_dup_text(arena, price, "lookup_key"));
    if (!change.tier)
        change.tier = s_tier_of(arena, value_dup_text(arena, price, "id"));
    return change;
}

static void s_reply(call_t *call, const char *result, const billed_t *billed)
{
    pack_map(call_pack(call), 3);
    pack_pair_text(call_pack(call), "result", result);
    pack_pair_text(call_pack(call), "account", billed->account);
    pack_pair_text(call_pack(call), "tier", billed->tier);
    call_reply(call, 0);
}

/* Asks auth to set it; false: the call has been failed. */
static bool s_require_set(call_t *call, const billed_t *billed)
{
    buf_t body = { 0 };
    pack_t pack;
    answer_t answer;
    pack_init(&pack, &body);
    pack_map(&pack, 3);
    pack_pair_text(&pack, "account", billed->account);
    pack_pair_text(&pack, "tier", billed->tier);
    pack_pair_text(&pack, "reason",
                   arena_format(call_arena(call), "%.32s %.60s", call_text(call, "provider"),
                                call_text(call, "id")));
    bool good = call_service(call, auth_service.name, auth_account_tier.name, true, &body, &answer);
    error_code_t code = answer.failure.code;
    if (!good && error_row(code)->retry)
        call_fail_with(call, &answer.failure);
    else if (!good)
        call_fail(call, ERROR_UNPROCESSABLE, "The tier cannot be set: %.160s",
                  answer.failure.detail[0] ? answer.failure.detail : error_row(code)->sentence);
    answer_close(&answer);
    return good;
}

/* Sets what holds until it still does afterwards: whoever handles an older event at the same moment
 * may come to auth later than whoever handles the newer one. False: the call has been failed. */
static bool s_require_settled(call_t *call, db_conn_t *conn, billed_t *holds)
{
    for (int i = 0; i < SET_TRIES; i++) {
        billed_t again;
        if (!s_require_set(call, holds) ||
            !webhook_require_ok(
                call, webhook_store_billed(conn, call_arena(call), holds->account, &again)))
            return false;
        if (!again.tier || strcmp(again.tier, holds->tier) == 0)
            return true;
        *holds = again;
    }
    call_fail(call, ERROR_UNAVAILABLE, "The account's subscription changes too fast; try again");
    return false;
}

typedef struct {
    billed_t change;
    bool changed;
} noting_t;

static db_status_t s_note_work(db_conn_t *conn, void *arg)
{
    noting_t *self = arg;
    return webhook_store_set_billed(conn, &self->change, &self->changed);
}

void webhook_on_billing(call_t *call, void *arg)
{
    webhook_t *self = arg;
    billed_t holds;
    noting_t noting = { .change = s_read(call) };
    const billed_t *change = &noting.change;
    if (!change->account || !change->tier) {
        s_reply(call, "ignored", change);
        return;
    }
    db_conn_t *conn = webhook_require_conn(call);
    if (!conn || !webhook_require_ok(call, db_write(self->db, s_note_work, &noting)) ||
        !webhook_require_ok(call,
                            webhook_store_billed(conn, call_arena(call), change->account, &holds)))
        return;
    if (!noting.changed) {
        s_reply(call, change->at_ms < holds.at_ms ? "late" : "ignored", &holds);
        return;
    }
    if (!holds.tier) /* the account was erased meanwhile */
        holds = *change;
    if (!s_require_settled(call, conn, &holds))
        return;
    webhook_count(call, WEBHOOK_TIERS_SET);
    s_reply(call, "set", &holds);
}
