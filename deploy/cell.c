/* SPDX-License-Identifier: MPL-2.0
 *
 * cell - texts and times as commands print them: nobody's moves the cursor of a terminal
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "actors/base/text.h"
#include "deploy/cell.h"

const char *cell_text(const value_t *text, char cell[CELL_SIZE])
{
    size_t size = value_is_type(text, VALUE_TEXT) ? text->count : 0;
    if (size >= CELL_SIZE)
        size = CELL_SIZE - 1;
    for (size_t i = 0; i < size; i++)
        cell[i] = text->text[i] >= ' ' && text->text[i] < 0x7f ? text->text[i] : '?';
    cell[size] = '\0';
    return cell;
}

/* One that follows `0xc2` in UTF-8. */
static bool s_is_c1(unsigned char c)
{
    return c >= 0x80 && c <= 0x9f;
}

const char *cell_line(const char *text, size_t size, char *line, size_t room)
{
    size_t used = 0, at = 0;
    while (at < size && used + 5 <= room) { /* a character, and the NUL */
        const unsigned char c = (unsigned char)text[at];
        const size_t step = text_utf8_step(text + at, size - at);
        const bool is_control = c < ' ' || c == 0x7f ||
                                (step == 2 && c == 0xc2 && s_is_c1((unsigned char)text[at + 1]));
        if (!step || is_control) {
            line[used++] = '?';
        } else {
            memcpy(line + used, text + at, step);
            used += step;
        }
        at += step ? step : 1;
    }
    line[used] = '\0';
    return line;
}

void cell_print_json(const buf_t *json)
{
    size_t from = 0;
    for (size_t i = 0; i < json->size; i++) {
        const unsigned char c = json->bytes[i], next = i + 1 < json->size ? json->bytes[i + 1] : 0;
        const bool is_c1 = c == 0xc2 && s_is_c1(next);
        if (c != 0x7f && !is_c1)
            continue;
        fwrite(json->bytes + from, 1, i - from, stdout);
        printf("\\u%04x", is_c1 ? next : c);
        i += is_c1;
        from = i + 1;
    }
    fwrite(json->bytes + from, 1, json->size - from, stdout);
}

const char *cell_time(double us, char cell[CELL_SIZE])
{
    if (us < 1000)
        snprintf(cell, CELL_SIZE, "%.0fus", us);
    else if (us < 1e6)
        snprintf(cell, CELL_SIZE, "%.*fms", us < 1e4, us / 1000);
    else
        snprintf(cell, CELL_SIZE, "%.*fs", us < 1e7, us / 1e6);
    return cell;
}
