/* SPDX-License-Identifier: MPL-2.0
 *
 * beside - another actor on the bus of a stage: a real one, or one method that the test plays
 *
 * What it keeps, it keeps in a file of its own.
 */
#ifndef SIGNALBOX_TEST_BESIDE_H
#define SIGNALBOX_TEST_BESIDE_H

#include "tests/kit/stage.h"

#define BESIDE_THREADS 4

typedef struct {
    actor_settings_t settings;
    db_settings_t storage;
    actor_config_t config; /* borrowed by the actor, as all above */
    const method_t *methods[2];
    service_t service;
    handler_t handlers[2];
    actor_spec_t spec; /* of a service that is played */
    actor_t *actor;    /* NULL: not there */
} beside_t;

/* Starts it; its own settings are what the test has made them. */
static inline void beside_start(beside_t *self, const stage_t *stage, const actor_spec_t *spec)
{
    char why[300];
    bus_presets(actor_setting_rows, &self->settings);
    self->settings.threads = BESIDE_THREADS;
    self->storage = stage->place.settings;
    self->storage.database = self->storage.redis = "";
    self->config = (actor_config_t){ .actor = &self->settings,
                                     .bus = &stage->bus.bus,
                                     .storage = &self->storage };
    self->actor =
        actor_start(stage->bus.context, spec, &self->config, DB_MIGRATE_APPLY, why, sizeof why);
    if (!self->actor)
        die("%s", why);
}

/* Starts a service of this name whose one method the test answers. */
static inline void beside_play(beside_t *self, const stage_t *stage, const service_t *service,
                               const method_t *method, void (*handle)(call_t *call, void *self))
{
    self->methods[0] = method;
    self->service = *service;
    self->service.methods = self->methods;
    self->handlers[0] = (handler_t){ method, handle, HANDLE_POOL };
    self->spec =
        (actor_spec_t){ .service = &self->service, .self_size = 1, .handlers = self->handlers };
    beside_start(self, stage, &self->spec);
}

static inline void beside_stop(beside_t *self)
{
    if (self->actor)
        actor_stop(&self->actor);
}

#endif
