/* SPDX-License-Identifier: MPL-2.0
 *
 * service - the actor around the mails: settings, counters, its outlet, and the table of handlers
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/jobs/mail/mail.h"
#include "actors/jobs/mail/message.h"
#include "proto/format.h"

mail_settings_t mail_settings;

#define ROW(field) offsetof(mail_settings_t, field)

static const setting_t s_setting_rows[] = {
    { "server", SETTING_TEXT, ROW(server),
      .about = "Where mails are handed in, as smtp://mail.example.com:587 or "
               "smtps://mail.example.com; without it no mail is sent." },
    { "user", SETTING_TEXT, ROW(user), .about = "Name to sign in with there; empty: none." },
    { "password", SETTING_TEXT, ROW(password), .secret = true,
      .about = "Password to sign in with there." },
    { "from", SETTING_TEXT, ROW(from), .preset = "signalbox@localhost.localdomain",
      .about = "Address that mails come from." },
    { "from_name", SETTING_TEXT, ROW(from_name), .preset = "Signalbox", .max = 60,
      .about = "Name beside that address." },
    { "require_tls", SETTING_BOOL, ROW(require_tls), "true",
      .about = "Whether a server of smtp:// that offers no TLS is left alone." },
    { 0 },
};

#undef ROW

static const stats_row_t s_stats_rows[MAIL_STATS + 1] = {
    OUTBOUND_STATS_ROWS,
    [MAIL_SENT] = { "mail_sent_total", STATS_COUNTER, "Mails the server has taken" },
    [MAIL_REJECTED] = { "mail_rejected_total", STATS_COUNTER, "Mails the server has refused" },
};

static bool s_read_settings(mail_t *self, char *why, size_t why_size)
{
    char wrong[URL_WHY_SIZE];
    self->has_server = mail_settings.server[0] != '\0';
    if (!format_find("email", 5)(mail_settings.from, strlen(mail_settings.from))) {
        snprintf(why, why_size, "mail.from: '%.80s' is no address", mail_settings.from);
        return false;
    }
    if (!message_is_safe(mail_settings.from_name)) {
        snprintf(why, why_size, "mail.from_name must not hold control characters");
        return false;
    }
    if (!self->has_server || url_read(&self->server, mail_settings.server, URL_MAIL, wrong))
        return true;
    snprintf(why, why_size, "mail.server: %s", wrong);
    return false;
}

static bool s_init(actor_t *actor, void *memory, char *why, size_t why_size)
{
    mail_t *self = memory;
    return s_read_settings(self, why, why_size) && outlet_init(actor, memory, why, why_size);
}

static const handler_t s_handlers[] = {
    { &mail_send, mail_on_send, HANDLE_POOL },
    { 0 },
};

const actor_spec_t mail_actor = {
    .service = &mail_service,
    .settings = s_setting_rows,
    .settings_target = &mail_settings,
    .stats = s_stats_rows,
    .self_size = sizeof(mail_t),
    .init = s_init,
    .deferred = outlet_deferred,
    .connected = outlet_connected,
    .tick = outlet_tick,
    .stop = outlet_stop,
    .release = outlet_release,
    .handlers = s_handlers,
};
