/* SPDX-License-Identifier: MPL-2.0
 *
 * store_answers - answers that are given again to a request with the same idempotency key
 *
 * An answer is kept in the transaction that did what it tells of, so that neither is there without
 * the other (draft-ietf-httpapi-idempotency-key-header-07).
 */
#include "config.h"

#include <string.h>

#include "actors/jobs/store.h"

#define FIND(now)                                                                                  \
    "SELECT hash, reply FROM idempotency WHERE account = $account AND key = $key"                  \
    " AND expires_at > " now

static const db_sql_t s_find = { "jobs.find_answer", FIND(STORE_NOW_SQLITE),
                                 FIND(STORE_NOW_POSTGRES) };

db_status_t jobs_store_find_answer(db_conn_t *conn, arena_t *arena, job_answer_t *answer)
{
    db_rows_t *rows;
    answer->is_other = false;
    answer->reply = (job_bytes_t){ 0 };
    db_status_t status = DB_RUN(conn, &s_find, &rows, DB_P_TEXT("account", answer->account),
                                DB_P_TEXT("key", answer->key));
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        size_t size;
        const uint8_t *hash = db_blob(rows, "hash", &size);
        answer->is_other = size != sizeof answer->hash || memcmp(hash, answer->hash, size) != 0;
        answer->reply = jobs_store_dup_bytes(rows, arena, "reply");
    }
    return db_rows_end(rows);
}

/* One that is over makes room. */
#define KEEP(now)                                                                                  \
    "INSERT INTO idempotency (account, key, hash, reply, expires_at)"                              \
    " VALUES ($account, $key, $hash, $reply, " now " + $keep)"                                     \
    " ON CONFLICT (account, key) DO UPDATE SET hash = excluded.hash, reply = excluded.reply,"      \
    " expires_at = excluded.expires_at WHERE idempotency.expires_at <= " now

static const db_sql_t s_keep = { "jobs.keep_answer", KEEP(STORE_NOW_SQLITE),
                                 KEEP(STORE_NOW_POSTGRES) };

db_status_t jobs_store_keep_answer(db_conn_t *conn, const job_answer_t *answer, int64_t keep_ms)
{
    db_rows_t *rows;
    db_status_t status =
        DB_RUN(conn, &s_keep, &rows, DB_P_TEXT("account", answer->account),
               DB_P_TEXT("key", answer->key), DB_P_BLOB("hash", answer->hash, JOBS_HASH_BYTES),
               jobs_store_bytes("reply", answer->reply), DB_P_INT("keep", keep_ms));
    if (status != DB_OK)
        return status;
    bool is_kept = db_changed(rows) > 0;
    status = db_rows_end(rows);
    return status == DB_OK && !is_kept ? DB_CONFLICT : status;
}

const db_sql_t *const jobs_store_answers_lookups[] = { &s_find, NULL };
