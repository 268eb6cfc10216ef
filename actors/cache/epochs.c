/* SPDX-License-Identifier: MPL-2.0
 *
 * epochs - whether a value was computed before something it was made of changed
 */
#include "config.h"

#include <string.h>

#include <uthash.h>

#include "actors/cache/epochs.h"

struct epochs_tag {
    UT_hash_handle hh; /* keeps the order of insertion, which is that of the epochs */
    uint64_t epoch;
    size_t size;
    char name[];
};

void epochs_init(epochs_t *self)
{
    *self = (epochs_t){ .now = 1 };
}

static void s_remove(epochs_t *self, epochs_tag_t *tag)
{
    HASH_DELETE(hh, self->tags, tag);
    mem_free(tag);
}

void epochs_free(epochs_t *self)
{
    while (self->tags)
        s_remove(self, self->tags);
}

static epochs_tag_t *s_find(const epochs_t *self, span_t name)
{
    epochs_tag_t *tag;
    HASH_FIND(hh, self->tags, name.bytes, name.size, tag);
    return tag;
}

void epochs_change_tag(epochs_t *self, span_t name)
{
    epochs_tag_t *tag = s_find(self, name);
    if (tag)
        s_remove(self, tag);
    else if (HASH_COUNT(self->tags) == EPOCHS_TAGS_MAX) {
        self->floor = self->tags->epoch; /* the oldest; what began before it is refused from now */
        s_remove(self, self->tags);
    }
    tag = mem_zeroed(sizeof *tag + name.size);
    tag->epoch = ++self->now;
    tag->size = name.size;
    memcpy(tag->name, name.bytes, name.size);
    HASH_ADD_KEYPTR(hh, self->tags, tag->name, tag->size, tag);
}

void epochs_change_all(epochs_t *self)
{
    self->floor = ++self->now;
    epochs_free(self);
}

bool epochs_allow(const epochs_t *self, uint64_t epoch, const span_t *tags, size_t count)
{
    if (epoch < self->floor)
        return false;
    for (size_t i = 0; i < count; i++) {
        const epochs_tag_t *tag = s_find(self, tags[i]);
        if (tag && tag->epoch > epoch)
            return false;
    }
    return true;
}

void epochs_forget(epochs_t *self, uint64_t oldest)
{
    while (self->tags && self->tags->epoch <= oldest)
        s_remove(self, self->tags);
}
