/* SPDX-License-Identifier: MPL-2.0
 *
 * redis - a connection to Redis that nobody waits for
 *
 * hiredis speaks the protocol; the loop around it is ours, since it also waits for the queue of
 * commands. hiredis answers strictly in order, so a command whose deadline has passed stays with it
 * until its late reply or the end of the connection, only without a caller.
 */
#include "config.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <hiredis/async.h>

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/base/log.h"
#include "actors/base/monitor.h"
#include "actors/base/queue.h"
#include "actors/base/wheel.h"
#include "actors/runtime/breaker.h"
#include "actors/runtime/redis.h"
#include "actors/runtime/redis_url.h"

#define REDIS_OPEN_MAX       10000       /* commands under way */
#define REDIS_OPEN_BYTES_MAX (64u << 20) /* and their bytes */
#define REDIS_TIMEOUTS_MAX   5           /* in a row: the connection is of no use */
#define REDIS_REST_MS        100         /* of the breaker; the pauses below decide */
#define REDIS_PAUSE_MS       50          /* before connecting again; doubles */
#define REDIS_PAUSE_MOST_MS  2000        /* at most */
#define REDIS_GREETING_MS    2000        /* until a new connection must be of use */
#define REDIS_SLEEP_MS       1000        /* of the loop, at most */
#define REDIS_NUMBER_BYTES   24

static const stats_row_t s_rows[REDIS_STATS + 1] = {
#define COUNTER(row, name, about) [row] = { "redis_" name "_total", STATS_COUNTER, about }
    COUNTER(REDIS_COMMANDS, "commands", "Commands taken"),
    COUNTER(REDIS_REFUSALS, "refusals", "Commands not taken because Redis was away or too busy"),
    COUNTER(REDIS_ERRORS, "errors", "Commands that Redis answered with an error"),
    COUNTER(REDIS_TIMEOUTS, "timeouts", "Commands whose deadline passed"),
    COUNTER(REDIS_LOSSES, "losses", "Commands under way when the connection was lost"),
    COUNTER(REDIS_CONNECTIONS, "connections", "Connections made"),
    COUNTER(REDIS_FAILED_CONNECTIONS, "failed_connections", "Connections that could not be made"),
    COUNTER(REDIS_BREAKERS_OPENED, "breakers_opened",
            "Connections given up because Redis did not answer"),
#undef COUNTER
    [REDIS_COMMAND_TIME] = { "redis_command_duration_microseconds", STATS_HISTOGRAM,
                             "Time from a command's sending to its reply" },
    [REDIS_UP] = { "redis_up", STATS_GAUGE, "Whether Redis is connected and answers" },
};

typedef struct {
    queue_item_t item;   /* on its way to the thread */
    wheel_timer_t timer; /* its deadline */
    redis_t *redis;
    redis_fn done; /* NULL once it has ended, or when nobody cares */
    void *arg;
    uint64_t started_us;
    bool has_ended;
    char *bytes; /* as the protocol wants them, hiredis' memory */
    size_t size;
} command_t;

struct redis {
    redis_url_t url;
    uint32_t deadline_ms;
    stats_t stats;
    queue_t queue;
    monitor_t monitor; /* woken when the last command has ended while draining */
    pthread_t thread;
    atomic_bool is_up, is_draining, is_stopping;
    atomic_size_t open_count, open_bytes; /* commands that have not ended; that hiredis holds */

    /* the thread's own */
    redisAsyncContext *link; /* NULL: not connected */
    short events;            /* that hiredis waits for */
    bool is_greeted;         /* signed in, database chosen, and answering */
    bool was_told;           /* that it is away, in the log */
    uint32_t attempts;       /* to connect, in a row */
    uint64_t until_ms;       /* not connected: of the pause; not greeted: of the patience */
    breaker_t breaker;
    wheel_t wheel;
};

static void s_count(redis_t *self, redis_stat_t row)
{
    stats_add(&self->stats, row, 1);
}

/* ---- commands, on the caller's thread ------------------------------------------------------- */

