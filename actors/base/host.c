/* SPDX-License-Identifier: MPL-2.0
 *
 * host - how much is left of what the machine has
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "actors/base/host.h"

#define KIB 1024

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

host_t host_read(void)
{
    host_t self = { 0 };
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    self.processors = processors > 0 ? (unsigned)processors : 1;
    if (getloadavg(&self.load, 1) != 1)
        self.load = 0;
    s_read_memory(&self);
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
