/* SPDX-License-Identifier: MPL-2.0
 *
 * carry - the thread that carries transfers, from the queue to their end
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/jobs/outbound/outbound_state.h"

#define IDLE_MS   1000 /* how long nothing need be looked at */
#define CANCEL_MS 100  /* how late it may be noticed that nobody waits any more */

_Static_assert(OUTBOUND_CANCELLED - OUTBOUND_ANSWERED == TRANSFER_CANCELLED,
               "a row for each outcome, in their order");

/* ---- the end of a flight --------------------------------------------------------------------- */

/* Whether it had less time than connecting alone may take: that there was no answer says more about
 * who wanted one so soon. */
static bool s_is_hasty(const flight_t *flight)
{
    return flight->total_ms < (uint32_t)outbound_settings.connect_ms;
}

/* What the outcome says of the other side, if anything. */
static void s_report(outbound_t *self, const flight_t *flight)
{
    transfer_outcome_t outcome = flight->result.outcome;
    bool success = outcome == TRANSFER_ANSWERED && flight->result.status < 500;
    if (outcome == TRANSFER_FENCED || outcome == TRANSFER_RESTING || outcome == TRANSFER_CANCELLED)
        return;
    if (flight->what.is_look || (outcome == TRANSFER_TIMEOUT && s_is_hasty(flight)))
        return;
    if (!hosts_report(self->config.hosts, flight->url.target, success, clock_ms(), clock_wall_ms()))
        return;
    outbound_count(self, OUTBOUND_BREAKERS_CHANGED, 1);
    LOG(success ? LOG_INFO : LOG_WARN, success ? "outbound.recovered" : "outbound.resting",
        LOG_TEXT("host", flight->url.target), LOG_TEXT("why", flight->result.why));
    if (self->config.changed)
        self->config.changed(self->config.arg);
}

/* Leaves the host and libcurl: what follows is the next hop, or the end. Once more does nothing. */
static void s_land(outbound_t *self, flight_t *flight)
{
    if (flight->easy)
        curl_multi_remove_handle(self->multi, flight->easy);
    if (flight->lookup)
        flight->lookup->owner = NULL;
    flight->lookup = NULL;
    if (flight->has_entered) {
        s_report(self, flight);
        hosts_leave(self->config.hosts, flight->url.target);
    }
    flight->has_entered = false;
}

static void s_finish(outbound_t *self, flight_t *flight)
{
    transferred_t *result = &flight->result;
    result->total_us = clock_us() - flight->sent_us;
    wheel_remove(&self->due, &flight->timer);
    outbound_count(self, OUTBOUND_ANSWERED + (outbound_stat_t)result->outcome, 1);
    outbound_count(self, OUTBOUND_RECEIVED_BYTES, (int64_t)result->body_size);
    stats_record(self->config.stats, OUTBOUND_TIME, result->total_us);
    atomic_fetch_sub(&self->load, 1);
    flight->what.done(flight->what.arg, result);
    flight_free(flight);
}

static void s_end(outbound_t *self, flight_t *flight, transfer_outcome_t outcome, const char *why)
{
    flight->result.outcome = outcome;
    if (why)
        snprintf(flight->result.why, sizeof flight->result.why, "%s", why);
    s_land(self, flight);
    TAILQ_REMOVE(&self->active, flight, entry);
    self->active_count--;
    s_finish(self, flight);
}

static void s_end_waiting(outbound_t *self, flight_t *flight, transfer_outcome_t outcome,
                          const char *why)
{
    flight->result.outcome = outcome;
    snprintf(flight->result.why, sizeof flight->result.why, "%s", why);
    TAILQ_REMOVE(&self->waiting, flight, entry);
    s_finish(self, flight);
}

/* ---- beginning ------------------------------------------------------------------------------- */

static void s_connect(outbound_t *self, flight_t *flight, const addresses_t *addresses)
{
    flight->result.dns_us = clock_us() - flight->hop_us;
    for (size_t i = 0; !flight->what.is_trusted && i < addresses->count; i++) {
        const char *refusal = fence_refusal(&self->fence, &addresses->list[i]);
        if (!refusal)
            continue;
        /* a name that also leads inside is not to be trusted with the rest */
        char why[sizeof flight->result.why];
        snprintf(why, sizeof why, "%.100s is %s", flight->url.host, refusal);
        s_end(self, flight, TRANSFER_FENCED, why);
        return;
    }
    flight_prepare(flight, addresses);
    outbound_count(self, OUTBOUND_SENT_BYTES, (int64_t)flight->what.size);
    insist(curl_multi_add_handle(self->multi, flight->easy) == CURLM_OK);
}