redis_word_t redis_text(const char *text)
{
    return (redis_word_t){ text, strlen(text) };
}

static void s_free(command_t *command)
{
    atomic_fetch_sub(&command->redis->open_bytes, command->size);
    redisFreeCommand(command->bytes);
    mem_free(command);
}

/* Ends a command for its caller; hiredis may hold it yet. */
static void s_end(command_t *command, redis_outcome_t outcome, const redisReply *reply)
{
    redis_t *self = command->redis;
    command->has_ended = true;
    wheel_remove(&self->wheel, &command->timer);
    if (command->done)
        command->done(command->arg, outcome, reply);
    if (atomic_fetch_sub(&self->open_count, 1) == 1 && atomic_load(&self->is_draining)) {
        monitor_lock(&self->monitor);
        monitor_wake(&self->monitor);
        monitor_unlock(&self->monitor);
    }
}

static command_t *s_new(redis_t *self, const redis_word_t *words, size_t count, redis_fn done,
                        void *arg)
{
    const char *bytes[REDIS_WORDS_MAX];
    size_t sizes[REDIS_WORDS_MAX];
    insist(count > 0 && count <= REDIS_WORDS_MAX);
    for (size_t i = 0; i < count; i++) {
        bytes[i] = words[i].bytes;
        sizes[i] = words[i].size;
    }
    command_t *command = mem_zeroed(sizeof *command);
    int size = redisFormatCommandArgv(&command->bytes, (int)count, bytes, sizes);
    insist(size > 0);
    command->redis = self;
    command->size = (size_t)size;
    command->done = done;
    command->arg = arg;
    command->started_us = clock_us();
    return command;
}

bool redis_send(redis_t *self, const redis_word_t *words, size_t count, redis_fn done, void *arg)
{
    bool taken = redis_is_up(self) && !atomic_load(&self->is_draining) &&
                 atomic_load(&self->open_bytes) < REDIS_OPEN_BYTES_MAX;
    if (taken) {
        command_t *command = s_new(self, words, count, done, arg);
        atomic_fetch_add(&self->open_count, 1);
        atomic_fetch_add(&self->open_bytes, command->size);
        if (queue_push(&self->queue, &command->item)) {
            s_count(self, REDIS_COMMANDS);
            return true;
        }
        command->done = NULL; /* the caller hears of it by our answer */
        s_end(command, REDIS_LOST, NULL);
        s_free(command);
    }
    if (self)
        s_count(self, REDIS_REFUSALS);
    return false;
}

/* ---- commands, on the thread ---------------------------------------------------------------- */

static void s_leave(redis_t *self, const char *why);

static void s_on_reply(redisAsyncContext *link, void *reply_memory, void *arg)
{
    command_t *command = arg;
    redis_t *self = command->redis;
    const redisReply *reply = reply_memory;
    (void)link;
    if (reply)
        breaker_report(&self->breaker, true, clock_ms());
    if (!command->has_ended && !reply) {
        s_count(self, REDIS_LOSSES);
        s_end(command, REDIS_LOST, NULL);
    } else if (!command->has_ended) {
        bool failed = reply->type == REDIS_REPLY_ERROR;
        stats_record(&self->stats, REDIS_COMMAND_TIME, clock_us() - command->started_us);
        if (failed)
            s_count(self, REDIS_ERRORS);
        s_end(command, failed ? REDIS_FAILED : REDIS_REPLIED, reply);
    }
    s_free(command);
}

static void s_give(redis_t *self, command_t *command)
{
    uint64_t due_ms = command->started_us / 1000 + self->deadline_ms;
    if (self->is_greeted && redisAsyncFormattedCommand(self->link, s_on_reply, command,
                                                       command->bytes, command->size) == REDIS_OK) {
        wheel_add(&self->wheel, &command->timer, due_ms);
        return;
    }
    s_count(self, REDIS_LOSSES); /* lost between the caller's look and ours */
    s_end(command, REDIS_LOST, NULL);
    s_free(command);
}

