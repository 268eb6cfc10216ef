/* SPDX-License-Identifier: MPL-2.0
 *
 * db_postgres_link - a connection to PostgreSQL, made again after a loss, and what travels over it
 *
 * The link is always in libpq's pipeline mode: commands are queued, sent together and answered
 * together, so BEGIN travels with the first statement of a transaction. The server ends a statement
 * at the deadline (statement_timeout); a server that does not even do that is given up a little
 * later, and the connection with it.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/base/log.h"
#include "actors/runtime/db_postgres.h"

#define POSTGRES_GRACE_US        500000u /* how much later than the server the client gives up */
#define POSTGRES_NO_DEADLINE     UINT64_MAX
#define POSTGRES_PAUSE_US        100000u /* after the first failure to connect; doubles */
#define POSTGRES_PAUSE_DOUBLINGS 5u

/* ---- what travels ---------------------------------------------------------------------------- */

typedef enum { WAIT_READY, WAIT_LATE, WAIT_LOST } wait_t;

/* Waits until a result can be taken without blocking. */
static wait_t s_wait(PGconn *link, uint64_t deadline_us)
{
    for (;;) {
        int unsent = PQflush(link);
        if (unsent < 0)
            return WAIT_LOST;
        if (!PQisBusy(link))
            return WAIT_READY;
        struct pollfd on = { .fd = PQsocket(link), .events = POLLIN };
        if (unsent)
            on.events |= POLLOUT;
        int timeout_ms = -1;
        if (deadline_us != POSTGRES_NO_DEADLINE) {
            uint64_t now = clock_us();
            if (now >= deadline_us)
                return WAIT_LATE;
            timeout_ms = (int)((deadline_us - now) / 1000u) + 1;
        }
        if (poll(&on, 1, timeout_ms) < 0 && errno != EINTR)
            return WAIT_LOST;
        if ((on.revents & ~POLLOUT) && !PQconsumeInput(link))
            return WAIT_LOST;
    }
}

static bool s_is_error(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK;
}

/* Takes results up to the end of the pipeline, or of a script, and keeps the first that failed or
 * else the last. */
static wait_t s_collect(PGconn *link, uint64_t deadline_us, bool pipeline, PGresult **kept)
{
    *kept = NULL;
    for (;;) {
        wait_t wait = s_wait(link, deadline_us);
        if (wait != WAIT_READY)
            return wait;
        PGresult *result = PQgetResult(link);
        if (!result && PQstatus(link) == CONNECTION_BAD)
            return WAIT_LOST;
        if (!result && !pipeline)
            return WAIT_READY;
        if (result && PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            return WAIT_READY;
        }
        if (result && *kept && s_is_error(*kept)) {
            PQclear(result);
        } else if (result) {
            PQclear(*kept);
            *kept = result;
        }
    }
}

/* The status of what was collected; a link that is of no further use is closed. */
static db_status_t s_judge(postgres_conn_t *self, const char *what, wait_t wait,
                           const PGresult *result)
{
    if (wait == WAIT_LATE) {
        postgres_disconnect(self);
        return db_failed(&self->base, what, DB_TIMEOUT, "deadline", "the server does not answer");
    }
    if (result && wait == WAIT_READY && !s_is_error(result))
        return DB_OK;
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    if (!state) /* from libpq itself: the connection broke */
        state = "08006";
    const char *message = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    bool renew;
    db_status_t status = db_failed(&self->base, what, postgres_status(state, &renew), state,
                                   message ? message : PQerrorMessage(self->link));
    if (renew || PQstatus(self->link) == CONNECTION_BAD)
        postgres_disconnect(self);
    return status;
}

static db_status_t s_finish(postgres_conn_t *self, const char *what, uint64_t deadline_us,
                            bool pipeline, PGresult **result)
{
    PGresult *kept;
    wait_t wait = s_collect(self->link, deadline_us, pipeline, &kept);
    db_status_t status = s_judge(self, what, wait, kept);
    if (status == DB_OK && result)
        *result = kept;
    else
        PQclear(kept);
    return status;
}

db_status_t postgres_exchange(postgres_conn_t *self, const char *what, bool queued,
                              PGresult **result)
{
    uint64_t deadline_us = clock_us() + db_statement_us(self->base.db) + POSTGRES_GRACE_US;
    if (!queued || !PQpipelineSync(self->link))
        return s_judge(self, what, WAIT_LOST, NULL);
    return s_finish(self, what, deadline_us, true, result);
}

db_status_t postgres_script(postgres_conn_t *self, const char *what, const char *text)
{
    if (!self->link)
        return DB_UNAVAILABLE;
    insist(PQexitPipelineMode(self->link));
    db_status_t status = PQsendQuery(self->link, text)
                             ? s_finish(self, what, POSTGRES_NO_DEADLINE, false, NULL)
                             : s_judge(self, what, WAIT_LOST, NULL);
    if (self->link)
        PQenterPipelineMode(self->link);
    return status;
}

