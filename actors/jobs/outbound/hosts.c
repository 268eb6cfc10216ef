/* SPDX-License-Identifier: MPL-2.0
 *
 * hosts - what is known of each other side: whether it is worth calling, how much is under way
 */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include <uthash.h>

#include "actors/jobs/outbound/hosts.h"
#include "actors/jobs/outbound/url.h"

#define TELL_MS      60000  /* how long a breaker that has closed is still told of */
#define TELL_OPEN_MS 600000 /* the longest rest that another instance is believed */

typedef struct {
    UT_hash_handle hh;
    breaker_t breaker;
    host_forced_t forced;
    uint32_t in_flight;
    int64_t changed_ms; /* wall clock, of the newest word; 0: nothing has ever changed */
    char target[];
} host_t;

struct hosts {
    pthread_mutex_t mutex;
    host_t *table; /* the one used longest ago comes first */
    uint32_t failures_max, open_ms;
};

const char *const host_forced_names[] = {
    [HOST_AUTO] = "auto", [HOST_FORCED_OPEN] = "open", [HOST_FORCED_CLOSED] = "closed", NULL
};

static const char *const s_states[] = {
    [BREAKER_CLOSED] = "closed", [BREAKER_OPEN] = "open", [BREAKER_HALF_OPEN] = "half_open"
};

hosts_t *hosts_new(uint32_t failures_max, uint32_t open_ms)
{
    hosts_t *self = mem_zeroed(sizeof *self);
    pthread_mutex_init(&self->mutex, NULL);
    self->failures_max = failures_max;
    self->open_ms = open_ms;
    return self;
}

void hosts_destroy(hosts_t **self_p)
{
    hosts_t *self = *self_p;
    host_t *host, *next;
    *self_p = NULL;
    if (!self)
        return;
    HASH_ITER(hh, self->table, host, next)
    {
        HASH_DEL(self->table, host);
        mem_free(host);
    }
    pthread_mutex_destroy(&self->mutex);
    mem_free(self);
}

/* ---- the table: under the lock ----------------------------------------------------------- */

static host_t *s_find(hosts_t *self, const char *target)
{
    host_t *host;
    HASH_FIND_STR(self->table, target, host);
    return host;
}

/* Whether it can be forgotten: that it rests is worth less than room for another, since whoever has
 * many names could fill the table with hosts that fail. */
static bool s_is_unused(const host_t *self)
{
    return self->in_flight == 0 && self->forced == HOST_AUTO;
}

/* Makes room for one more; false when everything is in use. */
static bool s_make_room(hosts_t *self)
{
    host_t *host, *next, *unused = NULL;
    if (HASH_COUNT(self->table) < HOSTS_MAX)
        return true;
    HASH_ITER(hh, self->table, host, next)
    {
        if (!s_is_unused(host))
            continue;
        if (!unused || host->breaker.state == BREAKER_CLOSED)
            unused = host;
        if (unused->breaker.state == BREAKER_CLOSED)
            break;
    }
    if (!unused)
        return false;
    HASH_DEL(self->table, unused);
    mem_free(unused);
    return true;
}

/* Finds or makes; NULL when there is no room. What is asked for moves to the end of the table. */
static host_t *s_use(hosts_t *self, const char *target)
{
    size_t size = strlen(target);
    host_t *host = s_find(self, target);
    if (host) {
        HASH_DEL(self->table, host);
    } else {
        if (!s_make_room(self))
            return NULL;
        host = mem_zeroed(sizeof *host + size + 1);
        memcpy(host->target, target, size);
        breaker_init(&host->breaker, self->failures_max, self->open_ms);
    }
    HASH_ADD_STR(self->table, target, host);
    return host;
}

static const char *s_state(const host_t *self)
{
    if (self->forced == HOST_AUTO)
        return s_states[self->breaker.state];
    return s_states[self->forced == HOST_FORCED_OPEN ? BREAKER_OPEN : BREAKER_CLOSED];
}

/* ---- calls ------------------------------------------------------------------------------- */

