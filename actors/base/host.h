/* SPDX-License-Identifier: MPL-2.0
 *
 * host - how much is left of what the machine has
 */
#ifndef SIGNALBOX_HOST_H
#define SIGNALBOX_HOST_H

#include "actors/base/base.h"

typedef struct {
    uint64_t memory, memory_left; /* bytes; 0 where the kernel does not tell */
    double load;                  /* tasks that run or wait, on average over a minute */
    unsigned processors;
} host_t;

host_t host_read(void);

/* Bytes of the file system that holds `path`, and how many of them may still be written. False: it
 * cannot be asked. */
bool host_disk(const char *path, uint64_t *size, uint64_t *left);

#endif
