/* SPDX-License-Identifier: MPL-2.0
 *
 * service - a broker and one actor in a process of their own, and a client that reaches them
 */
#ifndef SIGNALBOX_BENCH_SERVICE_H
#define SIGNALBOX_BENCH_SERVICE_H

#include "actors/runtime/actor.h"
#include "tests/bench/bench.h"

typedef struct {
    const actor_spec_t *spec;
    char folder[64], requests[96], events[96];
    pid_t pid;
    void *context;
    client_t *client;
} bench_service_t;

/* Fills what `rows` describe with their presets. */
void bench_presets(const setting_t *rows, void *target);

/* Starts both, over ipc, with presets and with data in a folder that is new, and connects: the
 * broker answers, the actor is about to. */
void bench_service_start(bench_service_t *self, const actor_spec_t *spec);

/* Ends all of it and removes the folder; the CPU time the process used, in microseconds. */
uint64_t bench_service_stop(bench_service_t *self);

#endif
