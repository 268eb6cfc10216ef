/* SPDX-License-Identifier: MPL-2.0
 *
 * signals - one thread hears them, no handler runs
 */
#ifndef SIGNALBOX_SIGNALS_H
#define SIGNALBOX_SIGNALS_H

#include "actors/base/base.h"

/* Blocks SIGTERM, SIGINT and SIGHUP in this thread and all it starts, and ignores SIGPIPE and
 * SIGXFSZ: both come with a write that fails, too. Call it first in main, before any thread exists.
 */
void signals_block(void);

/* Waits for one of the blocked signals and returns its number. */
int signals_wait(void);

/* The same, but gives up after `timeout_ms` and returns 0. */
int signals_wait_for(uint32_t timeout_ms);

#endif
