/* SPDX-License-Identifier: MPL-2.0
 *
 * catalog_generic - the words a generic graph may use as types
 *
 * Each class has a few plain words, in lower case. Any other type is fine too; rules about what a
 * node does then leave it alone.
 */
#include "config.h"

#include "actors/analysis/catalog.h"

static const catalog_row_t s_unknown = { .class = CLASS_OTHER, .traits = NODE_UNKNOWN };

static const catalog_row_t s_rows[] = {
    { .type = "agent", .class = CLASS_MODEL },
    { .type = "ai", .class = CLASS_MODEL },
    { .type = "api", .class = CLASS_HTTP },
    { .type = "app", .class = CLASS_APP },
    { .type = "approval", .class = CLASS_WAIT },
    { .type = "assign", .class = CLASS_TRANSFORM },
    { .type = "batch", .class = CLASS_LOOP },
    { .type = "branch", .class = CLASS_BRANCH, .more_outputs = 1 },
    { .type = "call", .class = CLASS_SUBFLOW },
    { .type = "catch", .class = CLASS_CATCH },
    { .type = "choice", .class = CLASS_SWITCH, .more_outputs = CATALOG_OUTPUTS_VARY },
    { .type = "code", .class = CLASS_CODE },
    { .type = "command", .class = CLASS_COMMAND },
    { .type = "comment", .class = CLASS_COMMENT },
    { .type = "condition", .class = CLASS_BRANCH, .more_outputs = 1 },
    { .type = "cron", .class = CLASS_TRIGGER, .traits = NODE_SCHEDULE },
    { .type = "database", .class = CLASS_DATABASE },
    { .type = "db", .class = CLASS_DATABASE },
    { .type = "decision", .class = CLASS_BRANCH, .more_outputs = 1 },
    { .type = "delay", .class = CLASS_WAIT },
    { .type = "email", .class = CLASS_SEND },
    { .type = "end", .class = CLASS_STOP },
    { .type = "error", .class = CLASS_CATCH },
    { .type = "event", .class = CLASS_TRIGGER },
    { .type = "exec", .class = CLASS_COMMAND },
    { .type = "fail", .class = CLASS_STOP },
    { .type = "file", .class = CLASS_FILE },
    { .type = "filter", .class = CLASS_FILTER },
    { .type = "finish", .class = CLASS_STOP },
    { .type = "foreach", .class = CLASS_LOOP },
    { .type = "fork", .class = CLASS_SPLIT },
    { .type = "format", .class = CLASS_TRANSFORM },
    { .type = "function", .class = CLASS_CODE },
    { .type = "http", .class = CLASS_HTTP },
    { .type = "http_request", .class = CLASS_HTTP },
    { .type = "if", .class = CLASS_BRANCH, .more_outputs = 1 },
    { .type = "join", .class = CLASS_MERGE },
    { .type = "limit", .class = CLASS_LIMIT },
    { .type = "llm", .class = CLASS_MODEL },
    { .type = "loop", .class = CLASS_LOOP },
    { .type = "mail", .class = CLASS_SEND },
    { .type = "manual", .class = CLASS_TRIGGER, .traits = NODE_MANUAL },
    { .type = "map", .class = CLASS_LOOP },
    { .type = "merge", .class = CLASS_MERGE },
    { .type = "message", .class = CLASS_SEND },
    { .type = "model", .class = CLASS_MODEL },
    { .type = "noop", .class = CLASS_TRANSFORM },
    { .type = "note", .class = CLASS_COMMENT },
    { .type = "notify", .class = CLASS_SEND },
    { .type = "parallel", .class = CLASS_SPLIT },
    { .type = "pass", .class = CLASS_TRANSFORM },
    { .type = "pause", .class = CLASS_WAIT },
    { .type = "publish", .class = CLASS_SEND },
    { .type = "query", .class = CLASS_DATABASE },
    { .type = "queue", .class = CLASS_SEND },
    { .type = "reply", .class = CLASS_RESPOND },
    { .type = "request", .class = CLASS_HTTP },
    { .type = "respond", .class = CLASS_RESPOND },
    { .type = "response", .class = CLASS_RESPOND },
    { .type = "rest", .class = CLASS_HTTP },
    { .type = "router", .class = CLASS_SWITCH, .more_outputs = CATALOG_OUTPUTS_VARY },
    { .type = "schedule", .class = CLASS_TRIGGER, .traits = NODE_SCHEDULE },
    { .type = "script", .class = CLASS_CODE },
    { .type = "send", .class = CLASS_SEND },
    { .type = "service", .class = CLASS_APP },
    { .type = "set", .class = CLASS_TRANSFORM },
    { .type = "shell", .class = CLASS_COMMAND },
    { .type = "sleep", .class = CLASS_WAIT },
    { .type = "sms", .class = CLASS_SEND },
    { .type = "split", .class = CLASS_SPLIT },
    { .type = "sql", .class = CLASS_DATABASE },
    { .type = "ssh", .class = CLASS_COMMAND },
    { .type = "start", .class = CLASS_TRIGGER },
    { .type = "stop", .class = CLASS_STOP },
    { .type = "subflow", .class = CLASS_SUBFLOW },
    { .type = "subworkflow", .class = CLASS_SUBFLOW },
    { .type = "succeed", .class = CLASS_STOP },
    { .type = "switch", .class = CLASS_SWITCH, .more_outputs = CATALOG_OUTPUTS_VARY },
    { .type = "task", .class = CLASS_APP },
    { .type = "timer", .class = CLASS_TRIGGER, .traits = NODE_SCHEDULE },
    { .type = "transform", .class = CLASS_TRANSFORM },
    { .type = "trigger", .class = CLASS_TRIGGER },
    { .type = "wait", .class = CLASS_WAIT },
    { .type = "webhook", .class = CLASS_TRIGGER, .traits = NODE_PUBLIC },
};

const catalog_t catalog_generic = { s_rows, COUNT_OF(s_rows) };

const catalog_row_t *catalog_generic_type(slice_t type)
{
    const catalog_row_t *row = catalog_find(&catalog_generic, type);
    return row ? row : &s_unknown;
}
