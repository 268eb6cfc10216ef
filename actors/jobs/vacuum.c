/* SPDX-License-Identifier: MPL-2.0
 *
 * vacuum - reclaims what jobs that ended leave in the database
 */
#include "config.h"

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/base/monitor.h"
#include "actors/jobs/store.h"
#include "actors/jobs/vacuum.h"
#include "proto/jobs.h"

#define ENDED_MOST 20000 /* jobs that may end before it is due */
#define REST_MS    10000 /* from one to the next, */
#define REST_SHARE 50    /* or so many times what it took */

struct vacuum {
    db_t *db;
    const char *instance;
    pthread_t thread;

    monitor_t monitor; /* over what follows */
    size_t ended;      /* since the last one */
    uint64_t rest_until_ms;
    bool is_over;
};

/* Waits until it is due; false when it is over. */
static bool s_wait(vacuum_t *self)
{
    monitor_lock(&self->monitor);
    while (!self->is_over && (self->ended < ENDED_MOST || clock_ms() < self->rest_until_ms))
        monitor_wait_until(&self->monitor,
                           self->ended < ENDED_MOST ? UINT64_MAX : self->rest_until_ms);
    self->ended = 0;
    bool goes_on = !self->is_over;
    monitor_unlock(&self->monitor);
    return goes_on;
}

static void s_vacuum(vacuum_t *self)
{
    db_conn_t *conn = db_conn(self->db);
    const uint64_t begun_ms = clock_ms();
    if (!conn || jobs_store_vacuum(conn) != DB_OK)
        LOG(LOG_WARN, "jobs.vacuum_failed", LOG_TEXT("instance", self->instance));
    const uint64_t now_ms = clock_ms(), rest_ms = (now_ms - begun_ms) * REST_SHARE;
    monitor_lock(&self->monitor);
    self->rest_until_ms = now_ms + (rest_ms > REST_MS ? rest_ms : REST_MS);
    monitor_unlock(&self->monitor);
}

static void *s_run(void *arg)
{
    vacuum_t *self = arg;
    log_set_part(jobs_service.name);
    while (s_wait(self))
        s_vacuum(self);
    return NULL;
}

vacuum_t *vacuum_new(db_t *db, const char *instance)
{
    vacuum_t *self = mem_zeroed(sizeof *self);
    self->db = db;
    self->instance = instance;
    monitor_init(&self->monitor);
    insist(pthread_create(&self->thread, NULL, s_run, self) == 0);
    return self;
}

void vacuum_destroy(vacuum_t **self_p)
{
    vacuum_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    monitor_lock(&self->monitor);
    self->is_over = true;
    monitor_wake(&self->monitor);
    monitor_unlock(&self->monitor);
    pthread_join(self->thread, NULL);
    monitor_free(&self->monitor);
    mem_free(self);
}

void vacuum_add(vacuum_t *self, size_t ended)
{
    monitor_lock(&self->monitor);
    self->ended += ended;
    if (self->ended >= ENDED_MOST)
        monitor_wake(&self->monitor);
    monitor_unlock(&self->monitor);
}
