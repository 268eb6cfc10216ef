/* SPDX-License-Identifier: MPL-2.0
 *
 * notify - tells the service manager how the process is (sd_notify(3))
 *
 * One datagram to the socket that NOTIFY_SOCKET names, as the protocol has it; without the variable
 * nothing is sent. Done here in a few lines: linking libsystemd for it would cost every
 * installation a library, and has cost others a back door (CVE-2024-3094).
 */
#ifndef SIGNALBOX_NOTIFY_H
#define SIGNALBOX_NOTIFY_H

#include "actors/base/base.h"

/* The process serves; `status` is a line for people, NULL: as before. */
void notify_ready(const char *status);

/* The configuration is read anew; `notify_ready` says when that is done. */
void notify_reloading(void);

void notify_stopping(void);

/* How often the manager wants to be told that the process is well, in milliseconds, half of what it
 * waits; 0: not at all. */
uint32_t notify_watchdog_ms(void);

void notify_watchdog(void);

#endif
