/* SPDX-License-Identifier: MPL-2.0
 *
 * page - what the handlers of paged lists share
 */
#include "config.h"

#include <string.h>

#include "actors/base/text.h"
#include "actors/runtime/page.h"

bool page_require_cursor(call_t *call, uint8_t list, cursor_t *cursor)
{
    const char *word = call_text(call, "cursor");
    *cursor = (cursor_t)CURSOR_START;
    if (!word || cursor_read(cursor, list, word))
        return true;
    call_fail(call, ERROR_UNPROCESSABLE,
              "The cursor is none of this list: take `next_cursor` of the page before, as it is");
    return false;
}

size_t page_begin(pack_t *pack, size_t found, size_t limit)
{
    const size_t shown = found < limit ? found : limit;
    pack_map(pack, 2);
    pack_text(pack, "items");
    pack_array(pack, shown);
    return shown;
}

void page_end(pack_t *pack, uint8_t list, int64_t at_ms, const char *last_id)
{
    char word[CURSOR_SIZE];
    cursor_t last = { .at_ms = at_ms };
    if (last_id)
        text_copy(last.id, sizeof last.id, last_id, strlen(last_id));
    pack_pair_text(pack, "next_cursor", last_id ? cursor_write(&last, list, word) : NULL);
}
