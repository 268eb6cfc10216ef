/* SPDX-License-Identifier: MPL-2.0
 *
 * outbound - calls to the outside: their life, and what other threads ask for
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "actors/jobs/outbound/outbound_state.h"

const char *const transfer_outcome_names[] = {
    [TRANSFER_ANSWERED] = "answered",     [TRANSFER_FENCED] = "fenced",
    [TRANSFER_UNRESOLVED] = "unresolved", [TRANSFER_UNREACHABLE] = "unreachable",
    [TRANSFER_UNTRUSTED] = "untrusted",   [TRANSFER_TIMEOUT] = "timeout",
    [TRANSFER_BROKEN] = "broken",         [TRANSFER_RESTING] = "resting",
    [TRANSFER_CANCELLED] = "cancelled",
};

static void s_on_lookup(void *arg, lookup_t *lookup)
{
    outbound_t *self = arg;
    bool good = queue_push(&self->resolved, &lookup->item);
    insist(good && "there is room for every look-up");
}

static void s_init_library(void)
{
    insist(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

outbound_t *outbound_open(const outbound_config_t *config, char *why, size_t why_size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    outbound_t *self = mem_zeroed(sizeof *self);
    size_t most = (size_t)(outbound_settings.in_flight + outbound_settings.waiting);
    self->config = *config;
    if (!fence_read(&self->fence, outbound_settings.allow, why, why_size)) {
        mem_free(self);
        return NULL;
    }
    pthread_once(&once, s_init_library);
    queue_init(&self->incoming, most, true);
    queue_init(&self->resolved, SIZE_MAX, true); /* as many as there are flights */
    self->resolver =
        resolver_new((size_t)outbound_settings.resolvers, most,
                     config->resolve ? config->resolve : resolver_ask_system, s_on_lookup, self);
    self->multi = curl_multi_init();
    insist(self->multi);
    wheel_init(&self->due, clock_ms());
    TAILQ_INIT(&self->waiting);
    TAILQ_INIT(&self->active);
    insist(pthread_create(&self->thread, NULL, outbound_carry, self) == 0);
    return self;
}

void outbound_close(outbound_t **self_p)
{
    outbound_t *self = *self_p;
    queue_item_t *next;
    *self_p = NULL;
    if (!self)
        return;
    atomic_store(&self->is_stopping, true);
    curl_multi_wakeup(self->multi);
    pthread_join(self->thread, NULL);
    outbound_end_all(self); /* what came while the thread was leaving */
    resolver_destroy(&self->resolver);
    for (queue_item_t *item = queue_take_all(&self->resolved); item; item = next) {
        next = item->next;
        mem_free(CONTAINER_OF(item, lookup_t, item));
    }
    curl_multi_cleanup(self->multi);
    queue_free(&self->incoming);
    queue_free(&self->resolved);
    mem_free(self);
}

const char *outbound_refusal(const outbound_t *self, const address_t *address)
{
    return fence_refusal(&self->fence, address);
}

bool outbound_send(outbound_t *self, const transfer_t *transfer)
{
    int64_t most = outbound_settings.in_flight + outbound_settings.waiting;
    if (atomic_fetch_add(&self->load, 1) >= most || atomic_load(&self->is_stopping)) {
        atomic_fetch_sub(&self->load, 1);
        outbound_count(self, OUTBOUND_REFUSED, 1);
        return false;
    }
    flight_t *flight = flight_new(transfer);
    outbound_count(self, OUTBOUND_CALLS, 1);
    if (queue_push(&self->incoming, &flight->item))
        return true;
    insist(false && "there is room for every flight");
    return false;
}
