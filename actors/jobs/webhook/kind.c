/* SPDX-License-Identifier: MPL-2.0
 *
 * kind - kinds of events, and which of them a subscription wants
 */
#include "config.h"

#include <ctype.h>
#include <string.h>

#include "actors/jobs/webhook/kind.h"
#include "proto/json.h"
#include "proto/webhook.h"

bool kind_is_wish(const char *text, size_t size)
{
    bool begins_word = true;
    if (size == 0 || size > WEBHOOK_TYPE_BYTES)
        return false;
    if (size == 1 && text[0] == '*')
        return true;
    if (size > 2 && memcmp(text + size - 2, ".*", 2) == 0)
        size -= 2;
    for (size_t i = 0; i < size; i++) {
        bool is_letter =
            islower((unsigned char)text[i]) || isdigit((unsigned char)text[i]) || text[i] == '_';
        if (!is_letter && (text[i] != '.' || begins_word))
            return false;
        begins_word = !is_letter;
    }
    return !begins_word;
}

void kind_each(const char *wishes, kind_each_t each, void *arg)
{
    arena_t arena = { 0 };
    buf_t packed = { 0 };
    json_error_t error;
    value_verdict_t verdict;
    const value_t *list = NULL, *wish;
    if (json_to_msgpack(wishes, strlen(wishes), VALUE_LIMITS, 0, &packed, &error))
        list = value_parse(&arena, packed.bytes, packed.size, VALUE_LIMITS, &verdict);
    for (uint32_t i = 0; (wish = value_item(list, i)); i++)
        if (wish->type == VALUE_TEXT && wish->count > 0)
            each(arg, wish->text, wish->count);
    buf_free(&packed);
    arena_free(&arena);
}

typedef struct {
    const char *kind;
    bool found;
} search_t;

static void s_look(void *arg, const char *wish, size_t size)
{
    search_t *self = arg;
    const size_t length = strlen(self->kind);
    if (wish[size - 1] == '*')
        self->found |= length >= size && memcmp(wish, self->kind, size - 1) == 0;
    else
        self->found |= size == length && memcmp(wish, self->kind, size) == 0;
}

bool kind_is_wanted(const char *wishes, const char *kind)
{
    search_t search = { .kind = kind };
    kind_each(wishes, s_look, &search);
    return search.found;
}
