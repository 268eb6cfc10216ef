/* SPDX-License-Identifier: MPL-2.0
 *
 * page - what the handlers of paged lists share: {items, next_cursor}
 *
 * A handler asks its store for one item more than a page has (`limit` + 1): whether it comes tells
 * whether there is a next page. The request's fields stand in proto/page.h, the word itself in
 * actors/runtime/cursor.h. `list` is the number by which an actor tells its lists apart.
 */
#ifndef SIGNALBOX_RUNTIME_PAGE_H
#define SIGNALBOX_RUNTIME_PAGE_H

#include "actors/runtime/actor.h"
#include "actors/runtime/cursor.h"

/* The field `cursor` of the call, or the start. False: the call has been answered. */
bool page_require_cursor(call_t *call, uint8_t list, cursor_t *cursor) MUST_CHECK;

/* Begins the map and its list; returns how many of the `found` items are to be packed now. */
size_t page_begin(pack_t *pack, size_t found, size_t limit);

/* Ends the map; the next page begins behind the item of this time and id. `last_id` NULL: there is
 * no next page. */
void page_end(pack_t *pack, uint8_t list, int64_t at_ms, const char *last_id);

#endif
