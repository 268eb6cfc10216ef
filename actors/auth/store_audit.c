/* SPDX-License-Identifier: MPL-2.0
 *
 * store_audit - the audit log, a chain in which every entry vouches for all before it
 */
#include "config.h"

#include <string.h>

#include "actors/auth/store.h"
#include "proto/pack.h"

#define HEAD "SELECT sequence, hash FROM audit_head WHERE id = 1"
#define ENTRY                                                                                      \
    "SELECT a.sequence AS sequence, a.at AS at, a.action AS action, a.user_id AS user_id,"         \
    " a.account_id AS account_id, a.target AS target, a.changed AS changed, a.address AS address," \
    " a.request_id AS request_id, a.detail AS detail, a.hash AS hash, a.veiled AS veiled,"         \
    " u.veil AS veil FROM audit a LEFT JOIN users u ON u.id = COALESCE(a.user_id, a.target)"
#define NEWEST " ORDER BY a.sequence DESC LIMIT $limit"

static const db_sql_t s_head = { "auth.audit_head", HEAD, NULL };
static const db_sql_t s_lock_head = { "auth.lock_audit_head", HEAD, HEAD " FOR UPDATE" };
static const db_sql_t s_add = {
    "auth.add_audit",
    "INSERT INTO audit (sequence, at, action, user_id, account_id, target, changed, address,"
    " veiled, request_id, detail, hash) VALUES ($sequence, $at, $action, $user, $account, $target,"
    " $changed, $address, $veiled, $request, $detail, $hash)",
    NULL
};
static const db_sql_t s_veil = { "auth.veil", "SELECT veil FROM users WHERE id = $id", NULL };
static const db_sql_t s_move_head = {
    "auth.move_audit_head", "UPDATE audit_head SET sequence = $sequence, hash = $hash WHERE id = 1",
    NULL
};
static const db_sql_t s_list = { "auth.audit", ENTRY " WHERE a.sequence < $before" NEWEST, NULL };
static const db_sql_t s_list_by_user = {
    "auth.audit_by_user", ENTRY " WHERE a.user_id = $user AND a.sequence < $before" NEWEST, NULL
};
static const db_sql_t s_list_by_action = {
    "auth.audit_by_action", ENTRY " WHERE a.action = $action AND a.sequence < $before" NEWEST, NULL
};
static const db_sql_t s_list_by_both = {
    "auth.audit_by_both",
    ENTRY " WHERE a.user_id = $user AND a.action = $action AND a.sequence < $before" NEWEST, NULL
};
static const db_sql_t s_after = {
    "auth.audit_after", ENTRY " WHERE a.sequence > $after ORDER BY a.sequence LIMIT $limit", NULL
};

const db_sql_t *const auth_store_audit_lists[] = { &s_list,           &s_list_by_user,
                                                   &s_list_by_action, &s_list_by_both,
                                                   &s_after,          NULL };

/* ---- the chain ------------------------------------------------------------------------------- */

/* What the hash covers: everything of the entry as it is stored, in msgpack, so that no two entries
 * are the same bytes. */
static void s_write(const audit_entry_t *entry, buf_t *out)
{
    const audit_t *what = &entry->what;
    const char *const before[] = { what->action, what->user_id, what->account_id, what->target,
                                   what->changed };
    pack_t pack;
    pack_init(&pack, out);
    pack_array(&pack, 10);
    pack_int(&pack, entry->sequence);
    pack_int(&pack, entry->at_ms);
    for (size_t i = 0; i < COUNT_OF(before); i++)
        pack_text(&pack, before[i]);
    if (entry->veiled)
        pack_bytes(&pack, entry->veiled, entry->veiled_size);
    else
        pack_text(&pack, what->address);
    pack_text(&pack, what->request_id);
    pack_text(&pack, what->detail);
}

