/* SPDX-License-Identifier: MPL-2.0
 *
 * on_enqueue - jobs come in: read, checked, and handed to the intake
 */
#include "config.h"

#include <string.h>

#include <sodium.h>

#include "actors/base/clock.h"
#include "actors/base/text.h"
#include "actors/jobs/jobs.h"
#include "proto/value_pack.h"

/* Jobs of one request in the reading. */
typedef struct {
    jobs_t *jobs;
    call_t *call;
    arena_t *arena;
    buf_t bytes;          /* scratch */
    const trace_t *trace; /* that the jobs continue; NULL: none */
} reading_t;

static job_bytes_t s_keep(reading_t *self)
{
    job_bytes_t kept = { arena_text(self->arena, self->bytes.bytes, self->bytes.size),
                         self->bytes.size };
    self->bytes.size = 0;
    return kept;
}

static bool s_refuse(const reading_t *self, const char *why, const char *what)
{
    call_fail(self->call, ERROR_UNPROCESSABLE, why, what);
    return false;
}

/* ---- in whose name --------------------------------------------------------------------------- */

/* Who a job runs as: the rights, not the session they were used with; and for the logs, which
 * request it came from. */
static job_bytes_t s_pack_principal(reading_t *self, const principal_t *who)
{
    pack_t pack;
    principal_t *kept = arena_alloc(self->arena, sizeof *kept);
    *kept = *who;
    kept->session[0] = kept->address[0] = '\0';
    if (!self->trace)
        kept->tracestate[0] = '\0'; /* it is the state of a trace */
    pack_init(&pack, &self->bytes);
    principal_write(kept, &pack);
    return s_keep(self);
}

static void s_read_names(const value_t *list, char names[][PRINCIPAL_NAME_BYTES + 1],
                         uint8_t *count)
{
    const value_t *item;
    for (uint32_t i = 0; (item = value_item(list, i)) && *count < PRINCIPAL_LISTS_MAX; i++)
        if (value_is_type(item, VALUE_TEXT) && item->count <= PRINCIPAL_NAME_BYTES)
            text_copy(names[(*count)++], PRINCIPAL_NAME_BYTES + 1, item->text, item->count);
}

static void s_read_name(const value_t *map, const char *key, char name[PRINCIPAL_NAME_BYTES + 1])
{
    size_t size;
    const char *text = value_get_text(map, key, &size);
    if (text)
        text_copy(name, PRINCIPAL_NAME_BYTES + 1, text, size);
}

/* The member `as`, which only methods for services have. */
static const principal_t *s_read_as(reading_t *self, const value_t *as)
{
    const principal_t *caller = call_principal(self->call);
    principal_t *who = arena_alloc(self->arena, sizeof *who);
    if (!value_is_type(as, VALUE_MAP))
        return caller;
    memcpy(who->request_id, caller->request_id, sizeof who->request_id);
    s_read_name(as, "account", who->account);
    s_read_name(as, "user", who->user);
    s_read_name(as, "tier", who->tier);
    s_read_names(value_get(as, "roles"), who->roles, &who->role_count);
    s_read_names(value_get(as, "scopes"), who->scopes, &who->scope_count);
    return who;
}

/* ---- what ------------------------------------------------------------------------------------ */

static bool s_require_payload(reading_t *self, const value_t *map, job_new_t *job)
{
    static const uint8_t empty_map = 0x80;
    pack_t pack;
    const value_t *payload = value_get(map, "payload");
    pack_init(&pack, &self->bytes);
    if (value_is_type(payload, VALUE_MAP))
        value_pack(payload, &pack);
    else
        buf_add(&self->bytes, &empty_map, 1);
    size_t size = self->bytes.size;
    job->payload = s_keep(self);
    if (size <= JOBS_PAYLOAD_BYTES)
        return true;
    call_fail(self->call, ERROR_TOO_LARGE,
              "A payload may have %d bytes: keep what is larger elsewhere and enqueue its address",
              JOBS_PAYLOAD_BYTES);
    return false;
}

/* A user enqueues what they could call themselves. */
static bool s_require_kind(reading_t *self, const job_new_t *job)
{
    const principal_t *who = call_principal(self->call);
    if (!who->account[0])
        return true;
    switch (kinds_may(self->jobs->kinds, job->kind, who)) {
    case KIND_OPEN:
        return true;
    case KIND_UNKNOWN:
        return s_refuse(self, "No service with the method %.100s is known", job->kind);
    case KIND_CLOSED:
        break;
    }
    call_fail(self->call, ERROR_FORBIDDEN, "This caller may not call %.100s", job->kind);
    return false;
}

/* Queues are made by those who run the system: with every name a caller thinks of there would be no
 * end to them. */
static bool s_require_queue(reading_t *self, const value_t *map, job_new_t *job)
{
    const principal_t *who = call_principal(self->call);
    size_t size = (size_t)(strrchr(job->kind, '.') - job->kind);
    const char *own = arena_text(self->arena, job->kind, size);
    job->queue = value_dup_text(self->arena, map, "queue");
    if (!job->queue)
        job->queue = own;
    if (strlen(job->queue) > JOBS_QUEUE_BYTES)
        return s_refuse(self, "The queue's name %.80s is too long: name another", job->queue);
    bool may = !who->account[0] || principal_has_role(who, "admin") ||
               strcmp(job->queue, own) == 0 ||
               dispatcher_has_queue(self->jobs->dispatcher, job->queue);
    if (!may)
        return s_refuse(self, "There is no queue %.80s", job->queue);
    return dispatcher_may_have_queue(self->jobs->dispatcher, job->queue) ||
           s_refuse(self, "There are as many queues as there may be, and none is named %.80s",
                    job->queue);
}

