/* SPDX-License-Identifier: MPL-2.0
 *
 * on_billing - a subscription that is paid for has changed: the account's tier follows
 */
#include "config.h"

#include <string.h>

#include "actors/base/text.h"
#include "actors/jobs/webhook/webhook.h"
#include "proto/auth.h"

#define FREE_TIER "free"

typedef struct {
    const char *account, *tier; /* NULL: the event says nothing of them */
    int64_t at_ms;
} change_t;

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
static change_t s_read(call_t *call)
{
    arena_t *arena = call_arena(call);
    const value_t *body = value_get(call_request(call), "body");
    const value_t *object = value_at(body, "data.object");
    const value_t *price = value_get(value_item(value_at(object, "items.data"), 0), "price");
    const char *type = call_text(call, "type");
    change_t change = { .at_ms = value_get_int(body, "created", 0) * 1000 };
    if (!type || !text_starts(type, "customer.subscription."))
        return change;
    change.account = billing_account(arena, body);
    if (strcmp(type, "customer.subscription.deleted") == 0 ||
        !s_is_good(value_get(object, "status"))) {
        change.tier = FREE_TIER;
        return change;
    }
    change.tier = s_tier_of(arena, value_dup_text(arena, price, "lookup_key"));
    if (!change.tier)
        change.tier = s_tier_of(arena, value_dup_text(arena, price, "id"));
    return change;
}

static void s_reply(call_t *call, const char *result, const change_t *change)
{
    pack_map(call_pack(call), 3);
    pack_pair_text(call_pack(call), "result", result);
    pack_pair_text(call_pack(call), "account", change->account);
    pack_pair_text(call_pack(call), "tier", change->tier);
    call_reply(call, 0);
}

/* Asks auth to set it; false: the call has been failed. */
static bool s_require_set(call_t *call, const change_t *change)
{
    buf_t body = { 0 };
    pack_t pack;
    answer_t answer;
    pack_init(&pack, &body);
    pack_map(&pack, 3);
    pack_pair_text(&pack, "account", change->account);
    pack_pair_text(&pack, "tier", change->tier);
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

static db_status_t s_billed_work(db_conn_t *conn, void *arg)
{
    const change_t *self = arg;
    return webhook_store_set_billed(conn, self->account, self->at_ms);
}

void webhook_on_billing(call_t *call, void *arg)
{
    webhook_t *self = arg;
    int64_t known_ms;
    change_t change = s_read(call);
    if (!change.account || !change.tier) {
        s_reply(call, "ignored", &change);
        return;
    }
    db_conn_t *conn = webhook_require_conn(call);
    if (!conn || !webhook_require_ok(call, webhook_store_billed(conn, change.account, &known_ms)))
        return;
    if (change.at_ms < known_ms) {
        s_reply(call, "late", &change);
        return;
    }
    if (!s_require_set(call, &change) ||
        !webhook_require_ok(call, db_write(self->db, s_billed_work, &change)))
        return;
    webhook_count(call, WEBHOOK_TIERS_SET);
    s_reply(call, "set", &change);
}
