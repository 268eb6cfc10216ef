/* SPDX-License-Identifier: MPL-2.0
 *
 * shelf - answers this edge may give again without asking anybody
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "edge/shelf.h"

#define CACHE_LINE  64
#define ENTRY_BYTES 256 /* what a copy takes beside its own bytes */

typedef struct {
    UT_hash_handle hh;
    uint8_t key[SHELF_KEY_BYTES];
    copy_t *copy;
    size_t bytes;
} entry_t;

struct shelf_part {
    _Alignas(CACHE_LINE) pthread_mutex_t mutex;
    entry_t *entries; /* the first that came first */
    size_t bytes;
};

void shelf_init(shelf_t *self, size_t bytes_max)
{
    const size_t bytes = SHELF_PARTS * sizeof *self->parts;
    *self = (shelf_t){ .bytes_max = bytes_max / SHELF_PARTS };
    self->epoch = 1;
    self->parts = aligned_alloc(CACHE_LINE, bytes);
    insist(self->parts);
    memset(self->parts, 0, bytes);
    for (size_t i = 0; i < SHELF_PARTS; i++)
        pthread_mutex_init(&self->parts[i].mutex, NULL);
}

static void s_remove(shelf_part_t *part, entry_t *entry)
{
    HASH_DEL(part->entries, entry);
    part->bytes -= entry->bytes;
    copy_drop(&entry->copy);
    mem_free(entry);
}

void shelf_free(shelf_t *self)
{
    for (size_t i = 0; i < SHELF_PARTS; i++) {
        while (self->parts[i].entries)
            s_remove(&self->parts[i], self->parts[i].entries);
        pthread_mutex_destroy(&self->parts[i].mutex);
    }
    free(self->parts);
    self->parts = NULL;
}

/* ---- copies --------------------------------------------------------------------------------- */

static char *s_put(char **at, const void *bytes, size_t size)
{
    char *to = *at;
    memcpy(to, bytes, size);
    *at += size;
    return to;
}

static copy_t *s_copy(const copy_t *answer, size_t *bytes)
{
    size_t media = strlen(answer->media) + 1, name = strlen(answer->name) + 1,
           tags = strlen(answer->tags) + 1;
    *bytes = sizeof(copy_t) + answer->size + media + name + tags;
    copy_t *copy = mem_alloc(*bytes);
    char *at = (char *)(copy + 1);
    memcpy(copy->etag, answer->etag, sizeof copy->etag);
    copy->references = 1;
    copy->made_ms = answer->made_ms;
    copy->until_ms = answer->until_ms;
    copy->size = answer->size;
    copy->bytes = s_put(&at, answer->bytes, answer->size);
    copy->media = s_put(&at, answer->media, media);
    copy->name = s_put(&at, answer->name, name);
    copy->tags = s_put(&at, answer->tags, tags);
    return copy;
}

void copy_drop(copy_t **self_p)
{
    copy_t *self = *self_p;
    *self_p = NULL;
    if (self && atomic_fetch_sub(&self->references, 1) == 1)
        mem_free(self);
}

static shelf_part_t *s_lock(shelf_t *self, const uint8_t key[SHELF_KEY_BYTES])
{
    shelf_part_t *part = &self->parts[key[0] % SHELF_PARTS];
    pthread_mutex_lock(&part->mutex);
    return part;
}

static entry_t *s_find(const shelf_part_t *part, const uint8_t key[SHELF_KEY_BYTES])
{
    entry_t *entry;
    HASH_FIND(hh, part->entries, key, SHELF_KEY_BYTES, entry);
    return entry;
}

copy_t *shelf_find(shelf_t *self, const uint8_t key[SHELF_KEY_BYTES], uint64_t now_ms)
{
    copy_t *found = NULL;
    shelf_part_t *part = s_lock(self, key);
    entry_t *entry = s_find(part, key);
    if (entry && now_ms >= entry->copy->until_ms) {
        s_remove(part, entry);
    } else if (entry) {
        found = entry->copy;
        atomic_fetch_add(&found->references, 1);
    }
    pthread_mutex_unlock(&part->mutex);
    return found;
}