/* `now_ms` NULL: whether its breaker is open does not matter. */
static host_verdict_t s_enter(hosts_t *self, const char *target, uint32_t per_host,
                              const uint64_t *now_ms, uint32_t *wait_ms)
{
    host_t *host = s_use(self, target);
    *wait_ms = self->open_ms;
    if (!host)
        return HOST_BUSY;
    if (host->forced == HOST_FORCED_OPEN)
        return HOST_RESTING;
    if (host->in_flight >= per_host)
        return HOST_BUSY;
    if (now_ms && host->forced == HOST_AUTO && !breaker_allows(&host->breaker, *now_ms)) {
        *wait_ms = (uint32_t)(host->breaker.until_ms - *now_ms);
        return HOST_RESTING;
    }
    host->in_flight++;
    return HOST_GO;
}

host_verdict_t hosts_enter(hosts_t *self, const char *target, uint32_t per_host, uint64_t now_ms,
                           uint32_t *wait_ms)
{
    pthread_mutex_lock(&self->mutex);
    host_verdict_t verdict = s_enter(self, target, per_host, &now_ms, wait_ms);
    pthread_mutex_unlock(&self->mutex);
    return verdict;
}

host_verdict_t hosts_look(hosts_t *self, const char *target, uint32_t per_host, uint32_t *wait_ms)
{
    pthread_mutex_lock(&self->mutex);
    host_verdict_t verdict = s_enter(self, target, per_host, NULL, wait_ms);
    pthread_mutex_unlock(&self->mutex);
    return verdict;
}

void hosts_leave(hosts_t *self, const char *target)
{
    pthread_mutex_lock(&self->mutex);
    host_t *host = s_find(self, target);
    if (host && host->in_flight > 0)
        host->in_flight--;
    pthread_mutex_unlock(&self->mutex);
}

bool hosts_report(hosts_t *self, const char *target, bool success, uint64_t now_ms, int64_t wall_ms)
{
    pthread_mutex_lock(&self->mutex);
    host_t *host = s_find(self, target);
    bool changed = host && breaker_report(&host->breaker, success, now_ms);
    if (changed)
        host->changed_ms = wall_ms;
    pthread_mutex_unlock(&self->mutex);
    return changed;
}

bool hosts_force(hosts_t *self, const char *target, host_forced_t how, uint64_t now_ms,
                 int64_t wall_ms)
{
    pthread_mutex_lock(&self->mutex);
    host_t *host = s_use(self, target);
    if (host) {
        host->forced = how;
        host->changed_ms = wall_ms;
        /* whoever lets go of it wants it tried */
        if (how == HOST_AUTO)
            breaker_report(&host->breaker, true, now_ms);
    }
    pthread_mutex_unlock(&self->mutex);
    return host != NULL;
}

/* ---- other instances ------------------------------------------------------------------------- */

static uint32_t s_open_ms(const host_t *self, uint64_t now_ms)
{
    bool rests = self->breaker.state != BREAKER_CLOSED && self->breaker.until_ms > now_ms;
    return rests ? (uint32_t)(self->breaker.until_ms - now_ms) : 0;
}

static bool s_is_news(const host_t *self, int64_t wall_ms)
{
    return self->changed_ms &&
           (self->forced != HOST_AUTO || self->breaker.state != BREAKER_CLOSED ||
            wall_ms - self->changed_ms < TELL_MS);
}

size_t hosts_tell(hosts_t *self, uint64_t now_ms, int64_t wall_ms, pack_t *out)
{
    size_t count = 0, position = pack_open_array(out);
    pthread_mutex_lock(&self->mutex);
    for (const host_t *host = self->table; host && count < HOSTS_LISTED_MAX; host = host->hh.next) {
        if (!s_is_news(host, wall_ms))
            continue;
        pack_map(out, 5);
        pack_pair_text(out, "target", host->target);
        pack_pair_bool(out, "is_open", host->breaker.state != BREAKER_CLOSED);
        pack_pair_text(out, "forced", host_forced_names[host->forced]);
        pack_pair_int(out, "at_ms", host->changed_ms);
        pack_pair_int(out, "open_ms", s_open_ms(host, now_ms));
        count++;
    }
    pthread_mutex_unlock(&self->mutex);
    pack_close(out, position, count);
    return count;
}