/* Looks the host up, unless it is an address. */
static void s_resolve(outbound_t *self, flight_t *flight)
{
    if (flight->url.is_address) {
        const addresses_t only = { .list = { flight->url.address }, .count = 1 };
        s_connect(self, flight, &only);
        return;
    }
    lookup_t *lookup = mem_zeroed(sizeof *lookup);
    memcpy(lookup->host, flight->url.host, sizeof lookup->host);
    lookup->owner = flight;
    flight->lookup = lookup;
    if (resolver_ask(self->resolver, lookup))
        return;
    flight->lookup = NULL;
    mem_free(lookup);
    hosts_leave(self->config.hosts, flight->url.target); /* no fault of the host's */
    flight->has_entered = false;
    s_end(self, flight, TRANSFER_UNRESOLVED, "Too many names wait to be looked up");
}

static void s_on_resolved(outbound_t *self, lookup_t *lookup)
{
    flight_t *flight = lookup->owner;
    if (flight) {
        flight->lookup = NULL;
        if (lookup->found.count > 0) {
            s_connect(self, flight, &lookup->found);
        } else {
            char why[sizeof flight->result.why];
            snprintf(why, sizeof why, "%.100s cannot be found: %s", lookup->host,
                     lookup->found.why);
            s_end(self, flight, TRANSFER_UNRESOLVED, why);
        }
    }
    mem_free(lookup);
}

/* Whether the host may be called now. */
static host_verdict_t s_ask(outbound_t *self, const flight_t *flight, uint32_t *wait_ms)
{
    hosts_t *hosts = self->config.hosts;
    const uint32_t per_host = (uint32_t)outbound_settings.per_host;
    return flight->what.is_look
               ? hosts_look(hosts, flight->url.target, per_host, wait_ms)
               : hosts_enter(hosts, flight->url.target, per_host, clock_ms(), wait_ms);
}

/* A flight among the active begins a hop, or ends; when its host is busy it waits again. */
static void s_enter(outbound_t *self, flight_t *flight)
{
    uint32_t wait_ms;
    if (outbound_settings.https_only && flight->what.verb && !flight->url.is_tls) {
        s_end(self, flight, TRANSFER_FENCED, "Only https is called (outbound.https_only)");
        return;
    }
    switch (s_ask(self, flight, &wait_ms)) {
    case HOST_GO:
        flight->has_entered = true;
        s_resolve(self, flight);
        break;
    case HOST_RESTING:
        flight->result.retry_after_ms = wait_ms;
        flight->result.is_unbegun = flight->hops == 0;
        s_end(self, flight, TRANSFER_RESTING,
              "The host has failed several times and is not called for a moment");
        break;
    case HOST_BUSY:
        TAILQ_REMOVE(&self->active, flight, entry);
        self->active_count--;
        TAILQ_INSERT_TAIL(&self->waiting, flight, entry);
        break;
    }
}

/* Begins what may begin: the oldest first, past those whose host is busy. */
static void s_begin_waiting(outbound_t *self)
{
    flight_t *flight = TAILQ_FIRST(&self->waiting), *last = TAILQ_LAST(&self->waiting, flights);
    while (flight && self->active_count < (size_t)outbound_settings.in_flight) {
        flight_t *next = flight == last ? NULL : TAILQ_NEXT(flight, entry);
        TAILQ_REMOVE(&self->waiting, flight, entry);
        TAILQ_INSERT_TAIL(&self->active, flight, entry);
        self->active_count++;
        flight->hop_us = clock_us();
        s_enter(self, flight);
        flight = next;
    }
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void s_take_incoming(outbound_t *self)
{
    queue_item_t *next;
    for (queue_item_t *item = queue_take_all(&self->incoming); item; item = next) {
        flight_t *flight = CONTAINER_OF(item, flight_t, item);
        next = item->next;
        flight->fence = &self->fence;
        TAILQ_INSERT_TAIL(&self->waiting, flight, entry);
        wheel_add(&self->due, &flight->timer, flight->sent_us / 1000 + flight->total_ms);
    }
}

static void s_take_resolved(outbound_t *self)
{
    queue_item_t *next;
    for (queue_item_t *item = queue_take_all(&self->resolved); item; item = next) {
        next = item->next;
        s_on_resolved(self, CONTAINER_OF(item, lookup_t, item));
    }
}

static void s_take_done(outbound_t *self)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(self->multi, &left))) {
        char *private = NULL;
        CURLcode code = message->data.result; /* the message goes with the handle */
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        flight_t *flight = (flight_t *)(void *)private;
        flight_read(flight, code);
        s_land(self, flight);
        if (flight_turn(flight)) {
            outbound_count(self, OUTBOUND_REDIRECTS, 1);
            s_enter(self, flight);
        } else {
            s_end(self, flight, flight->result.outcome, NULL);
        }
    }
}

