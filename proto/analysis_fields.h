/* SPDX-License-Identifier: MPL-2.0
 *
 * analysis_fields - the fields that several messages of the analysis service have
 *
 * Only for proto/analysis*.c: rows are written with designated initialisers, so what they share is
 * macros.
 */
#ifndef SIGNALBOX_PROTO_ANALYSIS_FIELDS_H
#define SIGNALBOX_PROTO_ANALYSIS_FIELDS_H

#include "proto/analysis.h"
#include "proto/page.h"

#define KINDS      "n8n node-red asl generic"
#define PROFILES   "default gate security"
#define GRADES     "A B C D F"
#define SEVERITIES "critical error warning info"
#define CATEGORIES "structure reliability security performance maintainability"

#define EXAMPLE_ID       "\"019a4c1e-7b1f-7c3a-9d2e-4f5a6b7c8d9e\""
#define EXAMPLE_WORKFLOW "\"8d0f2c4e-5a6b-8c7d-9e0f-1a2b3c4d5e6f\""
#define EXAMPLE_TIME     "\"2026-01-31T08:15:00.000Z\""

#define READ_COMMON  .access = ACCESS_USER, .rate = "read", .idempotent = true, .deadline_ms = 5000
#define FOREVER(tag) .cache = { .ttl_s = 300, .vary = "account", .tags = (tag) }

#define COUNT_FIELD(field, text)                                                                   \
    {                                                                                              \
        field, FIELD_INTEGER, .required = true, .min = 0, .max = 9007199254740991, .about = (text) \
    }
#define SCORE_FIELD                                                                                \
    {                                                                                              \
        "score", FIELD_INTEGER, .required = true, .min = 0, .max = 100, .example = "72",           \
                                .about = "100 is a workflow in which nothing was found"            \
    }
#define GRADE_FIELD                                                                                \
    {                                                                                              \
        "grade", FIELD_STRING, .required = true, .choices = GRADES, .example = "\"C\"",            \
                               .about = "A from 90, B from 80, C from 65, D from 50, else F"       \
    }
#define KIND_FIELD                                                                                 \
    {                                                                                              \
        "kind", FIELD_STRING, .required = true, .choices = KINDS, .example = "\"n8n\"",            \
                              .about = "Which platform's workflow it is"                           \
    }
#define PROFILE_FIELD                                                                              \
    {                                                                                              \
        "profile", FIELD_STRING, .required = true, .choices = PROFILES, .example = "\"default\"",  \
                                 .about = "Which rules were applied"                               \
    }
#define NAME_FIELD                                                                                 \
    {                                                                                              \
        "name", FIELD_STRING, .required = true, .nullable = true, .example = "\"Morning prices\"", \
                              .about = "What the workflow is called; null when nothing says"       \
    }
#define ID_FIELD                                                                                   \
    {                                                                                              \
        "id", FIELD_STRING, .required = true, .format = "uuid", .example = EXAMPLE_ID,             \
                            .about = "The analysis"                                                \
    }
#define WORKFLOW_ID_FIELD                                                                          \
    {                                                                                              \
        "workflow_id", FIELD_STRING, .required = true, .format = "uuid",                           \
                                     .example = EXAMPLE_WORKFLOW,                                  \
                                     .about = "The workflow of which it is one version"            \
    }
#define CREATED_FIELD(text)                                                                        \
    {                                                                                              \
        "created_at", FIELD_STRING, .required = true, .format = "date-time",                       \
                                    .example = EXAMPLE_TIME, .about = (text)                       \
    }

/* What is to be analysed. */
#define SUBMISSION_FIELDS                                                                          \
    { "workflow", FIELD_ANY, .required = true,                                                     \
      .example =                                                                                   \
          "{\"name\":\"Morning prices\",\"nodes\":[{\"id\":\"start\",\"type\":\"schedule\"},"      \
          "{\"id\":\"fetch\",\"type\":\"http\",\"name\":\"Fetch prices\",\"params\":{"             \
          "\"url\":\"https://prices.example.dev/\"}}],"                                            \
          "\"edges\":[{\"from\":\"start\",\"to\":\"fetch\"}]}",                                    \
      .about = "The workflow as its platform exports it" },                                        \
        { "kind", FIELD_STRING, .choices = KINDS,                                                  \
          .about = "Which platform's workflow it is; found out from the document when left out" }, \
        { "profile", FIELD_STRING, .choices = PROFILES, .preset = "\"default\"",                   \
          .about = "Which rules apply: all; errors and critical issues only; security only" },     \
    {                                                                                              \
        "name", FIELD_STRING,                                                                      \
            .min = 1, .max = 200, .example = "\"billing/morning-prices\"",                         \
            .about = "Your own name of the workflow: analyses under one name are versions of one " \
                     "workflow. When left out, the id or else the name in the document counts"     \
    }

extern const field_t analysis_node_fields[];     /* a node, as issues name it */
extern const field_t analysis_severity_fields[]; /* issues by severity */
extern const field_t analysis_brief_fields[];    /* an analysis without its issues */

extern const error_code_t analysis_missing[]; /* NOT_FOUND */
extern const error_code_t analysis_unfit[];   /* UNPROCESSABLE */

#endif
