/* SPDX-License-Identifier: MPL-2.0
 *
 * on_dead - dead letters: looked at, run again, deleted
 */
#include "config.h"

#include "actors/jobs/jobs.h"

_Static_assert(JOBS_REPLAYS_MAX == JOBS_REPLAY_MAX, "the contract says what the store can do");

void jobs_on_dead(call_t *call, void *self)
{
    (void)self;
    jobs_reply_page(call, TABLE_DEAD, jobs_whose(call));
}

void jobs_on_dead_get(call_t *call, void *self)
{
    (void)self;
    jobs_reply_one(call, true);
}

/* ---- deleting -------------------------------------------------------------------------------- */

typedef struct {
    int64_t id;
    const char *account;
    bool was_there;
} deleting_t;

static db_status_t s_delete_work(db_conn_t *conn, void *arg)
{
    deleting_t *self = arg;
    return jobs_store_delete_dead(conn, self->id, self->account, &self->was_there);
}

void jobs_on_dead_delete(call_t *call, void *self)
{
    deleting_t deleting = { .id = call_int(call, "id"), .account = jobs_scope(call) };
    (void)self;
    if (!jobs_require_ok(call, db_write(call_db(call), s_delete_work, &deleting)))
        return;
    if (deleting.was_there)
        call_reply(call, 0);
    else
        call_fail(call, ERROR_NOT_FOUND, "There is no such dead job");
}

/* ---- replaying ------------------------------------------------------------------------------- */

typedef struct {
    job_choice_t choice;
    bool is_dry;
    job_replayed_t done;
} replaying_t;

static db_status_t s_replay_work(db_conn_t *conn, void *arg)
{
    replaying_t *self = arg;
    return jobs_store_replay(conn, &self->choice, self->is_dry, &self->done);
}

/* False: the call has been answered. */
static bool s_require_replay(call_t *call, jobs_t *self, replaying_t *replaying)
{
    if (!jobs_require_ok(call, db_write(call_db(call), s_replay_work, replaying)))
        return false;
    int64_t replayed = 0;
    for (size_t i = 0; i < replaying->done.count; i++)
        replayed += replaying->done.is_replayed[i];
    stats_add(actor_stats(self->actor), JOBS_REPLAYED, replayed);
    if (replayed)
        dispatcher_look(self->dispatcher);
    return true;
}

/* What it waits for now: its turn in its order, or to be begun. */
static void s_reply_alive(call_t *call, int64_t id)
{
    const job_t *job;
    db_conn_t *conn = jobs_require_conn(call);
    if (!conn || !jobs_require_ok(call, jobs_store_get(conn, call_arena(call), id, NULL, &job)))
        return;
    pack_map(call_pack(call), 2);
    pack_pair_int(call_pack(call), "id", id);
    pack_pair_text(call_pack(call), "state", jobs_store_state(job ? job->state : JOB_READY));
    call_reply(call, 0);
}

void jobs_on_replay(call_t *call, void *memory)
{
    const int64_t id = call_int(call, "id");
    int64_t rival = 0;
    replaying_t *replaying = arena_alloc(call_arena(call), sizeof *replaying);
    replaying->choice = (job_choice_t){ .after = id - 1,
                                        .until = id,
                                        .account = jobs_scope(call),
                                        .queue = "",
                                        .kind = "",
                                        .error_code = "",
                                        .most = 1 };
    if (!s_require_replay(call, memory, replaying))
        return;
    if (replaying->done.count == 0) {
        call_fail(call, ERROR_NOT_FOUND, "There is no such dead job");
        return;
    }
    if (!replaying->done.is_replayed[0]) {
        db_conn_t *conn = jobs_require_conn(call);
        if (conn && jobs_require_ok(call, jobs_store_rival(conn, id, &rival)))
            call_fail(call, ERROR_CONFLICT,
                      "The job %lld has its unique key: when that has ended, try again",
                      (long long)rival);
        return;
    }
    s_reply_alive(call, id);
}

/* The ids that are replayed, or would be. */
static void s_pack_ids(pack_t *pack, const replaying_t *replaying)
{
    size_t count = 0;
    pack_text(pack, "ids");
    size_t position = pack_open_array(pack);
    for (size_t i = 0; i < replaying->done.count; i++)
        if (replaying->is_dry || replaying->done.is_replayed[i]) {
            pack_int(pack, replaying->done.ids[i]);
            count++;
        }
    pack_close(pack, position, count);
}

/* False: the call has been answered. */
static bool s_pack_collisions(call_t *call, pack_t *pack, const replaying_t *replaying)
{
    size_t count = 0;
    db_conn_t *conn = jobs_require_conn(call);
    if (!conn)
        return false;
    pack_text(pack, "collisions");
    size_t position = pack_open_array(pack);
    for (size_t i = 0; i < replaying->done.count; i++) {
        int64_t rival;
        if (!jobs_require_ok(call, jobs_store_rival(conn, replaying->done.ids[i], &rival)))
            return false;
        if (replaying->is_dry ? rival == 0 : replaying->done.is_replayed[i])
            continue;
        pack_map(pack, 2);
        pack_pair_int(pack, "id", replaying->done.ids[i]);
        pack_pair_int(pack, "rival", rival);
        count++;
    }
    pack_close(pack, position, count);
    return true;
}

void jobs_on_replay_many(call_t *call, void *memory)
{
    pack_t *pack = call_pack(call);
    replaying_t *replaying = arena_alloc(call_arena(call), sizeof *replaying);
    replaying->choice = (job_choice_t){ .after = call_int(call, "after"),
                                        .until = call_int(call, "until"),
                                        .account = jobs_whose(call),
                                        .queue = call_text(call, "queue"),
                                        .kind = call_text(call, "kind"),
                                        .error_code = call_text(call, "code"),
                                        .most = (size_t)call_int(call, "limit") };
    replaying->is_dry = call_bool(call, "dry_run");
    if (!s_require_replay(call, memory, replaying))
        return;
    const size_t count = replaying->done.count;
    pack_map(pack, 3);
    s_pack_ids(pack, replaying);
    if (!s_pack_collisions(call, pack, replaying))
        return;
    pack_text(pack, "next_after");
    if (count == replaying->choice.most)
        pack_int(pack, replaying->done.ids[count - 1]);
    else
        pack_nil(pack);
    call_reply(call, 0);
}
