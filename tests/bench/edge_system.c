/* SPDX-License-Identifier: MPL-2.0
 *
 * edge_system - the whole of Signalbox, as users run it, for edge_bench to ask
 */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/limiter.h"
#include "tests/bench/edge_system.h"

#define PROGRAM   "./signalbox"
#define WORDS_MAX 8
#define DATABASE  "postgres"

/* ---- processes ------------------------------------------------------------------------------ */

static char s_folder[64];
static system_form_t s_form;

/* The same each time, since a database that is still there has been sealed with it. */
static const char s_secret[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/* In the child. What it logs is as much work as elsewhere, and goes nowhere. */
static void s_exec(const char *const *words, int output)
{
    const char *database = getenv("TEST_POSTGRES_URL");
    int nowhere = open("/dev/null", O_WRONLY);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setenv("SIGNALBOX_STORAGE_DATA", s_folder, 1);
    setenv("SIGNALBOX_EDGE_PORT", "0", 1);
    setenv("SIGNALBOX_AUTH_SECRET", s_secret, 1);
    if (database)
        setenv("SIGNALBOX_STORAGE_DATABASE", database, 1);
    if (s_form == SYSTEM_SILENT)
        setenv("SIGNALBOX_LOG_LEVEL", "error", 1);
    if (s_form >= SYSTEM_UNTOLD) {
        setenv("SIGNALBOX_BUS_SNAPSHOT_MS", "60000", 1);
        setenv("SIGNALBOX_BROKER_SNAPSHOT_MS", "60000", 1);
        setenv("SIGNALBOX_BUS_TRACE_PER_MILLION", "0", 1);
        setenv("SIGNALBOX_BUS_TRACE_RING", "0", 1);
    }
    dup2(output, STDOUT_FILENO);
    dup2(getenv("BENCH_LOG") ? STDERR_FILENO : nowhere, STDERR_FILENO);
    execv(PROGRAM, (char *const *)(uintptr_t)words);
    die("cannot run " PROGRAM ": start the benchmark in the build folder");
}

static int s_spawn(const char *const *words, FILE **output)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        die("cannot make a pipe");
    pid_t pid = fork();
    if (pid < 0)
        die("cannot fork");
    if (pid == 0)
        s_exec(words, fds[1]);
    close(fds[1]);
    *output = fdopen(fds[0], "r");
    return pid;
}

static void s_run_command(const char *const *words)
{
    FILE *output;
    char line[512];
    int status, pid = s_spawn(words, &output);
    while (fgets(line, sizeof line, output))
        ;
    fclose(output);
    if (waitpid(pid, &status, 0) != pid || status != 0)
        die("signalbox %s failed", words[1]);
}

/* Starts a part; it is ready when it says something. Whoever has an edge says where it listens. */
static void s_start(system_t *self, const char *name, const char *const *words)
{
    FILE *output;
    char line[512];
    int pid = s_spawn(words, &output);
    bool is_ready = false, has_edge = strcmp(words[1], "run") == 0 || strcmp(words[1], "edge") == 0;
    while (!is_ready && fgets(line, sizeof line, output)) {
        const char *url = strstr(line, "http://127.0.0.1:");
        if (url)
            self->port = (unsigned)strtoul(url + strlen("http://127.0.0.1:"), NULL, 10);
        is_ready = !has_edge || url;
    }
    if (!is_ready)
        die("%s did not start", name);
    insist(self->count < SYSTEM_PARTS);
    /* the output is kept open: a line that nobody can be told would end the process */
    self->parts[self->count++] = (system_part_t){ .name = name, .pid = pid, .output = output };
}

static void s_raise_limits(void)
{
    static const char *const policies[] = { "address", "free", "read", "free.analysis",
                                            "free.enqueue" };
    char request[128];
    for (size_t i = 0; i < COUNT_OF(policies); i++) {
        snprintf(request, sizeof request, "{\"name\": \"%s\", \"limit\": %d, \"window_ms\": 1000}",
                 policies[i], LIMITER_LIMIT_MAX);
        s_run_command(
            (const char *const[]){ PROGRAM, "call", "limiter.policy_set", request, NULL });
    }
}

void system_start(system_t *self, system_form_t form)
{
    static const char *const actors[] = {
        "auth", "limiter", "cache", "analysis", "jobs", "metrics"
    };
    *self = (system_t){ .count = 0 };
    s_form = form;
    snprintf(s_folder, sizeof s_folder, "/tmp/edge_bench-%d", (int)getpid());
    if (getenv("TEST_POSTGRES_URL"))
        s_run_command((const char *const[]){ PROGRAM, "migrate", NULL });
    if (form == SYSTEM_ONE_PROCESS) {
        s_start(self, "run", (const char *const[]){ PROGRAM, "run", NULL });
    } else {
        s_start(self, "broker", (const char *const[]){ PROGRAM, "broker", NULL });
        for (size_t i = 0; i < COUNT_OF(actors) - (form >= SYSTEM_UNTOLD); i++)
            s_start(self, actors[i], (const char *const[]){ PROGRAM, "actor", actors[i], NULL });
        s_start(self, "edge", (const char *const[]){ PROGRAM, "edge", NULL });
    }
    s_raise_limits();
}

void system_stop(system_t *self)
{
    while (self->count > 0) {
        const system_part_t *part = &self->parts[--self->count];
        kill(part->pid, SIGKILL);
        waitpid(part->pid, NULL, 0);
        fclose(part->output);
    }
    bench_remove_folder(s_folder);
}

/* ---- what they use -------------------------------------------------------------------------- */

static uint64_t s_cpu_us(int pid)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return 0; /* it has ended */
    return (uint64_t)used.tv_sec * 1000000u + (uint64_t)used.tv_nsec / 1000u;
}

static uint64_t s_pss_kib(int pid)
{
    char path[64], line[256];
    unsigned long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    FILE *file = fopen(path, "r");
    while (file && !kib && fgets(line, sizeof line, file))
        if (sscanf(line, "Pss: %lu kB", &kib) != 1)
            kib = 0;
    if (file)
        fclose(file);
    return kib;
}

/* Of the database server: every connection is a process, which lives as long as its pool. */
static uint64_t s_database_cpu_us(void)
{
    const int server = (int)bench_number("POSTGRES_PID", 0);
    char path[64];
    int child;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", server, server);
    FILE *children = server ? fopen(path, "r") : NULL;
    uint64_t sum = server ? s_cpu_us(server) : 0;
    while (children && fscanf(children, "%d", &child) == 1)
        sum += s_cpu_us(child);
    if (children)
        fclose(children);
    return sum;
}

void system_mark(system_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        self->parts[i].cpu_us = s_cpu_us(self->parts[i].pid);
    self->database_cpu_us = s_database_cpu_us();
}

/* A connection that has ended takes its time along. */
static uint64_t s_since(uint64_t now_us, uint64_t mark_us)
{
    return now_us > mark_us ? now_us - mark_us : 0;
}

size_t system_measure(const system_t *self, bench_part_t parts[SYSTEM_PARTS])
{
    size_t count = 0;
    for (; count < self->count; count++) {
        const system_part_t *part = &self->parts[count];
        parts[count] = (bench_part_t){ .name = part->name,
                                       .cpu_us = s_since(s_cpu_us(part->pid), part->cpu_us),
                                       .pss_kib = s_pss_kib(part->pid) };
    }
    if (bench_number("POSTGRES_PID", 0))
        parts[count++] =
            (bench_part_t){ .name = DATABASE,
                            .cpu_us = s_since(s_database_cpu_us(), self->database_cpu_us) };
    return count;
}
