/* SPDX-License-Identifier: MPL-2.0
 *
 * jobs_snapshot - jobs under constant load while somebody holds an old snapshot of the database
 */
#include "config.h"

#include <stdatomic.h>
#include <stdio.h>

#include <libpq-fe.h>

#include "actors/base/clock.h"
#include "tests/bench/service.h"
#include "tests/bench/jobs_snapshot.h"

#define DEPTH     2000 /* jobs that wait or run at any moment */
#define IN_FLIGHT 512  /* requests that are being answered */
#define WARM_MS   2000
#define PIECES    6 /* of a part, so that a slowdown within it shows */

typedef struct {
    system_t system;
    atomic_llong enqueued, answered; /* requests, and those that were answered */
    size_t client;
} load_t;

static void s_on_answer(void *arg, answer_t *answer)
{
    load_t *self = arg;
    insist(answer->failure.code == ERROR_NONE || answer->failure.code == ERROR_CANCELLED);
    atomic_fetch_add(&self->answered, 1);
}

static int64_t s_done(load_t *self)
{
    return stats_get(actor_stats(self->system.jobs), JOBS_SUCCEEDED);
}

/* Keeps the queue as full as it is to be for a time; how many jobs were done. */
static int64_t s_load(load_t *self, uint64_t ms)
{
    const int64_t before = s_done(self);
    const uint64_t until_ms = clock_ms() + ms;
    while (clock_ms() < until_ms) {
        while (self->enqueued - s_done(self) < DEPTH &&
               self->enqueued - self->answered < IN_FLIGHT) {
            self->enqueued++;
            system_enqueue(&self->system, self->client++ % SYSTEM_CLIENTS, s_on_answer, self);
        }
        clock_sleep_ms(1);
    }
    return s_done(self) - before;
}

typedef struct {
    int64_t pieces[PIECES], all;
} part_t;

static void s_run_part(load_t *self, const char *name, uint64_t seconds, part_t *part)
{
    const uint64_t cpu_us = clock_cpu_us(), wall_us = clock_us();
    part->all = 0;
    for (int i = 0; i < PIECES; i++) {
        part->pieces[i] = s_load(self, seconds * 1000 / PIECES);
        part->all += part->pieces[i];
    }
    bench_print("jobs", name, (uint64_t)part->all, clock_us() - wall_us,
                (double)(clock_cpu_us() - cpu_us) / (double)part->all);
}

static PGconn *s_hold_snapshot(const char *url)
{
    PGconn *server = PQconnectdb(url);
    PQclear(PQexec(server, "BEGIN ISOLATION LEVEL REPEATABLE READ"));
    PGresult *result = PQexec(server, "SELECT count(*) FROM " SYSTEM_SERVICE ".job");
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        die("%s", PQerrorMessage(server));
    PQclear(result);
    return server;
}

void bench_snapshot(const place_t *place)
{
    static load_t load;
    part_t before, held, after;
    const uint64_t seconds = bench_number("SECONDS", 60);
    system_start(&load.system, place);
    s_load(&load, WARM_MS);
    s_run_part(&load, "postgres-snapshot-before", seconds, &before);
    PGconn *holder = s_hold_snapshot(place->storage.database);
    s_run_part(&load, "postgres-snapshot-held", seconds, &held);
    PQfinish(holder);
    s_load(&load, WARM_MS);
    s_run_part(&load, "postgres-snapshot-after", seconds, &after);
    const double free = (double)(before.all + after.all) / 2;
    printf("{\"bench\":\"jobs\",\"case\":\"postgres-snapshot\",\"seconds\":%llu,"
           "\"ratio\":%.3f,\"last_ratio\":%.3f}\n",
           (unsigned long long)seconds, (double)held.all / free,
           (double)held.pieces[PIECES - 1] * PIECES / free);
    fflush(stdout);
    system_stop(&load.system);
}
