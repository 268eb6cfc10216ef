/* SPDX-License-Identifier: MPL-2.0
 *
 * principal - on whose behalf a request is made
 */
#include "config.h"

#include <stddef.h>

#include "actors/base/text.h"
#include "proto/principal.h"
#include "proto/value.h"

static const struct {
    const char *key;
    size_t offset, room;
} s_texts[] = {
    { "account", offsetof(principal_t, account), PRINCIPAL_NAME_BYTES + 1 },
    { "user", offsetof(principal_t, user), PRINCIPAL_NAME_BYTES + 1 },
    { "tier", offsetof(principal_t, tier), PRINCIPAL_NAME_BYTES + 1 },
    { "session", offsetof(principal_t, session), PRINCIPAL_NAME_BYTES + 1 },
    { "address", offsetof(principal_t, address), PRINCIPAL_NAME_BYTES + 1 },
    { "request_id", offsetof(principal_t, request_id), PRINCIPAL_NAME_BYTES + 1 },
    { "tracestate", offsetof(principal_t, tracestate), PRINCIPAL_STATE_BYTES + 1 },
};

typedef char principal_name_t[PRINCIPAL_NAME_BYTES + 1];

static void s_write_list(pack_t *out, const char *key, const principal_name_t *names, size_t count)
{
    pack_text(out, key);
    pack_array(out, count);
    for (size_t i = 0; i < count; i++)
        pack_text(out, names[i]);
}

void principal_write(const principal_t *self, pack_t *out)
{
    size_t position = pack_open_map(out), pairs = 2;
    for (size_t i = 0; i < COUNT_OF(s_texts); i++) {
        const char *text = (const char *)self + s_texts[i].offset;
        if (text[0]) {
            pack_pair_text(out, s_texts[i].key, text);
            pairs++;
        }
    }
    s_write_list(out, "roles", self->roles, self->role_count);
    s_write_list(out, "scopes", self->scopes, self->scope_count);
    pack_close(out, position, pairs);
}

static bool s_read_list(const value_t *list, principal_name_t *names, uint8_t *count)
{
    const value_t *item;
    if (value_is_type(list, VALUE_ARRAY) && list->count > PRINCIPAL_LISTS_MAX)
        return false;
    for (uint32_t i = 0; (item = value_item(list, i)); i++) {
        /* a role that was cut could be another role */
        if (item->type != VALUE_TEXT ||
            !text_copy(names[*count], sizeof names[0], item->text, item->count))
            return false;
        (*count)++;
    }
    return true;
}

bool principal_read(principal_t *self, const void *bytes, size_t size)
{
    arena_t arena = { 0 };
    value_verdict_t verdict;
    *self = (principal_t){ 0 };
    const value_t *map = size <= PRINCIPAL_BYTES_MAX
                             ? value_parse(&arena, bytes, size,
                                           (value_limits_t){ .depth = 2, .nodes = 64 }, &verdict)
                             : NULL;
    bool good = value_is_type(map, VALUE_MAP);
    for (size_t i = 0; good && i < COUNT_OF(s_texts); i++) {
        size_t length;
        const char *text = value_get_text(map, s_texts[i].key, &length);
        if (text)
            good = text_copy((char *)self + s_texts[i].offset, s_texts[i].room, text, length);
    }
    good = good && s_read_list(value_get(map, "roles"), self->roles, &self->role_count) &&
           s_read_list(value_get(map, "scopes"), self->scopes, &self->scope_count);
    arena_free(&arena);
    if (!good)
        *self = (principal_t){ 0 };
    return good;
}

static bool s_is_in(const principal_name_t *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

bool principal_has_role(const principal_t *self, const char *role)
{
    return s_is_in(self->roles, self->role_count, role);
}

bool principal_has_scope(const principal_t *self, const char *scope)
{
    return s_is_in(self->scopes, self->scope_count, scope) ||
           s_is_in(self->scopes, self->scope_count, "*");
}
