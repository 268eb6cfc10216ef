/* SPDX-License-Identifier: MPL-2.0
 *
 * crash - the last line of a process that ends by a fault of its own
 *
 * A fatal signal (SEGV, BUS, FPE, ILL, ABRT), a broken promise (`insist`) and `die` each write one
 * line to the log before the process ends as it would have: by the signal, or with the status 2.
 * The line says what it was, in which part and request, which instances have gone with the process
 * and when each had started, and the calls that led there:
 *
 *     {"timestamp":..., "severity_text":"FATAL", "part":"cache", "event_name":"process.crashed",
 *      "signal":"SIGSEGV", "address":"0x10", "build_id":"5f...",
 *      "instances":[{"part":"cache","instance":"cache-7f3a11bc","boot":1795258001595}],
 *      "backtrace":["signalbox+0x8a1c4", "libc.so.6+0x3bf20", ...]}
 *
 * `addr2line -fipe signalbox 0x8a1c4` names the function and the line; the address is within the
 * call, not behind it. Nothing here allocates or locks once the process is broken.
 */
#ifndef SIGNALBOX_CRASH_H
#define SIGNALBOX_CRASH_H

#include "actors/base/base.h"

#define CRASH_LIVES_MAX 32

/* Begins to watch. A signal that somebody else handles already (a sanitizer) is left to them. */
void crash_begin(void);

/* Gives the calling thread a stack of its own for the report, so that one can be made when its
 * stack has run out; freed with the thread. `log_set_part`, with which threads begin, does it. */
void crash_cover_thread(void);

/* An instance of a part lives in this process, since `boot` (wall clock, ms): to be named in the
 * line. The names are copied; what is beyond CRASH_LIVES_MAX is not named. */
void crash_add_life(const char *part, const char *instance, uint64_t boot);
void crash_remove_life(const char *part, const char *instance);

#endif
