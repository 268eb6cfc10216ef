/* SPDX-License-Identifier: MPL-2.0
 *
 * auth_stage - the auth service on a stage (tests/kit/stage.h), and users that call
 */
#ifndef SIGNALBOX_AUTH_STAGE_H
#define SIGNALBOX_AUTH_STAGE_H

#include <stdarg.h>

#include "actors/auth/auth.h"
#include "actors/base/clock.h"
#include "actors/base/text.h"
#include "proto/jwt.h"
#include "tests/kit/stage.h"

#define STAGE_PASSWORD "correct horse battery staple"

/* `adjust`, which may be NULL, changes settings before the actor starts. */
static inline void stage_open(stage_t *self, void (*adjust)(auth_settings_t *settings))
{
    stage_prepare(self, &auth_actor);
    auth_settings.hash_memory_kib = 8; /* the least there is: these are not tests of Argon2 */
    auth_settings.hash_passes = 1;
    if (adjust)
        adjust(&auth_settings);
    stage_start(self, 0);
}

/* A counter of the first instance. */
static inline int64_t stage_count(const stage_t *self, auth_stat_t row)
{
    return stats_get(actor_stats(self->actors[0]), row);
}

/* ---- who calls ------------------------------------------------------------------------------- */

/* Whoever has signed in: the tokens, and the principal the edge would make of them. */
typedef struct {
    const char *access, *refresh, *user, *account, *session;
    principal_t who;
} person_t;

static inline void stage_set(char *field, size_t room, const char *text)
{
    text_copy(field, room, text, strlen(text));
}

static inline void stage_add_role(principal_t *who, const char *role)
{
    stage_set(who->roles[who->role_count++], sizeof who->roles[0], role);
}

static inline void stage_add_scope(principal_t *who, const char *scope)
{
    stage_set(who->scopes[who->scope_count++], sizeof who->scopes[0], scope);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static inline reply_t stage_call(stage_t *self, const principal_t *who, const char *method,
                                 const char *format, ...) PRINTF_LIKE(4, 5);
static inline reply_t stage_call(stage_t *self, const principal_t *who, const char *method,
                                 const char *format, ...)
{
    char json[2048];
    va_list args;
    va_start(args, format);
    insist(vsnprintf(json, sizeof json, format, args) < (int)sizeof json);
    va_end(args);
    return stage_call_in(self, &self->arena, who, method, json);
}

/* ---- people ---------------------------------------------------------------------------------- */

static inline person_t stage_person(stage_t *self, const value_t *tokens)
{
    const value_t *user = value_get(tokens, "user");
    person_t person = { .access = stage_text(self, tokens, "access_token"),
                        .refresh = stage_text(self, tokens, "refresh_token"),
                        .session = stage_text(self, tokens, "session_id"),
                        .user = stage_text(self, user, "id"),
                        .account = stage_text(self, user, "account_id") };
    principal_t *who = &person.who;
    stage_set(who->user, sizeof who->user, person.user);
    stage_set(who->account, sizeof who->account, person.account);
    stage_set(who->session, sizeof who->session, person.session);
    stage_set(who->address, sizeof who->address, "192.0.2.7");
    stage_set(who->request_id, sizeof who->request_id, "request-1");
    stage_add_role(who, "user");
    if (value_get_bool(user, "owner", false))
        stage_add_role(who, "owner");
    if (!value_is(value_get(user, "role"), "user"))
        stage_add_role(who, stage_text(self, user, "role"));
    stage_add_scope(who, AUTH_SCOPE_ALL);
    return person;
}

static inline person_t stage_register(stage_t *self, const char *email)
{
    reply_t reply = stage_call(self, NULL, "register", "{\"email\":\"%s\",\"password\":\"%s\"}",
                               email, STAGE_PASSWORD);
    is_int(reply.code, ERROR_NONE);
    return stage_person(self, reply.body);
}

static inline reply_t stage_login(stage_t *self, const char *email, const char *password)
{
    return stage_call(self, NULL, "login", "{\"email\":\"%s\",\"password\":\"%s\"}", email,
                      password);
}

static inline reply_t stage_refresh(stage_t *self, const char *token)
{
    return stage_call(self, NULL, "refresh", "{\"refresh_token\":\"%s\"}", token);
}

/* Whether the session is still good: what an edge would ask. */
static inline bool stage_is_in(stage_t *self, const person_t *person)
{
    return stage_call(self, NULL, "identify", "{\"user\":\"%s\",\"session\":\"%s\"}", person->user,
                      person->session)
               .code == ERROR_NONE;
}

/* ---- mails ----------------------------------------------------------------------------------- */

static inline int64_t stage_mails(const stage_t *self, const char *kind)
{
    static const db_sql_t count = { "test.mails",
                                    "SELECT count(*) AS n FROM mails WHERE kind = $kind", NULL };
    db_rows_t *rows;
    if (DB_RUN(db_conn(stage_db(self)), &count, &rows, DB_P_TEXT("kind", kind)) != DB_OK ||
        !db_next(rows))
        return -1;
    int64_t number = db_int(rows, "n");
    db_rows_close(&rows);
    return number;
}

/* The code in the newest mail of that kind to that address, opened as the sender of mails will do;
 * waits for the mail, since some are written after the answer. "" when it holds none. */
static inline const char *stage_mail(stage_t *self, const char *kind, const char *recipient)
{
    static const db_sql_t newest = { "test.mail",
                                     "SELECT id, content FROM mails WHERE kind = $kind AND"
                                     " recipient = $recipient ORDER BY created_at DESC, id DESC"
                                     " LIMIT 1",
                                     NULL };
    vault_t vault;
    char why[200];
    size_t size;
    db_rows_t *rows = NULL;
    value_verdict_t verdict;
    for (int tries = 0;; tries++) {
        if (DB_RUN(db_conn(stage_db(self)), &newest, &rows, DB_P_TEXT("kind", kind),
                   DB_P_TEXT("recipient", recipient)) != DB_OK ||
            tries == 10000)
            die("there is no mail %s to %s", kind, recipient);
        if (db_next(rows))
            break;
        db_rows_close(&rows);
        clock_sleep_ms(1);
    }
    if (!vault_open(&vault, "", self->place.folder, why, sizeof why))
        die("%s", why);
    const uint8_t *sealed = db_blob(rows, "content", &size);
    char *plain = arena_alloc(&self->arena, size);
    ok(!vault_unseal(&vault, "another name", sealed, size, plain));
    ok(vault_unseal(&vault, db_text(rows, "id"), sealed, size, plain));
    const value_t *mail =
        value_parse(&self->arena, plain, size - VAULT_OVERHEAD, VALUE_LIMITS, &verdict);
    db_rows_close(&rows);
    vault_close(&vault);
    return stage_text(self, mail, "code");
}

/* A statement as an operator would type it. */
static inline void stage_sql(const stage_t *self, const db_sql_t *sql)
{
    is_int(db_write_one(stage_db(self), sql, NULL, 0, NULL), DB_OK);
}

/* An administrator. */
static inline principal_t stage_admin(void)
{
    principal_t who = { .account = "admins", .user = "admin-1" };
    stage_add_role(&who, "admin");
    stage_add_scope(&who, AUTH_SCOPE_ALL);
    return who;
}

#endif
