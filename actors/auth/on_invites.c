/* SPDX-License-Identifier: MPL-2.0
 *
 * on_invites - invitations, of administrators and of owners of accounts
 */
#include "config.h"

#include "actors/auth/auth.h"

#define MS_PER_DAY INT64_C(86400000)

/* The pairs of an invitation, into a map that its caller has begun. */
#define INVITE_PAIRS 8
static void s_write_invite(pack_t *pack, const invite_t *invite)
{
    pack_pair_text(pack, "id", invite->id);
    pack_pair_text(pack, "email", invite->email);
    pack_pair_text(pack, "account_id", invite->account_id);
    pack_pair_text(pack, "role", invite->role);
    pack_pair_text(pack, "tier", invite->tier);
    pack_pair_time(pack, "created_at", invite->created_ms);
    pack_pair_time(pack, "expires_at", invite->expires_ms);
    auth_reply_maybe_time(pack, "used_at", invite->used_ms);
}

void auth_on_invites(call_t *call, void *arg)
{
    listing_t listing;
    invites_t invites;
    (void)arg;
    db_conn_t *conn = auth_require_page(call, LIST_INVITES, &listing);
    if (!conn || !auth_require_ok(call, auth_store_invites(conn, call_arena(call), &listing.from,
                                                           listing.limit + 1, &invites)))
        return;
    pack_t *pack = call_pack(call);
    const size_t shown = page_begin(pack, invites.count, listing.limit);
    const invite_t *last = invites.count > shown ? &invites.list[shown - 1] : NULL;
    for (size_t i = 0; i < shown; i++) {
        pack_map(pack, INVITE_PAIRS);
        s_write_invite(pack, &invites.list[i]);
    }
    page_end(pack, LIST_INVITES, last ? last->created_ms : 0, last ? last->id : NULL);
    call_reply(call, 0);
}

/* ---- making ---------------------------------------------------------------------------------- */

typedef struct {
    deed_t deed;
    invite_t invite;
    uint8_t hash[TOKEN_BYTES];
    const char *code;
    bool no_account;
} invitation_t;

/* What somebody is invited to has to be there. */
static db_status_t s_look_for_account(db_conn_t *conn, invitation_t *self)
{
    const account_t *account;
    if (!self->invite.account_id)
        return DB_OK;
    db_status_t status =
        auth_store_account(conn, self->deed.arena, self->invite.account_id, &account);
    self->no_account = status == DB_OK && !account;
    return status;
}

static db_status_t s_invite_work(db_conn_t *conn, void *arg)
{
    invitation_t *self = arg;
    self->no_account = false;
    db_status_t status = s_look_for_account(conn, self);
    if (status != DB_OK || self->no_account)
        return status;
    status = auth_store_add_invite(conn, &self->invite, self->hash);
    if (status == DB_OK && self->invite.email)
        status = auth_add_mail(conn, &self->deed, "invite", self->invite.email, NULL, self->code,
                               self->invite.expires_ms);
    return status == DB_OK ? auth_record(conn, &self->deed) : status;
}

static void s_invite(call_t *call, auth_t *self, const char *account_id, const char *role,
                     const char *tier)
{
    char id[ID_UUID_SIZE], code[TOKEN_SIZE];
    uint8_t secret[TOKEN_BYTES];
    invitation_t invitation = {
        .deed = auth_deed(call, self, "invite.created", id_uuid7(id), NULL),
    };
    const int64_t now_ms = invitation.deed.now_ms;
    invitation.invite = (invite_t){ .id = id,
                                    .email = call_text(call, "email"),
                                    .account_id = account_id,
                                    .role = role,
                                    .tier = tier,
                                    .created_ms = now_ms,
                                    .expires_ms = now_ms + auth_settings.invite_days * MS_PER_DAY };
    id_random(secret, sizeof secret);
    token_hash(secret, invitation.hash);
    invitation.code = token_write(TOKEN_INVITE, secret, code);
    if (!auth_require_write(call, self, s_invite_work, &invitation))
        return;
    if (invitation.no_account) {
        call_fail(call, ERROR_UNPROCESSABLE, "There is no account with this id");
        return;
    }
    pack_map(call_pack(call), INVITE_PAIRS + 1);
    s_write_invite(call_pack(call), &invitation.invite);
    pack_pair_text(call_pack(call), "code", code);
    call_reply(call, 0);
}

void auth_on_invite_create(call_t *call, void *arg)
{
    s_invite(call, arg, call_text(call, "account_id"), call_text(call, "role"),
             call_text(call, "tier"));
}

/* An owner gives nobody more than membership. */
void auth_on_account_invite(call_t *call, void *arg)
{
    const user_t *user = auth_require_user(call);
    if (user)
        s_invite(call, arg, user->account_id, "user", user->tier);
}

/* ---- taking back ----------------------------------------------------------------------------- */

static db_status_t s_delete(db_conn_t *conn, const deed_t *deed, const char *owner, bool *changed)
{
    (void)owner;
    return auth_store_delete_invite(conn, deed->audit.target, changed);
}

void auth_on_invite_delete(call_t *call, void *arg)
{
    const deed_t deed = auth_deed(call, arg, "invite.deleted", call_text(call, "id"), NULL);
    if (auth_require_changed(call, &deed, NULL, s_delete, "There is no invitation with this id"))
        call_reply(call, 0);
}
