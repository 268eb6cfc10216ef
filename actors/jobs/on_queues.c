/* SPDX-License-Identifier: MPL-2.0
 *
 * on_queues - queues: looked at and changed
 */
#include "config.h"

#include <string.h>

#include "actors/jobs/jobs.h"

static void s_pack(pack_t *pack, const job_queue_t *queue)
{
    pack_map(pack, 8);
    pack_pair_text(pack, "name", queue->name);
    pack_pair_bool(pack, "paused", queue->is_paused);
    pack_pair_bool(pack, "pulled", queue->is_pulled);
    pack_pair_int(pack, "max_running", queue->max_running);
    pack_pair_int(pack, "rate_limit", queue->rate_limit);
    pack_pair_int(pack, "rate_window_ms", queue->rate_window_ms);
    pack_pair_int(pack, "ready", queue->ready);
    pack_pair_int(pack, "running", queue->running);
}

static bool s_require_queues(call_t *call, job_queues_t *queues)
{
    db_conn_t *conn = jobs_require_conn(call);
    return conn && jobs_require_ok(call, jobs_store_queues(conn, call_arena(call), true, queues));
}

void jobs_on_queues(call_t *call, void *self)
{
    job_queues_t queues;
    pack_t *pack = call_pack(call);
    (void)self;
    if (!s_require_queues(call, &queues))
        return;
    pack_map(pack, 1);
    pack_text(pack, "items");
    pack_array(pack, queues.count);
    for (size_t i = 0; i < queues.count; i++)
        s_pack(pack, &queues.list[i]);
    call_reply(call, 0);
}

/* A field of the request; -1 when it is left out. */
static int64_t s_maybe(call_t *call, const char *field)
{
    const value_t *value = value_get(call_request(call), field);
    if (value_is_type(value, VALUE_BOOL))
        return value->truth;
    return value_is_type(value, VALUE_INT) ? value->integer : -1;
}

static db_status_t s_work(db_conn_t *conn, void *arg)
{
    return jobs_store_set_queue(conn, arg);
}

void jobs_on_queue_set(call_t *call, void *memory)
{
    jobs_t *self = memory;
    job_queues_t queues;
    job_queue_change_t change = { .name = call_text(call, "name"),
                                  .is_paused = s_maybe(call, "paused"),
                                  .is_pulled = s_maybe(call, "pulled"),
                                  .max_running = s_maybe(call, "max_running"),
                                  .rate_limit = s_maybe(call, "rate_limit"),
                                  .rate_window_ms = s_maybe(call, "rate_window_ms") };
    if (!jobs_require_ok(call, db_write(call_db(call), s_work, &change)))
        return;
    jobs_wake_changed(self);
    if (!s_require_queues(call, &queues))
        return;
    for (size_t i = 0; i < queues.count; i++)
        if (strcmp(queues.list[i].name, change.name) == 0) {
            s_pack(call_pack(call), &queues.list[i]);
            call_reply(call, 0);
            return;
        }
    call_fail(call, ERROR_UNPROCESSABLE, "There are %d queues already", JOBS_QUEUES_MAX);
}
