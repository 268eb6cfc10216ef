/* SPDX-License-Identifier: MPL-2.0
 *
 * keeper - the edge's one thread of its own, and the one place where periodic work lives
 */
#include "config.h"

#include <poll.h>
#include <unistd.h>

#include "actors/base/log.h"
#include "edge/keeper.h"
#include "edge/state.h"

static void *s_run(void *arg)
{
    edge_t *edge = arg;
    uint64_t rings, now_ms;
    log_set_part("edge");
    while (!edge->keeper_ends) {
        struct pollfd item = { .fd = edge->wake_fd, .events = POLLIN };
        if (poll(&item, 1, KEEPER_TICK_MS) > 0 && read(edge->wake_fd, &rings, sizeof rings) > 0)
            registry_work(&edge->registry);
        now_ms = clock_ms();
        connections_tick(&edge->connections, now_ms);
        linger_tick(&edge->linger, now_ms);
        tally_tick(&edge->limits.tally, now_ms);
        authority_tick(&edge->authority, now_ms);
        cached_tick(&edge->cached);
        audit_tick(&edge->audit, now_ms);
        counters_tick(edge, now_ms);
    }
    return NULL;
}

void keeper_start(edge_t *edge)
{
    insist(pthread_create(&edge->keeper, NULL, s_run, edge) == 0);
}

void keeper_stop(edge_t *edge)
{
    const uint64_t one = 1;
    edge->keeper_ends = true;
    insist(write(edge->wake_fd, &one, sizeof one) == sizeof one);
    pthread_join(edge->keeper, NULL);
    counters_end(edge);
}
