/* SPDX-License-Identifier: MPL-2.0
 *
 * erasures - deletes what a service holds of accounts that were erased
 */
#include "config.h"

#include "actors/base/log.h"
#include "actors/runtime/erasures.h"
#include "proto/auth.h"

#define ASK_EACH  60   /* seconds */
#define ASK_AGAIN 5    /* seconds, where there was no answer */
#define ASK_MS    5000 /* how long an answer may take */
#define LIST_MAX  100  /* accounts in one answer */
/* Longer than any request is under way. */
#define SETTLE_MS INT64_C(600000)

/* ---- deleting -------------------------------------------------------------------------------- */

typedef struct {
    const db_sql_t *tables;
    size_t count;
    const char *account;
    int64_t most;
    bool more;
} deletion_t;

static db_status_t s_delete_work(db_conn_t *conn, void *arg)
{
    deletion_t *self = arg;
    db_status_t status = DB_OK;
    self->more = false;
    for (size_t i = 0; i < self->count && status == DB_OK && !self->more; i++) {
        int64_t changed;
        status = DB_CHANGE(conn, &self->tables[i], &changed, DB_P_TEXT("account", self->account),
                           DB_P_INT("most", self->most));
        self->more = changed == self->most;
    }
    return status;
}

db_status_t erasures_delete(db_t *db, const db_sql_t *tables, size_t count, const char *account,
                            int64_t most, bool *more)
{
    deletion_t deletion = { .tables = tables, .count = count, .account = account, .most = most };
    db_status_t status = db_write(db, s_delete_work, &deletion);
    *more = status == DB_OK && deletion.more;
    return status;
}

/* ---- how far it has obeyed ------------------------------------------------------------------- */

static const db_sql_t s_get = { "erasures.get", "SELECT sequence FROM erasures WHERE id = 1",
                                NULL };
static const db_sql_t s_set = {
    "erasures.set",
    "UPDATE erasures SET sequence = $sequence WHERE id = 1 AND sequence < $sequence", NULL
};

static db_status_t s_read_place(db_t *db, int64_t *sequence)
{
    db_conn_t *conn = db_conn(db);
    return conn ? DB_NUMBER(conn, &s_get, "sequence", sequence) : DB_UNAVAILABLE;
}

/* ---- the list -------------------------------------------------------------------------------- */

/* The accounts after `after`; NULL when auth did not answer. */
static const value_t *s_ask(actor_t *actor, arena_t *arena, int64_t after)
{
    buf_t body = { 0 };
    pack_t pack;
    answer_t answer;
    value_verdict_t verdict;
    const value_t *items = NULL;
    pack_init(&pack, &body);
    pack_map(&pack, 2);
    pack_pair_int(&pack, "after", after);
    pack_pair_int(&pack, "limit", LIST_MAX);
    if (client_call(actor_client(actor),
                    &(client_request_t){ .service = auth_service.name,
                                         .method = auth_erased.name,
                                         .body = &body,
                                         .deadline_ms = ASK_MS,
                                         .flags = FRAME_IDEMPOTENT },
                    &answer)) {
        const size_t size = answer_size(&answer);
        const char *bytes = arena_text(arena, answer_bytes(&answer), size);
        items = value_get(value_parse(arena, bytes, size, VALUE_LIMITS, &verdict), "items");
    }
    answer_close(&answer);
    return items;
}

static db_status_t s_erase(const erasures_t *self, actor_t *actor, const char *account)
{
    bool more = true;
    db_status_t status = DB_OK;
    while (more && status == DB_OK && !actor_is_draining(actor))
        status = self->erase(actor_db(actor), account, &more);
    if (status == DB_OK && more)
        status = DB_UNAVAILABLE;
    if (status == DB_OK)
        LOG(LOG_INFO, "account.erased", LOG_TEXT("account", account));
    return status;
}

/* Obeys a page; `place` is how far everything is settled. */
static db_status_t s_obey(const erasures_t *self, actor_t *actor, arena_t *arena,
                          const value_t *items, int64_t *place, int64_t *last)
{
    const value_t *item;
    db_status_t status = DB_OK;
    bool is_settled = *place == *last;
    for (uint32_t i = 0; status == DB_OK && (item = value_item(items, i)); i++) {
        const char *account = value_dup_text(arena, item, "account");
        if (account)
            status = s_erase(self, actor, account);
        *last = value_get_int(item, "sequence", *last);
        is_settled = is_settled && value_get_int(item, "age_ms", 0) > SETTLE_MS;
        if (status == DB_OK && is_settled)
            *place = *last;
    }
    return status;
}

static bool s_follow(const erasures_t *self, actor_t *actor)
{
    arena_t arena = { 0 };
    int64_t begun, place, last;
    const value_t *items = NULL;
    db_status_t status = s_read_place(actor_db(actor), &begun);
    if (status != DB_OK)
        return false;
    place = last = begun;
    do {
        arena_reset(&arena);
        items = s_ask(actor, &arena, last);
        if (items)
            status = s_obey(self, actor, &arena, items, &place, &last);
    } while (items && items->count == LIST_MAX && status == DB_OK);
    const bool is_done = items && status == DB_OK;
    arena_free(&arena);
    if (place > begun &&
        DB_WRITE_ONE(actor_db(actor), &s_set, NULL, DB_P_INT("sequence", place)) != DB_OK)
        return false;
    return is_done;
}

/* ---- when ------------------------------------------------------------------------------------ */

static void s_on_erased(void *arg, const client_event_t *event)
{
    erasures_t *self = arg;
    (void)event;
    atomic_store(&self->is_told, true);
}

void erasures_subscribe(erasures_t *self, actor_t *actor, erasures_work_t erase)
{
    self->erase = erase;
    client_subscribe(actor_client(actor), topic_row(TOPIC_ACCOUNT_ERASED)->prefix, s_on_erased,
                     self);
}

void erasures_tick(erasures_t *self, actor_t *actor)
{
    const bool is_due = self->wait_s == 0;
    if (!is_due)
        self->wait_s--;
    if (atomic_exchange(&self->is_told, false) || is_due)
        self->wait_s = s_follow(self, actor) ? ASK_EACH : ASK_AGAIN;
}