void auth_store_audit_hash(const vault_t *vault, const uint8_t previous[VAULT_HASH_BYTES],
                           const audit_entry_t *entry, uint8_t hash[VAULT_HASH_BYTES])
{
    buf_t bytes = { 0 };
    s_write(entry, &bytes);
    vault_chain(vault, previous, bytes.bytes, bytes.size, hash);
    buf_free(&bytes);
}

static db_status_t s_read_head(db_conn_t *conn, const db_sql_t *sql, int64_t *sequence,
                               uint8_t hash[VAULT_HASH_BYTES])
{
    db_rows_t *rows;
    db_status_t status = DB_RUN(conn, sql, &rows);
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        size_t size;
        const uint8_t *bytes = db_blob(rows, "hash", &size);
        *sequence = db_int(rows, "sequence");
        memcpy(hash, bytes, size < VAULT_HASH_BYTES ? size : VAULT_HASH_BYTES);
    } else {
        *sequence = 0;
        memset(hash, 0, VAULT_HASH_BYTES);
    }
    return db_rows_end(rows);
}

db_status_t auth_store_audit_head(db_conn_t *conn, int64_t *sequence,
                                  uint8_t hash[VAULT_HASH_BYTES])
{
    return s_read_head(conn, &s_head, sequence, hash);
}

db_status_t auth_store_lock_audit_head(db_conn_t *conn, int64_t *sequence,
                                       uint8_t hash[VAULT_HASH_BYTES])
{
    return s_read_head(conn, &s_lock_head, sequence, hash);
}

/* Where a request came from is its user's, and goes with the user: it is sealed with their veil. It
 * stays readable where nobody is known, and is left out where the user has been erased meanwhile.
 */
static db_status_t s_veil_address(db_conn_t *conn, const vault_t *vault, audit_entry_t *entry,
                                  buf_t *sealed)
{
    audit_t *what = &entry->what;
    const char *whose = what->user_id ? what->user_id : what->target, *address = what->address;
    db_rows_t *rows;
    if (!address || !whose)
        return DB_OK;
    what->address = NULL;
    db_status_t status = DB_RUN(conn, &s_veil, &rows, DB_P_TEXT("id", whose));
    if (status != DB_OK)
        return status;
    if (db_next(rows) && !db_is_null(rows, "veil")) {
        size_t size;
        vault_veil(vault, db_blob(rows, "veil", &size), address, strlen(address), sealed);
        entry->veiled = sealed->bytes;
        entry->veiled_size = sealed->size;
    }
    return db_rows_end(rows);
}

static db_status_t s_append(db_conn_t *conn, const audit_entry_t *entry)
{
    const audit_t *what = &entry->what;
    db_status_t status = DB_RUN(
        conn, &s_add, NULL, DB_P_INT("sequence", entry->sequence), DB_P_INT("at", entry->at_ms),
        DB_P_TEXT("action", what->action), DB_P_TEXT("user", what->user_id),
        DB_P_TEXT("account", what->account_id), DB_P_TEXT("target", what->target),
        DB_P_TEXT("changed", what->changed), DB_P_TEXT("address", what->address),
        DB_P_BLOB("veiled", entry->veiled, entry->veiled_size),
        DB_P_TEXT("request", what->request_id), DB_P_TEXT("detail", what->detail),
        DB_P_BLOB("hash", entry->hash, sizeof entry->hash));
    if (status != DB_OK)
        return status;
    return DB_RUN(conn, &s_move_head, NULL, DB_P_INT("sequence", entry->sequence),
                  DB_P_BLOB("hash", entry->hash, sizeof entry->hash));
}

db_status_t auth_store_audit(db_conn_t *conn, const vault_t *vault, int64_t now_ms,
                             const audit_t *what)
{
    audit_entry_t entry = { .what = *what, .at_ms = now_ms };
    uint8_t previous[VAULT_HASH_BYTES];
    buf_t sealed = { 0 };
    db_status_t status = s_veil_address(conn, vault, &entry, &sealed);
    if (status == DB_OK)
        status = auth_store_lock_audit_head(conn, &entry.sequence, previous);
    if (status == DB_OK) {
        entry.sequence++;
        auth_store_audit_hash(vault, previous, &entry, entry.hash);
        status = s_append(conn, &entry);
    }
    buf_free(&sealed);
    return status;
}

