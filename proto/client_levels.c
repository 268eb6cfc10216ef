/* SPDX-License-Identifier: MPL-2.0
 *
 * client_levels - every client answers, and obeys, who asks how its process logs
 */
#include "config.h"

#include "proto/client_levels.h"
#include "proto/levels.h"

static void s_on_control(void *arg, const client_event_t *event)
{
    client_t *self = arg;
    buf_t answer = { 0 };
    if (levels_obey(event->body, event->size, self->name, &answer))
        client_publish(self, topic_row(TOPIC_LOG_LEVELS)->prefix, false, &answer);
    else
        client_count(self, CLIENT_BAD_MESSAGES);
    buf_free(&answer);
}

void client_levels_connect(client_t *self)
{
    client_subscribe(self, topic_row(TOPIC_LOG_CONTROL)->prefix, s_on_control, self);
}
