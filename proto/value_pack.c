/* SPDX-License-Identifier: MPL-2.0
 *
 * value_pack - a tree, or a part of one, as msgpack again
 */
#include "config.h"

#include "proto/value_pack.h"

/* As deep as the reader let the tree be. */
void value_pack(const value_t *self, pack_t *out)
{
    switch ((value_type_t)self->type) {
    case VALUE_NIL:
        pack_nil(out);
        break;
    case VALUE_BOOL:
        pack_bool(out, self->truth);
        break;
    case VALUE_INT:
        pack_int(out, self->integer);
        break;
    case VALUE_UINT:
        pack_uint(out, self->natural);
        break;
    case VALUE_FLOAT:
        pack_double(out, self->number);
        break;
    case VALUE_TEXT:
        pack_string(out, self->text, self->count);
        break;
    case VALUE_BINARY:
        pack_bytes(out, self->bytes, self->count);
        break;
    case VALUE_ARRAY:
        pack_array(out, self->count);
        for (uint32_t i = 0; i < self->count; i++)
            value_pack(&self->items[i], out);
        break;
    case VALUE_MAP:
        pack_map(out, self->count);
        for (uint32_t i = 0; i < 2 * self->count; i++)
            value_pack(&self->items[i], out);
        break;
    }
}
