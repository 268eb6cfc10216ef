/* SPDX-License-Identifier: MPL-2.0
 *
 * drop - what an invalidation names, as messages hold it
 */
#include "config.h"

#include <string.h>

#include "actors/base/text.h"
#include "actors/cache/drop.h"

bool span_of(const value_t *value, size_t most, span_t *span)
{
    if (!value_is_type(value, VALUE_TEXT) && !value_is_type(value, VALUE_BINARY))
        return false;
    *span = (span_t){ value->bytes, value->count };
    return span->size > 0 && span->size <= most;
}

static size_t s_read_list(const value_t *list, size_t most, span_t spans[CACHE_DROPS_MAX])
{
    size_t count = 0;
    const value_t *item;
    for (uint32_t i = 0; (item = value_item(list, i)) && count < CACHE_DROPS_MAX; i++)
        count += span_of(item, most, &spans[count]);
    return count;
}

void drop_read(drop_t *self, const value_t *message)
{
    *self = (drop_t){ .id = (uint64_t)value_get_int(message, "id", 0),
                      .epoch = (uint64_t)value_get_int(message, "epoch", 0),
                      .is_all = value_get_bool(message, "all", false),
                      .is_owed = value_get_bool(message, "is_owed", false) };
    if (!span_of(value_get(message, "prefix"), CACHE_KEY_BYTES, &self->prefix))
        self->prefix = (span_t){ NULL, 0 };
    self->tag_count = s_read_list(value_get(message, "tags"), CACHE_TAG_BYTES, self->tags);
    self->key_count = s_read_list(value_get(message, "keys"), CACHE_KEY_BYTES, self->keys);
}

/* Keys may be any bytes; texts stay texts, which is what readers in other languages expect. */
static void s_write_span(span_t span, pack_t *out)
{
    if (text_is_utf8(span.bytes, span.size))
        pack_string(out, span.bytes, span.size);
    else
        pack_bytes(out, span.bytes, span.size);
}

static void s_write_list(const char *name, const span_t *spans, size_t count, pack_t *out)
{
    pack_text(out, name);
    pack_array(out, count);
    for (size_t i = 0; i < count; i++)
        s_write_span(spans[i], out);
}

void drop_write(const drop_t *self, pack_t *out)
{
    pack_map(out, self->prefix.size ? 7 : 6);
    pack_pair_int(out, "id", (int64_t)self->id);
    pack_pair_int(out, "epoch", (int64_t)self->epoch);
    pack_pair_bool(out, "all", self->is_all);
    pack_pair_bool(out, "is_owed", self->is_owed);
    s_write_list("tags", self->tags, self->tag_count, out);
    s_write_list("keys", self->keys, self->key_count, out);
    if (self->prefix.size) {
        pack_text(out, "prefix");
        s_write_span(self->prefix, out);
    }
}

bool drop_names_something(const drop_t *self)
{
    return self->is_all || self->prefix.size || self->tag_count || self->key_count;
}

bool drop_names_key(const drop_t *self, span_t key)
{
    if (self->is_all || (self->prefix.size && span_starts(key, self->prefix)))
        return true;
    for (size_t i = 0; i < self->key_count; i++)
        if (span_equal(self->keys[i], key))
            return true;
    return false;
}

static void s_copy_span(span_t *span, uint8_t **to)
{
    if (span->size)
        memcpy(*to, span->bytes, span->size);
    span->bytes = *to;
    *to += span->size;
}

drop_t *drop_copy(const drop_t *self)
{
    size_t size = sizeof *self + self->prefix.size;
    for (size_t i = 0; i < self->tag_count; i++)
        size += self->tags[i].size;
    for (size_t i = 0; i < self->key_count; i++)
        size += self->keys[i].size;
    drop_t *copy = mem_alloc(size);
    uint8_t *to = (uint8_t *)(copy + 1);
    *copy = *self;
    s_copy_span(&copy->prefix, &to);
    for (size_t i = 0; i < copy->tag_count; i++)
        s_copy_span(&copy->tags[i], &to);
    for (size_t i = 0; i < copy->key_count; i++)
        s_copy_span(&copy->keys[i], &to);
    return copy;
}
