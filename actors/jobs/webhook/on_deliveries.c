/* SPDX-License-Identifier: MPL-2.0
 *
 * on_deliveries - what became of telling: list, one, once more, and a test
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/jobs/webhook/webhook.h"

static void s_pack_maybe_int(pack_t *pack, const char *key, int64_t value)
{
    pack_text(pack, key);
    if (value)
        pack_int(pack, value);
    else
        pack_nil(pack);
}

static void s_write(pack_t *pack, const delivery_t *delivery)
{
    pack_map(pack, 11);
    pack_pair_text(pack, "id", delivery->id);
    pack_pair_text(pack, "event_id", delivery->event_id);
    pack_pair_text(pack, "type", delivery->type);
    pack_pair_text(pack, "state", delivery->state);
    pack_pair_int(pack, "attempts", delivery->attempts);
    pack_pair_int(pack, "replays", delivery->replays);
    s_pack_maybe_int(pack, "status", delivery->status);
    pack_pair_text(pack, "detail", delivery->detail);
    pack_text(pack, "duration_ms");
    if (delivery->duration_us)
        pack_double(pack, (double)delivery->duration_us / 1000);
    else
        pack_nil(pack);
    pack_pair_time(pack, "created_at", delivery->created_ms);
    pack_pair_time(pack, "updated_at", delivery->updated_ms);
}

void webhook_on_deliveries(call_t *call, void *arg)
{
    cursor_t from;
    deliveries_t found;
    size_t limit = (size_t)call_int(call, "limit");
    const char *state = call_text(call, "state");
    (void)arg;
    if (!page_require_cursor(call, WEBHOOK_LIST_DELIVERIES, &from))
        return;
    const subscription_t *of = webhook_require_subscription(call);
    db_conn_t *conn = of ? webhook_require_conn(call) : NULL;
    if (!conn || !webhook_require_ok(call, webhook_store_deliveries(conn, call_arena(call), of->id,
                                                                    state ? state : "", &from,
                                                                    limit + 1, &found)))
        return;
    pack_t *pack = call_pack(call);
    const size_t shown = page_begin(pack, found.count, limit);
    const delivery_t *last = found.count > shown ? &found.list[shown - 1] : NULL;
    for (size_t i = 0; i < shown; i++)
        s_write(pack, &found.list[i]);
    page_end(pack, WEBHOOK_LIST_DELIVERIES, last ? last->created_ms : 0, last ? last->id : NULL);
    call_reply(call, 0);
}

/* The delivery that the call names; NULL: the call has been failed. */
static const delivery_t *s_require(call_t *call, const char *id)
{
    const delivery_t *found;
    const subscription_t *of = webhook_require_subscription(call);
    db_conn_t *conn = of ? webhook_require_conn(call) : NULL;
    if (!conn || !webhook_require_ok(
                     call, webhook_store_delivery(conn, call_arena(call), of->id, id, &found)))
        return NULL;
    if (!found)
        call_fail(call, ERROR_NOT_FOUND, "There is no delivery with this id");
    return found;
}

static void s_reply_one(call_t *call, const char *id)
{
    const delivery_t *found = s_require(call, id);
    if (!found)
        return;
    s_write(call_pack(call), found);
    call_reply(call, 0);
}

void webhook_on_delivery(call_t *call, void *arg)
{
    (void)arg;
    s_reply_one(call, call_text(call, "delivery_id"));
}

/* ---- once more --------------------------------------------------------------------------- */

typedef struct {
    const char *id;
    bool changed;
} replaying_t;

static db_status_t s_replay_work(db_conn_t *conn, void *arg)
{
    replaying_t *self = arg;
    return webhook_store_replay(conn, self->id, clock_wall_ms(), &self->changed);
}

void webhook_on_replay(call_t *call, void *arg)
{
    webhook_t *self = arg;
    replaying_t replaying = { .id = call_text(call, "delivery_id") };
    if (!s_require(call, replaying.id) ||
        !webhook_require_ok(call, db_write(self->db, s_replay_work, &replaying)))
        return;
    if (!replaying.changed) {
        call_fail(call, ERROR_UNPROCESSABLE, "The delivery is under way");
        return;
    }
    s_reply_one(call, replaying.id);
    relay_run(self);
}

/* ---- a test ------------------------------------------------------------------------------ */

typedef struct {
    event_record_t event;
    const char *subscription_id, *id;
    int64_t now_ms;
} testing_t;

static db_status_t s_test_work(db_conn_t *conn, void *arg)
{
    testing_t *self = arg;
    bool added;
    db_status_t status = webhook_store_add_event(conn, &self->event, self->now_ms, &added);
    return status == DB_OK ? webhook_store_add_delivery(conn, self->id, self->subscription_id,
                                                        self->event.id, self->now_ms)
                           : status;
}

void webhook_on_test(call_t *call, void *arg)
{
    webhook_t *self = arg;
    char id[ID_UUID_SIZE], event_id[ID_UUID_SIZE];
    const subscription_t *to = webhook_require_subscription(call);
    if (!to)
        return;
    if (strcmp(to->status, "disabled") == 0) {
        call_fail(call, ERROR_UNPROCESSABLE, "The subscription is disabled: set it active first");
        return;
    }
    const int64_t now_ms = clock_wall_ms();
    testing_t testing = { .event = { .id = id_uuid7(event_id),
                                     .account = to->account,
                                     .type = "webhook.test",
                                     .at_ms = now_ms,
                                     .data = "{\"test\":true}" },
                          .subscription_id = to->id,
                          .id = id_uuid7(id),
                          .now_ms = now_ms };
    if (!webhook_require_ok(call, db_write(self->db, s_test_work, &testing)))
        return;
    s_reply_one(call, id);
    relay_run(self);
}
