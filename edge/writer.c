/* SPDX-License-Identifier: MPL-2.0
 *
 * writer - writes a JSON document member by member, and puts the commas
 */
#include "config.h"

#include "edge/writer.h"
#include "proto/json.h"

static void s_begin(writer_t *self, const char *key)
{
    if (self->needs_comma)
        buf_add_byte(self->out, ',');
    self->needs_comma = true;
    if (key) {
        json_add_text(self->out, key, strlen(key));
        buf_add_byte(self->out, ':');
    }
}

static void s_bracket(writer_t *self, char bracket, bool needs_comma)
{
    buf_add_byte(self->out, (uint8_t)bracket);
    self->needs_comma = needs_comma;
}

void writer_open(writer_t *self, const char *key)
{
    s_begin(self, key);
    s_bracket(self, '{', false);
}

void writer_close(writer_t *self)
{
    s_bracket(self, '}', true);
}

void writer_list(writer_t *self, const char *key)
{
    s_begin(self, key);
    s_bracket(self, '[', false);
}

void writer_close_list(writer_t *self)
{
    s_bracket(self, ']', true);
}

void writer_text(writer_t *self, const char *key, const char *text)
{
    writer_sized(self, key, text, strlen(text));
}

void writer_sized(writer_t *self, const char *key, const char *text, size_t size)
{
    s_begin(self, key);
    json_add_text(self->out, text, size);
}

void writer_flag(writer_t *self, const char *key, bool value)
{
    writer_raw(self, key, value ? "true" : "false");
}

void writer_raw(writer_t *self, const char *key, const char *json)
{
    s_begin(self, key);
    buf_add_text(self->out, json);
}

void writer_key(writer_t *self, const char *key, size_t size)
{
    s_begin(self, NULL);
    json_add_text(self->out, key, size);
    buf_add_byte(self->out, ':');
}
