/* SPDX-License-Identifier: MPL-2.0
 *
 * mail - the actor that sends mails, by way of one server
 */
#ifndef SIGNALBOX_MAIL_H
#define SIGNALBOX_MAIL_H

#include "actors/jobs/outbound/outlet.h"
#include "proto/mail.h"

typedef struct {
    const char *server, *user, *password, *from, *from_name;
    bool require_tls;
} mail_settings_t;

extern mail_settings_t mail_settings;

typedef enum { MAIL_SENT = OUTBOUND_STATS, MAIL_REJECTED, MAIL_STATS } mail_stat_t;

typedef struct {
    outlet_t outlet; /* first */
    bool has_server;
    url_t server;
} mail_t;

void mail_on_send(call_t *call, void *self);

extern const actor_spec_t mail_actor;

#endif
