/* SPDX-License-Identifier: MPL-2.0
 *
 * actor_describe - an actor's service with the runtime's own methods, as the descriptor that the
 * brokers get and as the table of handlers
 */
#include "config.h"

#include <stdio.h>

#include "actors/runtime/state.h"

/* How many of the handlers are the method's, and the last of them. */
static size_t s_find_handlers(const handler_t *at, const method_t *method, const handler_t **found)
{
    size_t count = 0;
    for (; at->method; at++)
        if (at->method == method) {
            *found = at;
            count++;
        }
    return count;
}

static bool s_has_method(const service_t *service, const method_t *method)
{
    size_t i = 0;
    while (service->methods[i] && service->methods[i] != method)
        i++;
    return service->methods[i] != NULL;
}

/* Every method has one handler and every handler a method: contract and code cannot part. */
static bool s_bind_handlers(actor_t *self, const service_t *service, char *why, size_t why_size)
{
    static const handler_t own[] = { { &runtime_health, runtime_on_health, HANDLE_POOL },
                                     { &runtime_stats, runtime_on_stats, HANDLE_POOL },
                                     { 0 } };
    for (size_t i = 0; service->methods[i]; i++) {
        const method_t *method = service->methods[i];
        const handler_t *found = NULL;
        size_t count = s_find_handlers(own, method, &found) +
                       s_find_handlers(self->spec->handlers, method, &found);
        if (count != 1) {
            snprintf(why, why_size, "the method '%s' has %s", method->name,
                     count ? "two handlers" : "no handler");
            return false;
        }
        self->handlers[i] = *found;
    }
    for (const handler_t *at = self->spec->handlers; at->method; at++)
        if (!s_has_method(service, at->method)) {
            snprintf(why, why_size, "the method '%s' is handled, but the service does not have it",
                     at->method->name);
            return false;
        }
    return true;
}

bool actor_describe(actor_t *self, char *why, size_t why_size)
{
    const service_t *service = self->spec->service;
    const method_t *methods[ACTOR_HANDLERS_MAX + 1];
    size_t count = 0;
    while (service->methods[count] && count < ACTOR_HANDLERS_MAX - 2) {
        methods[count] = service->methods[count];
        count++;
    }
    methods[count++] = &runtime_health;
    methods[count++] = &runtime_stats;
    methods[count] = NULL;
    service_t full = *service;
    full.methods = methods;

    char refusal[DESCRIPTOR_WHY_SIZE];
    buf_t bytes = { 0 };
    pack_t pack;
    pack_init(&pack, &bytes);
    descriptor_write(&full, &pack);
    self->descriptor = descriptor_read(bytes.bytes, bytes.size, refusal);
    buf_free(&bytes);
    if (!self->descriptor) {
        snprintf(why, why_size, "the service '%s' is not described well: %s", service->name,
                 refusal);
        return false;
    }
    return s_bind_handlers(self, &full, why, why_size);
}