/* ---- connecting ------------------------------------------------------------------------------ */

/* Whether to try now. After a failure one thread tries each time the pause is over, and the others
 * fail at once meanwhile. */
static bool s_may_try(postgres_gate_t *gate)
{
    uint64_t now = clock_us();
    pthread_mutex_lock(&gate->mutex);
    bool may = gate->failures == 0 || now >= gate->try_again_us;
    if (may && gate->failures) {
        gate->try_again_us = now + (POSTGRES_PAUSE_US << gate->failures);
        if (gate->failures < POSTGRES_PAUSE_DOUBLINGS)
            gate->failures++;
    }
    pthread_mutex_unlock(&gate->mutex);
    return may;
}

static void s_tried(postgres_gate_t *gate, bool connected)
{
    pthread_mutex_lock(&gate->mutex);
    if (connected) {
        gate->failures = 0;
    } else if (gate->failures == 0) {
        gate->failures = 1;
        /* of random length, so that many processes do not all come back at once */
        gate->try_again_us = clock_us() + POSTGRES_PAUSE_US + id_random_u64() % POSTGRES_PAUSE_US;
    }
    pthread_mutex_unlock(&gate->mutex);
}

static void s_notice(void *memory, const char *message)
{
    const db_conn_t *conn = memory;
    LOG(LOG_DEBUG, "db.notice", LOG_TEXT("service", conn->db->service),
        LOG_BYTES("message", message, strcspn(message, "\n")));
}

/* What every connection begins with, in one round trip. */
static db_status_t s_introduce(postgres_conn_t *self)
{
    const db_t *db = self->base.db;
    char timeout[32];
    char *schema = PQescapeIdentifier(self->link, db->service, strlen(db->service));
    const char *values[] = { schema, timeout };
    snprintf(timeout, sizeof timeout, "%" PRId64, db->settings.statement_ms);
    bool queued = PQsendQueryParams(self->link,
                                    "SELECT set_config('search_path', $1, false),"
                                    " set_config('statement_timeout', $2, false),"
                                    " set_config('client_min_messages', 'warning', false)",
                                    COUNT_OF(values), NULL, values, NULL, NULL, 0) &&
                  PQsendPrepare(self->link, "begin", "BEGIN", 0, NULL) &&
                  PQsendPrepare(self->link, "commit", "COMMIT", 0, NULL) &&
                  PQsendPrepare(self->link, "rollback", "ROLLBACK", 0, NULL);
    PQfreemem(schema);
    return postgres_exchange(self, "connect", queued, NULL);
}

/* Waits at most for the statement deadline, in whole seconds and at least two, which is as exact as
 * libpq is. A connect_timeout in the URL wins. */
static bool s_connect(postgres_conn_t *self)
{
    db_t *db = self->base.db;
    char name[64], timeout[32];
    snprintf(name, sizeof name, "signalbox %s", db->service);
    snprintf(timeout, sizeof timeout, "%" PRId64, (db->settings.statement_ms + 999) / 1000);
    const char *const keys[] = { "fallback_application_name", "connect_timeout", "dbname",
                                 "client_encoding", NULL };
    const char *const values[] = { name, timeout, db->settings.database, "UTF8", NULL };
    self->link = PQconnectdbParams(keys, values, true);
    atomic_fetch_add(&db->open, 1);
    if (PQstatus(self->link) != CONNECTION_OK) {
        db_failed(&self->base, "connect", DB_UNAVAILABLE, "connect", PQerrorMessage(self->link));
        postgres_disconnect(self);
        return false;
    }
    PQsetNoticeProcessor(self->link, s_notice, &self->base);
    PQsetnonblocking(self->link, true);
    PQenterPipelineMode(self->link);
    if (s_introduce(self) != DB_OK)
        postgres_disconnect(self);
    return self->link != NULL;
}

/* Whether the server has not hung up while the connection was idle, as it does when it is
 * restarted: found out here, no request has to fail for it. */
static bool s_is_alive(PGconn *link)
{
    struct pollfd on = { .fd = PQsocket(link), .events = POLLIN };
    while (poll(&on, 1, 0) > 0)
        if (!PQconsumeInput(link))
            return false;
    return PQstatus(link) == CONNECTION_OK;
}

bool postgres_connect(postgres_conn_t *self)
{
    postgres_gate_t *gate = self->base.db->state;
    if (self->link && s_is_alive(self->link))
        return true;
    postgres_disconnect(self);
    if (!s_may_try(gate))
        return false;
    bool connected = s_connect(self);
    s_tried(gate, connected);
    return connected;
}

void postgres_disconnect(postgres_conn_t *self)
{
    if (!self->link)
        return;
    PQfinish(self->link);
    self->link = NULL;
    self->begin = false;
    postgres_forget(self);
    atomic_fetch_sub(&self->base.db->open, 1);
}
