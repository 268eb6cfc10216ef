/* SPDX-License-Identifier: MPL-2.0
 *
 * on_mail - one mail of the outbox is sent, by way of the mail service
 *
 * Asked for by a job (relay.c), which tries again what failed for now. The mail is deleted when it
 * is sent, or refused for good. Where nothing sends mails it stays, until its time is over.
 */
#include "config.h"

#include "actors/auth/auth.h"
#include "actors/auth/letter.h"
#include "actors/base/clock.h"
#include "actors/base/log.h"
#include "proto/mail.h"

/* The request of mail.send. False: the mail cannot be opened, or is of no kind we know. */
static bool s_pack_request(auth_t *self, arena_t *arena, const char *id, const mail_row_t *mail,
                           buf_t *body)
{
    pack_t pack;
    buf_t text = { 0 };
    value_verdict_t verdict;
    const size_t size = mail->content_size;
    char *plain = arena_alloc(arena, size + 1);
    if (!vault_unseal(&self->vault, id, mail->content, size, plain))
        return false;
    const value_t *content =
        value_parse(arena, plain, size - VAULT_OVERHEAD, VALUE_LIMITS, &verdict);
    const letter_t letter = { .kind = mail->kind,
                              .name = value_dup_text(arena, content, "name"),
                              .code = value_dup_text(arena, content, "code"),
                              .expires_ms = mail->expires_ms };
    if (!letter_subject(&letter))
        return false;
    letter_write(&letter, &text);
    pack_init(&pack, body);
    pack_map(&pack, 4);
    pack_text(&pack, "to");
    pack_array(&pack, 1);
    pack_text(&pack, mail->recipient);
    pack_pair_text(&pack, "subject", letter_subject(&letter));
    pack_pair_text(&pack, "text", buf_text(&text));
    pack_pair_text(&pack, "id", id);
    mem_wipe(text.bytes, text.size);
    buf_free(&text);
    return true;
}

static void s_end_refused(call_t *call, auth_t *self, const char *id, const failure_t *failure)
{
    auth_count(call, AUTH_MAILS_REFUSED);
    if (auth_store_delete_mail(self->db, id) != DB_OK)
        LOG(LOG_WARN, "auth.mail_not_deleted", LOG_TEXT("mail", id));
    call_fail(call, ERROR_UNPROCESSABLE, "The mail was refused: %.180s", failure->detail);
}

/* Ends the call with what became of the mail. */
static void s_end(call_t *call, auth_t *self, const char *id, const failure_t *failure)
{
    switch (failure->code) {
    case ERROR_NONE:
        auth_count(call, AUTH_MAILS_SENT);
        if (auth_require_ok(call, auth_store_delete_mail(self->db, id)))
            call_reply(call, 0);
        break;
    case ERROR_NO_SERVICE: /* nobody sends mails here: the mail waits, its job is done */
    case ERROR_NOT_IMPLEMENTED:
        call_reply(call, 0);
        break;
    default:
        if (error_row(failure->code)->retry)
            call_fail_with(call, &(failure_t){ .code = ERROR_UNAVAILABLE,
                                               .retry_after_ms = failure->retry_after_ms,
                                               .detail = "The mail could not be sent now" });
        else
            s_end_refused(call, self, id, failure);
    }
}

void auth_on_mail_deliver(call_t *call, void *arg)
{
    auth_t *self = arg;
    const mail_row_t *mail;
    answer_t answer;
    buf_t body = { 0 };
    const char *id = call_text(call, "id");
    db_conn_t *conn = auth_require_conn(call);
    if (!conn ||
        !auth_require_ok(call, auth_store_mail(conn, call_arena(call), id, clock_wall_ms(), &mail)))
        return;
    if (!mail) {
        call_reply(call, 0);
        return;
    }
    if (!s_pack_request(self, call_arena(call), id, mail, &body)) {
        call_fail(call, ERROR_INTERNAL, "The mail cannot be opened");
        return;
    }
    call_service(call, mail_service.name, mail_send.name, false, &body, &answer);
    const failure_t failure = answer.failure;
    answer_close(&answer);
    s_end(call, self, id, &failure);
}
