/* SPDX-License-Identifier: MPL-2.0
 *
 * audit - what administrators did, and what else is sensitive, goes into auth's audit log
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/log.h"
#include "actors/base/redact.h"
#include "edge/audit.h"
#include "edge/caller.h"
#include "edge/state.h"
#include "proto/auth.h"
#include "proto/topic.h"

#define TELL_MS  1000 /* how long a request waits for auth to take its entry */
#define AGAIN_MS 500  /* between attempts */

/* ---- what waits ------------------------------------------------------------------------------ */

static void s_count_waiting(audit_t *self)
{
    stats_set(self->stats, COUNT_AUDIT_WAITING, self->count);
    if (self->count == 0)
        monitor_wake(&self->monitor);
}

static void s_lose(audit_t *self, const char *why, size_t count)
{
    stats_add(self->stats, COUNT_AUDIT_LOST, (int64_t)count);
    LOG(LOG_ERROR, "audit.lost", LOG_TEXT("why", why), LOG_INT("count", count));
}

/* Takes the entry over. */
static void s_keep(audit_t *self, buf_t *entry)
{
    monitor_lock(&self->monitor);
    if (self->count == AUDIT_WAITING_MAX) {
        s_lose(self, "too many wait", 1);
        buf_free(entry);
    } else {
        self->waiting[(self->first + self->count++) % AUDIT_WAITING_MAX] = *entry;
        *entry = (buf_t){ 0 };
        s_count_waiting(self);
    }
    monitor_unlock(&self->monitor);
}

/* Under the lock. */
static void s_drop_first(audit_t *self)
{
    buf_free(&self->waiting[self->first]);
    self->first = (self->first + 1) % AUDIT_WAITING_MAX;
    self->count--;
    s_count_waiting(self);
}

static bool s_waits(audit_t *self)
{
    monitor_lock(&self->monitor);
    bool waits = self->count > 0;
    monitor_unlock(&self->monitor);
    return waits;
}

/* ---- telling auth ---------------------------------------------------------------------------- */

/* Whether it is of no use to send it again: auth has answered, and will not answer otherwise. */
static bool s_is_refused(error_code_t code)
{
    return code != ERROR_NONE && !error_row(code)->retry && code != ERROR_NO_SERVICE;
}

static void s_send_first(audit_t *self);

static void s_on_told(void *arg, answer_t *answer)
{
    audit_t *self = arg;
    const error_code_t code = answer->failure.code;
    monitor_lock(&self->monitor);
    self->is_sending = false;
    if (s_is_refused(code))
        s_lose(self, error_row(code)->symbol, 1);
    if (code == ERROR_NONE || s_is_refused(code))
        s_drop_first(self);
    else
        self->next_ms = clock_ms() + AGAIN_MS;
    if (code == ERROR_NONE)
        s_send_first(self);
    monitor_unlock(&self->monitor);
}

/* Under the lock. */
static void s_send_first(audit_t *self)
{
    buf_t body = { 0 };
    if (self->count == 0 || self->is_sending)
        return;
    const buf_t *entry = &self->waiting[self->first];
    const client_request_t request = { .service = auth_service.name,
                                       .method = auth_audit_record.name,
                                       .body = &body,
                                       .deadline_ms = TELL_MS,
                                       .flags = FRAME_IDEMPOTENT };
    buf_add(&body, entry->bytes, entry->size);
    self->is_sending = true;
    client_send(self->auth.bus, &request, s_on_told, self);
}

void audit_tick(audit_t *self, uint64_t now_ms)
{
    monitor_lock(&self->monitor);
    if (now_ms >= self->next_ms)
        s_send_first(self);
    monitor_unlock(&self->monitor);
}

void audit_flush(audit_t *self, uint64_t until_ms)
{
    monitor_lock(&self->monitor);
    while (self->count && monitor_wait_until(&self->monitor, until_ms))
        ;
    monitor_unlock(&self->monitor);
}

/* At once, unless others wait already: then it waits behind them. */
static void s_tell(audit_t *self, buf_t *entry)
{
    answer_t answer;
    buf_t body = { 0 };
    bool is_told = false;
    if (!s_waits(self)) {
        buf_add(&body, entry->bytes, entry->size);
        const question_t question = { .method = auth_audit_record.name,
                                      .body = &body,
                                      .deadline_ms = TELL_MS,
                                      .flags = FRAME_IDEMPOTENT };
        is_told = inquire(&self->auth, &question, &answer);
        answer_close(&answer);
    }
    if (is_told)
        buf_free(entry);
    else
        s_keep(self, entry);
}

