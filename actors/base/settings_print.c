/* SPDX-License-Identifier: MPL-2.0
 *
 * settings - the tables written out: as a file, as help, as a document
 */
#include "config.h"

#include <string.h>

#include "actors/base/settings.h"
#include "actors/base/settings_table.h"

static const char *const s_origins[] = { "default", "file", "environment", "flag" };

static const char *s_type(const setting_t *row)
{
    switch (row->type) {
    case SETTING_INT:
        return "integer";
    case SETTING_BOOL:
        return "true or false";
    case SETTING_TEXT:
        break;
    }
    return row->choices ? row->choices : "text";
}

/* ZPL has no escapes: a text stands in quotes, or its ends and whatever follows a '#' would be
 * lost. */
static void s_zpl_value(const setting_value_t *value, buf_t *out)
{
    if (value->row->secret && value->text[0])
        buf_add_text(out, "\"***\"");
    else if (value->row->type == SETTING_TEXT)
        buf_printf(out, "\"%s\"", value->text);
    else
        buf_add_text(out, value->text);
}

void settings_print(const settings_t *self, buf_t *out)
{
    const settings_section_t *section = NULL;
    for (size_t i = 0; i < self->count; i++) {
        const setting_value_t *value = &self->values[i];
        if (i == 0 || value->section != section) {
            section = value->section;
            buf_printf(out, "%s%s\n", i ? "\n" : "", section->name);
        }
        buf_printf(out, "    %s = ", value->row->name);
        s_zpl_value(value, out);
        buf_printf(out, "    #  %s\n", s_origins[value->origin]);
    }
}

void settings_help(const settings_t *self, const char *section, buf_t *out)
{
    for (size_t i = 0; i < self->count; i++) {
        const setting_value_t *value = &self->values[i];
        const setting_t *row = value->row;
        if (section && strcmp(section, value->section->name) != 0)
            continue;
        int width = (int)(strlen(value->section->name) + strlen(row->name) + 1);
        buf_printf(out, "  --%s.%s%*s %s", value->section->name, row->name,
                   width < 34 ? 34 - width : 0, "", row->about);
        if (row->preset && row->preset[0])
            buf_printf(out, " [%s%s%s]", row->preset, row->unit ? " " : "",
                       row->unit ? row->unit : "");
        buf_add_text(out, "\n");
    }
}

static void s_range(const setting_t *row, buf_t *out)
{
    if (row->type == SETTING_INT)
        buf_printf(out, "%lld to %lld%s%s", (long long)row->min, (long long)row->max,
                   row->unit ? " " : "", row->unit ? row->unit : "");
    else
        buf_add_text(out, s_type(row));
}

void settings_document(const settings_t *self, buf_t *out)
{
    const settings_section_t *section = NULL;
    for (size_t i = 0; i < self->count; i++) {
        const setting_value_t *value = &self->values[i];
        const setting_t *row = value->row;
        if (i == 0 || value->section != section) {
            section = value->section;
            buf_printf(out,
                       "%s### %s\n\n| setting | default | range | what it does |\n"
                       "|---|---|---|---|\n",
                       i ? "\n" : "", section->name);
        }
        buf_printf(out, "| `%s.%s` | %s%s%s | ", value->section->name, row->name,
                   row->preset && row->preset[0] ? "`" : "",
                   row->preset && row->preset[0] ? row->preset : "none",
                   row->preset && row->preset[0] ? "`" : "");
        s_range(row, out);
        buf_printf(out, " | %s%s%s |\n", row->about, row->secret ? " Secret." : "",
                   row->reloadable ? " Reloaded on SIGHUP." : "");
    }
}
