/* SPDX-License-Identifier: MPL-2.0
 *
 * redis_link - the thread that owns a connection to Redis
 *
 * hiredis speaks the protocol; the loop around it is ours, since it also waits for the queue of
 * commands. hiredis answers strictly in order, so a command whose deadline has passed stays with it
 * until its late reply or the end of the connection, only without a caller.
 */
#include "config.h"

#include <poll.h>
#include <stdio.h>

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/base/log.h"
#include "actors/runtime/redis_state.h"

#define REDIS_PAUSE_MS      50   /* before connecting again; doubles */
#define REDIS_PAUSE_MOST_MS 2000 /* at most */
#define REDIS_GREETING_MS   2000 /* until a new connection must be of use */
#define REDIS_TIMEOUTS_MAX  5    /* in a row: the connection is of no use */
#define REDIS_REST_MS       100  /* of the breaker; the pauses above decide */
#define REDIS_NUMBER_BYTES  24

/* ---- commands ------------------------------------------------------------------------------- */

static void s_leave(redis_t *self, const char *why);

static void s_on_reply(redisAsyncContext *link, void *reply_memory, void *arg)
{
    redis_command_t *command = arg;
    redis_t *self = command->redis;
    const redisReply *reply = reply_memory;
    (void)link;
    if (reply)
        breaker_report(&self->breaker, true, clock_ms());
    if (!command->has_ended && !reply) {
        redis_count(self, REDIS_LOSSES);
        redis_end(command, REDIS_LOST, NULL);
    } else if (!command->has_ended) {
        bool failed = reply->type == REDIS_REPLY_ERROR;
        stats_record(&self->stats, REDIS_COMMAND_TIME, clock_us() - command->started_us);
        if (failed)
            redis_count(self, REDIS_ERRORS);
        redis_end(command, failed ? REDIS_FAILED : REDIS_REPLIED, reply);
    }
    redis_free(command);
}

static void s_give(redis_t *self, redis_command_t *command)
{
    uint64_t due_ms = command->started_us / 1000 + self->deadline_ms;
    if (self->is_greeted && redisAsyncFormattedCommand(self->link, s_on_reply, command,
                                                       command->bytes, command->size) == REDIS_OK) {
        wheel_add(&self->wheel, &command->timer, due_ms);
        return;
    }
    redis_count(self, REDIS_LOSSES); /* lost between the caller's look and ours */
    redis_end(command, REDIS_LOST, NULL);
    redis_free(command);
}

static void s_take_commands(redis_t *self)
{
    queue_item_t *next;
    for (queue_item_t *item = queue_take_all(&self->queue); item; item = next) {
        next = item->next;
        s_give(self, CONTAINER_OF(item, redis_command_t, item));
    }
}

static void s_expire_commands(redis_t *self)
{
    wheel_timer_t *timer;
    bool opened = false;
    while ((timer = wheel_expired(&self->wheel, clock_ms()))) {
        redis_count(self, REDIS_TIMEOUTS);
        opened |= breaker_report(&self->breaker, false, clock_ms()) &&
                  self->breaker.state == BREAKER_OPEN;
        redis_end(CONTAINER_OF(timer, redis_command_t, timer), REDIS_TIMEOUT, NULL);
    }
    if (opened) {
        redis_count(self, REDIS_BREAKERS_OPENED);
        s_leave(self, "it does not answer in time");
    }
}

/* ---- the connection ------------------------------------------------------------------------- */

static void s_set_up(redis_t *self, bool is_up)
{
    self->is_greeted = is_up;
    stats_set(&self->stats, REDIS_UP, is_up);
    atomic_store(&self->is_up, is_up);
}

/* Takes down that the connection is gone, or did not come to be; the next one follows a pause. */
static void s_note_loss(redis_t *self, const char *why)
{
    bool was_up = self->is_greeted;
    s_set_up(self, false);
    self->link = NULL;
    self->events = 0;
    if (!was_up)
        redis_count(self, REDIS_FAILED_CONNECTIONS);
    if (!self->was_told && !atomic_load(&self->is_stopping))
        LOG(LOG_WARN, "redis.away", LOG_TEXT("why", why));
    self->was_told = true;
    self->attempts++;
    self->until_ms = clock_ms() + breaker_backoff(self->attempts, REDIS_PAUSE_MS,
                                                  REDIS_PAUSE_MOST_MS, id_random_u64());
}

/* Gives the connection up; all its commands end. */
static void s_leave(redis_t *self, const char *why)
{
    redisAsyncContext *link = self->link;
    if (!link)
        return;
    s_note_loss(self, why); /* first: callbacks that send again are refused */
    link->data = NULL;
    redisAsyncFree(link);
}

/* hiredis has ended the connection itself and frees it after this. */
static void s_on_disconnect(const redisAsyncContext *link, int status)
{
    (void)status;
    if (link->data)
        s_note_loss(link->data, link->err ? link->errstr : "the connection was closed");
}

