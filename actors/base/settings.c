/* SPDX-License-Identifier: MPL-2.0
 *
 * settings - reading and validating; the outputs are in settings_print.c
 */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <czmq.h>

#include "actors/base/settings.h"
#include "actors/base/settings_table.h"
#include "actors/base/text.h"

#define SETTINGS_TEXT_BYTES    4096
#define SETTINGS_FILE_BYTES    (1024 * 1024)
#define SETTINGS_ENVIRONMENT   "SIGNALBOX_"
#define SETTINGS_NEAR_ENOUGH   3 /* edits within which "did you mean" is a help */
#define SETTINGS_SECRET_SUFFIX "_file"
#define SETTINGS_NAME_BYTES    128

/* Whether a value is being taken over for the first time, or again while the process runs. */
typedef enum { PASS_START, PASS_RELOAD } pass_t;

static bool s_problem(buf_t *problems, const char *format, ...) PRINTF_LIKE(2, 3);

static bool s_problem(buf_t *problems, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    buf_add_text(problems, line);
    buf_add_text(problems, "\n");
    return false;
}

static void *s_field(const setting_value_t *value)
{
    return (char *)value->section->target + value->row->offset;
}

static bool s_is_choice(const char *choices, const char *text)
{
    size_t size = strlen(text);
    for (const char *at = choices; *at;) {
        size_t length = strcspn(at, " ");
        if (length == size && memcmp(at, text, size) == 0)
            return true;
        at += length + (at[length] == ' ');
    }
    return false;
}

static bool s_parse_bool(const char *text, bool *value)
{
    static const char *const words[][2] = {
        { "false", "true" }, { "0", "1" }, { "no", "yes" }, { "off", "on" }
    };
    for (size_t i = 0; i < COUNT_OF(words); i++)
        for (int truth = 0; truth < 2; truth++)
            if (strcasecmp(text, words[i][truth]) == 0) {
                *value = truth;
                return true;
            }
    return false;
}

/* Checks `text` against the row and, when it is good, stores it in the part's struct. */
static bool s_store(settings_t *self, setting_value_t *value, const char *text,
                    setting_origin_t origin, buf_t *problems)
{
    const setting_t *row = value->row;
    const char *section = value->section->name;
    int64_t number = 0;
    bool truth = false;

    switch (row->type) {
    case SETTING_INT:
        if (!text_to_i64(text, strlen(text), &number) || number < row->min || number > row->max)
            return s_problem(problems, "%s.%s: '%.64s' is not a whole number from %lld to %lld",
                             section, row->name, row->secret ? "***" : text, (long long)row->min,
                             (long long)row->max);
        break;
    case SETTING_BOOL:
        if (!s_parse_bool(text, &truth))
            return s_problem(problems, "%s.%s: '%.64s' is neither true nor false", section,
                             row->name, text);
        break;
    case SETTING_TEXT:
        if (strlen(text) > (row->max ? (size_t)row->max : SETTINGS_TEXT_BYTES))
            return s_problem(problems, "%s.%s: longer than %lld bytes", section, row->name,
                             (long long)(row->max ? row->max : SETTINGS_TEXT_BYTES));
        if (row->choices && !s_is_choice(row->choices, text))
            return s_problem(problems, "%s.%s: '%.64s' is none of: %s", section, row->name, text,
                             row->choices);
        break;
    }

    char *copy = mem_strdup(text);
    if (value->text) {
        self->retired =
            mem_resize(self->retired, (self->retired_count + 1) * sizeof *self->retired);
        self->retired[self->retired_count++] = value->text;
    }
    value->text = copy;
    value->origin = origin;
    switch (row->type) {
    case SETTING_INT:
        __atomic_store_n((int64_t *)s_field(value), number, __ATOMIC_RELAXED);
        break;
    case SETTING_BOOL:
        __atomic_store_n((bool *)s_field(value), truth, __ATOMIC_RELAXED);
        break;
    case SETTING_TEXT:
        __atomic_store_n((const char **)s_field(value), copy, __ATOMIC_RELEASE);
        break;
    }
    return true;
}

