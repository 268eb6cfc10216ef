/* SPDX-License-Identifier: MPL-2.0
 *
 * copies - what instances tell each other, so that one can take over from another
 *
 * On `limiter.copy.<to>`: { hello, done, leaving, understood, items: [[subject, epoch, state] ...]
 * }, in bunches of what was counted within COPY_MS. `hello` asks for everything the receiver counts
 * that the sender should have; `done` says that it has it now. An instance that has just come
 * therefore knows when it may decide, and one that is killed takes no more with it than its last
 * bunch.
 *
 * One that leaves says so in all it sends, and waits for everybody's `understood` before the
 * brokers are asked to send its subjects elsewhere. Whoever gets them then waits until it is gone:
 * only by chance would its last bunch come before the first takes, which come another way.
 */
#include "config.h"

#include <stdio.h>

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/limiter/limiter.h"

#define COPY_MS        10
#define ANNOUNCE_MS    500 /* how long the others may take to understand that this one leaves */
#define COPY_BYTES_MAX (256u << 10) /* of one bunch */

static uint64_t s_prefix_size(void)
{
    return strlen(topic_row(TOPIC_LIMITER_COPY)->prefix);
}

/* ---- sending --------------------------------------------------------------------------------- */

static void s_publish(limiter_t *self, peer_t *peer)
{
    char topic[TOPIC_BYTES_MAX + 1];
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 5);
    pack_pair_bool(&pack, "hello", peer->owes_hello);
    pack_pair_bool(&pack, "done", peer->owes_done);
    pack_pair_bool(&pack, "leaving", self->is_leaving);
    pack_pair_bool(&pack, "understood", peer->owes_understood);
    pack_text(&pack, "items");
    pack_array(&pack, peer->outbox_count);
    pack_raw(&pack, peer->outbox.bytes, peer->outbox.size);
    snprintf(topic, sizeof topic, "%s%s", topic_row(TOPIC_LIMITER_COPY)->prefix, peer->name);
    limiter_count(self, LIMITER_COPIES_SENT, peer->outbox_count);
    peer->owes_hello = peer->owes_done = peer->owes_understood = false;
    peer->outbox.size = 0;
    peer->outbox_count = 0;
    client_publish(actor_client(self->actor), topic, false, &body);
}

static void s_wake(limiter_t *self)
{
    if (!self->has_copies)
        monitor_wake(&self->monitor);
    self->has_copies = true;
}

static pack_t s_begin_item(peer_t *peer, const subject_t *subject)
{
    pack_t pack;
    pack_init(&pack, &peer->outbox);
    pack_array(&pack, 3);
    pack_text(&pack, subject->name);
    pack_uint(&pack, subject->epoch);
    peer->outbox_count++;
    return pack;
}

static void s_end_item(limiter_t *self, peer_t *peer)
{
    if (peer->outbox.size > COPY_BYTES_MAX)
        s_publish(self, peer);
    else
        s_wake(self);
}

static void s_send_all(limiter_t *self, peer_t *peer, subject_t *subject)
{
    pack_t pack = s_begin_item(peer, subject);
    engine_pack(&self->engine, subject, &pack);
    subject->copied_to = peer->hash;
    s_end_item(self, peer);
}

void copies_add(limiter_t *self, subject_t *subject, const take_t *take, const int64_t *times,
                size_t time_count)
{
    peer_t *peer = peers_target(&self->peers, subject->key, clock_ms());
    if (!peer)
        return;
    if (subject->copied_to != peer->hash) {
        s_send_all(self, peer, subject);
        return;
    }
    pack_t pack = s_begin_item(peer, subject);
    engine_pack_uses(subject, take->policies, take->policy_count, times, time_count, &pack);
    s_end_item(self, peer);
}

/* Sends what another instance should have now and has not: after a change of who is there. */
static void s_spread(limiter_t *self)
{
    uint64_t now_ms = clock_ms();
    subject_t *subject;
    if (self->peers.count == 0)
        return;
    TAILQ_FOREACH(subject, &self->engine.used, used_entry)
    {
        if (!subject->is_own && !peers_is_own(&self->peers, subject->key))
            continue;
        peer_t *peer = peers_target(&self->peers, subject->key, now_ms);
        if (peer && subject->copied_to != peer->hash)
            s_send_all(self, peer, subject);
    }
}

