/* SPDX-License-Identifier: MPL-2.0
 *
 * herald - tells everybody whose rights have changed, and that nobody else's have
 */
#include "config.h"

#include <string.h>

#include "actors/auth/herald.h"
#include "actors/auth/store.h"
#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "actors/base/monitor.h"
#include "proto/auth.h"

#define BATCH         200 /* entries read at once */
#define STATE_EACH_MS 5000

struct herald {
    actor_t *actor;
    void (*publish_state)(void *arg);
    void *arg;
    pthread_t thread;
    bool has_thread;
    monitor_t monitor; /* locks what follows */
    bool is_stopping, is_woken, is_state_due;
    /* of the thread alone */
    int64_t told; /* the last entry that was told */
    uint64_t state_at_ms;
};

static void s_publish(herald_t *self, const char *what, const char *id)
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 3);
    pack_pair_text(&pack, "what", what);
    pack_pair_text(&pack, "id", id);
    pack_pair_int(&pack, "sequence", self->told);
    actor_publish(self->actor, topic_row(TOPIC_AUTH_CHANGED)->prefix, false, &body);
}

/* A hint to look at the list (auth.erased), which is what nobody misses. */
static void s_publish_erased(herald_t *self, const audit_entry_t *entry)
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 2);
    pack_pair_text(&pack, "account", entry->what.target);
    pack_pair_int(&pack, "sequence", entry->sequence);
    actor_publish(self->actor, topic_row(TOPIC_ACCOUNT_ERASED)->prefix, false, &body);
}

static void s_tell_entry(herald_t *self, const audit_entry_t *entry)
{
    self->told = entry->sequence;
    if (!entry->what.changed)
        return;
    s_publish(self, entry->what.changed, entry->what.target);
    if (strcmp(entry->what.action, AUTH_ERASED_ACTION) == 0)
        s_publish_erased(self, entry);
}

/* Tells what is new. False when the log cannot be read: then there is no beacon either, and who
 * listens knows that they know nothing. */
static bool s_tell(herald_t *self)
{
    arena_t arena = { 0 };
    audit_entries_t entries = { 0 };
    bool good = true;
    do {
        arena_reset(&arena);
        db_conn_t *conn = db_conn(actor_db(self->actor));
        good = conn && auth_store_audit_after(conn, &arena, self->told, BATCH, &entries) == DB_OK;
        for (size_t i = 0; good && i < entries.count; i++)
            s_tell_entry(self, &entries.list[i]);
    } while (good && entries.count == BATCH);
    arena_free(&arena);
    return good;
}

/* Begins with where the log ends, for whoever has heard everything up to there, and goes on a
 * little before that: an instance that fell over may have left changes untold, and telling one
 * twice does no harm. */
static bool s_begin(herald_t *self)
{
    uint8_t hash[VAULT_HASH_BYTES];
    db_conn_t *conn = db_conn(actor_db(self->actor));
    if (!conn || auth_store_audit_head(conn, &self->told, hash) != DB_OK)
        return false;
    s_publish(self, "beacon", NULL);
    self->told = self->told > BATCH ? self->told - BATCH : 0;
    return true;
}

/* Waits for something new, a beat's time at most. False: stop. */
static bool s_wait(herald_t *self, bool *is_state_due)
{
    const uint64_t until_ms = clock_ms() + AUTH_BEACON_MS;
    monitor_lock(&self->monitor);
    while (!self->is_stopping && !self->is_woken && monitor_wait_until(&self->monitor, until_ms))
        ;
    bool goes_on = !self->is_stopping;
    *is_state_due = self->is_state_due;
    self->is_woken = self->is_state_due = false;
    monitor_unlock(&self->monitor);
    return goes_on;
}

static void *s_run(void *arg)
{
    herald_t *self = arg;
    bool is_state_due = true, has_begun = s_begin(self);
    log_set_part("auth");
    do {
        if (is_state_due || clock_ms() >= self->state_at_ms) {
            self->publish_state(self->arg);
            self->state_at_ms = clock_ms() + STATE_EACH_MS;
        }
        has_begun = has_begun || s_begin(self);
        if (has_begun && s_tell(self))
            s_publish(self, "beacon", NULL);
    } while (s_wait(self, &is_state_due));
    s_publish(self, "bye", NULL);
    return NULL;
}

herald_t *herald_new(actor_t *actor, void (*publish_state)(void *arg), void *arg)
{
    herald_t *self = mem_zeroed(sizeof *self);
    *self = (herald_t){ .actor = actor, .publish_state = publish_state, .arg = arg };
    monitor_init(&self->monitor);
    return self;
}

void herald_start(herald_t *self)
{
    insist(pthread_create(&self->thread, NULL, s_run, self) == 0);
    self->has_thread = true;
}

void herald_destroy(herald_t **self_p)
{
    herald_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    monitor_lock(&self->monitor);
    self->is_stopping = true;
    monitor_wake(&self->monitor);
    monitor_unlock(&self->monitor);
    if (self->has_thread)
        pthread_join(self->thread, NULL);
    monitor_free(&self->monitor);
    mem_free(self);
}

void herald_wake(herald_t *self, bool is_state)
{
    monitor_lock(&self->monitor);
    self->is_woken = true;
    self->is_state_due |= is_state;
    monitor_wake(&self->monitor);
    monitor_unlock(&self->monitor);
}
