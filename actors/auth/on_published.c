/* SPDX-License-Identifier: MPL-2.0
 *
 * on_published - what lies on retained topics: feature flags and signing keys
 */
#include "config.h"

#include <string.h>

#include "actors/auth/auth.h"
#include "actors/base/clock.h"
#include "actors/base/log.h"

/* ---- flags ----------------------------------------------------------------------------------- */

static void s_write_flag(pack_t *pack, const flag_t *flag)
{
    pack_map(pack, 7);
    pack_pair_text(pack, "name", flag->name);
    pack_pair_text(pack, "about", flag->about);
    pack_pair_bool(pack, "enabled", flag->is_enabled);
    auth_reply_names(pack, "tiers", flag->tiers);
    auth_reply_names(pack, "accounts", flag->accounts);
    pack_pair_int(pack, "percentage", flag->percentage);
    pack_pair_time(pack, "updated_at", flag->updated_ms);
}

void auth_on_flags(call_t *call, void *arg)
{
    flags_t flags;
    (void)arg;
    db_conn_t *conn = auth_require_conn(call);
    if (!conn || !auth_require_ok(call, auth_store_flags(conn, call_arena(call), &flags)))
        return;
    pack_map(call_pack(call), 1);
    pack_text(call_pack(call), "items");
    pack_array(call_pack(call), flags.count);
    for (size_t i = 0; i < flags.count; i++)
        s_write_flag(call_pack(call), &flags.list[i]);
    call_reply(call, 0);
}

typedef struct {
    deed_t deed;
    flag_t flag;
    bool is_full;
} flagging_t;

static db_status_t s_set_work(db_conn_t *conn, void *arg)
{
    flagging_t *self = arg;
    flags_t flags;
    db_status_t status = auth_store_flags(conn, self->deed.arena, &flags);
    self->is_full = status == DB_OK && flags.count == STORE_FLAGS;
    for (size_t i = 0; self->is_full && i < flags.count; i++)
        if (strcmp(flags.list[i].name, self->flag.name) == 0)
            self->is_full = false;
    if (status != DB_OK || self->is_full)
        return status;
    status = auth_store_set_flag(conn, &self->flag);
    return status == DB_OK ? auth_record(conn, &self->deed) : status;
}

/* Whether all items are texts, and of `choices` if there are any. */
static bool s_require_names(call_t *call, const char *field, const char *choices)
{
    const value_t *list = value_get(call_request(call), field), *item;
    for (uint32_t i = 0; (item = value_item(list, i)); i++) {
        const char *name =
            item->type == VALUE_TEXT ? arena_text(call_arena(call), item->text, item->count) : "";
        if (id_is_name(name, strlen(name), PRINCIPAL_NAME_BYTES) &&
            (!choices || strstr(choices, name)))
            continue;
        auth_fail_field(call, arena_format(call_arena(call), "/%s", field),
                        choices ? "must be names of tiers" : "must be ids of accounts");
        return false;
    }
    return true;
}

void auth_on_flag_set(call_t *call, void *arg)
{
    auth_t *self = arg;
    const value_t *request = call_request(call);
    arena_t *arena = call_arena(call);
    if (!s_require_names(call, "tiers", AUTH_TIERS) || !s_require_names(call, "accounts", NULL))
        return;
    const char *name = call_text(call, "name");
    flagging_t flagging = { .deed = auth_deed(call, self, "flag.set", name, NULL) };
    flagging.flag = (flag_t){ .name = name,
                              .about = call_text(call, "about"),
                              .is_enabled = call_bool(call, "enabled"),
                              .tiers = auth_reply_json(arena, value_get(request, "tiers")),
                              .accounts = auth_reply_json(arena, value_get(request, "accounts")),
                              .percentage = call_int(call, "percentage"),
                              .updated_ms = flagging.deed.now_ms };
    if (!auth_require_write(call, self, s_set_work, &flagging))
        return;
    if (flagging.is_full) {
        call_fail(call, ERROR_UNPROCESSABLE, "There are %d flags: remove one first", STORE_FLAGS);
        return;
    }
    herald_wake(self->herald, true);
    s_write_flag(call_pack(call), &flagging.flag);
    call_reply(call, 0);
}

static db_status_t s_delete(db_conn_t *conn, const deed_t *deed, const char *owner, bool *changed)
{
    (void)owner;
    return auth_store_delete_flag(conn, deed->audit.target, changed);
}

