/* SPDX-License-Identifier: MPL-2.0
 *
 * exporter - carries what is told of the system to somebody outside who collects it
 */
#include "config.h"

#include <stdio.h>

#include <utlist.h>

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/base/log.h"
#include "actors/metrics/exporter.h"
#include "actors/runtime/breaker.h"
#include "proto/http.h"
#include "proto/pack.h"

#define SEND_MS       10000 /* how long the receiver may take */
#define MARGIN_MS     2000  /* beyond that, for the way there */
#define PAUSE_MS      1000
#define PAUSE_MOST_MS 60000

struct shipment {
    shipment_t *prev, *next;
    buf_t body;
    size_t items;
    uint32_t tries;
    uint64_t born_ms, due_ms;
};

void exporter_init(exporter_t *self, const exporter_config_t *config)
{
    *self = (exporter_t){ .config = *config };
    monitor_init(&self->monitor);
}

static void s_remove_first(exporter_t *self)
{
    shipment_t *first = self->list;
    DL_DELETE(self->list, first);
    self->count--;
    self->bytes -= first->body.size;
    buf_free(&first->body);
    mem_free(first);
}

void exporter_free(exporter_t *self)
{
    while (self->list)
        s_remove_first(self);
    monitor_free(&self->monitor);
}

bool exporter_is_on(const exporter_t *self)
{
    return self->config.url[0] != '\0';
}

/* ---- what is lost --------------------------------------------------------------------------- */

/* Now and then: whoever refuses one body is likely to refuse the next. */
static void s_say(exporter_t *self, size_t items, const char *why)
{
    const uint64_t now_ms = clock_ms();
    self->unsaid += items;
    if (now_ms < self->say_at_ms)
        return;
    LOG(LOG_WARN, self->unsaid ? "export.lost" : "export.warned", LOG_TEXT("to", self->config.name),
        LOG_INT("items", self->unsaid), LOG_TEXT("why", why));
    self->say_at_ms = now_ms + EXPORTER_SAY_MS;
    self->unsaid = 0;
}

static void s_lose(exporter_t *self, size_t items, const char *why)
{
    stats_add(self->config.stats, self->config.lost, (int64_t)items);
    s_say(self, items, why);
}

static void s_lose_first(exporter_t *self, const char *why)
{
    s_lose(self, self->list->items, why);
    s_remove_first(self);
}

/* Whatever it waits for: a receiver that wants to rest for longer, or an answer to one before. */
static void s_lose_old(exporter_t *self, uint64_t now_ms)
{
    while (self->list && !self->is_under_way && now_ms > self->list->born_ms + EXPORTER_KEEP_MS)
        s_lose_first(self, "It waited too long");
}

/* ---- sending -------------------------------------------------------------------------------- */

static void s_pack_request(const exporter_t *self, const shipment_t *shipment, pack_t *pack)
{
    const exporter_config_t *config = &self->config;
    size_t count = 0;
    while (config->headers && config->headers[count])
        count++;
    pack_map(pack, 5 + (size_t)(config->rest_header != NULL) + (config->refused != NULL));
    if (config->rest_header)
        pack_pair_text(pack, "ask_header", config->rest_header);
    if (config->refused)
        pack_pair_int(pack, "ask_body", EXPORTER_ANSWER_MAX);
    pack_pair_text(pack, "url", config->url);
    pack_text(pack, "headers");
    pack_array(pack, count);
    for (size_t i = 0; i < count; i++)
        pack_text(pack, config->headers[i]);
    pack_pair_text(pack, "content_type", config->content_type);
    pack_text(pack, "body");
    pack_string(pack, (const char *)shipment->body.bytes, shipment->body.size);
    pack_pair_int(pack, "timeout_ms", SEND_MS);
}

static void s_on_answer(void *arg, answer_t *answer);

/* Sends the first body when it is due. Not with the lock held: a client that finds no broker may
 * say so before it returns. */
static void s_go_on(exporter_t *self, uint64_t now_ms)
{
    buf_t body = { 0 };
    pack_t pack;
    monitor_lock(&self->monitor);
    s_lose_old(self, now_ms);
    bool is_due = self->list && !self->is_under_way && self->list->due_ms <= now_ms &&
                  self->rest_until_ms <= now_ms;
    if (is_due) {
        pack_init(&pack, &body);
        s_pack_request(self, self->list, &pack);
        self->list->tries++;
        self->is_under_way = true;
    }
    monitor_unlock(&self->monitor);
    if (is_due)
        client_send(self->config.client,
                    &(client_request_t){ .service = http_service.name,
                                         .method = http_send.name,
                                         .body = &body,
                                         .deadline_ms = SEND_MS + MARGIN_MS },
                    s_on_answer, self);
}

/* ---- what comes of it ----------------------------------------------------------------------- */

/* How the receiver took it: carried, lost, or to be tried again. */
typedef struct {
    bool is_taken, is_later;
    uint32_t after_ms; /* 0: not said */
    size_t refused;    /* items of what was taken */
    char why[sizeof(((failure_t *)0)->detail)];
} verdict_t;

