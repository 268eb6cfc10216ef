/* SPDX-License-Identifier: MPL-2.0
 *
 * peers - the other instances, and which of them matters to a subject
 *
 * They are learnt from what the brokers say on `registry.limiter.<broker>`. Like the broker, an
 * instance finds the owner of a subject by rendezvous hashing (id_mix): the live instance with the
 * highest mix of its name's hash and the subject's route key. The one a subject is copied to is the
 * highest but for this instance: the runner-up of what it owns, and the owner of what has reached
 * it while the broker and it do not see the same instances.
 *
 * An instance that leaves in order says so while requests still come to it, or a broker does. It is
 * no owner any more from then on, but until it is gone it may still count: what it owned is decided
 * about when no broker lists it any more, for that is told behind the last it has said.
 *
 * Pure; time is passed in.
 */
#ifndef SIGNALBOX_LIMITER_PEERS_H
#define SIGNALBOX_LIMITER_PEERS_H

#include "actors/base/buf.h"
#include "actors/base/id.h"
#include "proto/client.h"
#include "proto/value.h"

#define PEERS_MAX       64
#define PEERS_SILENT_MS 5000 /* without a word for so long an instance is not relied on */
#define PEERS_LEAVE_MS  1000 /* how long one that leaves is waited for */

typedef struct {
    char name[ID_INSTANCE_SIZE];
    uint64_t hash;
    bool is_listed;       /* by a broker */
    bool is_leaving;      /* it says so */
    bool is_draining;     /* a broker says so */
    bool has_understood;  /* it has heard that this instance leaves */
    bool is_greeted;      /* it has asked for what it should have, so it hears what it is sent */
    bool owes_hello;      /* to be sent: that we do */
    bool owes_done;       /* to be sent: that it has all of it now */
    bool owes_understood; /* to be sent: that its leaving has been heard of */
    bool has_handed_over; /* it has said that we have all of it */
    uint64_t heard_ms;
    uint64_t leaves_ms; /* since when it is leaving or draining; 0: it stays */
    buf_t outbox;       /* copies to be sent, packed one behind the other */
    uint32_t outbox_count;
} peer_t;

typedef struct {
    char broker[EVENT_NAME_BYTES + 1];
    uint32_t link, connection; /* over which it spoke last */
    size_t count;
    struct {
        char name[ID_INSTANCE_SIZE];
        bool is_leaving;
    } instances[PEERS_MAX];
} peers_view_t;

typedef struct {
    char name[ID_INSTANCE_SIZE]; /* of this instance */
    uint64_t hash;
    bool is_member; /* a broker lists it, and not as leaving */
    size_t count, view_count;
    peer_t list[PEERS_MAX];
    peers_view_t views[CLIENT_BROKERS_MAX]; /* what each broker says */
} peers_t;

void peers_init(peers_t *self, const char *name);
void peers_free(peers_t *self);

/* Takes over what a broker says over a connection of a link; true when it changes who is there. */
bool peers_learn(peers_t *self, const value_t *registry, uint32_t link, uint32_t connection,
                 uint64_t now_ms);

/* Forgets what came over older connections of a link; true when it changes who is there. */
bool peers_void(peers_t *self, uint32_t link, uint32_t connection, uint64_t now_ms);

/* NULL when no broker lists it. */
peer_t *peers_find(peers_t *self, const char *name, size_t size);

/* The one a subject is copied to; NULL when there is none that hears. */
peer_t *peers_target(peers_t *self, uint64_t key, uint64_t now_ms);

/* Whether this instance owns the subject. */
bool peers_is_own(const peers_t *self, uint64_t key);

/* Whether everybody who stays has handed over what this instance should have. */
bool peers_have_handed_over(const peers_t *self);

/* ---- leaving --------------------------------------------------------------------------------- */

/* Takes over what it says of itself; true when that is news. */
bool peers_hear_leaving(peer_t *peer, bool is_leaving, uint64_t now_ms);

/* Whether somebody is leaving who may still count what this instance decides about from now on. */
bool peers_are_leaving(const peers_t *self, uint64_t now_ms);

/* Whether that is so for this subject. */
bool peers_is_awaited(const peers_t *self, uint64_t key, uint64_t now_ms);

/* Whether everybody who stays knows that this instance leaves. */
bool peers_have_understood(const peers_t *self);

#endif
