/* SPDX-License-Identifier: MPL-2.0
 *
 * lru - values in memory by key, bounded in bytes
 *
 * An entry is one allocation: the struct, a link for each tag, the key, the value. A tag exists
 * while a link points to it.
 */
#include "config.h"

#include <string.h>

#include <uthash.h>

#include "actors/cache/lru.h"

/* Ties an entry to one of its tags. */
typedef struct lru_link {
    LIST_ENTRY(lru_link) of_tag;
    lru_entry_t *entry;
    lru_tag_t *tag;
} lru_link_t;

struct lru_tag {
    UT_hash_handle hh;
    LIST_HEAD(lru_links, lru_link) links;
    size_t size;
    char name[];
};

struct lru_entry {
    UT_hash_handle hh;
    TAILQ_ENTRY(lru_entry) order;
    uint64_t born_ms, fresh_until_ms, stale_until_ms;
    size_t key_size, value_size, link_count;
    lru_link_t links[]; /* behind them the key, then the value */
};

static uint8_t *s_key(const lru_entry_t *entry)
{
    return (uint8_t *)(uintptr_t)&entry->links[entry->link_count];
}

static uint8_t *s_value(const lru_entry_t *entry)
{
    return s_key(entry) + entry->key_size;
}

static size_t s_entry_bytes(size_t tags, size_t key, size_t value)
{
    return sizeof(lru_entry_t) + tags * sizeof(lru_link_t) + key + value;
}

static size_t s_tag_bytes(size_t size)
{
    return sizeof(lru_tag_t) + size;
}

size_t lru_cost(const lru_item_t *item)
{
    return s_entry_bytes(item->tag_count, item->key.size, item->value.size);
}

void lru_init(lru_t *self, size_t bytes_max)
{
    *self = (lru_t){ .bytes_max = bytes_max };
    TAILQ_INIT(&self->order);
}

void lru_free(lru_t *self)
{
    lru_drop_prefix(self, (span_t){ "", 0 }, NULL, NULL);
}

static lru_entry_t *s_find(const lru_t *self, span_t key)
{
    lru_entry_t *entry;
    HASH_FIND(hh, self->entries, key.bytes, key.size, entry);
    return entry;
}

/* ---- tags ----------------------------------------------------------------------------------- */

static lru_tag_t *s_find_tag(const lru_t *self, span_t name)
{
    lru_tag_t *tag;
    HASH_FIND(hh, self->tags, name.bytes, name.size, tag);
    return tag;
}

static lru_tag_t *s_tag(lru_t *self, span_t name)
{
    lru_tag_t *tag = s_find_tag(self, name);
    if (tag)
        return tag;
    tag = mem_zeroed(s_tag_bytes(name.size));
    tag->size = name.size;
    memcpy(tag->name, name.bytes, name.size);
    HASH_ADD_KEYPTR(hh, self->tags, tag->name, tag->size, tag);
    self->bytes += s_tag_bytes(tag->size);
    return tag;
}

static void s_link(lru_t *self, lru_entry_t *entry, const lru_item_t *item)
{
    for (size_t i = 0; i < entry->link_count; i++) {
        lru_link_t *link = &entry->links[i];
        link->entry = entry;
        link->tag = s_tag(self, item->tags[i]);
        LIST_INSERT_HEAD(&link->tag->links, link, of_tag);
    }
}

static void s_unlink(lru_t *self, lru_entry_t *entry)
{
    for (size_t i = 0; i < entry->link_count; i++) {
        lru_tag_t *tag = entry->links[i].tag;
        LIST_REMOVE(&entry->links[i], of_tag);
        if (!LIST_EMPTY(&tag->links))
            continue;
        insist(self->tags != NULL); /* what has a link is in the table */
        HASH_DELETE(hh, self->tags, tag);
        self->bytes -= s_tag_bytes(tag->size);
        mem_free(tag);
    }
}

/* ---- entries -------------------------------------------------------------------------------- */

static void s_remove(lru_t *self, lru_entry_t *entry)
{
    if (self->cursor == entry)
        self->cursor = TAILQ_PREV(entry, lru_order, order);
    s_unlink(self, entry);
    insist(self->entries != NULL);
    HASH_DELETE(hh, self->entries, entry);
    TAILQ_REMOVE(&self->order, entry, order);
    self->bytes -= s_entry_bytes(entry->link_count, entry->key_size, entry->value_size);
    self->count--;
    mem_free(entry);
}