static void s_judge_body(const exporter_t *self, const value_t *body, verdict_t *verdict)
{
    char why[EXPORTER_WHY_SIZE] = "";
    if (self->config.refused && value_is_type(body, VALUE_BINARY))
        verdict->refused = self->config.refused(body->bytes, body->count, why);
    snprintf(verdict->why, sizeof verdict->why, "%s", why);
}

static void s_judge_status(const exporter_t *self, const answer_t *answer, verdict_t *verdict)
{
    arena_t arena = { 0 };
    value_verdict_t read;
    const value_t *body =
        value_parse(&arena, answer_bytes(answer), answer_size(answer), VALUE_LIMITS, &read);
    const int64_t status = value_get_int(body, "status", 0);
    verdict->is_taken = status >= 200 && status < 300;
    verdict->is_later = status == 429 || (status >= 502 && status <= 504);
    verdict->after_ms = (uint32_t)value_get_int(body, "retry_after_ms", 0);
    const char *header = value_dup_text(&arena, body, "header");
    if (self->config.rest_ms)
        verdict->after_ms =
            self->config.rest_ms((uint32_t)status, verdict->after_ms, header ? header : "");
    snprintf(verdict->why, sizeof verdict->why, "The receiver answered %u", (unsigned)status);
    if (verdict->is_taken)
        s_judge_body(self, value_get(body, "body"), verdict);
    arena_free(&arena);
}

static void s_judge(const exporter_t *self, const answer_t *answer, verdict_t *verdict)
{
    const failure_t *failure = &answer->failure;
    *verdict = (verdict_t){ .after_ms = failure->retry_after_ms };
    if (failure->code == ERROR_NONE) {
        s_judge_status(self, answer, verdict);
        return;
    }
    /* a service that is not there may come */
    verdict->is_later = error_row(failure->code)->retry || failure->code == ERROR_NO_SERVICE;
    snprintf(verdict->why, sizeof verdict->why, "%s", failure->detail);
}

/* A receiver that takes all of a body may have something to say nevertheless. */
static void s_carry_first(exporter_t *self, const verdict_t *verdict)
{
    const size_t items = self->list->items;
    const size_t refused = verdict->refused < items ? verdict->refused : items;
    stats_add(self->config.stats, self->config.carried, (int64_t)(items - refused));
    if (refused)
        s_lose(self, refused, verdict->why);
    else if (verdict->why[0])
        s_say(self, 0, verdict->why);
    s_remove_first(self);
}

static void s_put_off(exporter_t *self, const verdict_t *verdict, uint64_t now_ms)
{
    shipment_t *first = self->list;
    uint32_t pause_ms = breaker_backoff(first->tries, PAUSE_MS, PAUSE_MOST_MS, id_random_u64());
    if (verdict->after_ms > pause_ms)
        pause_ms = verdict->after_ms;
    first->due_ms = now_ms + pause_ms;
    if (verdict->after_ms) /* it is not asked with the next body instead */
        self->rest_until_ms = now_ms + verdict->after_ms;
    if (first->due_ms > first->born_ms + EXPORTER_KEEP_MS)
        s_lose_first(self, verdict->why);
    else
        LOG(LOG_INFO, "export.later", LOG_TEXT("to", self->config.name),
            LOG_INT("pause_ms", pause_ms), LOG_TEXT("why", verdict->why));
}

/* On the client's thread. After a failure the tick goes on. */
static void s_on_answer(void *arg, answer_t *answer)
{
    exporter_t *self = arg;
    const uint64_t now_ms = clock_ms();
    verdict_t verdict;
    s_judge(self, answer, &verdict);
    monitor_lock(&self->monitor);
    self->is_under_way = false;
    if (verdict.is_taken) {
        s_carry_first(self, &verdict);
        self->rest_until_ms = self->config.rest_ms ? now_ms + verdict.after_ms : 0;
    } else if (verdict.is_later) {
        s_put_off(self, &verdict, now_ms);
    } else {
        s_lose_first(self, verdict.why);
    }
    monitor_unlock(&self->monitor);
    if (verdict.is_taken)
        s_go_on(self, now_ms);
}

/* Whether there was room. */
static bool s_take(exporter_t *self, buf_t *body, size_t items, uint64_t now_ms)
{
    if (self->count >= EXPORTER_BODIES_MAX || body->size > EXPORTER_BYTES_MAX - self->bytes)
        return false;
    shipment_t *shipment = mem_zeroed(sizeof *shipment);
    *shipment = (shipment_t){ .body = *body, .items = items, .born_ms = now_ms };
    *body = (buf_t){ 0 };
    DL_APPEND(self->list, shipment);
    self->count++;
    self->bytes += shipment->body.size;
    return true;
}

void exporter_send(exporter_t *self, buf_t *body, size_t items)
{
    const uint64_t now_ms = clock_ms();
    if (exporter_is_on(self)) {
        monitor_lock(&self->monitor);
        if (!s_take(self, body, items, now_ms))
            s_lose(self, items, "Too much waits already");
        monitor_unlock(&self->monitor);
        s_go_on(self, now_ms);
    }
    buf_free(body);
}

void exporter_tick(exporter_t *self, uint64_t now_ms)
{
    s_go_on(self, now_ms);
}
