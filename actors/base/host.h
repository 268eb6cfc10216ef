/* SPDX-License-Identifier: MPL-2.0
 *
 * host - how much is left of what the machine has, or of what it lets us have
 */
#ifndef SIGNALBOX_HOST_H
#define SIGNALBOX_HOST_H

#include "actors/base/base.h"

typedef struct {
    uint64_t memory, memory_left; /* bytes; 0 where the kernel does not tell */
    double load;                  /* tasks that run or wait, on average over a minute */
    unsigned processors;
} host_t;

/* Memory is that of the control group when that has less left: a process is ended there, however
 * much the machine has. */
host_t host_read(void);

/* What a control group (cgroup v2, memory.max) or one that it is in leaves, whichever is least; it
 * is that of the line "0::/path" of `group_file` (/proc/self/cgroup), below `root`
 * (/sys/fs/cgroup). False: none is bounded. */
bool host_group_memory(const char *root, const char *group_file, uint64_t *memory, uint64_t *left);

/* Bytes of the file system that holds `path`, and how many of them may still be written. False: it
 * cannot be asked. */
bool host_disk(const char *path, uint64_t *size, uint64_t *left);

#endif
