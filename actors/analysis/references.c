/* SPDX-License-Identifier: MPL-2.0
 *
 * references - which node's data an n8n expression or program reads
 */
#include "config.h"

#include "actors/analysis/references.h"

typedef struct {
    references_t *found;
    work_t *work;
    const model_t *model;
    uint32_t reader;
    bool guarded;
    uint32_t *last_reader; /* of each target: reader + 1 of the latest reference */
} gather_t;

static bool s_is_word(char letter)
{
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_' || letter == '$';
}

static const char *s_skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

/* A quoted text at `at`: its end behind the closing quote, NULL when there is none. */
static const char *s_quoted(gather_t *self, const char *at, const char *end, slice_t *name)
{
    if (at >= end || (*at != '\'' && *at != '"' && *at != '`'))
        return NULL;
    const char quote = *at++, *start = at;
    bool escaped = false;
    while (at < end && *at != quote && *at != '\n') {
        bool escape = *at == '\\' && at + 1 < end;
        escaped |= escape;
        at += escape ? 2 : 1;
    }
    if (at >= end || *at != quote)
        return NULL;
    *name = slice_make(start, (size_t)(at - start));
    if (quote == '`' && slice_has(*name, "${"))
        return NULL;
    if (escaped) {
        char *copy = arena_alloc(self->work->arena, name->size), *to = copy;
        for (const char *from = start; from < at; from++) {
            from += *from == '\\' && from + 1 < at;
            *to++ = *from;
        }
        *name = slice_make(copy, (size_t)(to - copy));
    }
    return at + 1;
}

static bool s_has_accessor(const char *at, const char *end)
{
    static const char *const accessors[] = { "item",       "first",   "last",       "all",
                                             "params",     "context", "isExecuted", "itemMatching",
                                             "pairedItem", NULL };
    at = s_skip_space(at, end);
    if (at < end && *at == '?')
        at++;
    if (at >= end || *at != '.')
        return false;
    at = s_skip_space(at + 1, end);
    const char *start = at;
    while (at < end && s_is_word(*at))
        at++;
    for (const char *const *word = accessors; *word; word++)
        if (slice_is(slice_make(start, (size_t)(at - start)), *word))
            return true;
    return false;
}

static void s_add(gather_t *self, slice_t name)
{
    references_t *found = self->found;
    uint32_t target = model_find(self->model, name);
    if (target != NODE_NONE) {
        if (self->last_reader[target] == self->reader + 1)
            return;
        self->last_reader[target] = self->reader + 1;
    }
    found->list =
        work_grow(self->work, found->list, found->count, &found->room, sizeof *found->list);
    found->list[found->count++] = (reference_t){
        .reader = self->reader, .target = target, .name = name, .guarded = self->guarded
    };
}

/* `at` is behind a "$" that begins a word; returns where to go on. */
static const char *s_dollar(gather_t *self, const char *at, const char *end)
{
    const slice_t rest = slice_make(at, (size_t)(end - at));
    const char *next;
    slice_t name;

    if (slice_starts(rest, "(")) {
        next = s_quoted(self, s_skip_space(at + 1, end), end, &name);
        if (!next)
            return at;
        next = s_skip_space(next, end);
        if (next < end && *next == ')' && s_has_accessor(next + 1, end))
            s_add(self, name);
        return next;
    }
    if (slice_starts(rest, "items(") || slice_starts(rest, "node[")) {
        bool items = *at == 'i';
        next = s_quoted(self, s_skip_space(at + (items ? 6 : 5), end), end, &name);
        if (!next)
            return at;
        next = s_skip_space(next, end);
        if (next < end && (*next == (items ? ')' : ']') || (items && *next == ',')))
            s_add(self, name);
        return next;
    }
    if (slice_starts(rest, "node.")) {
        const char *start = at + 5;
        for (next = start; next < end && s_is_word(*next);)
            next++;
        if (next > start)
            s_add(self, slice_make(start, (size_t)(next - start)));
        return next;
    }
    return at;
}

static const char *s_skip_comment(const char *at, const char *start, const char *end)
{
    /* "https://" is no comment */
    if (at + 1 >= end || (at > start && at[-1] == ':'))
        return at + 1;
    if (at[1] == '/') {
        const char *line = memchr(at, '\n', (size_t)(end - at));
        return line ? line : end;
    }
    if (at[1] == '*') {
        const char *close = memmem(at + 2, (size_t)(end - at) - 2, "*/", 2);
        return close ? close + 2 : end;
    }
    return at + 1;
}

static void s_scan_program(gather_t *self, slice_t text)
{
    const char *at = text.text, *start = at, *end = at + text.size;
    while (at < end) {
        if (*at == '/')
            at = s_skip_comment(at, start, end);
        else if (*at == '$' && (at == start || (!s_is_word(at[-1]) && at[-1] != '.')))
            at = s_dollar(self, at + 1, end);
        else
            at++;
    }
}

/* In an expression only what stands in double braces is a program. */
static void s_scan_expression(gather_t *self, slice_t text)
{
    const char *open;
    while ((open = slice_find(text, "{{"))) {
        slice_t rest = slice_after(text, (size_t)(open - text.text) + 2);
        const char *close = slice_find(rest, "}}");
        if (!close)
            return;
        s_scan_program(self, slice_make(rest.text, (size_t)(close - rest.text)));
        text = slice_after(rest, (size_t)(close - rest.text) + 2);
    }
}

static void s_scan(gather_t *self, const text_t *text)
{
    if (!(text->flags & TEXT_DOLLAR) || !(text->flags & (TEXT_CODE | TEXT_EXPRESSION)))
        return;
    self->work->steps += text->text.size / 8;
    if (slice_has(text->text, "cheerio") || slice_has_folded(text->text, "jquery"))
        return;
    self->guarded = slice_has(text->text, "isExecuted") || slice_has(text->text, "try {") ||
                    slice_has(text->text, "try{");
    if (text->flags & TEXT_CODE)
        s_scan_program(self, text->text);
    else
        s_scan_expression(self, text->text);
}

void references_gather(references_t *self, work_t *work, const model_t *model, const texts_t *texts)
{
    gather_t gather = {
        .found = self,
        .work = work,
        .model = model,
        .last_reader = arena_array(work->arena, model->node_count, sizeof(uint32_t)),
    };
    const text_t *text;

    *self = (references_t){ 0 };
    for (gather.reader = 0; gather.reader < model->node_count; gather.reader++)
        for (uint32_t i = 0; (text = texts_of(texts, gather.reader, i)); i++)
            s_scan(&gather, text);
}