/* ---- reading --------------------------------------------------------------------------------- */

static const uint8_t *s_dup_blob(const db_rows_t *rows, arena_t *arena, const char *column,
                                 size_t *size)
{
    const uint8_t *bytes = db_blob(rows, column, size);
    return bytes ? (const uint8_t *)arena_text(arena, bytes, *size) : NULL;
}

static void s_read_entry(const db_rows_t *rows, arena_t *arena, audit_entry_t *entry)
{
    size_t size, veil_size;
    const uint8_t *hash = db_blob(rows, "hash", &size);
    *entry = (audit_entry_t){
        .what = { .action = db_dup_text(rows, arena, "action"),
                  .user_id = db_dup_text(rows, arena, "user_id"),
                  .account_id = db_dup_text(rows, arena, "account_id"),
                  .target = db_dup_text(rows, arena, "target"),
                  .changed = db_dup_text(rows, arena, "changed"),
                  .address = db_dup_text(rows, arena, "address"),
                  .request_id = db_dup_text(rows, arena, "request_id"),
                  .detail = db_dup_text(rows, arena, "detail") },
        .sequence = db_int(rows, "sequence"),
        .at_ms = db_int(rows, "at"),
        .veil = s_dup_blob(rows, arena, "veil", &veil_size),
    };
    entry->veiled = s_dup_blob(rows, arena, "veiled", &entry->veiled_size);
    memcpy(entry->hash, hash, size < sizeof entry->hash ? size : sizeof entry->hash);
}

static db_status_t s_read_list(db_rows_t *rows, arena_t *arena, size_t limit,
                               audit_entries_t *entries)
{
    audit_entry_t *list = arena_array(arena, limit, sizeof *list);
    while (db_next(rows))
        s_read_entry(rows, arena, &list[entries->count++]);
    entries->list = list;
    return db_rows_end(rows);
}

db_status_t auth_store_audit_list(db_conn_t *conn, arena_t *arena, int64_t before,
                                  const char *user_id, const char *action, size_t limit,
                                  audit_entries_t *entries)
{
    static const db_sql_t *const statements[2][2] = { { &s_list, &s_list_by_action },
                                                      { &s_list_by_user, &s_list_by_both } };
    db_param_t params[4] = { DB_P_INT("before", before), DB_P_INT("limit", (int64_t)limit) };
    size_t count = 2;
    db_rows_t *rows;
    if (user_id)
        params[count++] = DB_P_TEXT("user", user_id);
    if (action)
        params[count++] = DB_P_TEXT("action", action);
    *entries = (audit_entries_t){ 0 };
    db_status_t status =
        db_run(conn, statements[user_id != NULL][action != NULL], params, count, &rows);
    return status == DB_OK ? s_read_list(rows, arena, limit, entries) : status;
}

db_status_t auth_store_audit_after(db_conn_t *conn, arena_t *arena, int64_t after, size_t limit,
                                   audit_entries_t *entries)
{
    db_rows_t *rows;
    *entries = (audit_entries_t){ 0 };
    db_status_t status =
        DB_RUN(conn, &s_after, &rows, DB_P_INT("after", after), DB_P_INT("limit", (int64_t)limit));
    return status == DB_OK ? s_read_list(rows, arena, limit, entries) : status;
}

const char *auth_store_audit_address(const vault_t *vault, arena_t *arena,
                                     const audit_entry_t *entry)
{
    if (!entry->veiled)
        return entry->what.address;
    if (!entry->veil || entry->veiled_size < VAULT_OVERHEAD)
        return NULL;
    const size_t size = entry->veiled_size - VAULT_OVERHEAD;
    char *address = arena_alloc(arena, size + 1);
    address[size] = '\0';
    return vault_unveil(vault, entry->veil, entry->veiled, entry->veiled_size, address) ? address
                                                                                        : NULL;
}
