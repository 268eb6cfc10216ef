/* SPDX-License-Identifier: MPL-2.0
 *
 * bench - what the benchmarks share: processes of their own, CPU time, one JSON line a case
 *
 * Wall time depends on what else the machine does; CPU time of one process hardly does, so both are
 * printed, and every run has a control case beside ours.
 */
#ifndef SIGNALBOX_BENCH_H
#define SIGNALBOX_BENCH_H

#include "actors/base/base.h"

/* Runs `body(arg)` in a process of its own; returns its pid. */
pid_t bench_fork(void (*body)(void *arg), void *arg);

/* Waits for a child that was told to end (or is killed with `signal_number` first, when not 0) and
 * returns the CPU time it used, in microseconds. */
uint64_t bench_reap(pid_t pid, int signal_number);

/* One line on standard output: {"bench":...,"case":...,"operations":...,"per_second":...,
 * "cpu_us":...}. `cpu_us` is CPU time per operation of the process under test; 0 leaves it out. */
void bench_print(const char *bench, const char *name, uint64_t operations, uint64_t wall_us,
                 double cpu_us);

/* What one process of several used for a case. */
typedef struct {
    const char *name;
    uint64_t cpu_us;  /* in all */
    uint64_t pss_kib; /* memory it holds, its share of what others hold, too; 0: not counted */
} bench_part_t;

/* The same of several processes: `cpu_us` is that of all together, and `parts` each one's. */
void bench_print_parts(const char *bench, const char *name, uint64_t operations, uint64_t wall_us,
                       const bench_part_t *parts, size_t count);

/* The same for calls one after the other: besides, `p50_us`, the time in the middle, which what
 * else the machine does moves less than the mean. Sorts the times. */
void bench_print_times(const char *bench, const char *name, uint64_t *times_us, size_t count);

/* Removes a folder of files. */
void bench_remove_folder(const char *path);

/* For what runs in this process: repeats `body(arg)` for BENCH_MS milliseconds of CPU time (300 by
 * default), at least three times, and prints the case. Each run counts as `operations`. */
void bench_repeat(const char *bench, const char *name, uint64_t operations, void (*body)(void *arg),
                  void *arg);

/* The first argument, or BENCH_<NAME> in the environment, as a number. */
uint64_t bench_number(const char *name, uint64_t preset);

#endif
