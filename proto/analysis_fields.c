/* SPDX-License-Identifier: MPL-2.0
 *
 * analysis_fields - the fields that several messages of the analysis service have
 */
#include "config.h"

#include "proto/analysis_fields.h"

const error_code_t analysis_missing[] = { ERROR_NOT_FOUND, ERROR_NONE };
const error_code_t analysis_unfit[] = { ERROR_UNPROCESSABLE, ERROR_NONE };

const field_t analysis_severity_fields[] = {
    COUNT_FIELD("critical", "Critical issues"),
    COUNT_FIELD("error", "Errors"),
    COUNT_FIELD("warning", "Warnings"),
    COUNT_FIELD("info", "Remarks"),
    { 0 },
};

const field_t analysis_node_fields[] = {
    { "id", FIELD_STRING, .required = true, .about = "The node's id in the workflow" },
    { "name", FIELD_STRING, .required = true, .example = "\"Fetch prices\"",
      .about = "What the node is called" },
    { "type", FIELD_STRING, .required = true, .example = "\"n8n-nodes-base.httpRequest\"",
      .about = "The platform's type of node" },
    { 0 },
};

const field_t analysis_brief_fields[] = {
    ID_FIELD,
    WORKFLOW_ID_FIELD,
    NAME_FIELD,
    CREATED_FIELD("When the workflow was first submitted like this"),
    KIND_FIELD,
    PROFILE_FIELD,
    SCORE_FIELD,
    GRADE_FIELD,
    COUNT_FIELD("nodes", "Nodes that run"),
    COUNT_FIELD("wires", "Connections between nodes"),
    { "by_severity", FIELD_OBJECT, .required = true, .fields = analysis_severity_fields,
      .about = "Issues by severity" },
    { 0 }
};