uint64_t shelf_epoch(const shelf_t *self)
{
    return atomic_load(&self->epoch);
}

void shelf_add(shelf_t *self, const uint8_t key[SHELF_KEY_BYTES], const copy_t *answer,
               uint64_t epoch)
{
    size_t bytes;
    if (answer->size + ENTRY_BYTES > self->bytes_max / 4)
        return; /* one large answer must not put out all others */
    copy_t *copy = s_copy(answer, &bytes);
    shelf_part_t *part = s_lock(self, key);
    if (epoch == atomic_load(&self->epoch)) {
        entry_t *entry = s_find(part, key);
        if (entry)
            s_remove(part, entry);
        entry = mem_zeroed(sizeof *entry);
        memcpy(entry->key, key, SHELF_KEY_BYTES);
        entry->copy = copy;
        entry->bytes = bytes + ENTRY_BYTES;
        part->bytes += entry->bytes;
        HASH_ADD(hh, part->entries, key, SHELF_KEY_BYTES, entry);
        while (part->bytes > self->bytes_max)
            s_remove(part, part->entries);
        copy = NULL;
    }
    pthread_mutex_unlock(&part->mutex);
    copy_drop(&copy);
}

/* ---- dropping ------------------------------------------------------------------------------- */

typedef bool (*is_meant_fn)(const copy_t *copy, const void *what);

static size_t s_drop(shelf_t *self, is_meant_fn is_meant, const void *what)
{
    size_t count = 0;
    atomic_fetch_add(&self->epoch, 1); /* first: what is added from here on is seen below */
    for (size_t i = 0; i < SHELF_PARTS; i++) {
        shelf_part_t *part = &self->parts[i];
        entry_t *entry, *next;
        pthread_mutex_lock(&part->mutex);
        HASH_ITER(hh, part->entries, entry, next)
        {
            if (is_meant(entry->copy, what)) {
                s_remove(part, entry);
                count++;
            }
        }
        pthread_mutex_unlock(&part->mutex);
    }
    return count;
}

static bool s_has_tag(const copy_t *copy, const char *tag, size_t size)
{
    for (const char *at = copy->tags, *end; (end = strchr(at, '\n')); at = end + 1)
        if ((size_t)(end - at) == size && memcmp(at, tag, size) == 0)
            return true;
    return false;
}

/* A text or binary: both can name a key. */
static bool s_is_text(const value_t *value)
{
    return value_is_type(value, VALUE_TEXT) || value_is_type(value, VALUE_BINARY);
}

static bool s_is_named(const copy_t *copy, const void *drop)
{
    const value_t *item, *tags = value_get(drop, "tags"), *keys = value_get(drop, "keys");
    const value_t *prefix = value_get(drop, "prefix");
    size_t size = strlen(copy->name);
    if (value_get_bool(drop, "all", false))
        return true;
    if (size && s_is_text(prefix) && prefix->count > 0 && prefix->count <= size &&
        memcmp(prefix->text, copy->name, prefix->count) == 0)
        return true;
    for (uint32_t i = 0; size && (item = value_item(keys, i)); i++)
        if (s_is_text(item) && item->count == size && memcmp(item->text, copy->name, size) == 0)
            return true;
    for (uint32_t i = 0; (item = value_item(tags, i)); i++)
        if (s_is_text(item) && s_has_tag(copy, item->text, item->count))
            return true;
    return false;
}

size_t shelf_invalidate(shelf_t *self, const value_t *drop)
{
    return s_drop(self, s_is_named, drop);
}

static bool s_is_tagged(const copy_t *copy, const void *tags)
{
    for (const char *at = tags, *end; (end = strchr(at, '\n')); at = end + 1)
        if (s_has_tag(copy, at, (size_t)(end - at)))
            return true;
    return false;
}

size_t shelf_invalidate_tags(shelf_t *self, const char *tags)
{
    return s_drop(self, s_is_tagged, tags);
}

static bool s_is_any(const copy_t *copy, const void *nothing)
{
    (void)copy;
    (void)nothing;
    return true;
}

size_t shelf_clear(shelf_t *self)
{
    return s_drop(self, s_is_any, NULL);
}