settings_t *settings_new(const settings_section_t *sections)
{
    settings_t *self = mem_zeroed(sizeof *self);
    for (const settings_section_t *section = sections; section->name; section++)
        for (const setting_t *row = section->rows; row->name; row++)
            self->count++;
    self->values = mem_array(self->count, sizeof *self->values);

    size_t i = 0;
    buf_t problems = { 0 };
    for (const settings_section_t *section = sections; section->name; section++)
        for (const setting_t *row = section->rows; row->name; row++, i++) {
            self->values[i] = (setting_value_t){ .section = section, .row = row };
            if (!s_store(self, &self->values[i], row->preset ? row->preset : "", ORIGIN_DEFAULT,
                         &problems))
                die("a default breaks its own bounds: %s", buf_text(&problems));
        }
    buf_free(&problems);
    return self;
}

void settings_destroy(settings_t **self_p)
{
    settings_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        mem_free(self->values[i].text);
    for (size_t i = 0; i < self->retired_count; i++)
        mem_free(self->retired[i]);
    mem_free(self->retired);
    mem_free(self->values);
    mem_free(self->path);
    mem_free(self);
}

/* The value named "section.name"; `*from_file` when the name is that of a secret with "_file". */
static setting_value_t *s_find(const settings_t *self, const char *name, bool *from_file)
{
    char full[SETTINGS_NAME_BYTES];
    for (size_t i = 0; i < self->count; i++) {
        setting_value_t *value = &self->values[i];
        snprintf(full, sizeof full, "%s.%s", value->section->name, value->row->name);
        *from_file = false;
        if (strcmp(full, name) == 0)
            return value;
        *from_file = true;
        if (value->row->secret && text_starts(name, full) &&
            strcmp(name + strlen(full), SETTINGS_SECRET_SUFFIX) == 0)
            return value;
    }
    return NULL;
}

bool settings_knows(const settings_t *self, const char *name)
{
    bool from_file;
    return s_find(self, name, &from_file) != NULL;
}

static bool s_unknown(const settings_t *self, const char *name, const char *source, buf_t *problems)
{
    char full[SETTINGS_NAME_BYTES], nearest[SETTINGS_NAME_BYTES] = "";
    unsigned best = SETTINGS_NEAR_ENOUGH + 1;
    for (size_t i = 0; i < self->count; i++) {
        snprintf(full, sizeof full, "%s.%s", self->values[i].section->name,
                 self->values[i].row->name);
        unsigned distance = text_distance(name, full);
        if (distance < best) {
            best = distance;
            memcpy(nearest, full, sizeof nearest);
        }
    }
    if (nearest[0])
        return s_problem(problems, "%s: there is no setting '%.100s'; did you mean '%s'?", source,
                         name, nearest);
    return s_problem(problems, "%s: there is no setting '%.100s'; `signalbox config` lists all",
                     source, name);
}

static char *s_read_secret(const char *path, buf_t *problems, const char *name)
{
    char line[SETTINGS_TEXT_BYTES + 2];
    FILE *file = fopen(path, "re");
    if (!file) {
        s_problem(problems, "%s: cannot read '%.200s': %s", name, path, strerror(errno));
        return NULL;
    }
    size_t size = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    while (size && (line[size - 1] == '\n' || line[size - 1] == '\r'))
        size--;
    char *text = mem_text(line, size);
    mem_wipe(line, sizeof line);
    return text;
}

