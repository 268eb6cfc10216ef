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

static bool s_fits(const value_t *wish, const char *kind)
{
    size_t size = wish->count, length = strlen(kind);
    if (wish->type != VALUE_TEXT || size == 0)
        return false;
    if (wish->text[size - 1] != '*')
        return size == length && memcmp(wish->text, kind, size) == 0;
    return length >= size && memcmp(wish->text, kind, size - 1) == 0;
}

bool kind_is_wanted(const char *wishes, const char *kind)
{
    arena_t arena = { 0 };
    buf_t packed = { 0 };
    json_error_t error;
    value_verdict_t verdict;
    const value_t *list = NULL, *wish;
    bool found = false;
    if (json_to_msgpack(wishes, strlen(wishes), VALUE_LIMITS, 0, &packed, &error))
        list = value_parse(&arena, packed.bytes, packed.size, VALUE_LIMITS, &verdict);
    for (uint32_t i = 0; (wish = value_item(list, i)); i++)
        found |= s_fits(wish, kind);
    buf_free(&packed);
    arena_free(&arena);
    return found;
}
