/* SPDX-License-Identifier: MPL-2.0
 *
 * store_mails - the outbox: mails that are to be sent
 */
#include "config.h"

#include "actors/auth/store.h"

static const db_sql_t s_add = {
    "auth.add_mail",
    "INSERT INTO mails (id, kind, recipient, content, created_at, expires_at)"
    " VALUES ($id, $kind, $recipient, $content, $now, $expires)",
    NULL
};

db_status_t auth_store_add_mail(db_conn_t *conn, const char *id, const char *kind,
                                const char *recipient, const buf_t *content, int64_t now_ms,
                                int64_t expires_ms)
{
    return DB_RUN(conn, &s_add, NULL, DB_P_TEXT("id", id), DB_P_TEXT("kind", kind),
                  DB_P_TEXT("recipient", recipient),
                  DB_P_BLOB("content", content->bytes, content->size), DB_P_INT("now", now_ms),
                  DB_P_INT("expires", expires_ms));
}

/* ---- sending --------------------------------------------------------------------------------- */

static const db_sql_t s_due = { "auth.due_mails",
                                "SELECT id FROM mails WHERE enqueued_at < $before"
                                " ORDER BY enqueued_at, id LIMIT $limit",
                                NULL };
static const db_sql_t s_enqueued = { "auth.enqueued_mail",
                                     "UPDATE mails SET enqueued_at = $now WHERE id = $id", NULL };
static const db_sql_t s_get = {
    "auth.mail",
    "SELECT kind, recipient, content, expires_at FROM mails WHERE id = $id AND expires_at > $now",
    NULL
};
static const db_sql_t s_delete = { "auth.delete_mail", "DELETE FROM mails WHERE id = $id", NULL };

const db_sql_t *const auth_store_mail_lists[] = { &s_due, NULL };

db_status_t auth_store_due_mails(db_conn_t *conn, arena_t *arena, int64_t before_ms, size_t limit,
                                 const char **ids, size_t *count)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_due, &rows, DB_P_INT("before", before_ms),
                                DB_P_INT("limit", (int64_t)limit));
    *count = 0;
    if (status != DB_OK)
        return status;
    while (db_next(rows))
        ids[(*count)++] = db_dup_text(rows, arena, "id");
    return db_rows_end(rows);
}

db_status_t auth_store_enqueued_mail(db_conn_t *conn, const char *id, int64_t now_ms)
{
    return DB_RUN(conn, &s_enqueued, NULL, DB_P_TEXT("id", id), DB_P_INT("now", now_ms));
}

db_status_t auth_store_mail(db_conn_t *conn, arena_t *arena, const char *id, int64_t now_ms,
                            const mail_row_t **found)
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, &s_get, &rows, DB_P_TEXT("id", id), DB_P_INT("now", now_ms));
    *found = NULL;
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        size_t size;
        const uint8_t *content = db_blob(rows, "content", &size);
        mail_row_t *mail = arena_alloc(arena, sizeof *mail);
        *mail = (mail_row_t){ .kind = db_dup_text(rows, arena, "kind"),
                              .recipient = db_dup_text(rows, arena, "recipient"),
                              .content = (const uint8_t *)arena_text(arena, content, size),
                              .content_size = size,
                              .expires_ms = db_int(rows, "expires_at") };
        *found = mail;
    }
    return db_rows_end(rows);
}

db_status_t auth_store_delete_mail(db_t *db, const char *id)
{
    return DB_WRITE_ONE(db, &s_delete, NULL, DB_P_TEXT("id", id));
}
