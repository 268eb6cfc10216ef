/* SPDX-License-Identifier: MPL-2.0
 *
 * upkeep - what is periodic: signing keys are rotated, what is over is removed
 */
#include "config.h"

#include "actors/auth/active.h"
#include "actors/auth/auth.h"
#include "actors/base/clock.h"
#include "actors/base/log.h"

#define MS_PER_DAY  INT64_C(86400000)
#define ROTATE_EACH 5          /* seconds between looks at the age of the signing key */
#define PURGE_EACH  60         /* seconds between looks for what is over */
#define ACTIVE_EACH 60         /* seconds between countings of who is at work */
#define KEPT_MS     MS_PER_DAY /* how long a session that is over is kept */

typedef struct {
    deed_t deed;
    rotated_t rotated;
    int64_t purged;
} upkeep_t;

static db_status_t s_purge_work(db_conn_t *conn, void *arg)
{
    upkeep_t *self = arg;
    db_status_t status =
        auth_store_purge(conn, self->deed.now_ms - KEPT_MS, self->deed.now_ms, &self->purged);
    return status == DB_OK ? auth_store_purge_once(conn, self->deed.now_ms) : status;
}

static db_status_t s_rotate_work(db_conn_t *conn, void *arg)
{
    upkeep_t *self = arg;
    const keyring_times_t times = auth_key_times();
    db_status_t status =
        keyring_rotate(conn, &self->deed.auth->vault, &times, self->deed.now_ms,
                       self->deed.now_ms - auth_settings.key_days * MS_PER_DAY, &self->rotated);
    self->deed.audit.target = self->rotated.kid;
    return status == DB_OK && self->rotated.kid[0] ? auth_record(conn, &self->deed) : status;
}

/* Makes the next signing key when the newest one has been used for its time. */
static void s_rotate_when_due(auth_t *self, upkeep_t *upkeep)
{
    const int64_t days = auth_settings.key_days;
    if (days == 0 || keyring_newest_ms(&self->keyring) >= upkeep->deed.now_ms - days * MS_PER_DAY)
        return;
    if (db_write(self->db, s_rotate_work, upkeep) == DB_OK && upkeep->rotated.kid[0])
        LOG(LOG_INFO, "auth.key_rotated", LOG_TEXT("kid", upkeep->rotated.kid));
}

void auth_keep_up(auth_t *self)
{
    upkeep_t upkeep = { .deed = { .auth = self,
                                  .now_ms = clock_wall_ms(),
                                  .audit = { .action = "signing_key.created" } } };
    if (self->ticks++ % ACTIVE_EACH == 0)
        active_show(self->actor, upkeep.deed.now_ms);
    auth_relay_mails(self);
    if (self->ticks % ROTATE_EACH == 0)
        s_rotate_when_due(self, &upkeep);
    if (self->ticks % PURGE_EACH == 0 && db_write(self->db, s_purge_work, &upkeep) == DB_OK)
        stats_add(actor_stats(self->actor), AUTH_PURGED, upkeep.purged);
}
