/* SPDX-License-Identifier: MPL-2.0
 *
 * cursor - where the next page of a list begins: the list, the time and the id, 45 bytes
 */
#include "config.h"

#include <string.h>

#include <sodium.h>

#include "actors/runtime/cursor.h"
#include "proto/format.h"

#define ID_BYTES     (ID_UUID_SIZE - 1)
#define CURSOR_BYTES (1 + 8 + ID_BYTES)

const char *cursor_write(const cursor_t *self, uint8_t list, char word[CURSOR_SIZE])
{
    uint8_t bytes[CURSOR_BYTES] = { list };
    put_u64(bytes + 1, (uint64_t)self->at_ms);
    memcpy(bytes + 9, self->id, ID_BYTES);
    return sodium_bin2base64(word, CURSOR_SIZE, bytes, sizeof bytes,
                             sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool cursor_read(cursor_t *self, uint8_t list, const char *word)
{
    uint8_t bytes[CURSOR_BYTES];
    const char *end;
    size_t size;
    *self = (cursor_t){ 0 };
    if (sodium_base642bin(bytes, sizeof bytes, word, strlen(word), NULL, &size, &end,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        *end || size != sizeof bytes || bytes[0] != list || bytes[1] & 0x80 ||
        !format_find("uuid", 4)((const char *)bytes + 9, ID_BYTES))
        return false;
    self->at_ms = (int64_t)get_u64(bytes + 1);
    memcpy(self->id, bytes + 9, ID_BYTES);
    return true;
}
