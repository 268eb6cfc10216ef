/* SPDX-License-Identifier: MPL-2.0
 *
 * page - the fields of every paged list: what is asked for, and where the next page begins
 *
 * For the tables of fields in proto/<service>.c.
 */
#ifndef SIGNALBOX_PROTO_PAGE_H
#define SIGNALBOX_PROTO_PAGE_H

#include "proto/field.h"

#define PAGE_MAX 100 /* items of one page */

#define PAGE_LIMIT_FIELD                                                                           \
    {                                                                                              \
        "limit", FIELD_INTEGER, .preset = "20", .min = 1, .max = PAGE_MAX,                         \
                                .about = "Most items of the page"                                  \
    }
#define PAGE_CURSOR_FIELD                                                                          \
    {                                                                                              \
        "cursor", FIELD_STRING, .min = 1, .max = 64,                                               \
                                .about = "`next_cursor` of the page before; leave it out for the " \
                                         "first page"                                              \
    }
#define PAGE_NEXT_FIELD                                                                            \
    {                                                                                              \
        "next_cursor", FIELD_STRING, .required = true, .nullable = true,                           \
                                     .about = "Where the next page begins; null on the last one"   \
    }

#endif
