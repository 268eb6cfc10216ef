/* SPDX-License-Identifier: MPL-2.0
 *
 * backing - the thread that reads and writes the store, so that nobody else waits for it
 *
 * Subjects that are wanted are read together; what was counted is written together, each flush_ms.
 */
#include "config.h"

#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/limiter/limiter.h"

#define JOIN_MS          500  /* how long a new instance waits for what others hand over */
#define LAST_MS          3000 /* how long the last flush may take */
#define LAST_PAUSE_MS    100
#define PURGE_MS         30000 /* between looks for what counts no more */
#define PURGE_MOST       2000
#define PURGE_LATE_MS    60000 /* other instances' clocks may be behind */
#define POLICIES_MS      5000  /* between looks for a change nobody told of */
#define BREAKER_FAILURES 1
#define BREAKER_OPEN_MS  1000

/* ---- calls that wait ------------------------------------------------------------------------- */

void backing_defer(limiter_t *self, call_t *call, waiting_fn run, const char *subject, size_t size)
{
    waiting_t *waiting = mem_alloc(sizeof *waiting + size + 1);
    *waiting = (waiting_t){ .call = call, .run = run, .size = size };
    memcpy(waiting->subject, subject ? subject : "", size);
    waiting->subject[size] = '\0';
    TAILQ_INSERT_TAIL(subject ? &self->loads : &self->orders, waiting, entry);
    monitor_wake(&self->monitor);
    call_defer(call);
}

/* Lets all of a list go on. */
static void s_run_all(limiter_t *self, waiting_list_t *list)
{
    waiting_t *waiting;
    while ((waiting = TAILQ_FIRST(list))) {
        TAILQ_REMOVE(list, waiting, entry);
        waiting->run(waiting->call, self);
        mem_free(waiting);
    }
}

/* Ends all of a list; returns how many they were. */
static int64_t s_fail_all(waiting_list_t *list, error_code_t code, const char *detail)
{
    waiting_t *waiting;
    int64_t count = 0;
    for (; (waiting = TAILQ_FIRST(list)); count++) {
        TAILQ_REMOVE(list, waiting, entry);
        call_fail(waiting->call, code, "%s", detail);
        mem_free(waiting);
    }
    return count;
}

/* ---- loading --------------------------------------------------------------------------------- */

static void s_take_row(void *arg, const ledger_usage_t *usage)
{
    limiter_t *self = arg;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    const value_t *state = value_parse(&arena, usage->state, usage->size, VALUE_LIMITS, &verdict);
    absorb_t news = { .epoch = usage->epoch, .state = state };
    monitor_lock(&self->monitor);
    int64_t now_ms = limiter_now_ms(self);
    subject_t *subject = engine_open(&self->engine, usage->subject, strlen(usage->subject), now_ms);
    bool good = state && subject && engine_absorb(&self->engine, subject, &news, now_ms);
    monitor_unlock(&self->monitor);
    limiter_count(self, good ? LIMITER_LOADED : LIMITER_LOAD_FAILURES, 1);
    arena_free(&arena);
}

/* Reads these subjects; false when the store cannot be reached, or could not a moment ago. */
static bool s_read(limiter_t *self, const char *const *names, size_t count)
{
    bool good = breaker_allows(&self->store_breaker, clock_ms());
    if (good) {
        good = ledger_read_usage(&self->ledger, names, count, limiter_now_ms(self), s_take_row,
                                 self) == DB_OK;
        if (breaker_report(&self->store_breaker, good, clock_ms()))
            LOG(LOG_WARN, good ? "limiter.store_back" : "limiter.store_away",
                LOG_INT("subjects", count));
    }
    if (!good)
        limiter_count(self, LIMITER_LOAD_FAILURES, 1);
    return good;
}

/* What was asked about may be decided now. While the store cannot be reached memory alone decides,
 * and what it does not know is a guess. Those for which there is no room are put aside. */
