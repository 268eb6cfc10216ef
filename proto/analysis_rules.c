/* SPDX-License-Identifier: MPL-2.0
 *
 * analysis_rules - the rows about what workflows are checked for
 */
#include "config.h"

#include "proto/analysis_fields.h"

static const field_t s_rules_request[] = {
    { "kind", FIELD_STRING, .choices = KINDS, .about = "Only rules for this kind of workflow" },
    { "category", FIELD_STRING, .choices = CATEGORIES, .about = "Only rules of this category" },
    { "severity", FIELD_STRING, .choices = SEVERITIES, .about = "Only rules of this severity" },
    { 0 },
};

#define RULE_FIELDS                                                                                \
    { "id", FIELD_STRING, .required = true, .example = "\"WF301\"",                                \
      .about = "Stable; what issues name as `rule`" },                                             \
        { "title", FIELD_STRING, .required = true, .about = "What is the case when it fires" },    \
        { "category", FIELD_STRING, .required = true, .choices = CATEGORIES,                       \
          .about = "What it puts at risk" },                                                       \
        { "severity", FIELD_STRING, .required = true, .choices = SEVERITIES,                       \
          .about = "How bad it is" },                                                              \
        { "weight",                                                                                \
          FIELD_NUMBER,                                                                            \
          .required = true,                                                                        \
          .min = 0,                                                                                \
          .max = 100,                                                                              \
          .example = "30",                                                                         \
          .about = "Points the first finding costs; each further one half of the one before" },    \
        { "kinds",                                                                                 \
          FIELD_ARRAY,                                                                             \
          .required = true,                                                                        \
          .items = FIELD_STRING,                                                                   \
          .example = "[\"n8n\"]",                                                                  \
          .about = "Kinds of workflow it applies to" },                                            \
        { "why", FIELD_STRING, .required = true, .about = "What follows from it" },                \
        { "fix", FIELD_STRING, .required = true, .about = "What to do about it" },                 \
    {                                                                                              \
        "page", FIELD_STRING, .required = true, .example = "\"docs/rules/WF301.md\"",              \
                              .about = "Its page in the documentation, with examples"              \
    }

static const field_t s_rule_fields[] = { RULE_FIELDS, { 0 } };

static const field_t s_rules_reply[] = {
    { "items", FIELD_ARRAY, .required = true, .fields = s_rule_fields, .about = "By id" },
    { 0 },
};

const method_t analysis_rules = {
    .name = "rules",
    .summary = "What workflows are checked for",
    .request = s_rules_request,
    .reply = s_rules_reply,
    READ_COMMON,
    .cache = { .ttl_s = 3600, .tags = "rules" },
    .http = { .route = "GET /v1/rules" },
};

static const field_t s_rule_request[] = {
    { "id", FIELD_STRING, .required = true, .pattern = "^[A-Z]{2}[0-9]{3}$", .example = "\"WF301\"",
      .about = "The rule" },
    { 0 },
};

const method_t analysis_rule = {
    .name = "rule",
    .summary = "One rule",
    .request = s_rule_request,
    .reply = s_rule_fields,
    .errors = analysis_missing,
    READ_COMMON,
    .cache = { .ttl_s = 3600, .tags = "rules" },
    .http = { .route = "GET /v1/rules/{id}" },
};