static void s_take_commands(redis_t *self)
{
    queue_item_t *next;
    for (queue_item_t *item = queue_take_all(&self->queue); item; item = next) {
        next = item->next;
        s_give(self, CONTAINER_OF(item, command_t, item));
    }
}

static void s_expire_commands(redis_t *self)
{
    wheel_timer_t *timer;
    bool opened = false;
    while ((timer = wheel_expired(&self->wheel, clock_ms()))) {
        s_count(self, REDIS_TIMEOUTS);
        opened |= breaker_report(&self->breaker, false, clock_ms()) &&
                  self->breaker.state == BREAKER_OPEN;
        s_end(CONTAINER_OF(timer, command_t, timer), REDIS_TIMEOUT, NULL);
    }
    if (opened) {
        s_count(self, REDIS_BREAKERS_OPENED);
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
        s_count(self, REDIS_FAILED_CONNECTIONS);
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
        s_count(self, REDIS_CONNECTIONS);
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

static void *s_run(void *arg)
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

/* ---- life ----------------------------------------------------------------------------------- */

redis_t *redis_open(const char *url, uint32_t deadline_ms, char *why, size_t why_size)
{
    redis_t *self = mem_zeroed(sizeof *self);
    if (!redis_url_parse(&self->url, url, why, why_size)) {
        mem_free(self);
        return NULL;
    }
    self->deadline_ms = deadline_ms;
    stats_init(&self->stats, s_rows);
    queue_init(&self->queue, REDIS_OPEN_MAX, true);
    monitor_init(&self->monitor);
    wheel_init(&self->wheel, clock_ms());
    breaker_init(&self->breaker, REDIS_TIMEOUTS_MAX, REDIS_REST_MS);
    insist(pthread_create(&self->thread, NULL, s_run, self) == 0);
    return self;
}

void redis_drain(redis_t *self)
{
    atomic_store(&self->is_draining, true);
    queue_close(&self->queue);
    monitor_lock(&self->monitor);
    while (atomic_load(&self->open_count) > 0)
        monitor_wait_until(&self->monitor, clock_ms() + REDIS_SLEEP_MS);
    monitor_unlock(&self->monitor);
}

void redis_close(redis_t **self_p)
{
    redis_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    redis_drain(self);
    atomic_store(&self->is_stopping, true);
    queue_close(&self->queue); /* closed already; this wakes the thread */
    pthread_join(self->thread, NULL);
    queue_free(&self->queue);
    monitor_free(&self->monitor);
    stats_free(&self->stats);
    mem_wipe(&self->url, sizeof self->url);
    mem_free(self);
}

bool redis_is_up(const redis_t *self)
{
    return self && atomic_load_explicit(&self->is_up, memory_order_relaxed);
}

stats_t *redis_stats(redis_t *self)
{
    return &self->stats;
}

/* ---- health --------------------------------------------------------------------------------- */

typedef struct {
    monitor_t monitor;
    bool has_ended, good;
} ping_t;

static void s_on_ping(void *arg, redis_outcome_t outcome, const redisReply *reply)
{
    ping_t *ping = arg;
    (void)reply;
    monitor_lock(&ping->monitor);
    ping->has_ended = true;
    ping->good = outcome == REDIS_REPLIED;
    monitor_wake(&ping->monitor);
    monitor_unlock(&ping->monitor);
}

bool redis_ping(redis_t *self, uint64_t *latency_us)
{
    ping_t ping = { .has_ended = false };
    uint64_t started_us = clock_us();
    monitor_init(&ping.monitor);
    if (REDIS_SEND(self, s_on_ping, &ping, redis_text("PING"))) {
        monitor_lock(&ping.monitor);
        while (!ping.has_ended) /* every command ends */
            monitor_wait_until(&ping.monitor, clock_ms() + REDIS_SLEEP_MS);
        monitor_unlock(&ping.monitor);
    }
    monitor_free(&ping.monitor);
    *latency_us = clock_us() - started_us;
    return ping.good;
}
