/* SPDX-License-Identifier: MPL-2.0
 *
 * settings_table - what settings.c reads into and settings_print.c writes out; private to both
 */
#ifndef SIGNALBOX_SETTINGS_TABLE_H
#define SIGNALBOX_SETTINGS_TABLE_H

#include "actors/base/settings.h"

typedef enum { ORIGIN_DEFAULT, ORIGIN_FILE, ORIGIN_ENVIRONMENT, ORIGIN_FLAG } setting_origin_t;

typedef struct {
    const settings_section_t *section;
    const setting_t *row;
    setting_origin_t origin;
    char *text; /* the value as text: what a SETTING_TEXT field points to */
} setting_value_t;

struct settings {
    setting_value_t *values; /* in the order of the tables */
    size_t count;
    char **retired; /* texts replaced by a reload, still pointed to by readers */
    size_t retired_count;
    char *path; /* the file read, or NULL */
};

#endif
