/* SPDX-License-Identifier: MPL-2.0
 *
 * edge_system - the whole of Signalbox, as users run it, for edge_bench to ask
 *
 * The program `signalbox` of the build folder: all in one process, or broker, edge and each actor
 * as processes of their own over ipc, with default settings, in a folder of its own. With
 * TEST_POSTGRES_URL in the environment the data is there, else in SQLite files.
 */
#ifndef SIGNALBOX_BENCH_EDGE_SYSTEM_H
#define SIGNALBOX_BENCH_EDGE_SYSTEM_H

#include <stdio.h>

#include "tests/bench/bench.h"

#define SYSTEM_PARTS 9

typedef struct {
    const char *name; /* "edge" */
    int pid;
    FILE *output;
    uint64_t cpu_us; /* at the last mark */
} system_part_t;

typedef struct {
    system_part_t parts[SYSTEM_PARTS];
    size_t count;
    unsigned port;
    uint64_t database_cpu_us; /* at the last mark */
} system_t;

typedef enum {
    SYSTEM_PROCESSES,
    SYSTEM_ONE_PROCESS,
    SYSTEM_UNTOLD, /* processes that tell nobody what they count, and no spans */
    SYSTEM_SILENT, /* that log nothing, either */
} system_form_t;

/* Starts it, with limits that are counted and never reached. */
void system_start(system_t *self, system_form_t form);
void system_stop(system_t *self);

/* Notes how much CPU time each process has used. */
void system_mark(system_t *self);

/* What the processes used since the mark, and the memory they hold (PSS), part by part; with the
 * database server, if BENCH_POSTGRES_PID says which it is. How many there are. */
size_t system_measure(const system_t *self, bench_part_t parts[SYSTEM_PARTS]);

#endif