/* One item that another instance has told; true when it changed a breaker. */
static bool s_hear(hosts_t *self, const value_t *item, uint64_t now_ms, int64_t wall_ms)
{
    char target[URL_TARGET_SIZE];
    size_t size = 0;
    const char *text = value_get_text(item, "target", &size);
    int64_t at_ms = value_get_int(item, "at_ms", 0);
    int64_t open_ms = value_get_int(item, "open_ms", 0);
    if (!text || size == 0 || size >= sizeof target || memchr(text, '\0', size) ||
        at_ms > wall_ms + TELL_MS)
        return false;
    memcpy(target, text, size);
    target[size] = '\0';
    host_t *host = s_use(self, target);
    if (!host || at_ms <= host->changed_ms)
        return false;
    bool was_open = host->breaker.state != BREAKER_CLOSED;
    host_forced_t was_forced = host->forced;
    host->changed_ms = at_ms;
    host->forced = HOST_AUTO;
    for (size_t i = 0; host_forced_names[i]; i++)
        if (value_is(value_get(item, "forced"), host_forced_names[i]))
            host->forced = (host_forced_t)i;
    bool is_open = value_get_bool(item, "is_open", false);
    if (is_open) {
        host->breaker.state = BREAKER_OPEN;
        host->breaker.until_ms =
            now_ms + (open_ms > 0 && open_ms < TELL_OPEN_MS ? (uint64_t)open_ms : 0);
    } else {
        breaker_report(&host->breaker, true, now_ms);
    }
    return was_open != is_open || was_forced != host->forced;
}

size_t hosts_hear(hosts_t *self, const value_t *items, uint64_t now_ms, int64_t wall_ms)
{
    size_t changed = 0;
    const value_t *item;
    pthread_mutex_lock(&self->mutex);
    for (uint32_t i = 0; i < HOSTS_LISTED_MAX && (item = value_item(items, i)); i++)
        changed += s_hear(self, item, now_ms, wall_ms);
    pthread_mutex_unlock(&self->mutex);
    return changed;
}

/* ---- people ---------------------------------------------------------------------------------- */

static void s_pack_maybe_time(pack_t *out, const char *key, int64_t wall_ms)
{
    if (wall_ms)
        pack_pair_time(out, key, wall_ms);
    else
        pack_pair_text(out, key, NULL);
}

static void s_show(const host_t *self, uint64_t now_ms, int64_t wall_ms, pack_t *out)
{
    uint32_t wait_ms = self->forced == HOST_AUTO ? s_open_ms(self, now_ms) : 0;
    pack_map(out, 7);
    pack_pair_text(out, "host", self->target);
    pack_pair_text(out, "state", s_state(self));
    pack_pair_text(out, "forced", host_forced_names[self->forced]);
    pack_pair_int(out, "failures", self->breaker.failures);
    pack_pair_int(out, "in_flight", self->in_flight);
    s_pack_maybe_time(out, "retry_at", wait_ms ? wall_ms + wait_ms : 0);
    s_pack_maybe_time(out, "changed_at", self->changed_ms);
}

void hosts_list(hosts_t *self, uint64_t now_ms, int64_t wall_ms, pack_t *out)
{
    size_t count = 0, position = pack_open_array(out);
    pthread_mutex_lock(&self->mutex);
    for (const host_t *host = self->table; host && count < HOSTS_LISTED_MAX; host = host->hh.next) {
        if (host->forced == HOST_AUTO && host->breaker.state == BREAKER_CLOSED &&
            host->breaker.failures == 0)
            continue;
        s_show(host, now_ms, wall_ms, out);
        count++;
    }
    pthread_mutex_unlock(&self->mutex);
    pack_close(out, position, count);
}

bool hosts_show(hosts_t *self, const char *target, uint64_t now_ms, int64_t wall_ms, pack_t *out)
{
    pthread_mutex_lock(&self->mutex);
    const host_t *host = s_find(self, target);
    if (host)
        s_show(host, now_ms, wall_ms, out);
    pthread_mutex_unlock(&self->mutex);
    return host != NULL;
}