static bool s_require_time(reading_t *self, const value_t *map, job_new_t *job)
{
    size_t size;
    const char *at = value_get_text(map, "run_at", &size);
    job->delay_ms = value_get_int(map, "delay_ms", 0);
    if (at && job->delay_ms)
        return s_refuse(self, "Give `run_at` or `delay_ms`, not %s", "both");
    if (!at)
        return true;
    if (!clock_parse(at, size, &job->run_at) || job->run_at <= 0)
        return s_refuse(self, "`run_at` is no moment after %s", "1970");
    return job->run_at - clock_wall_ms() <= JOBS_DELAY_MAX ||
           s_refuse(self, "`run_at` is more than %s ahead: use a schedule", "a year");
}

/* False: the call has been answered. */
static bool s_read_job(reading_t *self, const value_t *map, const value_t *as, job_new_t *job)
{
    const principal_t *who = s_read_as(self, as);
    *job = (job_new_t){
        .kind = value_dup_text(self->arena, map, "kind"),
        .priority = value_get_int(map, "priority", JOBS_PRIORITY),
        .max_attempts = value_get_int(map, "max_attempts", JOBS_MAX_ATTEMPTS),
        .timeout_ms = value_get_int(map, "timeout_ms", JOBS_TIMEOUT_MS),
        .backoff_ms = value_get_int(map, "backoff_ms", JOBS_BACKOFF_MS),
        .unique_key = value_dup_text(self->arena, map, "unique_key"),
        .order_key = value_dup_text(self->arena, map, "order_key"),
        .account = arena_text(self->arena, who->account, strlen(who->account)),
    };
    if (who->account[0])
        job->principal = s_pack_principal(self, who);
    if (self->trace)
        job->trace = (job_bytes_t){ arena_text(self->arena, self->trace, sizeof *self->trace),
                                    sizeof *self->trace };
    return s_require_kind(self, job) && s_require_queue(self, map, job) &&
           s_require_time(self, map, job) && s_require_payload(self, map, job);
}

bool jobs_require_job(jobs_t *self, call_t *call, const value_t *map, const value_t *as,
                      job_new_t *job)
{
    reading_t reading = {
        .jobs = self, .call = call, .arena = call_arena(call), .trace = call_trace(call)
    };
    bool good = s_read_job(&reading, map, as, job);
    buf_free(&reading.bytes);
    return good;
}

bool jobs_require_plan(jobs_t *self, call_t *call, job_new_t *job)
{
    reading_t reading = { .jobs = self, .call = call, .arena = call_arena(call) };
    bool good = s_read_job(&reading, call_request(call), NULL, job);
    buf_free(&reading.bytes);
    return good;
}

/* ---- keys ------------------------------------------------------------------------------------ */

void jobs_read_key(intake_request_t *request)
{
    call_t *call = request->call;
    const char *method = call_method(call)->name, *said = call_text(call, "key_says");
    crypto_generichash_state state;
    buf_t bytes = { 0 };
    pack_t pack;
    request->key = call_text(call, "idempotency_key");
    request->account = request->jobs->account;
    if (!request->key)
        return;
    pack_init(&pack, &bytes);
    if (said)
        pack_text(&pack, said);
    else
        value_pack(call_request(call), &pack);
    crypto_generichash_init(&state, NULL, 0, sizeof request->hash);
    crypto_generichash_update(&state, (const uint8_t *)method, strlen(method) + 1);
    crypto_generichash_update(&state, bytes.bytes, bytes.size);
    crypto_generichash_final(&state, request->hash, sizeof request->hash);
    buf_free(&bytes);
}

/* ---- the handlers ---------------------------------------------------------------------------- */

/* Reads `count` jobs, which `list` holds, or the request itself when it is NULL. */
static void s_enqueue(call_t *call, jobs_t *jobs, const value_t *list)
{
    arena_t *arena = call_arena(call);
    reading_t reading = { .jobs = jobs, .call = call, .arena = arena, .trace = call_trace(call) };
    intake_request_t *request = arena_alloc(arena, sizeof *request);
    size_t count = list ? list->count : 1;
    *request =
        (intake_request_t){ .call = call,
                            .count = count,
                            .form = list ? INTAKE_LIST : INTAKE_ONE,
                            .jobs = arena_array(arena, count, sizeof *request->jobs),
                            .receipts = arena_array(arena, count, sizeof *request->receipts) };
    bool good = true;
    for (uint32_t i = 0; good && i < count; i++) {
        const value_t *map = list ? value_item(list, i) : call_request(call);
        good = s_read_job(&reading, map, value_get(map, "as"), &request->jobs[i]);
    }
    buf_free(&reading.bytes);
    if (!good)
        return;
    jobs_read_key(request);
    intake_add(jobs->intake, request);
}

void jobs_on_enqueue(call_t *call, void *self)
{
    s_enqueue(call, self, NULL);
}

void jobs_on_enqueue_many(call_t *call, void *self)
{
    s_enqueue(call, self, value_get(call_request(call), "jobs"));
}

void jobs_on_enqueue_as(call_t *call, void *self)
{
    jobs_on_enqueue_many(call, self);
}
