/* SPDX-License-Identifier: MPL-2.0
 *
 * http_fields - fields that several messages of the http service have; private to http*.c
 */
#ifndef SIGNALBOX_PROTO_HTTP_FIELDS_H
#define SIGNALBOX_PROTO_HTTP_FIELDS_H

#include "proto/http.h"
#include "proto/page.h"

/* What is asked for and what is expected of the answer. */
#define HTTP_TARGET_FIELDS                                                                         \
    { "url",                                                                                       \
      FIELD_STRING,                                                                                \
      .required = true,                                                                            \
      .min = 1,                                                                                    \
      .max = 2048,                                                                                 \
      .example = "\"https://example.com/health\"",                                                 \
      .about = "What is asked for" },                                                              \
        { "method", FIELD_STRING, .choices = "GET HEAD", .preset = "\"GET\"", .about = "How" },    \
        { "timeout_ms",                                                                            \
          FIELD_INTEGER,                                                                           \
          .preset = "10000",                                                                       \
          .min = 100,                                                                              \
          .max = HTTP_CHECK_MS_MAX,                                                                \
          .about = "How long it may take" },                                                       \
        { "redirects",                                                                             \
          FIELD_INTEGER,                                                                           \
          .preset = "0",                                                                           \
          .min = 0,                                                                                \
          .max = HTTP_REDIRECTS_MAX,                                                               \
          .about = "How many redirects are followed" },                                            \
    {                                                                                              \
        "expect", FIELD_OBJECT, .fields = http_expect_fields,                                      \
                                .about = "What the answer has to be; a status of 2xx by itself"    \
    }

extern const field_t http_expect_fields[], http_result_fields[];

#endif
