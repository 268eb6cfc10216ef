/* SPDX-License-Identifier: MPL-2.0
 *
 * on_audit_record - what was done elsewhere goes into the audit log, once
 *
 * Whoever tells it tells it again when the answer does not come. The entry and the mark that it is
 * there are one transaction, so that any instance knows an event that another one has written.
 */
#include "config.h"

#include "actors/auth/auth.h"
#include "actors/base/clock.h"

#define KNOWN_MS INT64_C(604800000) /* a week: nobody tells one again after so long */

typedef struct {
    deed_t deed;
    const char *name;
} recording_t;

static db_status_t s_record_work(db_conn_t *conn, void *arg)
{
    const recording_t *self = arg;
    bool is_first;
    db_status_t status = auth_store_once(conn, self->name, clock_wall_ms() + KNOWN_MS, &is_first);
    return status == DB_OK && is_first ? auth_record(conn, &self->deed) : status;
}

void auth_on_audit_record(call_t *call, void *arg)
{
    auth_t *self = arg;
    recording_t recording = {
        .deed = { .auth = self,
                  .arena = call_arena(call),
                  .now_ms = call_int(call, "at_ms"),
                  .audit = { .action = call_text(call, "action"),
                             .user_id = call_text(call, "user_id"),
                             .account_id = call_text(call, "account_id"),
                             .target = call_text(call, "target"),
                             .address = call_text(call, "address"),
                             .request_id = call_text(call, "request_id"),
                             .detail = call_text(call, "detail") } },
        .name = arena_format(call_arena(call), "event %s", call_text(call, "event")),
    };
    if (auth_require_write(call, self, s_record_work, &recording))
        call_reply(call, 0);
}
