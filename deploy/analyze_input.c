/* SPDX-License-Identifier: MPL-2.0
 *
 * analyze_input - a file of JSON that `signalbox analyze` reads
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "actors/analysis/slice.h"
#include "deploy/analyze_input.h"
#include "proto/json.h"

#define FILE_BYTES_MAX (64u * 1024 * 1024)

static bool s_read(input_t *self, FILE *file, buf_t *text)
{
    for (size_t got = 1; got > 0 && text->size <= FILE_BYTES_MAX; text->size += got)
        got = fread(buf_reserve(text, 65536), 1, 65536, file);
    if (ferror(file))
        snprintf(self->why, sizeof self->why, "cannot be read: %s", strerror(errno));
    else if (text->size > FILE_BYTES_MAX)
        snprintf(self->why, sizeof self->why, "is larger than %u MiB", FILE_BYTES_MAX >> 20);
    else
        return true;
    return false;
}

/* A byte order mark may stand before JSON (RFC 8259, 8.1), and files from Windows have it. */
static slice_t s_without_mark(const buf_t *text)
{
    slice_t all = slice_make((const char *)text->bytes, text->size);
    return slice_starts(all, "\xef\xbb\xbf") ? slice_after(all, 3) : all;
}

static bool s_parse(input_t *self, const buf_t *text, value_limits_t limits)
{
    json_error_t error;
    value_verdict_t verdict;
    slice_t json = s_without_mark(text);
    if (!json_to_msgpack(json.text, json.size, limits, 0, &self->packed, &error)) {
        snprintf(self->why, sizeof self->why, "is no JSON, at line %u, column %u: %s", error.line,
                 error.column, json_verdict_text(error.verdict));
        return false;
    }
    self->document =
        value_parse(&self->arena, self->packed.bytes, self->packed.size, limits, &verdict);
    insist(self->document);
    return true;
}

input_verdict_t input_read(input_t *self, const char *path, value_limits_t limits)
{
    buf_t text = { 0 };
    input_verdict_t verdict = INPUT_UNREAD;
    FILE *file = path ? fopen(path, "re") : stdin;
    *self = (input_t){ 0 };
    if (!file)
        snprintf(self->why, sizeof self->why, "cannot be opened: %s", strerror(errno));
    else if (s_read(self, file, &text))
        verdict = s_parse(self, &text, limits) ? INPUT_GOOD : INPUT_NO_JSON;
    if (file && path)
        fclose(file);
    buf_free(&text);
    return verdict;
}

void input_free(input_t *self)
{
    buf_free(&self->packed);
    arena_free(&self->arena);
}
