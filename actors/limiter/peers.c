/* SPDX-License-Identifier: MPL-2.0
 *
 * peers - the other instances, and which of them matters to a subject
 */
#include "config.h"

#include <string.h>

#include "actors/base/text.h"
#include "actors/limiter/peers.h"

void peers_init(peers_t *self, const char *name)
{
    text_copy(self->name, sizeof self->name, name, strlen(name));
    self->hash = id_hash(name, strlen(name));
}

void peers_free(peers_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        buf_free(&self->list[i].outbox);
}

peer_t *peers_find(peers_t *self, const char *name, size_t size)
{
    for (size_t i = 0; i < self->count; i++)
        if (strlen(self->list[i].name) == size && memcmp(self->list[i].name, name, size) == 0)
            return &self->list[i];
    return NULL;
}

static bool s_stays(const peer_t *peer)
{
    return peer->leaves_ms == 0;
}

/* ---- learning -------------------------------------------------------------------------------- */

/* The view of a broker; one of a broker not heard of before takes the place of the oldest when
 * there are more than a client has. */
static peers_view_t *s_view(peers_t *self, const value_t *broker)
{
    char name[EVENT_NAME_BYTES + 1];
    text_copy(name, sizeof name, broker->text, broker->count);
    for (size_t i = 0; i < self->view_count; i++)
        if (strcmp(self->views[i].broker, name) == 0)
            return &self->views[i];
    if (self->view_count == COUNT_OF(self->views)) {
        memmove(self->views, self->views + 1, sizeof self->views - sizeof self->views[0]);
        self->view_count--;
    }
    peers_view_t *view = &self->views[self->view_count++];
    memcpy(view->broker, name, sizeof name);
    return view;
}

static void s_read_version(peers_view_t *view, const value_t *version)
{
    const value_t *instances = value_get(version, "instances"), *instance;
    for (uint32_t i = 0; (instance = value_item(instances, i)); i++) {
        size_t size;
        const char *name = value_get_text(instance, "name", &size);
        if (!name || size >= ID_INSTANCE_SIZE || view->count == PEERS_MAX)
            continue;
        text_copy(view->instances[view->count].name, ID_INSTANCE_SIZE, name, size);
        view->instances[view->count++].is_leaving = value_get_bool(instance, "draining", false);
    }
}

/* NULL when there is no place for it. */
static peer_t *s_make(peers_t *self, const char *name, uint64_t now_ms)
{
    if (self->count == PEERS_MAX)
        return NULL;
    peer_t *peer = &self->list[self->count++];
    *peer = (peer_t){ .hash = id_hash(name, strlen(name)), .owes_hello = true, .heard_ms = now_ms };
    text_copy(peer->name, sizeof peer->name, name, strlen(name));
    return peer;
}

static bool s_list(peers_t *self, const char *name, bool is_leaving, uint64_t now_ms)
{
    if (strcmp(name, self->name) == 0) {
        self->is_member |= !is_leaving;
        return false;
    }
    peer_t *peer = peers_find(self, name, strlen(name));
    bool is_new = !peer;
    if (is_new && !(peer = s_make(self, name, now_ms)))
        return false;
    peer->is_listed = true;
    peer->is_draining |= is_leaving;
    return is_new;
}

static bool s_drop_unlisted(peers_t *self)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++) {
        if (self->list[i].is_listed)
            self->list[kept++] = self->list[i];
        else
            buf_free(&self->list[i].outbox);
    }
    bool has_changed = kept != self->count;
    self->count = kept;
    return has_changed;
}

/* Notes when it began to leave, or that it does not any more; true when that is news. */
static bool s_note_leaving(peer_t *peer, uint64_t now_ms)
{
    bool leaves = peer->is_leaving || peer->is_draining;
    if (leaves != s_stays(peer))
        return false;
    peer->leaves_ms = leaves ? now_ms : 0;
    return true;
}

static bool s_merge(peers_t *self, uint64_t now_ms)
{
    bool has_changed = false;
    self->is_member = false;
    for (size_t i = 0; i < self->count; i++)
        self->list[i].is_listed = self->list[i].is_draining = false;
    for (size_t i = 0; i < self->view_count; i++)
        for (size_t k = 0; k < self->views[i].count; k++)
            has_changed |= s_list(self, self->views[i].instances[k].name,
                                  self->views[i].instances[k].is_leaving, now_ms);
    for (size_t i = 0; i < self->count; i++)
        has_changed |= s_note_leaving(&self->list[i], now_ms);
    return s_drop_unlisted(self) || has_changed;
}

bool peers_learn(peers_t *self, const value_t *registry, uint32_t link, uint32_t connection,
                 uint64_t now_ms)
{
    const value_t *broker = value_get(registry, "broker"), *version;
    const value_t *versions = value_get(registry, "versions");
    if (!value_is_type(broker, VALUE_TEXT))
        return false;
    peers_view_t *view = s_view(self, broker);
    view->link = link;
    view->connection = connection;
    view->count = 0;
    for (uint32_t i = 0; (version = value_item(versions, i)); i++)
        s_read_version(view, version);
    return s_merge(self, now_ms);
}

bool peers_void(peers_t *self, uint32_t link, uint32_t connection, uint64_t now_ms)
{
    for (size_t i = 0; i < self->view_count; i++)
        if (self->views[i].link == link && self->views[i].connection != connection)
            self->views[i].count = 0;
    return s_merge(self, now_ms);
}

/* ---- asking ---------------------------------------------------------------------------------- */

peer_t *peers_target(peers_t *self, uint64_t key, uint64_t now_ms)
{
    peer_t *best = NULL;
    uint64_t best_mix = 0;
    for (size_t i = 0; i < self->count; i++) {
        peer_t *peer = &self->list[i];
        uint64_t mix = id_mix(key, peer->hash);
        if (mix >= best_mix && s_stays(peer) && now_ms - peer->heard_ms < PEERS_SILENT_MS) {
            best = peer;
            best_mix = mix;
        }
    }
    return best && best->is_greeted ? best : NULL;
}

bool peers_is_own(const peers_t *self, uint64_t key)
{
    uint64_t mix = id_mix(key, self->hash);
    for (size_t i = 0; i < self->count; i++)
        if (s_stays(&self->list[i]) && id_mix(key, self->list[i].hash) > mix)
            return false;
    return true;
}

bool peers_have_handed_over(const peers_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (s_stays(&self->list[i]) && !self->list[i].has_handed_over)
            return false;
    return self->is_member;
}

/* ---- leaving --------------------------------------------------------------------------------- */

bool peers_hear_leaving(peer_t *peer, bool is_leaving, uint64_t now_ms)
{
    peer->is_leaving = is_leaving;
    return s_note_leaving(peer, now_ms);
}

static bool s_may_count(const peer_t *peer, uint64_t now_ms)
{
    return !s_stays(peer) && now_ms - peer->leaves_ms < PEERS_LEAVE_MS;
}

bool peers_are_leaving(const peers_t *self, uint64_t now_ms)
{
    for (size_t i = 0; i < self->count; i++)
        if (s_may_count(&self->list[i], now_ms))
            return true;
    return false;
}

bool peers_is_awaited(const peers_t *self, uint64_t key, uint64_t now_ms)
{
    uint64_t mix = id_mix(key, self->hash);
    for (size_t i = 0; i < self->count; i++)
        if (s_may_count(&self->list[i], now_ms) && id_mix(key, self->list[i].hash) > mix)
            return true;
    return false;
}

bool peers_have_understood(const peers_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (s_stays(&self->list[i]) && !self->list[i].has_understood)
            return false;
    return true;
}
