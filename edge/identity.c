/* SPDX-License-Identifier: MPL-2.0
 *
 * identity - on whose behalf a request is made, packed once
 */
#include "config.h"

#include "edge/identity.h"

/* principal_write opens the map with pack_open_map: 0xde and the number of pairs in two bytes. */
#define COUNT_AT 1

void identity_init_anonymous(identity_t *self)
{
    *self = (identity_t){ .principal = {
                              .account = "anonymous", .user = "anonymous", .tier = "anonymous" } };
    pack_t pack;
    pack_init(&pack, &self->packed);
    principal_write(&self->principal, &pack);
    insist(self->packed.bytes[0] == 0xde);
}

void identity_free(identity_t *self)
{
    buf_free(&self->packed);
}

void identity_pack(const identity_t *self, const char *request_id, const char *tracestate,
                   buf_t *out)
{
    pack_t pack;
    uint16_t pairs = get_u16(self->packed.bytes + COUNT_AT);
    out->size = 0;
    buf_add(out, self->packed.bytes, self->packed.size);
    pack_init(&pack, out);
    pack_pair_text(&pack, "request_id", request_id);
    pairs++;
    if (tracestate[0]) {
        pack_pair_text(&pack, "tracestate", tracestate);
        pairs++;
    }
    put_u16(out->bytes + COUNT_AT, pairs);
}
