/* SPDX-License-Identifier: MPL-2.0
 *
 * share - what the handlers of jobs share: whose jobs, answers, events
 */
#include "config.h"

#include <string.h>

#include "actors/base/id.h"
#include "actors/base/log.h"
#include "actors/base/text.h"
#include "actors/jobs/jobs.h"
#include "actors/jobs/store_families.h"

const char *jobs_scope(const call_t *call)
{
    const principal_t *who = call_principal(call);
    return who->account[0] && !principal_has_role(who, "admin") ? who->account : NULL;
}

db_conn_t *jobs_require_conn(call_t *call)
{
    db_conn_t *conn = db_conn(call_db(call));
    if (!conn)
        call_fail_db(call, DB_UNAVAILABLE);
    return conn;
}

bool jobs_require_ok(call_t *call, db_status_t status)
{
    if (status != DB_OK)
        call_fail_db(call, status);
    return status == DB_OK;
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static void s_maybe_text(pack_t *pack, const char *key, const char *text)
{
    pack_text(pack, key);
    if (text && text[0])
        pack_text(pack, text);
    else
        pack_nil(pack);
}

static void s_maybe_time(pack_t *pack, const char *key, int64_t wall_ms)
{
    if (wall_ms) {
        pack_pair_time(pack, key, wall_ms);
    } else {
        pack_text(pack, key);
        pack_nil(pack);
    }
}

static void s_pack_error(pack_t *pack, const job_t *job)
{
    pack_text(pack, "error");
    if (!job->error_code) {
        pack_nil(pack);
        return;
    }
    pack_map(pack, 2);
    pack_pair_text(pack, "code", job->error_code);
    pack_pair_text(pack, "detail", job->error_text ? job->error_text : "");
}

static void s_pack_progress(pack_t *pack, const job_t *job)
{
    pack_text(pack, "progress");
    if (job->percent < 0) {
        pack_nil(pack);
        return;
    }
    pack_map(pack, 2);
    pack_pair_int(pack, "percent", job->percent);
    s_maybe_text(pack, "note", job->note);
}

/* They are msgpack: what was not was not stored. */
static void s_pack_bytes(pack_t *pack, const char *key, job_bytes_t bytes)
{
    pack_text(pack, key);
    if (bytes.bytes)
        pack_raw(pack, bytes.bytes, bytes.size);
    else
        pack_nil(pack);
}

void jobs_pack_job(pack_t *pack, const job_t *job, bool in_full)
{
    pack_map(pack, in_full ? 21 : 18);
    pack_pair_int(pack, "id", job->id);
    pack_pair_text(pack, "kind", job->kind);
    pack_pair_text(pack, "queue", job->queue);
    pack_pair_text(pack, "state", jobs_store_state(job->state));
    s_maybe_text(pack, "account", job->account);
    pack_pair_int(pack, "priority", job->priority);
    pack_pair_int(pack, "attempts", job->fence);
    pack_pair_int(pack, "failures", job->tries);
    pack_pair_int(pack, "max_attempts", job->max_attempts);
    pack_pair_int(pack, "replays", job->replays);
    s_maybe_text(pack, "unique_key", job->unique_key);
    s_maybe_text(pack, "order_key", job->order_key);
    pack_text(pack, "parent_id");
    if (job->parent_id)
        pack_int(pack, job->parent_id);
    else
        pack_nil(pack);
    pack_pair_time(pack, "created_at", job->created_at);
    s_maybe_time(pack, "run_at", job->run_at);
    s_maybe_time(pack, "started_at", job->started_at);
    s_maybe_time(pack, "finished_at", job->finished_at);
    s_pack_error(pack, job);
    if (!in_full)
        return;
    s_pack_progress(pack, job);
    s_pack_bytes(pack, "payload", job->payload);
    s_pack_bytes(pack, "result", job->result);
}

/* What has a number stands where other lists' cursors have a moment. */
static const char s_no_id[] = "00000000-0000-0000-0000-000000000000";

void jobs_end_page(pack_t *pack, uint8_t list, int64_t last)
{
    page_end(pack, list, last, last ? s_no_id : NULL);
}

void jobs_pack_receipt(pack_t *pack, const char *kind, const char *queue,
                       const job_receipt_t *receipt)
{
    pack_map(pack, 5);
    pack_pair_int(pack, "id", receipt->id);
    pack_pair_text(pack, "kind", kind);
    pack_pair_text(pack, "queue", queue);
    pack_pair_text(pack, "state", jobs_store_state(receipt->state));
    pack_pair_bool(pack, "duplicate", receipt->is_duplicate);
}

/* ---- events ---------------------------------------------------------------------------------- */

/* What every event says; `more` pairs follow. */
static void s_begin_event(pack_t *pack, buf_t *body, const job_begun_t *job, job_state_t state,
                          size_t more)
{
    pack_init(pack, body);
    pack_map(pack, 6 + more);
    pack_pair_text(pack, "account", job->account);
    pack_pair_int(pack, "id", job->id);
    pack_pair_text(pack, "kind", job->kind);
    pack_pair_text(pack, "queue", job->queue);
    pack_pair_text(pack, "state", jobs_store_state(state));
    pack_pair_int(pack, "attempt", job->fence);
}

void jobs_publish(actor_t *actor, topic_id_t topic, const job_begun_t *job, job_state_t state,
                  const char *error)
{
    buf_t body = { 0 };
    pack_t pack;
    if (!job->account[0])
        return;
    s_begin_event(&pack, &body, job, state, 1);
    s_maybe_text(&pack, "error", error);
    actor_publish(actor, topic_row(topic)->prefix, false, &body);
}

/* The dispatcher ends runs of many requests; the line is of the one the job came from. */
static void s_log_dead(const actor_t *actor, const job_begun_t *job, const job_end_t *end)
{
    const log_request_t before = *log_request();
    job_run_t run = { .id = job->id, .fence = job->fence, .attempt = job->fence };
    char text[JOB_TEXT_SIZE];
    log_request_t request = { 0 };
    principal_t who;
    text_copy(run.service, sizeof run.service, actor_service(actor), strlen(actor_service(actor)));
    job_run_write(&run, text);
    log_copy_id(request.job, text, strlen(text));
    if (job->trace.size == FRAME_TRACE_BYTES)
        id_hex(job->trace.bytes, 16, request.trace_id);
    if (principal_read(&who, job->principal.bytes, job->principal.size))
        log_copy_id(request.request_id, who.request_id, strlen(who.request_id));
    log_enter(&request);
    LOG(LOG_WARN, "job.dead", LOG_INT("id", job->id), LOG_TEXT("kind", job->kind),
        LOG_TEXT("error.type", end->error_code), LOG_TEXT("why", end->error_text));
    log_enter(&before);
}

void jobs_tell_end(actor_t *actor, const job_begun_t *job, const job_end_t *end, job_state_t state)
{
    static const struct {
        jobs_stat_t row;
        bool is_told;
        topic_id_t topic;
    } ends[] = {
        [JOB_READY] = { JOBS_RETRIED, false, TOPIC_COUNT },
        [JOB_RUNNING] = { JOBS_RETRIED, false, TOPIC_COUNT },
        [JOB_SCHEDULED] = { JOBS_RETRIED, false, TOPIC_COUNT },
        [JOB_BLOCKED] = { JOBS_RETRIED, false, TOPIC_COUNT },
        [JOB_DONE] = { JOBS_SUCCEEDED, true, TOPIC_JOBS_FINISHED },
        [JOB_CANCELLED] = { JOBS_CANCELLED, true, TOPIC_JOBS_FINISHED },
        [JOB_DEAD] = { JOBS_BURIED, true, TOPIC_JOBS_DEAD },
    };
    bool is_put_back = !ends[state].is_told && end->how == SETTLE_BACK;
    stats_add(actor_stats(actor), is_put_back ? JOBS_PUT_BACK : ends[state].row, 1);
    if (state == JOB_DEAD)
        s_log_dead(actor, job, end);
    if (ends[state].is_told)
        jobs_publish(actor, ends[state].topic, job, state, end->error_code);
}

void jobs_publish_progress(actor_t *actor, const job_t *job, int64_t percent, const char *note)
{
    const job_begun_t told = { .id = job->id,
                               .fence = job->fence,
                               .kind = job->kind,
                               .queue = job->queue,
                               .account = job->account };
    buf_t body = { 0 };
    pack_t pack;
    if (!job->account[0])
        return;
    s_begin_event(&pack, &body, &told, job->state, 2);
    pack_pair_int(&pack, "percent", percent);
    s_maybe_text(&pack, "note", note);
    actor_publish(actor, topic_row(TOPIC_JOBS_PROGRESS)->prefix, false, &body);
}

/* Best effort: whoever misses it looks at the table of queues within a second. */
void jobs_wake_changed(jobs_t *self)
{
    buf_t body = { 0 };
    pack_t pack;
    dispatcher_reload(self->dispatcher);
    if (db_is_sqlite(actor_db(self->actor)))
        return; /* there is no other instance */
    pack_init(&pack, &body);
    pack_map(&pack, 0);
    actor_publish(self->actor, topic_row(TOPIC_JOBS_WAKE)->prefix, false, &body);
}

void jobs_tell_parents(actor_t *actor, const job_parents_t *parents)
{
    char note[JOBS_FAMILY_NOTE_SIZE];
    for (size_t i = 0; i < parents->count; i++) {
        const job_parent_t *parent = &parents->list[i];
        if (!parent->children) /* an instance that does not count them has enqueued it */
            continue;
        const job_t told = { .id = parent->id,
                             .fence = parent->fence,
                             .state = parent->pending ? JOB_BLOCKED : JOB_SCHEDULED,
                             .kind = parent->kind,
                             .queue = parent->queue,
                             .account = parent->account };
        int64_t percent = jobs_store_family_progress(parent->children, parent->pending, note);
        jobs_publish_progress(actor, &told, percent, note);
    }
}

void jobs_tell_settled(actor_t *actor, dispatcher_t *dispatcher, const job_settling_t *settling)
{
    jobs_tell_parents(actor, &settling->parents);
    if (settling->has_told)
        dispatcher_hint(dispatcher, JOBS_NEWS_QUEUE, NULL);
}

/* Best effort: whoever misses it looks by itself within a second, or a little later. */
void jobs_wake(jobs_t *self, const char *queue, const job_mark_t *at)
{
    buf_t body = { 0 };
    pack_t pack;
    dispatcher_hint(self->dispatcher, queue, at);
    if (db_is_sqlite(actor_db(self->actor)))
        return; /* there is no other instance */
    pack_init(&pack, &body);
    pack_map(&pack, 3);
    pack_pair_text(&pack, "queue", queue);
    pack_pair_int(&pack, "priority", at->priority);
    pack_pair_int(&pack, "run_at", at->run_at);
    actor_publish(self->actor, topic_row(TOPIC_JOBS_WAKE)->prefix, false, &body);
}
