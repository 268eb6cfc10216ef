/* SPDX-License-Identifier: MPL-2.0
 *
 * tzif - time zone files of the tests' own, as zic writes them
 */
#ifndef SIGNALBOX_TEST_TZIF_H
#define SIGNALBOX_TEST_TZIF_H

#include "actors/base/buf.h"

static inline void tzif_add_u32(buf_t *file, uint32_t value)
{
    put_u32(buf_reserve(file, 4), value);
    file->size += 4;
}

/* An empty block of version 1, then a block whose clocks show UTC, and from `change_at` on, unless
 * it is 0, an hour more; after that the rule of the footer. */
static inline void tzif_write(buf_t *file, int64_t change_at, const char *footer)
{
    static const uint8_t types[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0x0e, 0x10, 1, 0 };
    file->size = 0;
    for (unsigned block = 0; block < 2; block++) {
        uint32_t changes = block == 1 && change_at != 0, counts[] = { 0, 0, 0, changes, 2, 4 };
        buf_add(file, "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
        for (size_t i = 0; i < COUNT_OF(counts); i++)
            tzif_add_u32(file, counts[i]);
        if (changes) {
            tzif_add_u32(file, (uint32_t)((uint64_t)change_at >> 32));
            tzif_add_u32(file, (uint32_t)change_at);
            buf_add_byte(file, 1);
        }
        buf_add(file, types, sizeof types);
        buf_add(file, "ABC\0", 4);
    }
    buf_printf(file, "\n%s\n", footer);
}

#endif
