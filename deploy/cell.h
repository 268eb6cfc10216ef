/* SPDX-License-Identifier: MPL-2.0
 *
 * cell - texts and times as commands print them: nobody's moves the cursor of a terminal
 */
#ifndef SIGNALBOX_DEPLOY_CELL_H
#define SIGNALBOX_DEPLOY_CELL_H

#include "actors/base/buf.h"
#include "proto/value.h"

#define CELL_SIZE 64

/* A text of an answer, cut where the cell ends, of which the rest is ASCII. NULL is "". */
const char *cell_text(const value_t *text, char cell[CELL_SIZE]);

/* Copies what somebody else has said, as much as there is room for: controls and what is no UTF-8
 * become '?'. Returns `line`. */
const char *cell_line(const char *text, size_t size, char *line, size_t room);

/* Prints JSON. It may hold controls as they are that no line of ours has: DEL, and those beyond
 * ASCII (C1); they are escaped. */
void cell_print_json(const buf_t *json);

/* "250us", "2.4ms", "12s". */
const char *cell_time(double us, char cell[CELL_SIZE]);

#endif