static void s_set_loaded(limiter_t *self, waiting_list_t *list, bool is_guess,
                         waiting_list_t *refused)
{
    waiting_t *waiting, *next;
    monitor_lock(&self->monitor);
    for (waiting = TAILQ_FIRST(list); waiting; waiting = next) {
        next = TAILQ_NEXT(waiting, entry);
        subject_t *subject =
            engine_open(&self->engine, waiting->subject, waiting->size, limiter_now_ms(self));
        if (subject) {
            subject->is_guess = is_guess && !subject->is_loaded;
            subject->is_loaded = true;
            continue;
        }
        TAILQ_REMOVE(list, waiting, entry);
        TAILQ_INSERT_TAIL(refused, waiting, entry);
    }
    monitor_unlock(&self->monitor);
}

static void s_load(limiter_t *self, waiting_list_t *list)
{
    const waiting_t *waiting;
    const char *names[LEDGER_BATCH];
    size_t count = 0;
    waiting_list_t refused;
    TAILQ_INIT(&refused);
    TAILQ_FOREACH(waiting, list, entry)
    names[count++] = waiting->subject;
    bool is_read = s_read(self, names, count);
    s_set_loaded(self, list, !is_read, &refused);
    s_run_all(self, list);
    limiter_count(self, LIMITER_NO_ROOM, s_fail_all(&refused, ERROR_OVERLOADED, LIMITER_FULL));
}

/* A new instance decides about nothing it does not know before the others have told it what they
 * know, and any about nothing that one who leaves may still count; not for ever, since one of them
 * may be gone. The lock is held. */
static bool s_may_load(limiter_t *self)
{
    const uint64_t now_ms = clock_ms();
    if (!self->join_until_ms)
        self->join_until_ms = now_ms + JOIN_MS;
    bool is_ready = peers_have_handed_over(&self->peers) &&
                    (!self->ledger.redis || redis_is_up(self->ledger.redis));
    return (is_ready || now_ms >= self->join_until_ms) && !peers_are_leaving(&self->peers, now_ms);
}

/* ---- flushing -------------------------------------------------------------------------------- */

typedef struct {
    ledger_usage_t list[LEDGER_BATCH];
    uint32_t changes[LEDGER_BATCH];
    size_t offsets[LEDGER_BATCH]; /* of the states */
    size_t count;
    arena_t names;
    buf_t states;
} flush_t;

/* Takes in what the store knows of subjects that were guessed about and are to be written; false
 * while it cannot be reached. */
static bool s_take_in(limiter_t *self)
{
    const char *names[LEDGER_BATCH];
    size_t count = 0;
    subject_t *subject;
    arena_t arena = { 0 };
    monitor_lock(&self->monitor);
    TAILQ_FOREACH(subject, &self->engine.dirty, dirty_entry)
    if (subject->is_guess && count < LEDGER_BATCH)
        names[count++] = arena_text(&arena, subject->name, strlen(subject->name));
    monitor_unlock(&self->monitor);
    bool is_read = count == 0 || s_read(self, names, count);
    monitor_lock(&self->monitor);
    for (size_t i = 0; is_read && i < count; i++)
        if ((subject = engine_find(&self->engine, names[i], strlen(names[i]))))
            subject->is_guess = false;
    monitor_unlock(&self->monitor);
    arena_free(&arena);
    return is_read;
}

/* Takes what waits longest. The lock is held. */
static void s_collect(limiter_t *self, flush_t *flush)
{
    subject_t *subject;
    pack_t pack;
    pack_init(&pack, &flush->states);
    while (flush->count < LEDGER_BATCH && (subject = TAILQ_FIRST(&self->engine.dirty)) &&
           !subject->is_guess) {
        size_t i = flush->count++, start = flush->states.size;
        engine_set_clean(&self->engine, subject);
        engine_pack(&self->engine, subject, &pack);
        flush->changes[i] = subject->change;
        flush->offsets[i] = start;
        flush->list[i] = (ledger_usage_t){
            .subject = arena_text(&flush->names, subject->name, strlen(subject->name)),
            .epoch = subject->epoch,
            .expires_ms = engine_expiry(&self->engine, subject),
            .size = flush->states.size - start,
        };
    }
    for (size_t i = 0; i < flush->count; i++)
        flush->list[i].state = flush->states.bytes + flush->offsets[i];
}