/* ---- what is to be recorded ------------------------------------------------------------------ */

static bool s_is_due(const exchange_t *x)
{
    return x->verb != HTTP_GET && x->verb != HTTP_HEAD &&
           (x->route->method->sensitive || caller_administers(x->route->method));
}

/* The path may be longer than what auth keeps of it, and hold what is to be kept nowhere. */
static const char *s_target(exchange_t *x)
{
    buf_t path = { 0 };
    redact_text(x->target, strlen(x->target), &path);
    const size_t size = path.size < AUTH_TARGET_BYTES ? path.size : AUTH_TARGET_BYTES;
    const char *target = arena_text(&x->arena, path.bytes, size);
    buf_free(&path);
    return target;
}

/* The entry, of members that both auth and the topic have. */
static void s_pack(exchange_t *x, unsigned status, buf_t *out)
{
    const principal_t *who = &x->identity->principal;
    const char *key_id = x->identity->key_id;
    char event[ID_UUID_SIZE], address[ADDRESS_TEXT_SIZE];
    pack_t pack;
    pack_init(&pack, out);
    pack_map(&pack, 9);
    pack_pair_text(&pack, "event", id_uuid7(event));
    pack_pair_int(&pack, "at_ms", clock_wall_ms());
    pack_pair_text(
        &pack, "action",
        arena_format(&x->arena, "%s.%s", x->route->descriptor->service, x->route->method->name));
    pack_pair_text(&pack, "user_id", who->user);
    pack_pair_text(&pack, "account_id", who->account);
    pack_pair_text(&pack, "target", s_target(x));
    pack_pair_text(&pack, "address", address_text(&x->address, address));
    pack_pair_text(&pack, "request_id", x->request_id);
    pack_pair_text(&pack, "detail",
                   key_id[0] ? arena_format(&x->arena, "status=%u key=%s", status, key_id)
                             : arena_format(&x->arena, "status=%u", status));
}

static void s_log(const exchange_t *x, unsigned status)
{
    char address[ADDRESS_TEXT_SIZE];
    LOG(LOG_INFO, "audit", LOG_TEXT("service", x->route->descriptor->service),
        LOG_TEXT("method", x->route->method->name), LOG_TEXT("path", x->target),
        LOG_INT("status", status), LOG_TEXT("account", x->identity->principal.account),
        LOG_TEXT("user", x->identity->principal.user), LOG_TEXT("key_id", x->identity->key_id),
        LOG_TEXT("address", address_text(&x->address, address)));
}

/* Whoever watches, at once: this process's log and the topic. */
static void s_show(const exchange_t *x, unsigned status, const buf_t *entry)
{
    buf_t event = { 0 };
    s_log(x, status);
    buf_add(&event, entry->bytes, entry->size);
    client_publish(x->edge->bus, topic_row(TOPIC_AUDIT)->prefix, false, &event);
}

void audit_record(exchange_t *x, unsigned status)
{
    buf_t entry = { 0 };
    if (!s_is_due(x))
        return;
    s_pack(x, status, &entry);
    s_show(x, status, &entry);
    if (strcmp(x->route->descriptor->service, auth_service.name) == 0)
        buf_free(&entry);
    else
        s_tell(&x->edge->audit, &entry);
}

void audit_refused(exchange_t *x)
{
    const unsigned status = error_row(x->failure.code)->http_status;
    buf_t entry = { 0 };
    if (!s_is_due(x))
        return;
    s_pack(x, status, &entry);
    s_show(x, status, &entry);
    buf_free(&entry);
}

/* ---- life ------------------------------------------------------------------------------------ */

void audit_init(audit_t *self, stats_t *stats)
{
    *self = (audit_t){ .auth = { .service = auth_service.name }, .stats = stats };
    self->waiting = mem_array(AUDIT_WAITING_MAX, sizeof *self->waiting);
    monitor_init(&self->monitor);
}

void audit_free(audit_t *self)
{
    if (self->count)
        s_lose(self, "this process ends", self->count);
    while (self->count)
        s_drop_first(self);
    mem_free(self->waiting);
    monitor_free(&self->monitor);
}

void audit_connect(audit_t *self, client_t *bus)
{
    self->auth.bus = bus;
}
