/* SPDX-License-Identifier: MPL-2.0
 *
 * identity - on whose behalf a request is made, packed once
 */
#include "config.h"

#include "actors/base/text.h"
#include "edge/identity.h"

/* principal_write opens the map with pack_open_map: 0xde and the number of pairs in two bytes. */
#define COUNT_AT 1

#define ANONYMOUS "anonymous"

/* Takes the principal over and packs it. */
static identity_t *s_new(const principal_t *principal)
{
    identity_t *self = mem_zeroed(sizeof *self);
    pack_t pack;
    self->references = 1;
    self->principal = *principal;
    pack_init(&pack, &self->packed);
    principal_write(&self->principal, &pack);
    insist(self->packed.bytes[0] == 0xde);
    return self;
}

identity_t *identity_new_anonymous(void)
{
    return s_new(&(principal_t){ .account = ANONYMOUS, .user = ANONYMOUS, .tier = ANONYMOUS });
}

/* A text that was cut could be another one's: none that is too long is taken. */
static bool s_read_text(char to[PRINCIPAL_NAME_BYTES + 1], const value_t *map, const char *key)
{
    size_t size;
    const char *text = value_get_text(map, key, &size);
    return !text || text_copy(to, PRINCIPAL_NAME_BYTES + 1, text, size);
}

static bool s_read_list(char (*to)[PRINCIPAL_NAME_BYTES + 1], uint8_t *count, const value_t *list)
{
    const value_t *item;
    for (uint32_t i = 0; (item = value_item(list, i)); i++)
        if (i == PRINCIPAL_LISTS_MAX || item->type != VALUE_TEXT ||
            !text_copy(to[(*count)++], PRINCIPAL_NAME_BYTES + 1, item->text, item->count))
            return false;
    return true;
}

identity_t *identity_read(const value_t *reply)
{
    principal_t principal = { .account = "" };
    char key_id[PRINCIPAL_NAME_BYTES + 1] = "";
    bool good =
        s_read_text(principal.account, reply, "account") &&
        s_read_text(principal.user, reply, "user") && s_read_text(principal.tier, reply, "tier") &&
        s_read_text(principal.session, reply, "session") && s_read_text(key_id, reply, "key_id") &&
        s_read_list(principal.roles, &principal.role_count, value_get(reply, "roles")) &&
        s_read_list(principal.scopes, &principal.scope_count, value_get(reply, "scopes"));
    if (!good || !principal.account[0] || !principal.user[0])
        return NULL;
    identity_t *self = s_new(&principal);
    text_copy(self->key_id, sizeof self->key_id, key_id, strlen(key_id));
    self->signs = value_get_bool(reply, "signs", false);
    self->expires_ms = value_get_int(reply, "expires_at_ms", 0);
    return self;
}

identity_t *identity_hold(identity_t *self)
{
    atomic_fetch_add(&self->references, 1);
    return self;
}

void identity_drop(identity_t **self_p)
{
    identity_t *self = *self_p;
    *self_p = NULL;
    if (!self || atomic_fetch_sub(&self->references, 1) != 1)
        return;
    buf_free(&self->packed);
    mem_free(self);
}

static uint16_t s_add(pack_t *pack, const char *key, const char *text)
{
    if (!text[0])
        return 0;
    pack_pair_text(pack, key, text);
    return 1;
}

void identity_pack(const identity_t *self, const identity_request_t *request, buf_t *out)
{
    pack_t pack;
    uint16_t pairs = get_u16(self->packed.bytes + COUNT_AT);
    out->size = 0;
    buf_add(out, self->packed.bytes, self->packed.size);
    pack_init(&pack, out);
    pairs = (uint16_t)(pairs + s_add(&pack, "request_id", request->request_id) +
                       s_add(&pack, "address", request->address) +
                       s_add(&pack, "tracestate", request->tracestate));
    put_u16(out->bytes + COUNT_AT, pairs);
}
