/* SPDX-License-Identifier: MPL-2.0
 *
 * store_hooks - what others tell us, who they are, and when subscriptions last changed
 */
#include "config.h"

#include "actors/jobs/webhook/store.h"

/* ---- providers --------------------------------------------------------------------------- */

#define PROVIDER "SELECT name, scheme, header, kind, secrets, updated_at FROM provider"

static const db_sql_t s_provider = { "webhook.provider", PROVIDER " WHERE name = $name", NULL };
static const db_sql_t s_providers = { "webhook.providers", PROVIDER " ORDER BY name LIMIT $limit",
                                      NULL };
static const db_sql_t s_set_provider = {
    "webhook.set_provider",
    "INSERT INTO provider (name, scheme, header, kind, secrets, updated_at)"
    " VALUES ($name, $scheme, $header, $kind, $secrets, $now) ON CONFLICT (name) DO UPDATE SET"
    " scheme = excluded.scheme, header = excluded.header, kind = excluded.kind,"
    " secrets = excluded.secrets, updated_at = excluded.updated_at",
    NULL
};
static const db_sql_t s_delete_provider = { "webhook.delete_provider",
                                            "DELETE FROM provider WHERE name = $name", NULL };

static provider_t s_read_provider(const db_rows_t *rows, arena_t *arena)
{
    provider_t read = { .name = db_dup_text(rows, arena, "name"),
                        .scheme = db_dup_text(rows, arena, "scheme"),
                        .header = db_dup_text(rows, arena, "header"),
                        .kind = db_dup_text(rows, arena, "kind"),
                        .updated_ms = db_int(rows, "updated_at") };
    read.secrets = webhook_store_bytes(rows, arena, "secrets", &read.secrets_size);
    return read;
}

db_status_t webhook_store_provider(db_conn_t *conn, arena_t *arena, const char *name,
                                   const provider_t **found)
{
    db_rows_t *rows;
    *found = NULL;
    db_status_t status = DB_RUN(conn, &s_provider, &rows, DB_P_TEXT("name", name));
    if (status != DB_OK)
        return status;
    if (db_next(rows)) {
        provider_t *provider = arena_alloc(arena, sizeof *provider);
        *provider = s_read_provider(rows, arena);
        *found = provider;
    }
    return db_rows_end(rows);
}

db_status_t webhook_store_providers(db_conn_t *conn, arena_t *arena, providers_t *providers)
{
    db_rows_t *rows;
    *providers = (providers_t){ 0 };
    db_status_t status = DB_RUN(conn, &s_providers, &rows, DB_P_INT("limit", WEBHOOK_PROVIDERS));
    if (status != DB_OK)
        return status;
    provider_t *list = arena_array(arena, WEBHOOK_PROVIDERS, sizeof *list);
    for (; providers->count < WEBHOOK_PROVIDERS && db_next(rows); providers->count++)
        list[providers->count] = s_read_provider(rows, arena);
    providers->list = list;
    return db_rows_end(rows);
}

db_status_t webhook_store_set_provider(db_conn_t *conn, const provider_t *provider)
{
    return DB_CHANGE(conn, &s_set_provider, NULL, DB_P_TEXT("name", provider->name),
                     DB_P_TEXT("scheme", provider->scheme), DB_P_TEXT("header", provider->header),
                     DB_P_TEXT("kind", provider->kind),
                     DB_P_BLOB("secrets", provider->secrets, provider->secrets_size),
                     DB_P_INT("now", provider->updated_ms));
}

db_status_t webhook_store_delete_provider(db_conn_t *conn, const char *name, bool *changed)
{
    int64_t count;
    db_status_t status = DB_CHANGE(conn, &s_delete_provider, &count, DB_P_TEXT("name", name));
    *changed = count > 0;
    return status;
}

/* ---- what they have told ----------------------------------------------------------------- */

static const db_sql_t s_add_inbound = {
    "webhook.add_inbound",
    "INSERT INTO inbound (provider, id, type, kind, body, account, state, received_at)"
    " VALUES ($provider, $id, $type, $kind, $body, $account, 'waiting', $now)"
    " ON CONFLICT (provider, id) DO NOTHING",
    NULL
};
static const db_sql_t s_waiting_inbound = {
    "webhook.waiting_inbound",
    "SELECT provider, id, type, kind, body FROM inbound WHERE state = 'waiting'"
    " ORDER BY received_at LIMIT $limit",
    NULL
};
static const db_sql_t s_queued_inbound = {
    "webhook.queued_inbound",
    "UPDATE inbound SET state = 'queued' WHERE provider = $provider AND id = $id", NULL
};
#define OLD_INBOUND "received_at < $before ORDER BY received_at"

static const db_sql_t s_purge_inbound = {
    "webhook.purge_inbound", DB_DELETE_SOME("inbound", "provider, id", OLD_INBOUND, OLD_INBOUND)
};

db_status_t webhook_store_add_inbound(db_conn_t *conn, const inbound_t *inbound, int64_t now_ms,
                                      bool *added)
{
    int64_t count;
    db_status_t status =
        DB_CHANGE(conn, &s_add_inbound, &count, DB_P_TEXT("provider", inbound->provider),
                  DB_P_TEXT("id", inbound->id), DB_P_TEXT("type", inbound->type),
                  DB_P_TEXT("kind", inbound->kind), DB_P_TEXT("body", inbound->body),
                  DB_P_TEXT("account", inbound->account), DB_P_INT("now", now_ms));
    *added = count > 0;
    return status;
}

db_status_t webhook_store_waiting_inbound(db_conn_t *conn, arena_t *arena, size_t limit,
                                          inbounds_t *inbounds)
{
    db_rows_t *rows;
    *inbounds = (inbounds_t){ 0 };
    db_status_t status = DB_RUN(conn, &s_waiting_inbound, &rows, DB_P_INT("limit", (int64_t)limit));
    if (status != DB_OK)
        return status;
    inbound_t *list = arena_array(arena, limit, sizeof *list);
    for (; inbounds->count < limit && db_next(rows); inbounds->count++)
        list[inbounds->count] = (inbound_t){ .provider = db_dup_text(rows, arena, "provider"),
                                             .id = db_dup_text(rows, arena, "id"),
                                             .type = db_dup_text(rows, arena, "type"),
                                             .kind = db_dup_text(rows, arena, "kind"),
                                             .body = db_dup_text(rows, arena, "body") };
    inbounds->list = list;
    return db_rows_end(rows);
}

db_status_t webhook_store_queued_inbound(db_conn_t *conn, const inbound_t *inbound)
{
    return DB_CHANGE(conn, &s_queued_inbound, NULL, DB_P_TEXT("provider", inbound->provider),
                     DB_P_TEXT("id", inbound->id));
}

db_status_t webhook_store_purge_inbound(db_conn_t *conn, int64_t before_ms, int64_t *count)
{
    return DB_CHANGE(conn, &s_purge_inbound, count, DB_P_INT("before", before_ms),
                     DB_P_INT("most", WEBHOOK_PURGE_MOST));
}

const db_sql_t *const webhook_store_hook_lookups[] = {
    &s_provider,      &s_providers, &s_delete_provider, &s_waiting_inbound, &s_queued_inbound,
    &s_purge_inbound, NULL
};
