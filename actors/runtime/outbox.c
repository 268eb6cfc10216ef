/* SPDX-License-Identifier: MPL-2.0
 *
 * outbox - events that accounts are told of by webhook, none of them lost
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/runtime/outbox.h"
#include "proto/json.h"
#include "proto/webhook.h"

#define PUBLISH_MS    10000
#define LEFT_MS       5000 /* an event that is younger is being handed over by who made it */
#define IN_FLIGHT_MAX 256
#define BATCH         100 /* of those that were left */
#define PAUSE_S       5   /* after webhooks were not there */
#define GIVE_UP_TICKS 600
#define MS_PER_DAY    INT64_C(86400000)

/* An event under way, then one that is to be deleted. */
struct outbox_sent {
    outbox_sent_t *next;
    outbox_t *outbox;
    bool was_left;
    char id[];
};

void outbox_init(outbox_t *self, actor_t *actor, size_t first_stat)
{
    *self = (outbox_t){ .actor = actor, .first_stat = first_stat };
    wishes_init(&self->wishes);
    insist(pthread_mutex_init(&self->mutex, NULL) == 0);
}

void outbox_free(outbox_t *self)
{
    for (outbox_sent_t *sent; (sent = self->over);) {
        self->over = sent->next;
        mem_free(sent);
    }
    wishes_free(&self->wishes);
    pthread_mutex_destroy(&self->mutex);
}

void outbox_connected(outbox_t *self)
{
    wishes_follow(&self->wishes, actor_client(self->actor));
}

bool outbox_wants(outbox_t *self, const char *account, const char *type)
{
    return wishes_want(&self->wishes, account, type, clock_ms());
}

static void s_count(const outbox_t *self, outbox_stat_t row, int64_t amount)
{
    stats_add(actor_stats(self->actor), self->first_stat + row, amount);
}

/* ---- storing --------------------------------------------------------------------------------- */

static const db_sql_t s_add = {
    "outbox.add",
    "INSERT INTO outbox (id, account, type, at, data) VALUES ($id, $account, $type, $at, $data)"
    " ON CONFLICT (id) DO NOTHING",
    NULL
};

db_status_t outbox_add(db_conn_t *conn, const outbox_event_t *event)
{
    return DB_RUN(conn, &s_add, NULL, DB_P_TEXT("id", event->id),
                  DB_P_TEXT("account", event->account), DB_P_TEXT("type", event->type),
                  DB_P_INT("at", event->at_ms), DB_P_TEXT("data", event->data));
}

/* ---- handing over ---------------------------------------------------------------------------- */

/* What webhooks will never take is no use keeping. */
static bool s_is_refused(error_code_t code)
{
    return code == ERROR_VALIDATION_FAILED || code == ERROR_TOO_LARGE ||
           code == ERROR_UNPROCESSABLE;
}

static void s_note_untaken(const outbox_sent_t *sent, const failure_t *failure)
{
    const outbox_t *self = sent->outbox;
    const char *service = actor_service(self->actor);
    if (s_is_refused(failure->code)) {
        s_count(self, OUTBOX_GIVEN_UP, 1);
        LOG(LOG_ERROR, "outbox.refused", LOG_TEXT("service", service), LOG_TEXT("event", sent->id),
            LOG_TEXT("why", failure->detail));
    } else {
        s_count(self, OUTBOX_NOT_TOLD, 1);
        LOG(LOG_WARN, "outbox.not_told", LOG_TEXT("service", service), LOG_TEXT("event", sent->id),
            LOG_TEXT("why", failure->detail));
    }
}

/* On the client's thread, which must not wait for the database. */
static void s_on_answer(void *arg, answer_t *answer)
{
    outbox_sent_t *sent = arg;
    outbox_t *self = sent->outbox;
    const error_code_t code = answer->failure.code;
    const bool is_over = code == ERROR_NONE || s_is_refused(code);
    if (code == ERROR_NONE)
        s_count(self, OUTBOX_TOLD, 1);
    else
        s_note_untaken(sent, &answer->failure);
    pthread_mutex_lock(&self->mutex);
    self->in_flight--;
    self->left -= sent->was_left;
    if (is_over) {
        sent->next = self->over;
        self->over = sent;
    } else {
        self->wait_s = PAUSE_S;
    }
    pthread_mutex_unlock(&self->mutex);
    if (!is_over)
        mem_free(sent);
}

static bool s_reserve(outbox_t *self, bool was_left)
{
    pthread_mutex_lock(&self->mutex);
    bool has_room = self->in_flight < IN_FLIGHT_MAX;
    self->in_flight += has_room;
    self->left += has_room && was_left;
    pthread_mutex_unlock(&self->mutex);
    return has_room;
}

