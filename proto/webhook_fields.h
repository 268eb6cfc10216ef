/* SPDX-License-Identifier: MPL-2.0
 *
 * webhook_fields - fields that several messages of the webhook service have; private to webhook*.c
 */
#ifndef SIGNALBOX_PROTO_WEBHOOK_FIELDS_H
#define SIGNALBOX_PROTO_WEBHOOK_FIELDS_H

#include "proto/page.h"
#include "proto/webhook.h"

#define TYPE_FIELD                                                                                 \
    {                                                                                              \
        "type", FIELD_STRING, .required = true, .pattern = "^[a-z0-9_]+(\\.[a-z0-9_]+)*$",         \
                              .max = WEBHOOK_TYPE_BYTES, .example = "\"analysis.finished\"",       \
                              .about = "What has happened"                                         \
    }
#define TIME_FIELD(field, text)                                                                    \
    {                                                                                              \
        field, FIELD_STRING, .required = true, .format = "date-time",                              \
                             .example = "\"2026-01-31T08:15:00.000Z\"", .about = (text)            \
    }
#define MAYBE_TIME_FIELD(field, text)                                                              \
    {                                                                                              \
        field, FIELD_STRING, .required = true, .nullable = true, .format = "date-time",            \
                             .about = (text)                                                       \
    }

#endif
