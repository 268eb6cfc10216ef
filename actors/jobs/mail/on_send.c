/* SPDX-License-Identifier: MPL-2.0
 *
 * on_send - one mail, by way of the server that is configured
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/jobs/mail/mail.h"
#include "actors/jobs/mail/message.h"
#include "proto/format.h"

/* What a call keeps until its mail is sent: nothing but the id, which the reply repeats. */
typedef struct {
    call_t *call;
    char id[128];
} sending_t;

static void s_on_answered(sending_t *sending, const transferred_t *result)
{
    call_t *call = sending->call;
    stats_t *stats = actor_stats(call_actor(call));
    if (result->status < 400) {
        stats_add(stats, MAIL_SENT, 1);
        pack_map(call_pack(call), 2);
        pack_pair_text(call_pack(call), "id", sending->id);
        pack_pair_int(call_pack(call), "status", result->status);
        call_reply(call, 0);
        return;
    }
    stats_add(stats, MAIL_REJECTED, 1);
    call_fail(call, result->status < 500 ? ERROR_UNAVAILABLE : ERROR_UNPROCESSABLE,
              "The mail server answered %u: %.150s", result->status, result->why);
}

/* The mail server is the operator's own: that it is not there is for them to mend. */
static void s_fail(call_t *call, const transferred_t *result)
{
    const failure_t failure = outlet_failure(call, result);
    call_fail_with(call, &failure);
}

static void s_on_done(void *arg, const transferred_t *result)
{
    sending_t *sending = arg; /* in the call's arena */
    if (result->outcome == TRANSFER_ANSWERED)
        s_on_answered(sending, result);
    else
        s_fail(sending->call, result);
}

/* The recipients, in the arena; NULL: the call has been failed. */
static const char *const *s_require_recipients(call_t *call)
{
    const value_t *list = value_get(call_request(call), "to"), *item;
    arena_t *arena = call_arena(call);
    const char **to = arena_array(arena, list->count + 1, sizeof *to);
    for (uint32_t i = 0; (item = value_item(list, i)); i++) {
        if (item->type == VALUE_TEXT && format_find("email", 5)(item->text, item->count)) {
            to[i] = arena_text(arena, item->text, item->count);
            continue;
        }
        outlet_fail_field(call, arena_format(arena, "/to/%u", i), "must be an e-mail address");
        return NULL;
    }
    return to;
}

static bool s_require_subject(call_t *call)
{
    if (message_is_safe(call_text(call, "subject")))
        return true;
    outlet_fail_field(call, "/subject", "must not hold control characters");
    return false;
}

void mail_on_send(call_t *call, void *arg)
{
    mail_t *self = arg;
    char made[ID_UUID_SIZE];
    if (!self->has_server) {
        call_fail(call, ERROR_NOT_IMPLEMENTED, "No mail server is configured: set mail.server");
        return;
    }
    const char *const *to = s_require_recipients(call);
    if (!to || !s_require_subject(call))
        return;
    const char *id = call_text(call, "id");
    const message_t message = { .from = mail_settings.from,
                                .from_name = mail_settings.from_name,
                                .to = to,
                                .reply_to = call_text(call, "reply_to"),
                                .subject = call_text(call, "subject"),
                                .id = id ? id : id_uuid7(made),
                                .text = call_text(call, "text"),
                                .html = call_text(call, "html"),
                                .date_s = clock_wall_ms() / 1000 };
    buf_t bytes = { 0 };
    sending_t *sending = arena_alloc(call_arena(call), sizeof *sending);
    sending->call = call;
    snprintf(sending->id, sizeof sending->id, "%s", message.id);
    message_write(&message, &bytes);
    transfer_t transfer = { .url = &self->server,
                            .body = bytes.bytes,
                            .size = bytes.size,
                            .is_trusted = true,
                            .mail_from = mail_settings.from,
                            .mail_to = to,
                            .user = mail_settings.user,
                            .password = mail_settings.password,
                            .requires_tls = mail_settings.require_tls,
                            .done = s_on_done,
                            .arg = sending };
    bool sent = outlet_require_sent(&self->outlet, call, &transfer);
    (void)sent; /* either way the call is no longer ours */
    buf_free(&bytes);
}
