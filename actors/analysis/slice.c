/* SPDX-License-Identifier: MPL-2.0
 *
 * slice - text that belongs to somebody else
 */
#include "config.h"

#include "actors/analysis/slice.h"

static unsigned char s_folded(char letter)
{
    return (unsigned char)(letter >= 'A' && letter <= 'Z' ? letter + ('a' - 'A') : letter);
}

bool slice_has_folded(slice_t a, const char *needle)
{
    size_t size = strlen(needle);
    for (size_t i = 0; i + size <= a.size; i++) {
        size_t same = 0;
        while (same < size && s_folded(a.text[i + same]) == (unsigned char)needle[same])
            same++;
        if (same == size)
            return true;
    }
    return false;
}

bool slice_has_any(slice_t a, const char *const *words)
{
    for (; *words; words++)
        if (slice_has_folded(a, *words))
            return true;
    return false;
}

void slice_blank_controls(char *text, size_t size)
{
    unsigned char *at = (unsigned char *)text;
    for (size_t i = 0; i < size; i++) {
        bool is_c1 = at[i] == 0xc2 && i + 1 < size && at[i + 1] < 0xa0;
        if (at[i] < 0x20 || at[i] == 0x7f || is_c1)
            at[i] = ' ';
        if (is_c1)
            at[++i] = ' ';
    }
}

slice_t slice_clean(slice_t text, char room[SLICE_CLEAN_BYTES])
{
    slice_t cut = slice_cut(text, SLICE_CLEAN_BYTES);
    memcpy(room, cut.text, cut.size);
    slice_blank_controls(room, cut.size);
    return slice_make(room, cut.size);
}
