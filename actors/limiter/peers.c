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

/* An instance that is leaving is not relied on any more. */
static void s_read_version(peers_view_t *view, const value_t *version)
{
    const value_t *instances = value_get(version, "instances"), *instance;
    for (uint32_t i = 0; (instance = value_item(instances, i)); i++) {
        size_t size;
        const char *name = value_get_text(instance, "name", &size);
        if (name && size < ID_INSTANCE_SIZE && view->count < PEERS_MAX &&
            !value_get_bool(instance, "draining", false))
            text_copy(view->names[view->count++], ID_INSTANCE_SIZE, name, size);
    }
}

static bool s_list(peers_t *self, const char *name, uint64_t now_ms)
{
    if (strcmp(name, self->name) == 0) {
        self->is_member = true;
        return false;
    }
    peer_t *peer = peers_find(self, name, strlen(name));
    if (peer || self->count == PEERS_MAX) {
        if (peer)
            peer->is_listed = true;
        return false;
    }
    peer = &self->list[self->count++];
    *peer = (peer_t){ .hash = id_hash(name, strlen(name)),
                      .is_listed = true,
                      .owes_hello = true,
                      .heard_ms = now_ms };
    text_copy(peer->name, sizeof peer->name, name, strlen(name));
    return true;
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

static bool s_merge(peers_t *self, uint64_t now_ms)
{
    bool has_changed = false;
    self->is_member = false;
    for (size_t i = 0; i < self->count; i++)
        self->list[i].is_listed = false;
    for (size_t i = 0; i < self->view_count; i++)
        for (size_t k = 0; k < self->views[i].count; k++)
            has_changed |= s_list(self, self->views[i].names[k], now_ms);
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
        if (mix >= best_mix && now_ms - peer->heard_ms < PEERS_SILENT_MS) {
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
        if (id_mix(key, self->list[i].hash) > mix)
            return false;
    return true;
}

bool peers_have_handed_over(const peers_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (!self->list[i].has_handed_over)
            return false;
    return self->is_member;
}
