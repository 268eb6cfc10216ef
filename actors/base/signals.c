/* SPDX-License-Identifier: MPL-2.0
 *
 * signals - one thread hears them, no handler runs
 */
#include "config.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "actors/base/signals.h"

static void s_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

void signals_block(void)
{
    sigset_t set;
    s_set(&set);
    insist(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file at its limit (ulimit -f) is a write that failed, no end */
}

int signals_wait(void)
{
    sigset_t set;
    int number = 0;
    s_set(&set);
    insist(sigwait(&set, &number) == 0);
    return number;
}

int signals_wait_for(uint32_t timeout_ms)
{
    sigset_t set;
    s_set(&set);
    struct timespec limit = { .tv_sec = timeout_ms / 1000,
                              .tv_nsec = (long)(timeout_ms % 1000) * 1000000L };
    int number = sigtimedwait(&set, NULL, &limit);
    return number < 0 ? 0 : number;
}
