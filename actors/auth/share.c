/* SPDX-License-Identifier: MPL-2.0
 *
 * share - what handlers share: finding the caller, writing with an entry in the log, refusing
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "actors/auth/auth.h"
#include "actors/base/clock.h"
#include "actors/base/text.h"

void auth_count(call_t *call, auth_stat_t row)
{
    stats_add(actor_stats(call_actor(call)), row, 1);
}

void auth_defer(call_t *call, auth_t *self, hasher_work_t work)
{
    actor_t *actor = self->actor;
    if (!hasher_push(self->hasher, call, work, self))
        stats_add(actor_stats(actor), AUTH_OVERLOADED, 1);
}

/* ---- passwords ------------------------------------------------------------------------------- */

static void s_record_hash(auth_t *self, uint64_t begun_us)
{
    stats_record(actor_stats(self->actor), AUTH_HASH_TIME, clock_us() - begun_us);
}

void auth_hash(auth_t *self, const char *password, char hash[PASSWORD_HASH_SIZE])
{
    const uint64_t begun_us = clock_us();
    password_hash(&self->cost, password, hash);
    s_record_hash(self, begun_us);
}

bool auth_fits(auth_t *self, const char *hash, const char *password)
{
    const uint64_t begun_us = clock_us();
    const bool fits = password_fits(hash, password);
    s_record_hash(self, begun_us);
    return fits;
}

/* ---- deeds ----------------------------------------------------------------------------------- */

static const char *s_or_null(const char *text)
{
    return text[0] ? text : NULL;
}

deed_t auth_deed(call_t *call, auth_t *self, const char *action, const char *target,
                 const char *changed)
{
    const principal_t *who = call_principal(call);
    return (deed_t){ .auth = self,
                     .arena = call_arena(call),
                     .now_ms = clock_wall_ms(),
                     .audit = { .action = action,
                                .user_id = s_or_null(who->user),
                                .account_id = s_or_null(who->account),
                                .target = target,
                                .changed = changed,
                                .address = s_or_null(who->address),
                                .request_id = s_or_null(who->request_id) } };
}

void auth_keep(deed_t *deed, arena_t *own)
{
    const char **const texts[] = { &deed->audit.user_id, &deed->audit.account_id,
                                   &deed->audit.target, &deed->audit.address,
                                   &deed->audit.request_id };
    deed->arena = own;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (*texts[i])
            *texts[i] = arena_text(own, *texts[i], strlen(*texts[i]));
}

db_status_t auth_record(db_conn_t *conn, const deed_t *deed)
{
    return auth_store_audit(conn, &deed->auth->vault, deed->now_ms, &deed->audit);
}

static db_status_t s_record_work(db_conn_t *conn, void *arg)
{
    return auth_record(conn, arg);
}

db_status_t auth_add_mail(db_conn_t *conn, const deed_t *deed, const char *kind,
                          const char *recipient, const char *name, const char *code,
                          int64_t expires_ms)
{
    char id[ID_UUID_SIZE];
    buf_t plain = { 0 }, sealed = { 0 };
    pack_t pack;
    pack_init(&pack, &plain);
    pack_map(&pack, 2);
    pack_pair_text(&pack, "name", name);
    pack_pair_text(&pack, "code", code);
    id_uuid7(id);
    vault_seal(&deed->auth->vault, id, plain.bytes, plain.size, &sealed);
    db_status_t status =
        auth_store_add_mail(conn, id, kind, recipient, &sealed, deed->now_ms, expires_ms);
    mem_wipe(plain.bytes, plain.size);
    buf_free(&plain);
    buf_free(&sealed);
    return status;
}

bool auth_require_ok(call_t *call, db_status_t status)
{
    if (status != DB_OK)
        call_fail_db(call, status);
    return status == DB_OK;
}