/* ---- receiving: on the I/O thread ------------------------------------------------------------ */

static void s_take_item(limiter_t *self, const value_t *item)
{
    const value_t *name = value_item(item, 0), *epoch = value_item(item, 1);
    absorb_t news = { .is_live = true, .state = value_item(item, 2) };
    if (!value_is_type(name, VALUE_TEXT) || !value_is_type(epoch, VALUE_INT) ||
        name->count > LIMITER_SUBJECT_SIZE_MAX)
        return;
    int64_t now_ms = limiter_now_ms(self);
    subject_t *subject = engine_open(&self->engine, name->text, name->count, now_ms);
    news.epoch = (uint32_t)epoch->integer;
    if (subject && engine_absorb(&self->engine, subject, &news, now_ms))
        limiter_count(self, LIMITER_COPIES_TAKEN, 1);
    else
        limiter_count(self, LIMITER_COPIES_LOST, 1);
}

/* It has come, perhaps again: nothing it had is relied on. */
static void s_greet(limiter_t *self, peer_t *peer)
{
    subject_t *subject;
    peer->is_greeted = true;
    TAILQ_FOREACH(subject, &self->engine.used, used_entry)
    if (subject->copied_to == peer->hash)
        subject->copied_to = 0;
    s_spread(self);
    peer->owes_done = true;
    s_wake(self);
}

static void s_regroup(limiter_t *self, bool has_changed)
{
    if (has_changed) {
        LOG(LOG_INFO, "limiter.peers", LOG_TEXT("instance", self->peers.name),
            LOG_INT("others", self->peers.count));
        s_spread(self);
        s_wake(self);
    }
    monitor_wake(&self->monitor); /* whoever waits for others looks again */
}

/* What a message says of the instance that sent it. */
static void s_hear(limiter_t *self, peer_t *peer, const value_t *body)
{
    bool is_leaving = value_get_bool(body, "leaving", false);
    bool is_told = is_leaving && !peer->is_leaving;
    s_regroup(self, peers_hear_leaving(peer, is_leaving, clock_ms()));
    if (is_told) {
        peer->owes_understood = true;
        s_publish(self, peer); /* it waits */
    }
    peer->has_understood |= value_get_bool(body, "understood", false);
    peer->has_handed_over |= value_get_bool(body, "done", false);
    if (value_get_bool(body, "hello", false))
        s_greet(self, peer);
}

static void s_take_copies(limiter_t *self, const client_event_t *event, const value_t *body)
{
    const value_t *items = value_get(body, "items"), *item;
    peer_t *peer = peers_find(&self->peers, event->head.publisher, event->head.publisher_size);
    for (uint32_t i = 0; (item = value_item(items, i)); i++)
        s_take_item(self, item);
    if (!peer)
        return;
    peer->heard_ms = clock_ms();
    if (event->missed > 0) { /* everything once more, then */
        peer->owes_hello = true;
        s_wake(self);
    }
    s_hear(self, peer, body);
}

/* Runs `take` with the event's body as a tree, under the lock. */
static void s_with_body(limiter_t *self, const client_event_t *event,
                        void (*take)(limiter_t *, const client_event_t *, const value_t *))
{
    arena_t arena = { 0 };
    value_verdict_t verdict;
    const value_t *body = value_parse(&arena, event->body, event->size, VALUE_LIMITS, &verdict);
    if (body) {
        monitor_lock(&self->monitor);
        take(self, event, body);
        monitor_unlock(&self->monitor);
    } else {
        LOG(LOG_WARN, "limiter.event_unreadable",
            LOG_BYTES("topic", event->topic, event->topic_size),
            LOG_TEXT("why", value_verdict_text(verdict)));
    }
    arena_free(&arena);
}

static void s_on_copies(void *arg, const client_event_t *event)
{
    limiter_t *self = arg;
    if (event->topic_size != s_prefix_size() + strlen(self->peers.name))
        return; /* for an instance whose name begins with ours */
    if (event->missed > 0)
        limiter_count(self, LIMITER_COPIES_LOST, (int64_t)event->missed);
    s_with_body(self, event, s_take_copies);
}

