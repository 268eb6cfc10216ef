/* SPDX-License-Identifier: MPL-2.0
 *
 * cell - texts and times in the tables that commands print
 */
#include "config.h"

#include <stdio.h>

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
