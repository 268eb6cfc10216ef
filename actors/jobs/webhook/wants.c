/* SPDX-License-Identifier: MPL-2.0
 *
 * wants - tells everybody who wants to be told of what (actors/runtime/wishes.h)
 *
 * At each change, before its caller is answered, and every few seconds for whoever missed it. Of
 * several tellings the one counts that was read last, by the database's clock; those of one
 * instance are made one after the other.
 */
#include "config.h"

#include "actors/base/log.h"
#include "actors/jobs/webhook/kind.h"
#include "actors/jobs/webhook/webhook.h"
#include "actors/runtime/wishes.h"

typedef struct {
    wish_set_t set;
    const char *account;
} gathering_t;

static void s_on_wish(void *arg, const char *wish, size_t size)
{
    gathering_t *self = arg;
    wish_set_add(&self->set, self->account, wish, size);
}

static void s_on_subscription(void *arg, const char *account, const char *events)
{
    gathering_t *self = arg;
    self->account = account;
    kind_each(events, s_on_wish, self);
}

static void s_tell(webhook_t *self)
{
    gathering_t gathering = { 0 };
    int64_t at;
    buf_t body = { 0 };
    pack_t pack;
    db_conn_t *conn = db_conn(self->db);
    if (conn &&
        webhook_store_active(conn, WISHES_MAX + 1, &at, s_on_subscription, &gathering) == DB_OK) {
        pack_init(&pack, &body);
        wish_set_write(&gathering.set, at, &pack);
        actor_publish(self->outlet.actor, topic_row(TOPIC_WEBHOOK_WISHES)->prefix, true, &body);
    } else {
        LOG(LOG_WARN, "webhook.wishes_not_told",
            LOG_TEXT("instance", actor_instance(self->outlet.actor)));
    }
    wish_set_free(&gathering.set);
}

void webhook_tell_wishes(webhook_t *self)
{
    pthread_mutex_lock(&self->telling);
    s_tell(self);
    pthread_mutex_unlock(&self->telling);
}
