/* SPDX-License-Identifier: MPL-2.0
 *
 * store_dead - jobs that failed for good: replayed and deleted
 *
 * A replay inserts first and deletes what was inserted: a job whose unique key another one has by
 * now stays where it is, and is reported. The id stays, and the fence goes on rising.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "actors/jobs/store_families.h"

#define CHOSEN(account, kind)                                                                      \
    "SELECT id, account, queue, order_key FROM dead WHERE id > $after AND id <= $until"            \
    " AND " account " AND " kind " AND (queue = $queue OR $queue = '')"                            \
    " AND (error_code = $code OR $code = '') ORDER BY id LIMIT $most"
#define CHOOSE(name, account, kind)                                                                \
    {                                                                                              \
        name, CHOSEN(account, kind), CHOSEN(account, kind) " FOR UPDATE SKIP LOCKED"               \
    }
#define ANY_ACCOUNT "(account = $account OR $account = '*')"
#define ANY_KIND    "(kind = $kind OR $kind = '')"

/* Of an account, of a kind, or of all: each is found by an index of its own. */
static const db_sql_t s_choose_mine = CHOOSE("jobs.dead_mine", "account = $account", ANY_KIND);
static const db_sql_t s_choose_kind = CHOOSE("jobs.dead_kind", ANY_ACCOUNT, "kind = $kind");
static const db_sql_t s_choose = CHOOSE("jobs.dead_choose", ANY_ACCOUNT, ANY_KIND);

#define LISTED_SQLITE "(SELECT value FROM json_each($ids))"
#define LISTED_POSTGRES                                                                            \
    "(SELECT CAST(v AS BIGINT) FROM json_array_elements_text(CAST(CAST($ids AS TEXT) AS json)) v)"

#define REPLAY(now, listed)                                                                        \
    "INSERT INTO job (id, queue, kind, state, priority, run_at, fence, tries, crashes, replays,"   \
    " max_attempts, timeout_ms, backoff_ms, created_at, parent_id, unique_key, order_key,"         \
    " account, error_code, error_text, principal, trace, payload)"                                 \
    " SELECT id, queue, kind, CASE WHEN order_key IS NULL THEN 0 ELSE 3 END, priority, " now       \
    ", fence, 0, 0, replays + 1, max_attempts, timeout_ms, backoff_ms, created_at, parent_id,"     \
    " unique_key, order_key, account, error_code, error_text, principal, trace, payload"           \
    " FROM dead WHERE id IN " listed " ON CONFLICT DO NOTHING RETURNING id"

static const db_sql_t s_replay = { "jobs.dead_replay", REPLAY(STORE_NOW_SQLITE, LISTED_SQLITE),
                                   REPLAY(STORE_NOW_POSTGRES, LISTED_POSTGRES) };

static const db_sql_t s_drop = { "jobs.dead_drop",
                                 "DELETE FROM dead WHERE id IN " LISTED_SQLITE
                                 " AND EXISTS (SELECT 1 FROM job WHERE job.id = dead.id)",
                                 "DELETE FROM dead WHERE id IN " LISTED_POSTGRES
                                 " AND EXISTS (SELECT 1 FROM job WHERE job.id = dead.id)" };

static void s_add_id(buf_t *ids, int64_t id)
{
    buf_printf(ids, "%c%" PRId64, ids->size ? ',' : '[', id);
}

/* What fits, with the orders it belongs to. */
static db_status_t s_read_chosen(db_conn_t *conn, const job_choice_t *choice, job_replayed_t *done,
                                 buf_t *ids, job_orders_t *orders)
{
    db_rows_t *rows;
    const db_sql_t *sql = choice->account   ? &s_choose_mine
                          : choice->kind[0] ? &s_choose_kind
                                            : &s_choose;
    db_status_t status =
        DB_RUN(conn, sql, &rows, DB_P_INT("after", choice->after),
               DB_P_INT("until", choice->until ? choice->until : INT64_MAX),
               DB_P_TEXT("account", choice->account ? choice->account : "*"),
               DB_P_TEXT("queue", choice->queue), DB_P_TEXT("kind", choice->kind),
               DB_P_TEXT("code", choice->error_code), DB_P_INT("most", (int64_t)choice->most));
    if (status != DB_OK)
        return status;
    while (db_next(rows)) {
        int64_t id = db_int(rows, "id");
        s_add_id(ids, id);
        done->ids[done->count++] = id;
        if (!db_is_null(rows, "order_key"))
            jobs_store_add_order(orders, db_text(rows, "account"), db_text(rows, "queue"),
                                 db_text(rows, "order_key"));
    }
    buf_add_text(ids, ids->size ? "]" : "[]");
    return db_rows_end(rows);
}

