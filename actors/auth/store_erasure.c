/* SPDX-License-Identifier: MPL-2.0
 *
 * store_erasure - users and accounts that are erased with everything that is stored of them
 *
 * The audit log stays, and names them by ids that lead nowhere any more.
 */
#include "config.h"

#include "actors/auth/store.h"

#define MEMBERS " account_id = $account AND ($user = '' OR id = $user)"
#define IDS     "(SELECT id FROM users WHERE" MEMBERS ")"
#define KEYS    "(SELECT email_key FROM users WHERE" MEMBERS ")"

#define OF_MEMBERS(table)                                                                          \
    {                                                                                              \
        "auth.erase_" table, "DELETE FROM " table " WHERE user_id IN " IDS, NULL                   \
    }
/* Addresses as users have them: ASCII in lower case, whatever the database calls lower case. */
#define SENT_TO(table, column, addresses)                                                          \
    {                                                                                              \
        "auth.erase_sent_" table,                                                                  \
            "DELETE FROM " table " WHERE lower(" column ") IN " addresses("lower(email)"),         \
            "DELETE FROM " table " WHERE lower(" column                                            \
            " COLLATE \"C\") IN " addresses("lower(email COLLATE \"C\")")                          \
    }
#define OF_USERS(lower)   KEYS
#define OF_INVITED(lower) "(SELECT " lower " FROM invites WHERE account_id = $account)"

static const db_sql_t s_erase_users[] = {
    OF_MEMBERS("sessions"),
    OF_MEMBERS("api_keys"),
    OF_MEMBERS("codes"),
    OF_MEMBERS("second_factors"),
    SENT_TO("invites", "email", OF_USERS),
    SENT_TO("mails", "recipient", OF_USERS),
    { "auth.erase_users", "DELETE FROM users WHERE" MEMBERS, NULL },
};

static const db_sql_t s_erase_account[] = {
    SENT_TO("mails", "recipient", OF_INVITED),
    { "auth.erase_invites", "DELETE FROM invites WHERE account_id = $account", NULL },
    { "auth.erase_account", "DELETE FROM accounts WHERE id = $account", NULL },
};

db_status_t auth_store_erase_user(db_conn_t *conn, const char *account_id, const char *user_id)
{
    db_status_t status = DB_OK;
    for (size_t i = 0; i < COUNT_OF(s_erase_users) && status == DB_OK; i++)
        status = DB_RUN(conn, &s_erase_users[i], NULL, DB_P_TEXT("account", account_id),
                        DB_P_TEXT("user", user_id));
    return status;
}

db_status_t auth_store_erase_account(db_conn_t *conn, const char *account_id)
{
    db_status_t status = auth_store_erase_user(conn, account_id, "");
    for (size_t i = 0; i < COUNT_OF(s_erase_account) && status == DB_OK; i++)
        status = DB_RUN(conn, &s_erase_account[i], NULL, DB_P_TEXT("account", account_id));
    return status;
}

/* ---- who has been erased --------------------------------------------------------------------- */

/* What others have told to be recorded (auth.audit_record) changes nothing, whatever it is called.
 */
static const db_sql_t s_erased = {
    "auth.erased",
    "SELECT sequence, at, target FROM audit WHERE action = '" AUTH_ERASED_ACTION
    "' AND changed = 'account' AND sequence > $after ORDER BY sequence LIMIT $limit",
    NULL
};

const db_sql_t *const auth_store_erasure_lists[] = { &s_erased, NULL };

db_status_t auth_store_erased(db_conn_t *conn, arena_t *arena, int64_t after, size_t limit,
                              erased_list_t *erased)
{
    db_rows_t *rows;
    *erased = (erased_list_t){ 0 };
    db_status_t status =
        DB_RUN(conn, &s_erased, &rows, DB_P_INT("after", after), DB_P_INT("limit", (int64_t)limit));
    if (status != DB_OK)
        return status;
    erased_t *list = arena_array(arena, limit, sizeof *list);
    while (db_next(rows))
        list[erased->count++] = (erased_t){ .account_id = db_dup_text(rows, arena, "target"),
                                            .sequence = db_int(rows, "sequence"),
                                            .at_ms = db_int(rows, "at") };
    erased->list = list;
    return db_rows_end(rows);
}
