/* SPDX-License-Identifier: MPL-2.0
 *
 * cell - texts and times in the tables that commands print
 */
#ifndef SIGNALBOX_DEPLOY_CELL_H
#define SIGNALBOX_DEPLOY_CELL_H

#include "proto/value.h"

#define CELL_SIZE 64

/* A text of an answer, cut where the cell ends: nobody's name moves the cursor. NULL is "". */
const char *cell_text(const value_t *text, char cell[CELL_SIZE]);

/* "250us", "2.4ms", "12s". */
const char *cell_time(double us, char cell[CELL_SIZE]);

#endif