/* Marks those that were inserted; both lists grow with the ids, but for what the database likes. */
static void s_mark(job_replayed_t *done, int64_t id)
{
    for (size_t i = 0; i < done->count; i++)
        if (done->ids[i] == id)
            done->is_replayed[i] = true;
}

/* Parents that wait still wait for these again. */
static db_status_t s_revive(db_conn_t *conn, const job_replayed_t *done)
{
    buf_t ids = { 0 };
    for (size_t i = 0; i < done->count; i++)
        if (done->is_replayed[i])
            s_add_id(&ids, done->ids[i]);
    if (ids.size == 0)
        return DB_OK;
    buf_add_byte(&ids, ']');
    db_status_t status = jobs_store_revive_children(conn, buf_text(&ids));
    buf_free(&ids);
    return status;
}

static db_status_t s_replay_chosen(db_conn_t *conn, job_replayed_t *done, buf_t *ids)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_replay, &rows, DB_P_TEXT("ids", buf_text(ids)));
    if (status != DB_OK)
        return status;
    while (db_next(rows))
        s_mark(done, db_int(rows, "id"));
    status = db_rows_end(rows);
    if (status == DB_OK)
        status = s_revive(conn, done);
    return status == DB_OK ? DB_RUN(conn, &s_drop, NULL, DB_P_TEXT("ids", buf_text(ids))) : status;
}

db_status_t jobs_store_replay(db_conn_t *conn, const job_choice_t *choice, bool is_dry,
                              job_replayed_t *done)
{
    buf_t ids = { 0 };
    job_orders_t orders = { 0 };
    done->count = 0;
    memset(done->is_replayed, 0, sizeof done->is_replayed);
    insist(choice->most <= JOBS_REPLAY_MAX);
    db_status_t status = s_read_chosen(conn, choice, done, &ids, &orders);
    if (status == DB_OK && !is_dry && done->count) {
        status = jobs_store_lock_orders(conn, &orders);
        if (status == DB_OK)
            status = s_replay_chosen(conn, done, &ids);
        if (status == DB_OK)
            status = jobs_store_free_orders(conn, &orders, NULL, NULL);
    }
    buf_free(&orders.json);
    buf_free(&ids);
    return status;
}

/* What has the unique key that a dead job would need. */
static const db_sql_t s_rival = {
    "jobs.dead_rival",
    "SELECT j.id AS id FROM dead d JOIN job j ON j.account = d.account AND j.queue = d.queue"
    " AND j.unique_key = d.unique_key WHERE d.id = $id",
    NULL
};

db_status_t jobs_store_rival(db_conn_t *conn, int64_t id, int64_t *rival)
{
    return DB_NUMBER(conn, &s_rival, "id", rival, DB_P_INT("id", id));
}

static const db_sql_t s_delete = {
    "jobs.dead_delete",
    "DELETE FROM dead WHERE id = $id AND (account = $account OR $account = '*')", NULL
};

db_status_t jobs_store_delete_dead(db_conn_t *conn, int64_t id, const char *account,
                                   bool *was_there)
{
    db_rows_t *rows;
    *was_there = false;
    db_status_t status = DB_RUN(conn, &s_delete, &rows, DB_P_INT("id", id),
                                DB_P_TEXT("account", account ? account : "*"));
    if (status != DB_OK)
        return status;
    *was_there = db_changed(rows) > 0;
    db_rows_close(&rows);
    return DB_OK;
}

const db_sql_t *const jobs_store_dead_lookups[] = {
    &s_choose, &s_choose_mine, &s_choose_kind, &s_replay, &s_drop, &s_rival, &s_delete, NULL
};
