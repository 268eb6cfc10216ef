/* SPDX-License-Identifier: MPL-2.0
 *
 * Compression of what is stored: it comes back as it was, or not at all.
 */
#include "config.h"

#include "actors/analysis/squeeze.h"
#include "actors/base/id.h"
#include "tests/tap.h"

enum { LIMIT = 1 << 22 };

/* The same every time, and hard to compress. */
static void s_fill_with_noise(uint8_t *bytes, size_t size)
{
    uint64_t state = 1;
    for (size_t i = 0; i < size; i++) {
        state = id_mix(state, i);
        bytes[i] = (uint8_t)state;
    }
}

static void test_round_trip(void)
{
    static const size_t sizes[] = { 0, 1, 2047, 2048, 2049, 8192, 100000, 1 << 21 };
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        for (int is_noise = 0; is_noise < 2; is_noise++) {
            arena_t arena = { 0 };
            uint8_t *bytes = arena_alloc(&arena, sizes[i] + 1);
            if (is_noise)
                s_fill_with_noise(bytes, sizes[i]);
            squeezed_t squeezed = squeeze(&arena, bytes, sizes[i]);
            is_int(squeezed.full, sizes[i]);
            ok((squeezed.size < sizes[i]) == (!is_noise && sizes[i] >= 2048));
            const uint8_t *back = unsqueeze(&arena, &squeezed, LIMIT);
            ok(back && memcmp(back, bytes, sizes[i]) == 0);
            arena_free(&arena);
        }
}

static void test_damaged(void)
{
    enum { SIZE = 4000 };
    arena_t arena = { 0 };
    uint8_t *bytes = arena_alloc(&arena, SIZE);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)(i % 97);
    squeezed_t good = squeeze(&arena, bytes, SIZE);
    ok(good.size < SIZE);
    size_t unnoticed = 0;
    for (size_t i = 0; i < good.size; i++) {
        uint8_t *copy = arena_alloc(&arena, good.size);
        memcpy(copy, good.bytes, good.size);
        copy[i] ^= 0x20;
        const squeezed_t bad = { .bytes = copy, .size = good.size, .full = good.full };
        const uint8_t *back = unsqueeze(&arena, &bad, LIMIT);
        unnoticed += back && memcmp(back, bytes, SIZE) != 0;
    }
    is_int(unnoticed, 0); /* the checksum of RFC 1950 */
    for (size_t cut = 0; cut < good.size; cut++) {
        const squeezed_t bad = { .bytes = good.bytes, .size = cut, .full = good.full };
        unnoticed += unsqueeze(&arena, &bad, LIMIT) != NULL;
    }
    is_int(unnoticed, 0);
    arena_free(&arena);
}

static void test_sizes_that_lie(void)
{
    enum { SIZE = 4000 };
    static const size_t claims[] = { 0, 1, SIZE - 1, SIZE + 1, LIMIT, LIMIT + 1, SIZE_MAX };
    arena_t arena = { 0 };
    squeezed_t good = squeeze(&arena, arena_alloc(&arena, SIZE), SIZE);
    for (size_t i = 0; i < COUNT_OF(claims); i++) {
        const squeezed_t bad = { .bytes = good.bytes, .size = good.size, .full = claims[i] };
        ok(!unsqueeze(&arena, &bad, LIMIT));
    }
    ok(!unsqueeze(&arena, &good, SIZE - 1)); /* larger than the reader wants */
    ok(unsqueeze(&arena, &good, SIZE) != NULL);
    arena_free(&arena);
}

TESTS({ "round trip", test_round_trip }, { "damaged", test_damaged },
      { "sizes that lie", test_sizes_that_lie })
