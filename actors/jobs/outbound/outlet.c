/* SPDX-License-Identifier: MPL-2.0
 *
 * outlet - what an actor needs to call the outside: the calls, what is known of hosts, who tells
 * whom
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/jobs/outbound/outlet.h"

#define TELL_TICKS     5 /* seconds between two tellings when nothing has changed */
#define RETRY_AFTER_MS 1000
#define MARGIN_MS      50 /* by which a transfer ends before its caller gives up */

resolve_fn outlet_resolve;

void outlet_tell(outlet_t *self)
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 1);
    pack_text(&pack, "items");
    if (hosts_tell(self->hosts, clock_ms(), clock_wall_ms(), &pack) > 0)
        actor_publish(self->actor, topic_row(TOPIC_OUTBOUND_HOSTS)->prefix, false, &body);
    buf_free(&body);
}

static void s_on_changed(void *arg)
{
    outlet_tell(arg);
}

static void s_on_told(void *arg, const client_event_t *event)
{
    outlet_t *self = arg;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    const value_t *body = value_parse(&arena, event->body, event->size, VALUE_LIMITS, &verdict);
    size_t changed = hosts_hear(self->hosts, value_get(body, "items"), clock_ms(), clock_wall_ms());
    if (changed) {
        stats_add(actor_stats(self->actor), OUTBOUND_BREAKERS_CHANGED, (int64_t)changed);
        LOG(LOG_INFO, "outbound.told", LOG_INT("hosts", changed),
            LOG_BYTES("by", event->head.publisher, event->head.publisher_size));
    }
    arena_free(&arena);
}

bool outlet_init(actor_t *actor, void *memory, char *why, size_t why_size)
{
    outlet_t *self = memory;
    self->actor = actor;
    self->hosts = hosts_new((uint32_t)outbound_settings.breaker_failures,
                            (uint32_t)outbound_settings.breaker_open_ms);
    self->outbound = outbound_open(&(outbound_config_t){ .stats = actor_stats(actor),
                                                         .hosts = self->hosts,
                                                         .resolve = outlet_resolve,
                                                         .changed = s_on_changed,
                                                         .arg = self },
                                   why, why_size);
    if (!self->outbound)
        hosts_destroy(&self->hosts);
    return self->outbound != NULL;
}

uint32_t outlet_deferred(const void *memory)
{
    (void)memory;
    return (uint32_t)(outbound_settings.in_flight + outbound_settings.waiting);
}

void outlet_connected(actor_t *actor, void *memory)
{
    client_subscribe(actor_client(actor), topic_row(TOPIC_OUTBOUND_HOSTS)->prefix, s_on_told,
                     memory);
}

void outlet_tick(actor_t *actor, void *memory)
{
    outlet_t *self = memory;
    (void)actor;
    if (++self->ticks % TELL_TICKS == 0)
        outlet_tell(self);
}

void outlet_stop(actor_t *actor, void *memory)
{
    outlet_t *self = memory;
    (void)actor;
    outbound_close(&self->outbound);
}

void outlet_release(actor_t *actor, void *memory)
{
    outlet_t *self = memory;
    (void)actor;
    hosts_destroy(&self->hosts);
}

/* ---- calls ------------------------------------------------------------------------------- */

bool outlet_require_sent(outlet_t *self, call_t *call, transfer_t *transfer)
{
    uint32_t left_ms = call_left_ms(call);
    transfer->call = call;
    transfer->arg = transfer->arg ? transfer->arg : call;
    outlet_trace(call, transfer);
    if (!transfer->total_ms)
        transfer->total_ms = (uint32_t)outbound_settings.total_ms;
    /* whoever waits hears how far it came, rather than nothing */
    left_ms = left_ms > 2 * MARGIN_MS ? left_ms - MARGIN_MS : left_ms;
    if (left_ms < transfer->total_ms)
        transfer->total_ms = left_ms ? left_ms : 1;
    if (outbound_send(self->outbound, transfer)) {
        call_defer(call);
        return true;
    }
    call_fail_with(call, &(failure_t){ .code = ERROR_OVERLOADED,
                                       .retry_after_ms = RETRY_AFTER_MS,
                                       .detail = "Too many calls to the outside wait" });
    return false;
}

static error_code_t s_code(const transferred_t *result)
{
    switch (result->outcome) {
    case TRANSFER_FENCED:
        return ERROR_UNPROCESSABLE;
    case TRANSFER_TIMEOUT:
        return result->is_unbegun ? ERROR_OVERLOADED : ERROR_DEADLINE;
    case TRANSFER_CANCELLED:
        return ERROR_CANCELLED;
    default:
        return ERROR_UNAVAILABLE;
    }
}

failure_t outlet_failure(const call_t *call, const transferred_t *result)
{
    /* a job that came back as soon as the rest ends would use its attempts up within minutes */
    const bool is_own_pace = result->outcome == TRANSFER_RESTING && call_job(call);
    failure_t failure = { .code = s_code(result),
                          .retry_after_ms = is_own_pace ? 0 : result->retry_after_ms };
    snprintf(failure.detail, sizeof failure.detail, "%s", result->why);
    return failure;
}

void outlet_fail(call_t *call, const transferred_t *result)
{
    failure_t failure = outlet_failure(call, result);
    failure.is_outside = true;
    call_fail_with(call, &failure);
}

void outlet_fail_field(call_t *call, const char *pointer, const char *why)
{
    schema_errors_t *errors = arena_alloc(call_arena(call), sizeof *errors);
    failure_t failure = { .code = ERROR_VALIDATION_FAILED, .fields = errors };
    errors->count = 1;
    snprintf(errors->list[0].pointer, sizeof errors->list[0].pointer, "%s", pointer);
    snprintf(errors->list[0].why, sizeof errors->list[0].why, "%s", why);
    call_fail_with(call, &failure);
}

bool outlet_require_url(call_t *call, const char *field, url_t *url)
{
    char why[URL_WHY_SIZE];
    const char *text = call_text(call, field);
    if (text && url_read(url, text, URL_WEB, why))
        return true;
    outlet_fail_field(call, arena_format(call_arena(call), "/%s", field),
                      text ? why : "This is missing");
    return false;
}

bool outlet_require_outside(const outlet_t *self, call_t *call, const char *field, url_t *url)
{
    arena_t *arena = call_arena(call);
    if (!outlet_require_url(call, field, url))
        return false;
    const char *refusal = url->is_address ? outbound_refusal(self->outbound, &url->address) : NULL;
    if (refusal)
        outlet_fail_field(
            call, arena_format(arena, "/%s", field),
            arena_format(arena, "%s is %s, which is not called from here", url->host, refusal));
    return !refusal;
}