void auth_on_flag_delete(call_t *call, void *arg)
{
    auth_t *self = arg;
    const deed_t deed = auth_deed(call, self, "flag.deleted", call_text(call, "name"), NULL);
    if (!auth_require_changed(call, &deed, NULL, s_delete, "There is no flag of this name"))
        return;
    herald_wake(self->herald, true);
    call_reply(call, 0);
}

/* ---- signing keys ---------------------------------------------------------------------------- */

void auth_on_jwks(call_t *call, void *arg)
{
    auth_t *self = arg;
    pack_map(call_pack(call), 1);
    pack_text(call_pack(call), "keys");
    keyring_write_jwks(&self->keyring, clock_wall_ms(), call_pack(call));
    call_reply(call, 0);
}

typedef struct {
    deed_t deed;
    rotated_t rotated;
} rotating_t;

static db_status_t s_rotate_work(db_conn_t *conn, void *arg)
{
    rotating_t *self = arg;
    const keyring_times_t times = auth_key_times();
    db_status_t status = keyring_rotate(conn, &self->deed.auth->vault, &times, self->deed.now_ms,
                                        INT64_MAX, &self->rotated);
    self->deed.audit.target = self->rotated.kid;
    return status == DB_OK && self->rotated.kid[0] ? auth_record(conn, &self->deed) : status;
}

void auth_on_rotate(call_t *call, void *arg)
{
    auth_t *self = arg;
    char why[200];
    rotating_t rotating = { .deed = auth_deed(call, self, "signing_key.created", NULL, NULL) };
    if (!auth_require_write(call, self, s_rotate_work, &rotating))
        return;
    if (rotating.rotated.is_full) {
        call_fail(call, ERROR_UNPROCESSABLE,
                  "%d keys are kept for tokens that have not expired: try again later",
                  STORE_SIGNING_KEYS);
        return;
    }
    if (!keyring_load(&self->keyring, self->db, &self->vault, why, sizeof why)) {
        call_fail(call, ERROR_INTERNAL, "%s", why);
        return;
    }
    herald_wake(self->herald, true);
    pack_map(call_pack(call), 2);
    pack_pair_text(call_pack(call), "kid", rotating.rotated.kid);
    pack_pair_time(call_pack(call), "signs_from", rotating.rotated.signs_from_ms);
    call_reply(call, 0);
}

/* ---- what is retained ------------------------------------------------------------------------ */

/* As the database has them now: an instance that has not heard of another's new key would take it
 * back. What cannot be read is not told; what was told before stays. */
static void s_publish_keys(auth_t *self)
{
    char why[200];
    buf_t body = { 0 };
    pack_t pack;
    if (!keyring_load(&self->keyring, self->db, &self->vault, why, sizeof why)) {
        LOG(LOG_ERROR, "auth.keys_not_loaded", LOG_TEXT("why", why));
        return;
    }
    pack_init(&pack, &body);
    pack_map(&pack, 3);
    pack_pair_text(&pack, "issuer", auth_settings.issuer);
    pack_pair_text(&pack, "audience", auth_settings.audience);
    pack_text(&pack, "keys");
    keyring_write(&self->keyring, clock_wall_ms(), &pack);
    actor_publish(self->actor, topic_row(TOPIC_AUTH_KEYS)->prefix, true, &body);
}

static void s_publish_flags(auth_t *self)
{
    arena_t arena = { 0 };
    flags_t flags;
    buf_t body = { 0 };
    pack_t pack;
    db_conn_t *conn = db_conn(self->db);
    if (conn && auth_store_flags(conn, &arena, &flags) == DB_OK) {
        pack_init(&pack, &body);
        pack_map(&pack, 1);
        pack_text(&pack, "flags");
        pack_array(&pack, flags.count);
        for (size_t i = 0; i < flags.count; i++) {
            const flag_t *flag = &flags.list[i];
            pack_map(&pack, 5);
            pack_pair_text(&pack, "name", flag->name);
            pack_pair_bool(&pack, "enabled", flag->is_enabled);
            auth_reply_names(&pack, "tiers", flag->tiers);
            auth_reply_names(&pack, "accounts", flag->accounts);
            pack_pair_int(&pack, "percentage", flag->percentage);
        }
        actor_publish(self->actor, topic_row(TOPIC_AUTH_FLAGS)->prefix, true, &body);
    }
    arena_free(&arena);
}

void auth_publish_state(void *arg)
{
    s_publish_keys(arg);
    s_publish_flags(arg);
}
