/* SPDX-License-Identifier: MPL-2.0
 *
 * format - the formats of JSON Schema that are enforced
 */
#ifndef SIGNALBOX_FORMAT_H
#define SIGNALBOX_FORMAT_H

#include "actors/base/base.h"

typedef bool (*format_check_t)(const char *text, size_t size);

/* The check of a format's name, NULL when it is not one of ours. */
format_check_t format_find(const char *name, size_t size);

#endif
