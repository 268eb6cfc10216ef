/* SPDX-License-Identifier: MPL-2.0
 *
 * Cursors: what is written reads back, and nothing else is read.
 */
#include "config.h"

#include "actors/runtime/cursor.h"
#include "tests/tap.h"

#define ID "019a4c1e-7b1f-7c3a-9d2e-4f5a6b7c8d9e"

static void test_round_trip(void)
{
    static const int64_t times[] = { 0, 1, 1700000000000, INT64_MAX };
    for (size_t i = 0; i < COUNT_OF(times); i++)
        for (uint8_t list = 1; list <= 2; list++) {
            const cursor_t cursor = { .at_ms = times[i], .id = ID };
            cursor_t read;
            char word[CURSOR_SIZE];
            ok(cursor_read(&read, list, cursor_write(&cursor, list, word)));
            is_int(read.at_ms, times[i]);
            is_text(read.id, ID);
            is_int(strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
                   strlen(word)); /* needs no escaping in an address */
            ok(!cursor_read(&read, list == 1 ? 2 : 1, word));
        }
}

static void test_what_is_none(void)
{
    static const char *const words[] = {
        "",
        "A",
        "AAAA",
        "////",
        "!",
        " ",
        "null",
        "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    };
    cursor_t read;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        ok_named(!cursor_read(&read, 1, words[i]), words[i]);
}

/* One character changed: refused, or another moment or id of the right form; never more. */
static void test_one_character_changed(void)
{
    const cursor_t cursor = { .at_ms = 1700000000000, .id = ID };
    char word[CURSOR_SIZE];
    bool is_sound = true;
    size_t size = strlen(cursor_write(&cursor, 1, word)), refused = 0;
    for (size_t at = 0; at < size; at++)
        for (int c = 1; c < 256; c++) {
            char changed[CURSOR_SIZE];
            cursor_t read;
            memcpy(changed, word, sizeof changed);
            changed[at] = (char)c;
            if (cursor_read(&read, 1, changed))
                is_sound &= read.at_ms >= 0 && strlen(read.id) == ID_UUID_SIZE - 1;
            else
                refused++;
        }
    ok(is_sound);
    ok(refused > size * 190);
}

static void test_start(void)
{
    const cursor_t start = CURSOR_START;
    ok(start.at_ms == INT64_MAX);
    is_text(start.id, "");
}

TESTS({ "round trip", test_round_trip }, { "what is none", test_what_is_none },
      { "one character changed", test_one_character_changed }, { "start", test_start })
