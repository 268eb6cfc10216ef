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
