/* SPDX-License-Identifier: MPL-2.0
 *
 * bench - what the benchmarks share
 */
#include "config.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/base/clock.h"
#include "tests/bench/bench.h"

pid_t bench_fork(void (*body)(void *arg), void *arg)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        die("cannot fork");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        body(arg);
        _exit(0);
    }
    return pid;
}

uint64_t bench_reap(pid_t pid, int signal_number)
{
    struct rusage usage;
    int status;
    if (signal_number)
        kill(pid, signal_number);
    if (wait4(pid, &status, 0, &usage) != pid)
        die("a process of the benchmark is gone");
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000u +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void s_print_case(const char *bench, const char *name, uint64_t operations, uint64_t wall_us)
{
    printf("{\"bench\":\"%s\",\"case\":\"%s\",\"operations\":%llu,\"per_second\":%.0f", bench, name,
           (unsigned long long)operations, (double)operations * 1e6 / (double)wall_us);
}

void bench_print(const char *bench, const char *name, uint64_t operations, uint64_t wall_us,
                 double cpu_us)
{
    s_print_case(bench, name, operations, wall_us);
    if (cpu_us > 0)
        printf(",\"cpu_us\":%.3f", cpu_us);
    printf("}\n");
    fflush(stdout);
}

void bench_print_parts(const char *bench, const char *name, uint64_t operations, uint64_t wall_us,
                       const bench_part_t *parts, size_t count)
{
    uint64_t cpu_us = 0, pss_kib = 0;
    for (size_t i = 0; i < count; i++) {
        cpu_us += parts[i].cpu_us;
        pss_kib += parts[i].pss_kib;
    }
    s_print_case(bench, name, operations, wall_us);
    printf(",\"cpu_us\":%.1f,\"pss_mb\":%.1f,\"parts\":{", (double)cpu_us / (double)operations,
           (double)pss_kib / 1024);
    for (size_t i = 0; i < count; i++)
        printf("%s\"%s\":{\"cpu_us\":%.1f,\"pss_mb\":%.1f}", i ? "," : "", parts[i].name,
               (double)parts[i].cpu_us / (double)operations, (double)parts[i].pss_kib / 1024);
    printf("}}\n");
    fflush(stdout);
}

static int s_compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void bench_print_times(const char *bench, const char *name, uint64_t *times_us, size_t count)
{
    uint64_t total_us = 0;
    for (size_t i = 0; i < count; i++)
        total_us += times_us[i];
    qsort(times_us, count, sizeof *times_us, s_compare);
    printf("{\"bench\":\"%s\",\"case\":\"%s\",\"operations\":%zu,\"per_second\":%.0f,"
           "\"p50_us\":%llu}\n",
           bench, name, count, (double)count * 1e6 / (double)total_us,
           (unsigned long long)times_us[count / 2]);
    fflush(stdout);
}

void bench_remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        char *file = mem_format("%s/%s", path, entry->d_name);
        unlink(file);
        mem_free(file);
    }
    if (folder)
        closedir(folder);
    rmdir(path);
}

void bench_repeat(const char *bench, const char *name, uint64_t operations, void (*body)(void *arg),
                  void *arg)
{
    const uint64_t enough_us = bench_number("MS", 300) * 1000;
    uint64_t runs = 0, used = 0;
    body(arg); /* memory is there and caches are warm */
    uint64_t start = clock_us(), cpu = clock_cpu_us();
    while (used < enough_us || runs < 3) {
        body(arg);
        runs++;
        used = clock_cpu_us() - cpu;
    }
    bench_print(bench, name, runs * operations, clock_us() - start,
                (double)used / (double)(runs * operations));
}

uint64_t bench_number(const char *name, uint64_t preset)
{
    char variable[64];
    snprintf(variable, sizeof variable, "BENCH_%s", name);
    const char *text = getenv(variable);
    return text ? strtoull(text, NULL, 10) : preset;
}