static void s_on_connect(const redisAsyncContext *link, int status)
{
    if (status != REDIS_OK && link->data)
        s_note_loss(link->data, link->c.errstr);
}

/* The answer to a command of the greeting; the last one decides. */
static void s_on_greeting(redisAsyncContext *link, void *reply_memory, void *arg)
{
    const redisReply *reply = reply_memory;
    redis_t *self = link->data;
    bool is_last = arg != NULL;
    if (!reply || !self)
        return;
    if (reply->type == REDIS_REPLY_ERROR) {
        s_leave(self, reply->str);
    } else if (is_last) {
        LOG(LOG_INFO, "redis.up", LOG_INT("attempts", self->attempts + 1));
        redis_count(self, REDIS_CONNECTIONS);
        breaker_init(&self->breaker, REDIS_TIMEOUTS_MAX, REDIS_REST_MS);
        self->attempts = 0;
        self->was_told = false;
        s_set_up(self, true);
    }
}

/* hiredis' wishes: it says through these for what the loop shall wait. */
static void s_add_read(void *arg)
{
    ((redis_t *)arg)->events |= POLLIN;
}

static void s_del_read(void *arg)
{
    ((redis_t *)arg)->events &= (short)~POLLIN;
}

static void s_add_write(void *arg)
{
    ((redis_t *)arg)->events |= POLLOUT;
}

static void s_del_write(void *arg)
{
    ((redis_t *)arg)->events &= (short)~POLLOUT;
}

static void s_greet(redis_t *self)
{
    const redis_url_t *url = &self->url;
    char number[REDIS_NUMBER_BYTES];
    snprintf(number, sizeof number, "%u", (unsigned)url->database);
    if (url->password[0] && url->user[0])
        redisAsyncCommand(self->link, s_on_greeting, NULL, "AUTH %s %s", url->user, url->password);
    else if (url->password[0])
        redisAsyncCommand(self->link, s_on_greeting, NULL, "AUTH %s", url->password);
    if (url->database)
        redisAsyncCommand(self->link, s_on_greeting, NULL, "SELECT %s", number);
    redisAsyncCommand(self->link, s_on_greeting, self, "PING");
}

static void s_connect(redis_t *self)
{
    const redis_url_t *url = &self->url;
    redisAsyncContext *link =
        url->path[0] ? redisAsyncConnectUnix(url->path) : redisAsyncConnect(url->host, url->port);
    insist(link != NULL);
    if (link->err) {
        s_note_loss(self, link->errstr);
        redisAsyncFree(link);
        return;
    }
    self->link = link;
    self->events = 0;
    self->until_ms = clock_ms() + REDIS_GREETING_MS;
    link->data = self;
    link->ev.data = self;
    link->ev.addRead = s_add_read;
    link->ev.delRead = s_del_read;
    link->ev.addWrite = s_add_write;
    link->ev.delWrite = s_del_write;
    redisAsyncSetConnectCallback(link, s_on_connect);
    redisAsyncSetDisconnectCallback(link, s_on_disconnect);
    s_greet(self);
}

/* ---- the thread ----------------------------------------------------------------------------- */

/* What the connection is due for: a new attempt, or the end of our patience with it. */
static void s_mind_connection(redis_t *self)
{
    if (self->is_greeted || clock_ms() < self->until_ms)
        return;
    if (self->link)
        s_leave(self, "it has not answered the greeting in time");
    else
        s_connect(self);
}

static int s_sleep_ms(const redis_t *self)
{
    uint64_t now_ms = clock_ms();
    uint32_t sleep_ms = wheel_wait(&self->wheel, now_ms, REDIS_SLEEP_MS);
    if (self->is_greeted)
        return (int)sleep_ms;
    uint64_t left_ms = self->until_ms > now_ms ? self->until_ms - now_ms : 0;
    return (int)(left_ms < sleep_ms ? left_ms : sleep_ms);
}

static void s_handle_link(redis_t *self, short events)
{
    redisAsyncContext *link = self->link;
    if (events & (POLLIN | POLLHUP | POLLERR))
        redisAsyncHandleRead(link);
    if (self->link == link && events & POLLOUT)
        redisAsyncHandleWrite(link);
}

void *redis_run(void *arg)
{
    redis_t *self = arg;
    log_set_part("redis");
    while (!atomic_load(&self->is_stopping)) {
        s_mind_connection(self);
        s_take_commands(self);
        struct pollfd fds[] = { { .fd = queue_fd(&self->queue), .events = POLLIN },
                                { .fd = self->link ? self->link->c.fd : -1,
                                  .events = self->events } };
        if (poll(fds, COUNT_OF(fds), s_sleep_ms(self)) > 0 && self->link && fds[1].revents)
            s_handle_link(self, fds[1].revents);
        s_expire_commands(self);
    }
    s_leave(self, "stopping");
    s_take_commands(self);
    return NULL;
}
