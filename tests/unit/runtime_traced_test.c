/* SPDX-License-Identifier: MPL-2.0
 *
 * A statement that takes long is a span of what its thread works for, whichever thread runs it.
 */
#include "config.h"

#include "actors/runtime/traced.h"
#include "tests/kit/bus.h"
#include "tests/kit/database.h"

/* Some milliseconds on either database. */
static const db_sql_t s_slow_read = {
    "test.slow_read",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
    " SELECT max(i) AS last FROM n",
    "SELECT 1::bigint AS last FROM pg_sleep(0.02)",
};
static const db_sql_t s_slow_write = {
    "test.slow_write",
    "INSERT INTO ledger (thread, number, body)"
    " WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
    " SELECT 1, max(i) + abs(random() % 1000000000), 'x' FROM n",
    "INSERT INTO ledger (thread, number, body) SELECT 1, (random() * 1e9)::int, 'x' FROM "
    "pg_sleep(0.02)",
};

#define SPANS_MAX 64

typedef struct {
    bus_t bus;
    place_t place;
    db_t *db;
    pthread_mutex_t mutex;
    arena_t arena;
    const value_t *spans[SPANS_MAX]; /* that were published */
    size_t count;
} stage_t;

static void s_on_event(void *arg, const client_event_t *event)
{
    stage_t *self = arg;
    value_verdict_t verdict;
    const value_t *span;
    pthread_mutex_lock(&self->mutex);
    const char *bytes = arena_text(&self->arena, event->body, event->size);
    const value_t *body = value_parse(&self->arena, bytes, event->size, VALUE_LIMITS, &verdict);
    for (uint32_t i = 0; (span = value_item(value_get(body, "spans"), i)); i++)
        if (self->count < SPANS_MAX)
            self->spans[self->count++] = span;
    pthread_mutex_unlock(&self->mutex);
}

/* The span of a statement within one that is its parent; waits for it. */
static const value_t *s_find(stage_t *self, const char *statement, const char *parent)
{
    const value_t *found = NULL;
    for (int tries = 0; !found && tries < BUS_PATIENCE_S * 1000; tries++) {
        pthread_mutex_lock(&self->mutex);
        for (size_t i = 0; i < self->count; i++)
            if (value_is(value_get(value_get(self->spans[i], "attributes"), "db.operation.name"),
                         statement) &&
                value_is(value_get(self->spans[i], "parent_id"), parent))
                found = self->spans[i];
        pthread_mutex_unlock(&self->mutex);
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    return found;
}

static void s_open(stage_t *self)
{
    *self = (stage_t){ 0 };
    bus_open(&self->bus, NULL);
    pthread_mutex_init(&self->mutex, NULL);
    client_subscribe(self->bus.client, "trace", s_on_event, self);
    place_make(&self->place);
    self->place.settings.slow_ms = 1;
    self->db = place_open(&self->place, test_migrations, DB_MIGRATE_APPLY);
    insist(self->db);
}

static void s_close(stage_t *self)
{
    db_close(&self->db);
    place_remove(&self->place);
    bus_close(&self->bus);
    arena_free(&self->arena);
}

static void s_read(stage_t *self)
{
    db_rows_t *rows;
    if (ok(DB_RUN(db_conn(self->db), &s_slow_read, &rows) == DB_OK))
        while (db_next(rows))
            ;
    db_rows_close(&rows);
}

static void s_write(stage_t *self)
{
    is_int(DB_WRITE_ONE(self->db, &s_slow_write, NULL), DB_OK);
}

static traced_t s_enter(const stage_t *self)
{
    traced_t traced = { .spans = client_spans(self->bus.client) };
    trace_fresh(&traced.trace);
    traced.trace.flags = TRACE_SAMPLED;
    traced_set(&traced);
    return traced;
}

static void test_slow(void)
{
    static const struct {
        void (*run)(stage_t *stage);
        const char *statement;
    } rows[] = { { s_read, "test.slow_read" }, { s_write, "test.slow_write" } };
    stage_t stage;
    s_open(&stage);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char parent[2 * TRACE_SPAN_BYTES + 1];
        const traced_t traced = s_enter(&stage);
        rows[i].run(&stage);
        traced_end();
        const value_t *span =
            s_find(&stage, rows[i].statement, id_hex(traced.trace.span, TRACE_SPAN_BYTES, parent));
        ok_named(span != NULL, rows[i].statement);
        ok(value_is(value_get(value_get(span, "attributes"), "db.namespace"), stage.place.service));
        ok(value_get_int(span, "duration_us", 0) > 1000);
    }
    s_close(&stage);
}

/* What nobody traces is no span, nor is what follows on the same threads. */
static void test_untraced(void)
{
    char parent[2 * TRACE_SPAN_BYTES + 1];
    stage_t stage;
    s_open(&stage);
    const traced_t traced = s_enter(&stage);
    s_write(&stage);
    traced_end();
    ok(s_find(&stage, s_slow_write.name, id_hex(traced.trace.span, TRACE_SPAN_BYTES, parent)) !=
       NULL);
    const int64_t kept = stats_get(client_stats(stage.bus.client), CLIENT_SPANS_KEPT);
    s_read(&stage);
    s_write(&stage);
    spans_flush(client_spans(stage.bus.client));
    is_int(stats_get(client_stats(stage.bus.client), CLIENT_SPANS_KEPT), kept);
    ok(!traced_now().spans);
    s_close(&stage);
}

TESTS({ "slow", test_slow }, { "untraced", test_untraced })
