/* SPDX-License-Identifier: MPL-2.0
 *
 * hosts - what is known of each other side: whether it is worth calling, how much is under way
 *
 * Each "host:port" has a circuit breaker (actors/runtime/breaker.h). Instances tell each other on a
 * topic which are not closed, so that one finds out for all, and which an operator has forced open
 * or closed: the newest word about a host counts. A host that nobody has called for long is
 * forgotten when room is needed, one that rests only when all do. Any thread may call all of this.
 */
#ifndef SIGNALBOX_OUTBOUND_HOSTS_H
#define SIGNALBOX_OUTBOUND_HOSTS_H

#include "actors/runtime/breaker.h"
#include "proto/pack.h"
#include "proto/value.h"

#define HOSTS_MAX        10000
#define HOSTS_LISTED_MAX 1000 /* of one list */

typedef struct hosts hosts_t;

typedef enum { HOST_AUTO, HOST_FORCED_OPEN, HOST_FORCED_CLOSED } host_forced_t;

extern const char *const host_forced_names[]; /* "auto", "open", "closed"; ends with NULL */

hosts_t *hosts_new(uint32_t failures_max, uint32_t open_ms);
void hosts_destroy(hosts_t **self_p);

typedef enum {
    HOST_GO,
    HOST_BUSY,    /* `per_host` calls are under way */
    HOST_RESTING, /* its breaker is open: `*wait_ms` until it may be tried */
} host_verdict_t;

/* Whether a call of `target` may begin now; if so it is counted until `hosts_leave`. */
host_verdict_t hosts_enter(hosts_t *self, const char *target, uint32_t per_host, uint64_t now_ms,
                           uint32_t *wait_ms);

/* The same for who looks whether it answers: also while it rests, unless an operator has forced it
 * open. */
host_verdict_t hosts_look(hosts_t *self, const char *target, uint32_t per_host, uint32_t *wait_ms);

/* The call is over; what it says of the host is reported apart, or not at all. */
void hosts_leave(hosts_t *self, const char *target);

/* Reports how a call went; true when that opened or closed the breaker. */
bool hosts_report(hosts_t *self, const char *target, bool success, uint64_t now_ms,
                  int64_t wall_ms) MUST_CHECK;

/* An operator's word; false when there is no room for another host. */
bool hosts_force(hosts_t *self, const char *target, host_forced_t how, uint64_t now_ms,
                 int64_t wall_ms) MUST_CHECK;

/* Packs what there is to tell other instances, an array of {target, state, forced, at_ms, open_ms};
 * returns how many that are. */
size_t hosts_tell(hosts_t *self, uint64_t now_ms, int64_t wall_ms, pack_t *out);

/* Takes over what another instance has told; returns how many breakers that changed. */
size_t hosts_hear(hosts_t *self, const value_t *items, uint64_t now_ms, int64_t wall_ms);

/* Packs the hosts whose breaker is not simply closed, for people: an array of {host, state, forced,
 * failures, in_flight, retry_at, changed_at}. */
void hosts_list(hosts_t *self, uint64_t now_ms, int64_t wall_ms, pack_t *out);

/* The same of one host, as a map; false, and nothing is packed, when nothing is known of it. */
bool hosts_show(hosts_t *self, const char *target, uint64_t now_ms, int64_t wall_ms, pack_t *out);

#endif
