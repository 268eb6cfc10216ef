/* SPDX-License-Identifier: MPL-2.0
 *
 * texts - every text among the parameters of every node, found once for all rules
 */
#include "config.h"

#include "actors/analysis/texts.h"

typedef struct {
    texts_t *texts;
    work_t *work;
    const node_t *node;
    uint32_t count, room;
    uint32_t left; /* bytes this node may still have */
} gather_t;

static uint32_t s_flags(const gather_t *self, slice_t text, slice_t label)
{
    static const char *const code_labels[] = { "jsCode", "functionCode", "func", "code", NULL };
    uint32_t flags = 0;
    if (slice_starts(text, "="))
        flags |= TEXT_EXPRESSION;
    if (slice_has(text, "{{"))
        flags |= TEXT_BRACES;
    if (memchr(text.text, '$', text.size))
        flags |= TEXT_DOLLAR;
    for (const char *const *word = code_labels; self->node->class == CLASS_CODE && *word; word++)
        if (slice_is(label, *word))
            flags |= TEXT_CODE;
    return flags;
}

static void s_add(gather_t *self, slice_t text, slice_t label)
{
    slice_t taken = slice_cut(text, self->left);
    texts_t *texts = self->texts;

    texts->unscanned += text.size - taken.size;
    self->left -= taken.size;
    self->work->steps += 1 + taken.size / 8;
    if (!taken.size)
        return;
    texts->list = work_grow(self->work, texts->list, self->count, &self->room, sizeof *texts->list);
    texts->list[self->count++] =
        (text_t){ .text = taken, .label = label, .flags = s_flags(self, taken, label) };
}

/* Headers and fields are written as a list of pairs; there the key "value" alone says nothing. */
static slice_t s_pair_name(const value_t *map)
{
    static const char *const names[] = { "name", "key", "keyValue", NULL };
    for (const char *const *name = names; *name; name++)
        if (slice_get(map, *name).size)
            return slice_get(map, *name);
    return slice_make("", 0);
}

static void s_walk(gather_t *self, const value_t *value, slice_t label);

/* The name is looked up once a map, since a hostile one may have a key many times. */
static void s_walk_map(gather_t *self, const value_t *map, bool (*wanted)(const value_t *key))
{
    const value_t *key, *item;
    slice_t name = slice_make("", 0);
    bool asked = false;

    for (uint32_t i = 0; value_pair(map, i, &key, &item); i++) {
        bool is_value = value_is(key, "value") || value_is(key, "valueValue");
        if (is_value && !asked) {
            name = s_pair_name(map);
            asked = true;
        }
        if (!wanted || wanted(key))
            s_walk(self, item, is_value && name.size ? name : slice_of(key));
    }
}

/* As deep as the document, whose depth its parser has limited. */
static void s_walk(gather_t *self, const value_t *value, slice_t label)
{
    const value_t *item;

    self->work->steps++;
    if (value_is_type(value, VALUE_TEXT))
        s_add(self, slice_of(value), label);
    s_walk_map(self, value, NULL);
    for (uint32_t i = 0; (item = value_item(value, i)); i++)
        s_walk(self, item, label);
}

/* Where the whole node stands for its parameters, its place and its notes are none. */
static bool s_is_parameter(const value_t *key)
{
    static const char *const others[] = { "id", "z", "g", "info", "wires", "links", "scope", NULL };
    for (const char *const *word = others; *word; word++)
        if (value_is(key, *word))
            return false;
    return true;
}

void texts_gather(texts_t *self, work_t *work, const model_t *model)
{
    gather_t gather = { .texts = self, .work = work };

    *self =
        (texts_t){ .first = arena_array(work->arena, model->node_count + 1, sizeof *self->first) };
    for (uint32_t n = 0; n < model->node_count; n++) {
        const node_t *node = &model->nodes[n];
        self->first[n] = gather.count;
        gather.node = node;
        gather.left = TEXTS_BYTES_MAX;
        if (node->class == CLASS_COMMENT)
            continue;
        if (node->params == node->body)
            s_walk_map(&gather, node->body, s_is_parameter);
        else
            s_walk(&gather, node->params, slice_make("", 0));
    }
    self->first[model->node_count] = gather.count;
}
