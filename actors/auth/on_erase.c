/* SPDX-License-Identifier: MPL-2.0
 *
 * on_erase - users and accounts that go for ever
 *
 * One transaction deletes everything that is stored of them here and appends the entry that says
 * so; from then on no session and no key of theirs is known, and the herald tells the edges. Other
 * services learn of an erased account from the list that `auth.erased` reads out of the audit log:
 * it is as durable as the erasure itself, and each service asks on from where it has got to, so
 * that neither its absence nor ours loses one.
 */
#include "config.h"

#include "actors/auth/second.h"
#include "actors/base/clock.h"

typedef struct {
    deed_t deed;
    proof_t proof;
    bool is_account, is_proven, is_last_owner;
} erasure_t;

static db_status_t s_look_for_owners(db_conn_t *conn, erasure_t *self)
{
    int64_t owners;
    db_status_t status = auth_store_count_owners(conn, self->proof.user->account_id, &owners);
    self->is_last_owner = status == DB_OK && self->proof.user->is_owner && owners <= 1;
    return status;
}

static db_status_t s_erase_work(db_conn_t *conn, void *arg)
{
    erasure_t *self = arg;
    const user_t *user = self->proof.user;
    self->is_last_owner = false;
    db_status_t status = self->is_account ? DB_OK : s_look_for_owners(conn, self);
    if (status == DB_OK && !self->is_last_owner)
        status = second_use_proof(conn, &self->proof, &self->is_proven);
    if (status != DB_OK || self->is_last_owner || !self->is_proven)
        return status;
    status = self->is_account ? auth_store_erase_account(conn, user->account_id)
                              : auth_store_erase_user(conn, user->account_id, user->id);
    return status == DB_OK ? auth_record(conn, &self->deed) : status;
}

static void s_erase(call_t *call, auth_t *self, bool is_account)
{
    const user_t *user = auth_require_user(call);
    if (!user)
        return;
    erasure_t erasure = {
        .deed = is_account ? auth_deed(call, self, AUTH_ERASED_ACTION, user->account_id, "account")
                           : auth_deed(call, self, "user.erased", user->id, "user"),
        .is_account = is_account,
    };
    erasure.deed.audit.address = NULL; /* nothing of them is to remain */
    if (!second_require_proof(call, &erasure.deed, user, &erasure.proof) ||
        !auth_require_write(call, self, s_erase_work, &erasure))
        return;
    if (erasure.is_last_owner)
        call_fail(call, ERROR_UNPROCESSABLE,
                  "The last owner of an account stays: erase the account with /v1/account/erase");
    else
        second_end_proof(call, &erasure.proof, erasure.is_proven);
}

static void s_erase_me(call_t *call, void *arg)
{
    s_erase(call, arg, false);
}

static void s_erase_account(call_t *call, void *arg)
{
    s_erase(call, arg, true);
}

void auth_on_me_erase(call_t *call, void *arg)
{
    auth_defer(call, arg, s_erase_me);
}

void auth_on_account_erase(call_t *call, void *arg)
{
    auth_defer(call, arg, s_erase_account);
}

/* ---- who has been erased --------------------------------------------------------------------- */

void auth_on_erased(call_t *call, void *arg)
{
    erased_list_t erased;
    const int64_t now_ms = clock_wall_ms();
    (void)arg;
    db_conn_t *conn = auth_require_conn(call);
    if (!conn ||
        !auth_require_ok(call, auth_store_erased(conn, call_arena(call), call_int(call, "after"),
                                                 (size_t)call_int(call, "limit"), &erased)))
        return;
    pack_t *pack = call_pack(call);
    pack_map(pack, 1);
    pack_text(pack, "items");
    pack_array(pack, erased.count);
    for (size_t i = 0; i < erased.count; i++) {
        const int64_t age_ms = now_ms - erased.list[i].at_ms;
        pack_map(pack, 3);
        pack_pair_int(pack, "sequence", erased.list[i].sequence);
        pack_pair_text(pack, "account", erased.list[i].account_id);
        pack_pair_int(pack, "age_ms", age_ms > 0 ? age_ms : 0);
    }
    call_reply(call, 0);
}