static bool s_take(settings_t *self, const char *name, const char *text, setting_origin_t origin,
                   pass_t pass, const char *source, buf_t *problems)
{
    bool from_file;
    setting_value_t *value = s_find(self, name, &from_file);
    if (!value)
        return s_unknown(self, name, source, problems);
    /* a reload reads the file only: what environment or flags have set keeps winning */
    if (pass == PASS_RELOAD && value->origin > origin)
        return true;

    char *secret = NULL;
    if (from_file) {
        secret = s_read_secret(text, problems, name);
        if (!secret)
            return false;
        text = secret;
    }
    bool good = true;
    if (pass == PASS_RELOAD && strcmp(value->text, text) != 0 && !value->row->reloadable)
        good = s_problem(problems, "%s: a change takes effect after a restart only", name);
    else if (pass == PASS_START || strcmp(value->text, text) != 0)
        good = s_store(self, value, text, origin, problems);
    if (secret) {
        mem_wipe(secret, strlen(secret));
        mem_free(secret);
    }
    return good;
}

static bool s_read_zpl(settings_t *self, const char *path, pass_t pass, buf_t *problems)
{
    /* czmq would install handlers of its own for SIGINT and SIGTERM when it first logs */
    zsys_handler_set(NULL);
    FILE *file = fopen(path, "re");
    if (!file)
        return s_problem(problems, "cannot read '%.200s': %s", path, strerror(errno));
    char *text = mem_alloc(SETTINGS_FILE_BYTES + 1);
    size_t size = fread(text, 1, SETTINGS_FILE_BYTES + 1, file);
    fclose(file);
    if (size > SETTINGS_FILE_BYTES || memchr(text, '\0', size)) {
        mem_free(text);
        return s_problem(problems, "'%.200s' is not a ZPL text file of at most 1 MiB", path);
    }
    text[size] = '\0';
    zconfig_t *root = zconfig_str_load(text);
    mem_free(text);
    if (!root)
        return s_problem(problems,
                         "'%.200s' is not ZPL: a section is a line 'name', its settings "
                         "stand below it as '    name = value', indented by four spaces",
                         path);
    bool good = true;
    for (zconfig_t *section = zconfig_child(root); section; section = zconfig_next(section))
        for (zconfig_t *row = zconfig_child(section); row; row = zconfig_next(row)) {
            char name[SETTINGS_NAME_BYTES];
            snprintf(name, sizeof name, "%s.%s", zconfig_name(section), zconfig_name(row));
            const char *value = zconfig_value(row);
            good &= s_take(self, name, value ? value : "", ORIGIN_FILE, pass, path, problems);
        }
    zconfig_destroy(&root);
    return good;
}

bool settings_read_file(settings_t *self, const char *path, buf_t *problems)
{
    mem_free(self->path);
    self->path = mem_strdup(path);
    return s_read_zpl(self, path, PASS_START, problems);
}

bool settings_reload(settings_t *self, buf_t *problems)
{
    return !self->path || s_read_zpl(self, self->path, PASS_RELOAD, problems);
}

bool settings_read_environment(settings_t *self, char *const *environment, buf_t *problems)
{
    bool good = true;
    for (char *const *at = environment; *at; at++) {
        const char *equals = strchr(*at, '=');
        if (!equals || !text_starts(*at, SETTINGS_ENVIRONMENT) ||
            text_starts(*at, SETTINGS_ENVIRONMENT "CONFIG="))
            continue;
        /* EDGE_ALLOW_ANONYMOUS: no section's name has a '_', so the first one is the dot */
        char name[SETTINGS_NAME_BYTES];
        const char *from = *at + strlen(SETTINGS_ENVIRONMENT);
        text_copy(name, sizeof name, from, (size_t)(equals - from));
        for (char *c = name; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        char *underscore = strchr(name, '_');
        if (underscore)
            *underscore = '.';
        good &=
            s_take(self, name, equals + 1, ORIGIN_ENVIRONMENT, PASS_START, "environment", problems);
    }
    return good;
}

bool settings_read_flag(settings_t *self, const char *name, const char *value, buf_t *problems)
{
    return s_take(self, name, value, ORIGIN_FLAG, PASS_START, "command line", problems);
}
