/* SPDX-License-Identifier: MPL-2.0
 *
 * db_params - turns the $name parameters of a statement into PostgreSQL's $1, $2, ...
 */
#include "config.h"

#include <string.h>

#include "actors/runtime/db_params.h"

static bool s_begins_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80);
}

static bool s_continues_name(char c)
{
    return s_begins_name(c) || (c >= '0' && c <= '9');
}

/* Behind the closing quote; a doubled quote does not close. */
static const char *s_skip_quoted(const char *at, char quote, bool backslash)
{
    for (at++; *at; at++) {
        bool is_escape = backslash && *at == '\\' && at[1];
        if (is_escape || (*at == quote && at[1] == quote))
            at++;
        else if (*at == quote)
            return at + 1;
    }
    return at;
}

/* Comments nest. */
static const char *s_skip_comment(const char *at)
{
    size_t depth = 0;
    do {
        if (at[0] == '/' && at[1] == '*') {
            depth++;
            at += 2;
        } else if (at[0] == '*' && at[1] == '/') {
            depth--;
            at += 2;
        } else if (*at) {
            at++;
        }
    } while (depth && *at);
    return at;
}

/* A name may have dollar signs inside. E'...' is the one literal that knows the backslash. */
static const char *s_skip_name(const char *at)
{
    const char *end = at;
    while (s_continues_name(*end) || *end == '$')
        end++;
    if (*end == '\'' && end - at == 1 && (*at == 'E' || *at == 'e'))
        return s_skip_quoted(end, '\'', true);
    return end;
}

static const char *s_skip_token(const char *at)
{
    if (*at == '\'' || *at == '"')
        return s_skip_quoted(at, *at, false);
    if (at[0] == '-' && at[1] == '-')
        return at + strcspn(at, "\n");
    if (at[0] == '/' && at[1] == '*')
        return s_skip_comment(at);
    if (s_begins_name(*at))
        return s_skip_name(at);
    return at + 1;
}

static size_t s_number(db_params_t *self, const char *name, size_t size)
{
    for (size_t i = 0; i < self->count; i++)
        if (strlen(self->names[i]) == size && memcmp(self->names[i], name, size) == 0)
            return i + 1;
    insist(self->count < DB_PARAMS_MAX);
    self->names[self->count++] = mem_text(name, size);
    return self->count;
}

/* At a dollar sign: a parameter, or the tag of a dollar-quoted literal. */
static const char *s_dollar(db_params_t *self, const char *at)
{
    const char *name = at + 1, *end = name;
    while (s_continues_name(*end))
        end++;
    if (*end == '$') {
        char *tag = mem_text(at, (size_t)(end + 1 - at));
        const char *close = strstr(end + 1, tag);
        const char *behind = close ? close + strlen(tag) : end + strlen(end);
        mem_free(tag);
        buf_add(&self->text, at, (size_t)(behind - at));
        return behind;
    }
    insist(s_begins_name(*name)); /* parameters have names, not numbers */
    buf_printf(&self->text, "$%zu", s_number(self, name, (size_t)(end - name)));
    return end;
}

void db_params_parse(db_params_t *self, const char *sql)
{
    *self = (db_params_t){ 0 };
    for (const char *at = sql, *next; *at; at = next) {
        if (*at == '$') {
            next = s_dollar(self, at);
        } else {
            next = s_skip_token(at);
            buf_add(&self->text, at, (size_t)(next - at));
        }
    }
}

void db_params_free(db_params_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        mem_free((char *)self->names[i]);
    buf_free(&self->text);
    *self = (db_params_t){ 0 };
}