static void s_learn(limiter_t *self, const client_event_t *event, const value_t *body)
{
    bool was_member = self->peers.is_member;
    bool has_changed = peers_learn(&self->peers, body, event->link, event->connection, clock_ms());
    s_regroup(self, has_changed || was_member != self->peers.is_member);
}

static void s_on_registry(void *arg, const client_event_t *event)
{
    s_with_body(arg, event, s_learn);
}

static void s_on_void(void *arg, uint32_t link, uint32_t connection)
{
    limiter_t *self = arg;
    monitor_lock(&self->monitor);
    bool was_member = self->peers.is_member;
    bool has_changed = peers_void(&self->peers, link, connection, clock_ms());
    s_regroup(self, has_changed || was_member != self->peers.is_member);
    monitor_unlock(&self->monitor);
}

static void s_compare_policies(limiter_t *self, const client_event_t *event, const value_t *body)
{
    (void)event;
    if (value_get_int(body, "version", 0) <= self->engine.policies.version)
        return;
    self->is_outdated = true;
    monitor_wake(&self->monitor);
}

static void s_on_policies(void *arg, const client_event_t *event)
{
    s_with_body(arg, event, s_compare_policies);
}

/* The copies first: whoever hears of this instance from the registry may send at once. */
void copies_subscribe(limiter_t *self, client_t *client)
{
    char topic[TOPIC_BYTES_MAX + 1];
    snprintf(topic, sizeof topic, "%s%s", topic_row(TOPIC_LIMITER_COPY)->prefix, self->peers.name);
    client_subscribe(client, topic, s_on_copies, self);
    client_subscribe(client, topic_row(TOPIC_LIMITER_POLICIES)->prefix, s_on_policies, self);
    snprintf(topic, sizeof topic, "%s%s.", topic_row(TOPIC_REGISTRY)->prefix, limiter_service.name);
    client_follow(client, topic, s_on_registry, s_on_void, self);
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void s_publish_all(limiter_t *self)
{
    for (size_t i = 0; i < self->peers.count; i++) {
        peer_t *peer = &self->peers.list[i];
        if (peer->outbox_count > 0 || peer->owes_hello || peer->owes_done)
            s_publish(self, peer);
    }
    self->has_copies = false;
}

static void *s_run(void *arg)
{
    limiter_t *self = arg;
    log_set_part("limiter");
    monitor_lock(&self->monitor);
    while (!self->is_stopping) {
        if (!self->has_copies) {
            monitor_wait_until(&self->monitor, UINT64_MAX / 2);
            continue;
        }
        monitor_unlock(&self->monitor);
        clock_sleep_ms(COPY_MS); /* more comes together meanwhile */
        monitor_lock(&self->monitor);
        s_publish_all(self);
    }
    s_publish_all(self);
    monitor_unlock(&self->monitor);
    return NULL;
}

void copies_start(limiter_t *self)
{
    insist(pthread_create(&self->copier, NULL, s_run, self) == 0);
}

void copies_stop(limiter_t *self)
{
    pthread_join(self->copier, NULL);
}

/* Before the brokers are asked to send requests elsewhere. */
void copies_announce_leaving(limiter_t *self)
{
    const uint64_t until_ms = clock_ms() + ANNOUNCE_MS;
    monitor_lock(&self->monitor);
    self->is_leaving = true;
    for (size_t i = 0; i < self->peers.count; i++)
        s_publish(self, &self->peers.list[i]);
    while (!peers_have_understood(&self->peers) && monitor_wait_until(&self->monitor, until_ms))
        ;
    monitor_unlock(&self->monitor);
}

/* A sign of life for everybody; who has not handed over is asked again. */
void copies_tick(limiter_t *self)
{
    for (size_t i = 0; i < self->peers.count; i++) {
        peer_t *peer = &self->peers.list[i];
        peer->owes_hello |= !peer->has_handed_over;
        s_publish(self, peer);
    }
    s_spread(self); /* one that has fallen silent is passed over from now on */
}