static void s_send(outbox_t *self, const outbox_event_t *event, bool was_left)
{
    buf_t body = { 0 };
    pack_t pack;
    json_error_t error;
    if (!s_reserve(self, was_left))
        return;
    const size_t size = strlen(event->id) + 1;
    outbox_sent_t *sent = mem_zeroed(sizeof *sent + size);
    sent->outbox = self;
    sent->was_left = was_left;
    memcpy(sent->id, event->id, size);
    pack_init(&pack, &body);
    pack_map(&pack, 5);
    pack_pair_text(&pack, "id", event->id);
    pack_pair_text(&pack, "account", event->account);
    pack_pair_text(&pack, "type", event->type);
    pack_pair_time(&pack, "at", event->at_ms);
    pack_text(&pack, "data");
    bool good = json_to_msgpack(event->data, strlen(event->data), VALUE_LIMITS, 0, &body, &error);
    insist(good); /* we wrote it */
    client_send(actor_client(self->actor),
                &(client_request_t){ .service = webhook_service.name,
                                     .method = webhook_publish.name,
                                     .body = &body,
                                     .flags = FRAME_IDEMPOTENT,
                                     .deadline_ms = PUBLISH_MS },
                s_on_answer, sent);
}

void outbox_send(outbox_t *self, const outbox_event_t *event)
{
    s_send(self, event, false);
}

/* ---- now and then ---------------------------------------------------------------------------- */

static const db_sql_t s_delete = {
    "outbox.delete", "DELETE FROM outbox WHERE id IN (SELECT value FROM json_each($ids))",
    "DELETE FROM outbox WHERE id IN (SELECT json_array_elements_text(CAST($ids AS TEXT)::json))"
};
static const db_sql_t s_left = {
    "outbox.left",
    "SELECT id, account, type, at, data FROM outbox WHERE at < $before ORDER BY at LIMIT $limit",
    NULL
};
static const db_sql_t s_give_up = { "outbox.give_up", "DELETE FROM outbox WHERE at < $before",
                                    NULL };

static outbox_sent_t *s_take_over(outbox_t *self)
{
    pthread_mutex_lock(&self->mutex);
    outbox_sent_t *over = self->over;
    self->over = NULL;
    pthread_mutex_unlock(&self->mutex);
    return over;
}

/* What cannot be deleted now is told once more, and deleted then. */
static void s_delete_over(outbox_t *self)
{
    buf_t ids = { 0 };
    outbox_sent_t *over = s_take_over(self), *next;
    if (!over)
        return;
    for (; over; over = next) {
        next = over->next;
        buf_printf(&ids, "%s\"%s\"", ids.size ? "," : "[", over->id);
        mem_free(over);
    }
    buf_add_text(&ids, "]");
    if (DB_WRITE_ONE(actor_db(self->actor), &s_delete, NULL, DB_P_TEXT("ids", buf_text(&ids))) !=
        DB_OK)
        LOG(LOG_WARN, "outbox.not_deleted", LOG_TEXT("service", actor_service(self->actor)));
    buf_free(&ids);
}

static void s_send_left(outbox_t *self)
{
    db_rows_t *rows;
    db_conn_t *conn = db_conn(actor_db(self->actor));
    if (!conn || DB_RUN(conn, &s_left, &rows, DB_P_INT("before", clock_wall_ms() - LEFT_MS),
                        DB_P_INT("limit", BATCH)) != DB_OK)
        return;
    while (db_next(rows))
        s_send(self,
               &(outbox_event_t){ .id = db_text(rows, "id"),
                                  .account = db_text(rows, "account"),
                                  .type = db_text(rows, "type"),
                                  .at_ms = db_int(rows, "at"),
                                  .data = db_text(rows, "data") },
               true);
    db_rows_close(&rows);
}

static void s_give_up_old(outbox_t *self)
{
    int64_t count = 0;
    const int64_t before = clock_wall_ms() - OUTBOX_DAYS * MS_PER_DAY;
    if (DB_WRITE_ONE(actor_db(self->actor), &s_give_up, &count, DB_P_INT("before", before)) !=
            DB_OK ||
        count == 0)
        return;
    s_count(self, OUTBOX_GIVEN_UP, count);
    LOG(LOG_WARN, "outbox.given_up", LOG_TEXT("service", actor_service(self->actor)),
        LOG_INT("events", count));
}

/* What was left and is under way is not sent twice for nothing. */
static bool s_is_time(outbox_t *self)
{
    pthread_mutex_lock(&self->mutex);
    bool is_time = self->wait_s == 0 && self->left == 0;
    if (self->wait_s)
        self->wait_s--;
    pthread_mutex_unlock(&self->mutex);
    return is_time;
}

void outbox_tick(outbox_t *self)
{
    s_delete_over(self);
    if (s_is_time(self))
        s_send_left(self);
    if (self->ticks++ % GIVE_UP_TICKS == 0)
        s_give_up_old(self);
}