/* What was written may leave memory from now on; what was not is tried again. The lock is held. */
static void s_settle(limiter_t *self, const flush_t *flush, bool is_written)
{
    for (size_t i = 0; i < flush->count; i++) {
        const char *name = flush->list[i].subject;
        subject_t *subject = engine_find(&self->engine, name, strlen(name));
        if (!subject || !subject->is_own)
            continue;
        if (is_written)
            subject->stored = flush->changes[i];
        else
            engine_set_dirty(&self->engine, subject);
    }
}

typedef enum { FLUSH_DONE, FLUSH_MORE, FLUSH_FAILED } flushed_t;

/* Writes one batch; when it was full there may be more. */
static flushed_t s_flush(limiter_t *self)
{
    if (!s_take_in(self))
        return FLUSH_FAILED;
    flush_t *flush = mem_zeroed(sizeof *flush);
    uint64_t from_us = clock_us();
    monitor_lock(&self->monitor);
    s_collect(self, flush);
    monitor_unlock(&self->monitor);
    db_status_t status =
        ledger_write_usage(&self->ledger, flush->list, flush->count, limiter_now_ms(self));
    monitor_lock(&self->monitor);
    s_settle(self, flush, status == DB_OK);
    monitor_unlock(&self->monitor);
    if (flush->count > 0)
        stats_record(actor_stats(self->actor), LIMITER_FLUSH_TIME, clock_us() - from_us);
    limiter_count(self, status == DB_OK ? LIMITER_STORED : LIMITER_STORE_FAILURES,
                  (int64_t)flush->count);
    bool is_full = flush->count == LEDGER_BATCH;
    arena_free(&flush->names);
    buf_free(&flush->states);
    mem_free(flush);
    return status != DB_OK ? FLUSH_FAILED : is_full ? FLUSH_MORE : FLUSH_DONE;
}

/* Before the end a store that is just coming back is waited for. */
static void s_flush_all(limiter_t *self)
{
    const uint64_t until_ms = clock_ms() + LAST_MS;
    flushed_t flushed;
    while ((flushed = s_flush(self)) != FLUSH_DONE && clock_ms() < until_ms)
        if (flushed == FLUSH_FAILED)
            clock_sleep_ms(LAST_PAUSE_MS);
    if (flushed != FLUSH_DONE)
        LOG(LOG_ERROR, "limiter.not_stored",
            LOG_TEXT("consequence", "the last counts are forgotten"));
}

/* ---- policies -------------------------------------------------------------------------------- */

/* Takes over what the store says; false when it cannot be read. */
bool backing_read_policies(limiter_t *self, db_t *db)
{
    ledger_policies_t *stored = mem_zeroed(sizeof *stored);
    db_status_t status = ledger_read_policies(db, stored);
    monitor_lock(&self->monitor);
    policies_t *policies = &self->engine.policies;
    bool has_changed = status == DB_OK && stored->version != policies->version;
    if (has_changed) {
        policies_keep(policies, stored->rules, stored->count);
        for (size_t i = 0; i < stored->count; i++)
            if (!policies_set(policies, &stored->rules[i]))
                LOG(LOG_ERROR, "limiter.policy_without_place",
                    LOG_TEXT("policy", stored->rules[i].name),
                    LOG_TEXT("advice", "restart this instance"));
        policies->version = stored->version;
        if (actor_client(self->actor))
            limiter_publish_policies(self);
    }
    monitor_unlock(&self->monitor);
    mem_free(stored);
    return status == DB_OK;
}

/* ---- the thread ------------------------------------------------------------------------------ */

