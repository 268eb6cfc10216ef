/* SPDX-License-Identifier: MPL-2.0
 *
 * probe - how the services say they are
 */
#include "config.h"

#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/text.h"
#include "edge/probe.h"

#define METHOD "_health"

/* One answer that is waited for. */
typedef struct {
    probe_t *probe;
    sem_t *ended;
    uint64_t began_us;
} asked_t;

void probes_init(probes_t *self)
{
    *self = (probes_t){ 0 };
    pthread_mutex_init(&self->mutex, NULL);
}

void probes_free(probes_t *self)
{
    pthread_mutex_destroy(&self->mutex);
    mem_free(self->list);
}

/* ---- reading -------------------------------------------------------------------------------- */

static health_t s_health(const value_t *map)
{
    const value_t *status = value_get(map, "status");
    return value_is(status, "ok") ? HEALTHY : value_is(status, "warning") ? DEGRADED : UNHEALTHY;
}

static void s_copy_text(char *to, size_t room, const value_t *map, const char *key)
{
    size_t size;
    const char *text = value_get_text(map, key, &size);
    text_copy_utf8(to, room, text ? text : "", text ? size : 0);
}

static void s_keep_check(probe_t *self, const value_t *check)
{
    if (self->check_count == PROBE_CHECKS_MAX)
        return;
    probe_check_t *kept = &self->checks[self->check_count++];
    int64_t took_us = value_get_int(check, "latency_us", 0);
    kept->health = s_health(check);
    kept->took_us = took_us > 0 ? (uint64_t)took_us : 0;
    s_copy_text(kept->name, sizeof kept->name, check, "name");
    s_copy_text(kept->message, sizeof kept->message, check, "message");
}

void probe_read(probe_t *self, const void *reply, size_t size)
{
    arena_t arena = { 0 };
    value_verdict_t verdict;
    size_t used = 0;
    const value_t *map = value_parse(&arena, reply, size, VALUE_LIMITS, &verdict);
    const value_t *checks = value_get(map, "checks"), *check;
    self->why[0] = '\0';
    self->health = s_health(map);
    self->check_count = 0;
    for (uint32_t i = 0; (check = value_item(checks, i)); i++) {
        health_t health = s_health(check);
        size_t name_size;
        const char *name = value_get_text(check, "name", &name_size);
        s_keep_check(self, check);
        if (health > self->health)
            self->health = health;
        if (health == HEALTHY || !name || used >= sizeof self->why)
            continue;
        used += (size_t)snprintf(self->why + used, sizeof self->why - used, "%sits %.*s %s",
                                 used ? ", " : "", (int)(name_size < 60 ? name_size : 60), name,
                                 health == DEGRADED ? "is not as it should be"
                                                    : "cannot be reached or does not work");
    }
    if (self->health != HEALTHY && !self->why[0])
        snprintf(self->why, sizeof self->why, "it says it is not well");
    arena_free(&arena);
}

/* ---- asking --------------------------------------------------------------------------------- */

/* That it did not answer is no proof: it may be busy. */
static void s_note_failure(probe_t *self, const failure_t *failure)
{
    self->health = DEGRADED;
    self->is_missing = failure->code == ERROR_NO_SERVICE || failure->code == ERROR_NO_INSTANCE;
    snprintf(self->why, sizeof self->why, "it was asked how it is, and: %.120s",
             failure->detail[0] ? failure->detail : error_row(failure->code)->sentence);
}

static void s_on_answer(void *arg, answer_t *answer)
{
    asked_t *asked = arg;
    probe_t *probe = asked->probe;
    probe->took_us = clock_us() - asked->began_us;
    if (answer->failure.code == ERROR_NONE)
        probe_read(probe, answer_bytes(answer), answer_size(answer));
    else
        s_note_failure(probe, &answer->failure);
    sem_post(asked->ended);
}

static void s_ask(asked_t *asked, client_t *bus)
{
    const client_request_t request = { .service = asked->probe->service,
                                       .method = METHOD,
                                       .deadline_ms = PROBE_DEADLINE_MS,
                                       .flags = FRAME_IDEMPOTENT };
    asked->began_us = clock_us();
    client_send(bus, &request, s_on_answer, asked);
}

static bool s_answers(const offer_t *offer)
{
    return offer->is_live &&
           descriptor_method(offer->described->descriptor, METHOD, strlen(METHOD));
}

/* Every call ends, and soon: all of them are waited for. */
static void s_ask_all(probes_t *self, client_t *bus, const routing_t *routing)
{
    size_t count;
    sem_t ended;
    const offer_t *offers = routing_offers(routing, &count);
    asked_t *asked = mem_array(count, sizeof *asked);
    mem_free(self->list);
    self->list = mem_array(count, sizeof *self->list);
    self->count = 0;
    sem_init(&ended, 0, 0);
    for (size_t i = 0; i < count; i++) {
        if (!s_answers(&offers[i]))
            continue;
        const char *name = offers[i].described->descriptor->service;
        probe_t *probe = &self->list[self->count];
        text_copy(probe->service, sizeof probe->service, name, strlen(name));
        asked[self->count++] = (asked_t){ .probe = probe, .ended = &ended };
    }
    for (size_t i = 0; i < self->count; i++)
        s_ask(&asked[i], bus);
    for (size_t i = 0; i < self->count;)
        i += sem_wait(&ended) == 0;
    sem_destroy(&ended);
    mem_free(asked);
}

void probes_begin(probes_t *self, client_t *bus, const routing_t *routing)
{
    pthread_mutex_lock(&self->mutex);
    if (self->asked_ms && clock_ms() - self->asked_ms < PROBE_KEPT_MS)
        return;
    s_ask_all(self, bus, routing);
    self->asked_ms = clock_ms();
}

const probe_t *probes_find(const probes_t *self, const char *service)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->list[i].service, service) == 0)
            return &self->list[i];
    return NULL;
}

void probes_end(probes_t *self)
{
    pthread_mutex_unlock(&self->mutex);
}

void probes_forget(probes_t *self)
{
    pthread_mutex_lock(&self->mutex);
    self->asked_ms = 0;
    pthread_mutex_unlock(&self->mutex);
}
