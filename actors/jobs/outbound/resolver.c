/* SPDX-License-Identifier: MPL-2.0
 *
 * resolver - the addresses of a name, looked up on threads of its own
 */
#include "config.h"

#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>

#include "actors/base/crew.h"
#include "actors/jobs/outbound/resolver.h"

#define PATIENCE_S 2 /* for one name server, the first time */
#define ATTEMPTS   2

struct resolver {
    crew_t crew;
    resolve_fn resolve;
    void (*found)(void *arg, lookup_t *lookup);
    void *arg;
};

void resolver_ask_system(const char *host, addresses_t *found)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
    struct addrinfo *list = NULL;
    found->count = 0;
    int status = getaddrinfo(host, NULL, &hints, &list);
    for (const struct addrinfo *at = list; at; at = at->ai_next)
        if (found->count < RESOLVER_ADDRESSES_MAX &&
            address_of_socket(at->ai_addr, &found->list[found->count]))
            found->count++;
    if (list)
        freeaddrinfo(list);
    snprintf(found->why, sizeof found->why, "%s",
             status ? gai_strerror(status) : "it has no address");
}

/* The state of glibc's resolver is the thread's own. */
static void s_begin(void)
{
    if (res_init() == 0) {
        _res.retrans = PATIENCE_S;
        _res.retry = ATTEMPTS;
    }
}

static void s_run(void *arg, queue_item_t *item)
{
    resolver_t *self = arg;
    lookup_t *lookup = CONTAINER_OF(item, lookup_t, item);
    self->resolve(lookup->host, &lookup->found);
    self->found(self->arg, lookup);
}

static void s_drop(void *arg, queue_item_t *item)
{
    resolver_t *self = arg;
    lookup_t *lookup = CONTAINER_OF(item, lookup_t, item);
    snprintf(lookup->found.why, sizeof lookup->found.why, "the instance is leaving");
    self->found(self->arg, lookup);
}

resolver_t *resolver_new(size_t threads, size_t waiting, resolve_fn resolve,
                         void (*found)(void *arg, lookup_t *lookup), void *arg)
{
    resolver_t *self = mem_zeroed(sizeof *self);
    const crew_job_t job = {
        .part = "outbound", .begin = s_begin, .work = s_run, .drop = s_drop, .arg = self
    };
    self->resolve = resolve;
    self->found = found;
    self->arg = arg;
    crew_start(&self->crew, &job, threads, waiting);
    return self;
}

void resolver_destroy(resolver_t **self_p)
{
    resolver_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    crew_stop(&self->crew);
    mem_free(self);
}

bool resolver_ask(resolver_t *self, lookup_t *lookup)
{
    return crew_push(&self->crew, &lookup->item);
}
