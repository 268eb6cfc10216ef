/* SPDX-License-Identifier: MPL-2.0
 *
 * process - what the operating system counts about this process
 */
#include "config.h"

#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "actors/base/clock.h"
#include "actors/base/process.h"

enum {
    PROCESS_CPU,
    PROCESS_RESIDENT,
    PROCESS_VIRTUAL,
    PROCESS_FDS,
    PROCESS_FDS_MAX,
    PROCESS_THREADS,
    PROCESS_START,
    PROCESS_STATS
};

static const stats_row_t s_rows[PROCESS_STATS + 1] = {
    [PROCESS_CPU] = { "process_cpu_seconds_total", STATS_COUNTER, "Processor time used" },
    [PROCESS_RESIDENT] = { "process_resident_memory_bytes", STATS_GAUGE, "Memory in use" },
    [PROCESS_VIRTUAL] = { "process_virtual_memory_bytes", STATS_GAUGE, "Address space in use" },
    [PROCESS_FDS] = { "process_open_fds", STATS_GAUGE, "File descriptors open" },
    [PROCESS_FDS_MAX] = { "process_max_fds", STATS_GAUGE, "File descriptors that may be open" },
    [PROCESS_THREADS] = { "process_threads", STATS_GAUGE, "Threads" },
    [PROCESS_START] = { "process_start_time_seconds", STATS_GAUGE,
                        "When the process started, since 1970" },
};

static pthread_mutex_t s_mutex = PTHREAD_MUTEX_INITIALIZER;
static stats_t s_stats;
static const void *s_owner;
static int64_t s_began_us; /* since 1970; a later owner tells the same */

/* ---- reading -------------------------------------------------------------------------------- */

static void s_read_memory(void)
{
    const int64_t page = sysconf(_SC_PAGESIZE);
    int64_t size, resident;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return;
    if (fscanf(file, "%" SCNd64 " %" SCNd64, &size, &resident) == 2) {
        stats_set(&s_stats, PROCESS_VIRTUAL, size * page);
        stats_set(&s_stats, PROCESS_RESIDENT, resident * page);
    }
    fclose(file);
}

/* Entries of a folder of the kernel's; 0 when it cannot be read. */
static int64_t s_count_entries(const char *path)
{
    int64_t count = 0;
    DIR *folder = opendir(path);
    if (!folder)
        return 0;
    for (const struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static void s_read_limits(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        stats_set(&s_stats, PROCESS_FDS_MAX, (int64_t)limit.rlim_cur);
}

static void s_begin(void)
{
    if (!s_began_us)
        s_began_us = clock_wall_ms() * 1000;
    stats_init(&s_stats, s_rows);
    stats_set(&s_stats, PROCESS_START, s_began_us);
}

const stats_t *process_stats(const void *part)
{
    const stats_t *mine = NULL;
    pthread_mutex_lock(&s_mutex);
    if (!s_owner)
        s_owner = part;
    if (s_owner == part) {
        if (!s_stats.rows)
            s_begin();
        stats_set(&s_stats, PROCESS_CPU, (int64_t)clock_cpu_us());
        stats_set(&s_stats, PROCESS_FDS, s_count_entries("/proc/self/fd"));
        stats_set(&s_stats, PROCESS_THREADS, s_count_entries("/proc/self/task"));
        s_read_memory();
        s_read_limits();
        mine = &s_stats;
    }
    pthread_mutex_unlock(&s_mutex);
    return mine;
}

void process_leave(const void *part)
{
    pthread_mutex_lock(&s_mutex);
    if (s_owner == part) {
        s_owner = NULL;
        if (s_stats.rows)
            stats_free(&s_stats);
    }
    pthread_mutex_unlock(&s_mutex);
}
