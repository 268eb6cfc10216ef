/* SPDX-License-Identifier: MPL-2.0
 *
 * messenger - carries alerts to a webhook
 */
#include "config.h"

#include <stdio.h>

#include <utlist.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/base/text.h"
#include "actors/metrics/messenger.h"
#include "proto/jobs.h"
#include "proto/pack.h"
#include "proto/webhook.h"

#define ID_BYTES     64
#define TYPE_BYTES   64
#define DEADLINE_MS  30000
#define PAUSE_MAX_MS 60000

struct message {
    message_t *prev, *next;
    messenger_t *messenger;
    char id[ID_BYTES + 1], type[TYPE_BYTES + 1];
    int64_t wall_ms;
    buf_t data;
    uint32_t tries;
    uint64_t due_ms;
    bool is_under_way;
    bool is_direct; /* there was no service `jobs` the last time */
};

void messenger_init(messenger_t *self, const char *url, const char *secret)
{
    self->url = url;
    self->secret = secret;
    monitor_init(&self->monitor);
}

static void s_remove(message_t *message)
{
    messenger_t *self = message->messenger;
    DL_DELETE(self->list, message);
    self->count--;
    buf_free(&message->data);
    mem_free(message);
}

void messenger_free(messenger_t *self)
{
    message_t *at, *next;
    DL_FOREACH_SAFE(self->list, at, next)
    {
        s_remove(at);
    }
    monitor_free(&self->monitor);
}

void messenger_tell(messenger_t *self, const char *id, const char *type, const buf_t *data)
{
    if (!self->url[0])
        return;
    monitor_lock(&self->monitor);
    if (self->count < MESSENGER_MAX) {
        message_t *message = mem_zeroed(sizeof *message);
        message->messenger = self;
        text_copy(message->id, sizeof message->id, id, strlen(id));
        text_copy(message->type, sizeof message->type, type, strlen(type));
        message->wall_ms = clock_wall_ms();
        buf_add(&message->data, data->bytes, data->size);
        DL_APPEND(self->list, message);
        self->count++;
    } else {
        stats_add(self->stats, self->dropped, 1);
    }
    monitor_unlock(&self->monitor);
}

/* ---- sending -------------------------------------------------------------------------------- */

/* The request of webhook.deliver. */
static void s_pack_delivery(const message_t *message, pack_t *pack)
{
    const messenger_t *self = message->messenger;
    pack_map(pack, 6);
    pack_pair_text(pack, "url", self->url);
    pack_pair_text(pack, "id", message->id);
    pack_pair_text(pack, "type", message->type);
    pack_pair_time(pack, "at", message->wall_ms);
    pack_text(pack, "data");
    pack_raw(pack, message->data.bytes, message->data.size);
    pack_text(pack, "secrets");
    pack_array(pack, self->secret[0] != '\0');
    if (self->secret[0])
        pack_text(pack, self->secret);
}

static void s_pack_job(const message_t *message, pack_t *pack)
{
    char kind[JOBS_KIND_BYTES + 1];
    snprintf(kind, sizeof kind, "%s.%s", webhook_service.name, webhook_deliver.name);
    pack_map(pack, 3);
    pack_pair_text(pack, "kind", kind);
    pack_pair_text(pack, "idempotency_key", message->id);
    pack_text(pack, "payload");
    s_pack_delivery(message, pack);
}

static void s_fail(message_t *message, const failure_t *failure)
{
    messenger_t *self = message->messenger;
    uint64_t pause_ms = (uint64_t)MESSENGER_PAUSE_MS << (message->tries < 6 ? message->tries : 6);
    LOG(LOG_WARN, "alert.not_told", LOG_TEXT("id", message->id),
        LOG_TEXT("code", error_row(failure->code)->symbol), LOG_TEXT("why", failure->detail));
    message->is_under_way = false;
    message->due_ms = clock_ms() + (pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS);
    if (++message->tries < MESSENGER_TRIES && error_row(failure->code)->retry)
        return;
    stats_add(self->stats, self->dropped, 1);
    s_remove(message);
}

static bool s_is_absent(const failure_t *failure)
{
    return failure->code == ERROR_NO_SERVICE || failure->code == ERROR_NO_INSTANCE;
}

/* On the client's thread. Where no service keeps jobs, the other way is tried at once. */
static void s_on_answer(void *arg, answer_t *answer)
{
    message_t *message = arg;
    messenger_t *self = message->messenger;
    monitor_lock(&self->monitor);
    if (answer->failure.code == ERROR_NONE) {
        stats_add(self->stats, self->carried, 1);
        s_remove(message);
    } else if (s_is_absent(&answer->failure) && !message->is_direct) {
        message->is_under_way = false;
        message->is_direct = true;
    } else {
        if (s_is_absent(&answer->failure))
            answer->failure.code = ERROR_UNAVAILABLE; /* it may come */
        message->is_direct = false;
        s_fail(message, &answer->failure);
    }
    monitor_unlock(&self->monitor);
}

static void s_send(message_t *message)
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    if (message->is_direct)
        s_pack_delivery(message, &pack);
    else
        s_pack_job(message, &pack);
    const client_request_t request = {
        .service = message->is_direct ? webhook_service.name : jobs_service.name,
        .method = message->is_direct ? webhook_deliver.name : jobs_enqueue.name,
        .body = &body,
        .deadline_ms = DEADLINE_MS,
    };
    message->is_under_way = true;
    client_send(message->messenger->client, &request, s_on_answer, message);
}

void messenger_tick(messenger_t *self, uint64_t now_ms)
{
    message_t *at, *next;
    monitor_lock(&self->monitor);
    DL_FOREACH_SAFE(self->list, at, next)
    {
        if (!at->is_under_way && at->due_ms <= now_ms)
            s_send(at);
    }
    monitor_unlock(&self->monitor);
}
