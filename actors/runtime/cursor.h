/* SPDX-License-Identifier: MPL-2.0
 *
 * cursor - where the next page of a list begins
 *
 * A list is ordered by time and id, the newest first; a page begins behind the last item of the one
 * before, so that what is added meanwhile neither repeats nor hides an item. To callers a cursor is
 * an opaque word (base64url, RFC 4648, 5): reading refuses what `cursor_write` did not write, and
 * cursors of other lists, which an actor tells apart by a number.
 */
#ifndef SIGNALBOX_RUNTIME_CURSOR_H
#define SIGNALBOX_RUNTIME_CURSOR_H

#include "actors/base/id.h"

#define CURSOR_SIZE 65 /* of the word with its NUL */

typedef struct {
    int64_t at_ms;
    char id[ID_UUID_SIZE];
} cursor_t;

/* Before the first item. */
#define CURSOR_START                                                                               \
    {                                                                                              \
        .at_ms = INT64_MAX                                                                         \
    }

const char *cursor_write(const cursor_t *self, uint8_t list, char word[CURSOR_SIZE]);
bool cursor_read(cursor_t *self, uint8_t list, const char *word) MUST_CHECK;

#endif