static void s_drop(lru_t *self, lru_entry_t *entry, lru_dropped_fn on_dropped, void *arg)
{
    if (on_dropped)
        on_dropped(arg, (span_t){ s_key(entry), entry->key_size }, entry->born_ms);
    s_remove(self, entry);
}

static lru_entry_t *s_new(const lru_item_t *item)
{
    lru_entry_t *entry = mem_alloc(lru_cost(item));
    memset(entry, 0, sizeof *entry);
    entry->born_ms = item->born_ms;
    entry->fresh_until_ms = item->fresh_until_ms;
    entry->stale_until_ms = item->stale_until_ms;
    entry->key_size = item->key.size;
    entry->value_size = item->value.size;
    entry->link_count = item->tag_count;
    memcpy(s_key(entry), item->key.bytes, item->key.size);
    if (item->value.size)
        memcpy(s_value(entry), item->value.bytes, item->value.size);
    return entry;
}

/* The most that an item can add: its tags may all be new ones. */
static size_t s_most(const lru_item_t *item)
{
    size_t bytes = lru_cost(item);
    for (size_t i = 0; i < item->tag_count; i++)
        bytes += s_tag_bytes(item->tags[i].size);
    return bytes;
}

bool lru_set(lru_t *self, const lru_item_t *item)
{
    lru_entry_t *entry = s_new(item); /* before anything goes: the item may be what goes */
    bool fits = s_most(item) <= self->bytes_max;
    lru_entry_t *old = s_find(self, item->key);
    if (!fits) {
        if (old)
            s_remove(self, old);
        mem_free(entry);
        return false;
    }
    s_link(self, entry, item);
    if (old)
        s_remove(self, old);
    self->bytes += lru_cost(item);
    self->count++;
    HASH_ADD_KEYPTR(hh, self->entries, s_key(entry), entry->key_size, entry);
    TAILQ_INSERT_HEAD(&self->order, entry, order);
    while (self->bytes > self->bytes_max) { /* never the new one: it fits alone */
        s_remove(self, TAILQ_LAST(&self->order, lru_order));
        self->evicted++;
    }
    return true;
}

lru_state_t lru_get(lru_t *self, span_t key, uint64_t now_ms, lru_item_t *item)
{
    lru_entry_t *entry = s_find(self, key);
    if (!entry)
        return LRU_MISS;
    if (now_ms >= entry->stale_until_ms) {
        self->expired++;
        s_remove(self, entry);
        return LRU_MISS;
    }
    if (self->cursor == entry)
        self->cursor = TAILQ_PREV(entry, lru_order, order);
    TAILQ_REMOVE(&self->order, entry, order);
    TAILQ_INSERT_HEAD(&self->order, entry, order);
    *item = (lru_item_t){ .key = { s_key(entry), entry->key_size },
                          .value = { s_value(entry), entry->value_size },
                          .born_ms = entry->born_ms,
                          .fresh_until_ms = entry->fresh_until_ms,
                          .stale_until_ms = entry->stale_until_ms };
    return now_ms < entry->fresh_until_ms ? LRU_FRESH : LRU_STALE;
}

bool lru_delete(lru_t *self, span_t key)
{
    lru_entry_t *entry = s_find(self, key);
    if (entry)
        s_remove(self, entry);
    return entry != NULL;
}

/* ---- many at once --------------------------------------------------------------------------- */

size_t lru_drop_tag(lru_t *self, span_t name, lru_dropped_fn on_dropped, void *arg)
{
    size_t before = self->count;
    lru_tag_t *tag;
    while ((tag = s_find_tag(self, name))) /* the last entry takes the tag along */
        s_drop(self, LIST_FIRST(&tag->links)->entry, on_dropped, arg);
    return before - self->count;
}

size_t lru_drop_prefix(lru_t *self, span_t prefix, lru_dropped_fn on_dropped, void *arg)
{
    size_t before = self->count;
    lru_entry_t *next;
    for (lru_entry_t *entry = TAILQ_FIRST(&self->order); entry; entry = next) {
        next = TAILQ_NEXT(entry, order);
        if (span_starts((span_t){ s_key(entry), entry->key_size }, prefix))
            s_drop(self, entry, on_dropped, arg);
    }
    return before - self->count;
}

void lru_sweep(lru_t *self, uint64_t now_ms, size_t most)
{
    if (!self->cursor)
        self->cursor = TAILQ_LAST(&self->order, lru_order);
    for (; self->cursor && most > 0; most--) {
        lru_entry_t *entry = self->cursor;
        self->cursor = TAILQ_PREV(entry, lru_order, order);
        if (now_ms < entry->stale_until_ms)
            continue;
        self->expired++;
        s_remove(self, entry);
    }
}
