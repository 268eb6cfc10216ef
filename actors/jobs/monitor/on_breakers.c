/* SPDX-License-Identifier: MPL-2.0
 *
 * on_breakers - hosts that are given a rest, for operators
 */
#include "config.h"

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/jobs/monitor/monitor.h"

void http_on_breakers(call_t *call, void *arg)
{
    watcher_t *self = arg;
    pack_map(call_pack(call), 1);
    pack_text(call_pack(call), "items");
    hosts_list(self->outlet.hosts, clock_ms(), clock_wall_ms(), call_pack(call));
    call_reply(call, 0);
}

static host_forced_t s_forced(call_t *call)
{
    size_t which = 0;
    const char *word = call_text(call, "forced");
    while (host_forced_names[which] && strcmp(host_forced_names[which], word) != 0)
        which++;
    insist(host_forced_names[which]); /* the schema lists the same words */
    return (host_forced_t)which;
}

void http_on_breaker_set(call_t *call, void *arg)
{
    watcher_t *self = arg;
    hosts_t *hosts = self->outlet.hosts;
    const char *host = call_text(call, "host");
    const uint64_t now_ms = clock_ms();
    const int64_t wall_ms = clock_wall_ms();
    if (!hosts_force(hosts, host, s_forced(call), now_ms, wall_ms)) {
        call_fail(call, ERROR_UNPROCESSABLE, "Too many hosts are forced or failing already");
        return;
    }
    LOG(LOG_WARN, "outbound.forced", LOG_TEXT("host", host),
        LOG_TEXT("forced", call_text(call, "forced")),
        LOG_TEXT("user", call_principal(call)->user));
    outlet_tell(&self->outlet);
    bool known = hosts_show(hosts, host, now_ms, wall_ms, call_pack(call));
    insist(known);
    call_reply(call, 0);
}