typedef struct {
    uint64_t flush_ms, purge_ms, policies_ms; /* when each is due; monotonic */
} due_t;

/* Waits until there is something to do, and takes over the lists. False when it is time to end. */
static bool s_wait(limiter_t *self, const due_t *due, waiting_list_t *loads, waiting_list_t *orders,
                   bool *is_outdated)
{
    const uint64_t until_ms = due->flush_ms;
    waiting_t *waiting;
    monitor_lock(&self->monitor);
    while (!self->is_stopping && TAILQ_EMPTY(&self->orders) && !self->is_outdated &&
           (TAILQ_EMPTY(&self->loads) || !s_may_load(self)))
        if (!monitor_wait_until(&self->monitor, until_ms))
            break;
    for (size_t i = 0; i < LEDGER_BATCH && (waiting = TAILQ_FIRST(&self->loads)); i++) {
        if (!s_may_load(self))
            break;
        TAILQ_REMOVE(&self->loads, waiting, entry);
        TAILQ_INSERT_TAIL(loads, waiting, entry);
    }
    TAILQ_CONCAT(orders, &self->orders, entry);
    *is_outdated = self->is_outdated;
    self->is_outdated = false;
    bool goes_on = !self->is_stopping;
    monitor_unlock(&self->monitor);
    return goes_on;
}

static bool s_is_due(uint64_t *due_ms, uint64_t interval_ms)
{
    uint64_t now_ms = clock_ms();
    if (now_ms < *due_ms)
        return false;
    *due_ms = now_ms + interval_ms;
    return true;
}

/* A Redis that has come back may have forgotten everything. */
static void s_watch_redis(limiter_t *self, bool *was_up)
{
    bool is_up = redis_is_up(self->ledger.redis);
    if (is_up && !*was_up) {
        monitor_lock(&self->monitor);
        engine_set_all_dirty(&self->engine);
        monitor_unlock(&self->monitor);
    }
    *was_up = is_up;
}

static void s_purge(limiter_t *self)
{
    int64_t deleted = PURGE_MOST;
    while (deleted == PURGE_MOST)
        if (ledger_purge_usage(&self->ledger, limiter_now_ms(self) - PURGE_LATE_MS, PURGE_MOST,
                               &deleted) != DB_OK)
            return;
}

static void *s_run(void *arg)
{
    limiter_t *self = arg;
    due_t due = { 0 };
    waiting_list_t loads, orders;
    bool is_outdated, was_up = true;
    TAILQ_INIT(&loads);
    TAILQ_INIT(&orders);
    log_set_part("limiter");
    while (s_wait(self, &due, &loads, &orders, &is_outdated)) {
        if (!TAILQ_EMPTY(&loads))
            s_load(self, &loads);
        s_run_all(self, &orders);
        s_watch_redis(self, &was_up);
        if (s_is_due(&due.flush_ms, (uint64_t)limiter_settings.flush_ms) &&
            s_flush(self) == FLUSH_MORE)
            due.flush_ms = 0;
        if (s_is_due(&due.policies_ms, POLICIES_MS) || is_outdated)
            (void)!backing_read_policies(self, actor_db(self->actor));
        if (s_is_due(&due.purge_ms, PURGE_MS))
            s_purge(self);
    }
    monitor_lock(&self->monitor);
    TAILQ_CONCAT(&loads, &self->loads, entry);
    monitor_unlock(&self->monitor);
    s_fail_all(&loads, ERROR_UNAVAILABLE, "The instance is leaving");
    s_fail_all(&orders, ERROR_UNAVAILABLE, "The instance is leaving");
    s_flush_all(self);
    return NULL;
}

void backing_start(limiter_t *self)
{
    breaker_init(&self->store_breaker, BREAKER_FAILURES, BREAKER_OPEN_MS);
    insist(pthread_create(&self->backing, NULL, s_run, self) == 0);
}

void backing_stop(limiter_t *self)
{
    pthread_join(self->backing, NULL);
}
