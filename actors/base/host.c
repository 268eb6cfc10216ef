/* SPDX-License-Identifier: MPL-2.0
 *
 * host - how much is left of what the machine has, or of what it lets us have
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "actors/base/host.h"

#define KIB        1024
#define PATH_BYTES 1024

/* MemAvailable is what could be used without swapping (proc(5)): free memory alone says little. */
static void s_read_memory(host_t *self)
{
    char line[128];
    uint64_t kib;
    FILE *file = fopen("/proc/meminfo", "re");
    if (!file)
        return;
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "MemTotal: %" SCNu64, &kib) == 1)
            self->memory = kib * KIB;
        else if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
            self->memory_left = kib * KIB;
    }
    fclose(file);
}

/* ---- the control group ---------------------------------------------------------------------- */

/* The number in a file of a group; false when there is none, as for "max". */
static bool s_read_number(const char *folder, const char *name, uint64_t *number)
{
    char path[PATH_BYTES + 32];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    const bool good = file && fscanf(file, "%" SCNu64, number) == 1;
    if (file)
        fclose(file);
    return good;
}

/* Memory that holds files which are not in use is taken back before anybody is ended. */
static uint64_t s_read_idle_files(const char *folder)
{
    char path[PATH_BYTES + 32], line[128];
    uint64_t bytes = 0;
    snprintf(path, sizeof path, "%s/memory.stat", folder);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    while (fgets(line, sizeof line, file) && sscanf(line, "inactive_file %" SCNu64, &bytes) != 1)
        ;
    fclose(file);
    return bytes;
}

/* Takes the group's numbers when less is left there than what is known. */
static void s_look_at_group(const char *folder, uint64_t *memory, uint64_t *left)
{
    uint64_t most, used;
    if (!s_read_number(folder, "memory.max", &most) ||
        !s_read_number(folder, "memory.current", &used))
        return;
    const uint64_t idle = s_read_idle_files(folder);
    used -= idle < used ? idle : used;
    const uint64_t rest = most > used ? most - used : 0;
    if (rest < *left) {
        *memory = most;
        *left = rest;
    }
}

/* "0::/path": the group of the second version. */
static bool s_read_path(const char *group_file, char path[PATH_BYTES])
{
    bool good = false;
    FILE *file = fopen(group_file, "re");
    if (!file)
        return false;
    while (!good && fgets(path, PATH_BYTES, file))
        good = strncmp(path, "0::/", 4) == 0;
    fclose(file);
    path[strcspn(path, "\n")] = '\0';
    return good;
}

bool host_group_memory(const char *root, const char *group_file, uint64_t *memory, uint64_t *left)
{
    char line[PATH_BYTES], folder[PATH_BYTES];
    *memory = 0;
    *left = UINT64_MAX;
    if (!s_read_path(group_file, line))
        return false;
    const size_t base = strlen(root);
    const int size = snprintf(folder, sizeof folder, "%s%s", root, line + strlen("0::"));
    if (size < 0 || (size_t)size >= sizeof folder)
        return false;
    s_look_at_group(folder, memory, left);
    while (strlen(folder) > base) {
        *strrchr(folder, '/') = '\0';
        s_look_at_group(folder, memory, left);
    }
    return *left != UINT64_MAX;
}

/* ---- all of it ------------------------------------------------------------------------------ */

static void s_look_at_own_group(host_t *self)
{
    uint64_t memory, left;
    if (!host_group_memory("/sys/fs/cgroup", "/proc/self/cgroup", &memory, &left) ||
        left >= self->memory_left)
        return;
    self->memory = memory;
    self->memory_left = left;
}

host_t host_read(void)
{
    host_t self = { 0 };
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    self.processors = processors > 0 ? (unsigned)processors : 1;
    if (getloadavg(&self.load, 1) != 1)
        self.load = 0;
    s_read_memory(&self);
    s_look_at_own_group(&self);
    return self;
}

bool host_disk(const char *path, uint64_t *size, uint64_t *left)
{
    struct statvfs disk;
    if (statvfs(path, &disk) != 0)
        return false;
    *size = (uint64_t)disk.f_blocks * disk.f_frsize;
    *left = (uint64_t)disk.f_bavail * disk.f_frsize;
    return true;
}