bool auth_require_write(call_t *call, auth_t *self, db_work_t work, void *arg)
{
    if (!auth_require_ok(call, db_write(self->db, work, arg)))
        return false;
    herald_wake(self->herald, false);
    return true;
}

db_status_t auth_record_alone(deed_t *deed)
{
    return db_write(deed->auth->db, s_record_work, deed);
}

/* ---- one thing ------------------------------------------------------------------------------- */

typedef struct {
    const deed_t *deed;
    const char *owner;
    auth_change_t change;
    bool changed;
} changing_t;

static db_status_t s_change_work(db_conn_t *conn, void *arg)
{
    changing_t *self = arg;
    db_status_t status = self->change(conn, self->deed, self->owner, &self->changed);
    return status == DB_OK && self->changed ? auth_record(conn, self->deed) : status;
}

bool auth_require_changed(call_t *call, const deed_t *deed, const char *owner, auth_change_t change,
                          const char *missing)
{
    changing_t changing = { .deed = deed, .owner = owner, .change = change };
    if (!auth_require_write(call, deed->auth, s_change_work, &changing))
        return false;
    if (!changing.changed)
        call_fail(call, ERROR_NOT_FOUND, "%s", missing);
    return changing.changed;
}

/* ---- reading --------------------------------------------------------------------------------- */

db_conn_t *auth_require_page(call_t *call, list_t list, listing_t *listing)
{
    listing->limit = (size_t)call_int(call, "limit");
    return page_require_cursor(call, (uint8_t)list, &listing->from) ? auth_require_conn(call)
                                                                    : NULL;
}

db_conn_t *auth_require_conn(call_t *call)
{
    db_conn_t *conn = db_conn(call_db(call));
    if (!conn)
        call_fail_db(call, DB_UNAVAILABLE);
    return conn;
}

/* ---- who calls ------------------------------------------------------------------------------- */

const user_t *auth_require_user(call_t *call)
{
    const user_t *user;
    db_conn_t *conn = auth_require_conn(call);
    if (!conn || !auth_require_ok(call, auth_store_user(conn, call_arena(call),
                                                        call_principal(call)->user, &user)))
        return NULL;
    if (user && strcmp(user->status, "active") == 0)
        return user;
    call_fail(call, ERROR_UNAUTHENTICATED, "Sign in first: this is about the user who calls");
    return NULL;
}

bool auth_may_enter(const user_t *user)
{
    return user->verified_ms || auth_settings.login_unverified;
}

bool auth_require_own_password(call_t *call, auth_t *self, const user_t *user, const char *password)
{
    if (user->password && auth_fits(self, user->password, password))
        return true;
    call_fail(call, ERROR_UNAUTHENTICATED, "The password is wrong");
    return false;
}

/* ---- fields ---------------------------------------------------------------------------------- */

void auth_fail_field(call_t *call, const char *pointer, const char *why)
{
    schema_errors_t *errors = arena_alloc(call_arena(call), sizeof *errors);
    failure_t failure = { .code = ERROR_VALIDATION_FAILED, .fields = errors };
    errors->count = 1;
    snprintf(errors->list[0].pointer, sizeof errors->list[0].pointer, "%s", pointer);
    snprintf(errors->list[0].why, sizeof errors->list[0].why, "%s", why);
    call_fail_with(call, &failure);
}

bool auth_require_password(call_t *call, const char *field, const char *password, const char *email,
                           const char *name)
{
    const char *const words[] = { email ? email : "", name ? name : "", NULL };
    const char *why = password_refusal(password, auth_settings.password_length, words);
    arena_t *arena = call_arena(call);
    if (!why)
        return true;
    auth_fail_field(call, arena_format(arena, "/%s", field),
                    arena_format(arena, "%s: take a longer one, of at least %lld characters", why,
                                 (long long)auth_settings.password_length));
    return false;
}

const char *auth_email_key(arena_t *arena, const char *email)
{
    char *key = arena_text(arena, email, strlen(email));
    for (char *at = key; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return key;
}
