/* SPDX-License-Identifier: MPL-2.0
 *
 * The lists of the auth service with 100,000 rows in each table: read along an index.
 */
#include "config.h"

#include "actors/auth/store.h"
#include "tests/kit/plans.h"

/* The two databases make numbers and texts of them in different ways. */
#if defined(TEST_ON_POSTGRES)
#    define UUID(head, n) "'0000000" head "-0000-7000-8000-' || lpad(CAST(" n " AS TEXT), 12, '0')"
#    define HASH(n)       "decode(lpad(to_hex(" n "), 64, '0'), 'hex')"
#    define NUMBERS       "generate_series(0, 99999) AS numbers (n)"
#else
#    define UUID(head, n) "printf('0000000" head "-0000-7000-8000-%012d', " n ")"
#    define HASH(n)       "CAST(printf('%032d', " n ") AS BLOB)"
#    define NUMBERS                                                                                \
        "(WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n <"   \
        " 99999) SELECT n FROM numbers)"
#endif

#define BOTH(name, text)                                                                           \
    {                                                                                              \
        name, (text), NULL                                                                         \
    }

/* 1,000 accounts of 100 users; a hundred users have 1,000 sessions and 1,000 keys each. */
static const db_sql_t s_fill[] = {
    BOTH("test.accounts", "INSERT INTO accounts (id, name, tier, created_at) SELECT " UUID(
                              "a", "n") ", 'a', 'free', n FROM " NUMBERS " WHERE n < 1000"),
    BOTH("test.users",
         "INSERT INTO users (id, account_id, email, email_key, name, role, is_owner, status,"
         " created_at) SELECT " UUID("b", "n") ", " UUID(
             "a",
             "n % 1000") ", 'u' || n || '@x.dev',"
                         " 'u' || n || '@x.dev', 'u', 'user', 0, 'active', n / 3 FROM " NUMBERS),
    BOTH("test.sessions",
         "INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at) SELECT " UUID(
             "c", "n") ", " UUID("b", "10 * (n % 100)") ", n / 3, n, n + 1000000 FROM " NUMBERS),
    BOTH("test.keys",
         "INSERT INTO api_keys (id, user_id, name, hash, scopes, created_at) SELECT " UUID(
             "d",
             "n") ", " UUID("b",
                            "10 * (n % 100)") ", 'k', " HASH("n") ", '[]', n / 3 FROM " NUMBERS),
    BOTH("test.invites",
         "INSERT INTO invites (id, hash, role, tier, created_at, expires_at) SELECT " UUID(
             "e", "n") ", " HASH("n") ", 'user', 'free', n / 3, n FROM " NUMBERS),
    BOTH("test.second_factors",
         "INSERT INTO second_factors (user_id, secret, created_at) SELECT " UUID(
             "b", "n") ", " HASH("n") ", n FROM " NUMBERS),
    BOTH("test.signing_secrets",
         "INSERT INTO signing_secrets (key_id, secret, created_at) SELECT " UUID(
             "d", "n") ", " HASH("n") ", n FROM " NUMBERS),
    BOTH("test.mails",
         "INSERT INTO mails (id, kind, recipient, content, created_at, expires_at,"
         " enqueued_at) SELECT " UUID("f", "n") ", 'invite', 'x', " HASH("n") ", n, n,"
                                                                              " n FROM " NUMBERS),
    BOTH("test.codes", "INSERT INTO codes (hash, purpose, user_id, created_at, expires_at)"
                       " SELECT " HASH("n") ", 'reset', " UUID("b", "n") ", n, n FROM " NUMBERS),
    BOTH(
        "test.audit",
        "INSERT INTO audit (sequence, at, action, user_id, hash) SELECT n + 1, n, CASE n % 7 WHEN 0"
        " THEN 'key.created' ELSE 'user.login' END, " UUID("b", "10 * (n % 10)") ", " HASH(
            "n") " FROM " NUMBERS),
};

static const struct {
    const char *name, *text;
    int64_t number;
} s_values[] = {
    { "account", "0000000a-0000-7000-8000-000000000007", 0 },
    { "user", "0000000b-0000-7000-8000-000000000070", 0 },
    { "email", "u77@x.dev", 0 },
    { "action", "key.created", 0 },
    { "purpose", "reset", 0 },
    { "hash", "00000000000000000000000000000000", 0 },
    { "since", NULL, 30000 },
    { "id", "0000000b-0000-7000-8000-000000090007", 0 },
    { "at", NULL, 30000 },
    { "now", NULL, 50000 },
    { "before", NULL, 90000 },
    { "after", NULL, 90000 },
    { "limit", NULL, 21 },
};

static db_param_t s_value(const char *statement, const char *name)
{
    for (size_t i = 0; i < COUNT_OF(s_values); i++)
        if (strcmp(name, s_values[i].name) == 0)
            return s_values[i].text ? DB_P_TEXT(s_values[i].name, s_values[i].text)
                                    : DB_P_INT(s_values[i].name, s_values[i].number);
    die("the test has no value for $%s of %s", name, statement);
}

static void test_plans(void)
{
    static const db_sql_t *const *const tables[] = {
        auth_store_user_lists,   auth_store_session_lists, auth_store_key_lists,
        auth_store_invite_lists, auth_store_audit_lists,   auth_store_code_lists,
        auth_store_mail_lists,   auth_store_erasure_lists,
    };
    const db_sql_t *lists[32] = { NULL };
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(tables); i++)
        for (const db_sql_t *const *at = tables[i]; *at; at++)
            lists[count++] = *at;
    const plans_t plans = { .migrations = auth_migrations,
                            .fill = s_fill,
                            .fill_count = COUNT_OF(s_fill),
                            .lists = lists,
                            .value = s_value };
    plans_check(&plans);
}

DATABASE_TESTS({ "plans", test_plans })
