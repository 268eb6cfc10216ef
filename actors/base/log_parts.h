/* SPDX-License-Identifier: MPL-2.0
 *
 * log_parts - from which severity on each part of the process writes lines
 *
 * A thread says once which part it plays. Threads of one part share a row of a table: its level is
 * the configured one, until the part is given one of its own, for some time or until the process
 * ends. Threads read the row without a lock.
 */
#ifndef SIGNALBOX_LOG_PARTS_H
#define SIGNALBOX_LOG_PARTS_H

#include "actors/base/log.h"

#define LOG_PARTS_MAX 32 /* what comes later is one part, "other" */
#define LOG_PART_SIZE 32

/* The name of this thread's part; "main" when it has said none. */
const char *log_part(void);

/* Gives a part a level of its own; NULL: every part there is. `for_s` 0: until the process ends.
 * Returns how many parts of this process that concerns. */
size_t log_set_part_level(const char *part, log_level_t level, uint32_t for_s);

/* Takes it from them again. */
size_t log_reset_part_level(const char *part);

/* Ends what was for some time, once that is over. To be called now and then; costs next to nothing
 * while there is none. */
void log_expire(uint64_t now_ms);

typedef struct {
    char part[LOG_PART_SIZE];
    log_level_t level;
    bool is_own;     /* given at run time */
    uint32_t left_s; /* of that; 0: until the process ends */
} log_part_t;

/* The parts of this process; returns how many. */
size_t log_list_parts(log_part_t list[LOG_PARTS_MAX]);

#endif
