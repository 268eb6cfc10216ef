/* SPDX-License-Identifier: MPL-2.0
 *
 * resolver - the addresses of a name, looked up on threads of its own
 */
#include "config.h"

#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>

#include "actors/base/log.h"
#include "actors/jobs/outbound/resolver.h"

#define PATIENCE_S 2 /* for one name server, the first time */
#define ATTEMPTS   2

struct resolver {
    queue_t waiting;
    resolve_fn resolve;
    void (*found)(void *arg, lookup_t *lookup);
    void *arg;
    pthread_t *threads;
    size_t thread_count;
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

static void *s_run(void *arg)
{
    resolver_t *self = arg;
    queue_item_t *item;
    log_set_part("outbound");
    /* the state of glibc's resolver is the thread's own */
    if (res_init() == 0) {
        _res.retrans = PATIENCE_S;
        _res.retry = ATTEMPTS;
    }
    while ((item = queue_pop(&self->waiting))) {
        lookup_t *lookup = CONTAINER_OF(item, lookup_t, item);
        self->resolve(lookup->host, &lookup->found);
        self->found(self->arg, lookup);
    }
    return NULL;
}

resolver_t *resolver_new(size_t threads, size_t waiting, resolve_fn resolve,
                         void (*found)(void *arg, lookup_t *lookup), void *arg)
{
    resolver_t *self = mem_zeroed(sizeof *self);
    *self = (resolver_t){ .resolve = resolve, .found = found, .arg = arg };
    queue_init(&self->waiting, waiting, false);
    self->threads = mem_array(threads, sizeof *self->threads);
    self->thread_count = threads;
    for (size_t i = 0; i < threads; i++)
        insist(pthread_create(&self->threads[i], NULL, s_run, self) == 0);
    return self;
}

void resolver_destroy(resolver_t **self_p)
{
    resolver_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    queue_item_t *next;
    for (queue_item_t *item = queue_take_all(&self->waiting); item; item = next) {
        lookup_t *lookup = CONTAINER_OF(item, lookup_t, item);
        next = item->next;
        snprintf(lookup->found.why, sizeof lookup->found.why, "the instance is leaving");
        self->found(self->arg, lookup);
    }
    queue_close(&self->waiting);
    for (size_t i = 0; i < self->thread_count; i++)
        pthread_join(self->threads[i], NULL);
    queue_free(&self->waiting);
    mem_free(self->threads);
    mem_free(self);
}

bool resolver_ask(resolver_t *self, lookup_t *lookup)
{
    return queue_push(&self->waiting, &lookup->item);
}
