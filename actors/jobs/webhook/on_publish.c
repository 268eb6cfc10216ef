/* SPDX-License-Identifier: MPL-2.0
 *
 * on_publish - an event comes in: who wants to be told of it
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/jobs/webhook/kind.h"
#include "actors/jobs/webhook/webhook.h"
#include "proto/json.h"

#define DATA_BYTES_MAX 65536

typedef struct {
    event_record_t event;
    arena_t *arena;
    int64_t now_ms;
    bool added;
    size_t deliveries;
} publishing_t;

/* The event and a delivery for everybody who wants it, or nothing when it is known. */
static db_status_t s_work(db_conn_t *conn, void *arg)
{
    publishing_t *self = arg;
    const cursor_t start = CURSOR_START;
    subscriptions_t found;
    char id[ID_UUID_SIZE];
    self->deliveries = 0;
    db_status_t status = webhook_store_add_event(conn, &self->event, self->now_ms, &self->added);
    if (status != DB_OK || !self->added)
        return status;
    status = webhook_store_list(conn, self->arena, self->event.account, &start,
                                WEBHOOK_SUBSCRIPTIONS, &found);
    for (size_t i = 0; status == DB_OK && i < found.count; i++) {
        const subscription_t *to = &found.list[i];
        if (strcmp(to->status, "active") != 0 || !kind_is_wanted(to->events, self->event.type))
            continue;
        status =
            webhook_store_add_delivery(conn, id_uuid7(id), to->id, self->event.id, self->now_ms);
        self->deliveries++;
    }
    return status;
}

/* The field `data` as JSON in the arena; false: the call has been failed. */
static bool s_require_data(call_t *call, event_record_t *event)
{
    buf_t json = { 0 };
    json_write(value_get(call_request(call), "data"), &json);
    const bool fits = json.size <= DATA_BYTES_MAX;
    event->data = arena_text(call_arena(call), json.bytes, json.size);
    buf_free(&json);
    if (fits)
        return true;
    call_fail(call, ERROR_TOO_LARGE, "The data of an event has at most %d bytes as JSON",
              DATA_BYTES_MAX);
    return false;
}

void webhook_on_publish(call_t *call, void *arg)
{
    webhook_t *self = arg;
    const char *at = call_text(call, "at");
    publishing_t publishing = { .event = { .id = call_text(call, "id"),
                                           .account = call_text(call, "account"),
                                           .type = call_text(call, "type") },
                                .arena = call_arena(call),
                                .now_ms = clock_wall_ms() };
    if (!at || !clock_parse(at, strlen(at), &publishing.event.at_ms))
        publishing.event.at_ms = publishing.now_ms;
    if (!s_require_data(call, &publishing.event) ||
        !webhook_require_ok(call, db_write(self->db, s_work, &publishing)))
        return;
    webhook_count(call, publishing.added ? WEBHOOK_EVENTS : WEBHOOK_DUPLICATES);
    pack_map(call_pack(call), 2);
    pack_pair_int(call_pack(call), "deliveries", (int64_t)publishing.deliveries);
    pack_pair_bool(call_pack(call), "duplicate", !publishing.added);
    const bool is_wanted = publishing.deliveries > 0;
    call_reply(call, 0);
    if (is_wanted)
        relay_run(self);
}