/* How far it had come, for whoever wonders why it took so long. */
static const char *s_phase(const flight_t *flight)
{
    if (flight->lookup)
        return "looking the host up";
    curl_off_t connected_us = 0;
    if (flight->easy)
        curl_easy_getinfo(flight->easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
    return connected_us > 0 ? "waiting for the answer" : "connecting";
}

static void s_take_expired(outbound_t *self)
{
    wheel_timer_t *timer;
    char why[sizeof(((transferred_t *)0)->why)];
    while ((timer = wheel_expired(&self->due, clock_ms()))) {
        flight_t *flight = CONTAINER_OF(timer, flight_t, timer);
        bool is_active = flight->has_entered;
        snprintf(why, sizeof why, "No answer of %.100s within %u ms, %s", flight->url.target,
                 flight->total_ms, is_active ? s_phase(flight) : "waiting for a turn");
        flight->result.is_unbegun = !is_active && flight->hops == 0;
        if (is_active)
            s_end(self, flight, TRANSFER_TIMEOUT, why);
        else
            s_end_waiting(self, flight, TRANSFER_TIMEOUT, why);
    }
}

static void s_drop_unwanted(outbound_t *self)
{
    static const char why[] = "The caller has given it up";
    flight_t *flight, *next;
    for (flight = TAILQ_FIRST(&self->active); flight; flight = next) {
        next = TAILQ_NEXT(flight, entry);
        if (flight->what.call && call_is_cancelled(flight->what.call))
            s_end(self, flight, TRANSFER_CANCELLED, why);
    }
    for (flight = TAILQ_FIRST(&self->waiting); flight; flight = next) {
        next = TAILQ_NEXT(flight, entry);
        if (flight->what.call && call_is_cancelled(flight->what.call))
            s_end_waiting(self, flight, TRANSFER_CANCELLED, why);
    }
}

static void s_wait(outbound_t *self)
{
    struct curl_waitfd others[] = {
        { .fd = queue_fd(&self->incoming), .events = CURL_WAIT_POLLIN },
        { .fd = queue_fd(&self->resolved), .events = CURL_WAIT_POLLIN },
    };
    bool is_idle = TAILQ_EMPTY(&self->active) && TAILQ_EMPTY(&self->waiting);
    uint32_t wait_ms = wheel_wait(&self->due, clock_ms(), is_idle ? IDLE_MS : CANCEL_MS);
    stats_set(self->config.stats, OUTBOUND_ACTIVE, (int64_t)self->active_count);
    stats_set(self->config.stats, OUTBOUND_WAITING,
              atomic_load(&self->load) - (int64_t)self->active_count);
    curl_multi_poll(self->multi, others, COUNT_OF(others), (int)wait_ms, NULL);
}

void outbound_end_all(outbound_t *self)
{
    static const char why[] = "The instance is leaving";
    flight_t *flight;
    s_take_incoming(self);
    while ((flight = TAILQ_FIRST(&self->active)))
        s_end(self, flight, TRANSFER_CANCELLED, why);
    while ((flight = TAILQ_FIRST(&self->waiting)))
        s_end_waiting(self, flight, TRANSFER_CANCELLED, why);
}

void *outbound_carry(void *arg)
{
    outbound_t *self = arg;
    int running;
    log_set_part("outbound");
    while (!atomic_load(&self->is_stopping)) {
        s_take_incoming(self);
        s_take_resolved(self);
        curl_multi_perform(self->multi, &running);
        s_take_done(self);
        s_take_expired(self);
        s_drop_unwanted(self);
        s_begin_waiting(self);
        s_wait(self);
    }
    outbound_end_all(self);
    return NULL;
}
