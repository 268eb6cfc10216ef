/* SPDX-License-Identifier: MPL-2.0
 *
 * json_keys - no key twice in one object
 *
 * Up to JSON_FEW_KEYS an object's keys are compared one by one; beyond that it gets a hash table.
 * The hash is seeded once per process, so that nobody can choose keys that collide.
 */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include "actors/base/id.h"
#include "proto/json_reader.h"

#define JSON_FEW_KEYS 12

static uint64_t s_seed;

static void s_make_seed(void)
{
    s_seed = id_random_u64();
}

static uint32_t s_key_hash(const uint8_t *key, size_t size)
{
    uint64_t hash = s_seed ^ size, word;
    for (; size >= 8; key += 8, size -= 8) {
        memcpy(&word, key, 8);
        hash = id_mix(hash, word);
    }
    word = 0;
    memcpy(&word, key, size);
    return (uint32_t)id_mix(hash, word);
}

static bool s_same_key(const json_reader_t *self, const json_key_t *a, const json_key_t *b)
{
    return a->hash == b->hash && a->size == b->size &&
           memcmp(self->out->bytes + a->offset, self->out->bytes + b->offset, a->size) == 0;
}

static void s_table_put(json_open_t *object, uint32_t hash, uint32_t index)
{
    uint32_t at = hash & object->table_mask;
    while (object->table[at])
        at = (at + 1) & object->table_mask;
    object->table[at] = index + 1;
}

/* (Re)builds the table with four places a key, so that chains stay short until it doubles again. */
static void s_table_build(json_reader_t *self, json_open_t *object)
{
    uint32_t size = object->table ? (object->table_mask + 1) * 2 : JSON_FEW_KEYS * 4;
    while (size & (size - 1))
        size += size & (~size + 1); /* up to a power of two */
    mem_free(object->table);
    object->table = mem_array(size, sizeof *object->table);
    object->table_mask = size - 1;
    for (uint32_t i = object->first_key; i < self->key_count; i++)
        s_table_put(object, self->keys[i].hash, i);
}

static bool s_is_duplicate(const json_reader_t *self, const json_open_t *object,
                           const json_key_t *key)
{
    if (!object->table) {
        for (uint32_t i = object->first_key; i < self->key_count; i++)
            if (s_same_key(self, &self->keys[i], key))
                return true;
        return false;
    }
    for (uint32_t at = key->hash & object->table_mask; object->table[at];
         at = (at + 1) & object->table_mask)
        if (s_same_key(self, &self->keys[object->table[at] - 1], key))
            return true;
    return false;
}

bool json_add_key(json_reader_t *self, size_t size)
{
    json_open_t *object = &self->open[self->depth];
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, s_make_seed);
    json_key_t key = { .size = (uint32_t)size, .offset = self->out->size - size };
    key.hash = s_key_hash(self->out->bytes + key.offset, size);
    if (s_is_duplicate(self, object, &key))
        return json_fail(self, JSON_DUPLICATE_KEY);
    if (self->key_count == self->key_room) {
        self->key_room = self->key_room ? self->key_room * 2 : 64;
        self->keys = mem_resize(self->keys, self->key_room * sizeof *self->keys);
    }
    self->keys[self->key_count++] = key;
    uint32_t count = self->key_count - object->first_key;
    if (object->table && count * 2 <= object->table_mask)
        s_table_put(object, key.hash, self->key_count - 1);
    else if (count > JSON_FEW_KEYS)
        s_table_build(self, object);
    return true;
}
