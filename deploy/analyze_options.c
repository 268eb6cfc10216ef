/* SPDX-License-Identifier: MPL-2.0
 *
 * analyze_options - what `signalbox analyze` is told before the files
 */
#include "config.h"

#include <string.h>

#include "deploy/analyze_options.h"
#include "deploy/app.h"

static const char *const s_formats[] = { "text", "json", "sarif" };

static bool s_set_format(analyze_options_t *self, const char *value)
{
    for (size_t i = 0; i < COUNT_OF(s_formats); i++)
        if (strcmp(value, s_formats[i]) == 0) {
            self->format = (analyze_format_t)i;
            return true;
        }
    app_fail(0, "--format: '%s' is none of text, json, sarif", value);
    return false;
}

static bool s_set_kind(analyze_options_t *self, const char *value)
{
    const analyser_t *analyser = analyser_named(slice_literal(value));
    if (!analyser) {
        app_fail(0, "--kind: '%s' is none of n8n, node-red, asl, generic", value);
        return false;
    }
    self->analysis.kind = analyser->kind;
    return true;
}

static bool s_set_profile(analyze_options_t *self, const char *value)
{
    const analysis_profile_t *profile;
    for (size_t i = 0; (profile = analysis_profile_at(i)); i++)
        if (strcmp(value, profile->name) == 0) {
            self->analysis.profile = profile->name;
            return true;
        }
    app_fail(0, "--profile: '%s' is none of default, gate, security", value);
    return false;
}

static bool s_set_fail_on(analyze_options_t *self, const char *value)
{
    severity_t severity;
    if (strcmp(value, "none") == 0) {
        self->fail_on = ANALYZE_FAIL_ON_NONE;
        return true;
    }
    if (!severity_find(value, strlen(value), &severity)) {
        app_fail(0, "--fail-on: '%s' is none of critical, error, warning, info, none", value);
        return false;
    }
    self->fail_on = severity;
    return true;
}

static bool s_set_baseline(analyze_options_t *self, const char *value)
{
    self->baseline = value;
    return true;
}

static const struct {
    const char *name;
    bool (*set)(analyze_options_t *self, const char *value);
} s_options[] = {
    { "--format", s_set_format },     { "--kind", s_set_kind },
    { "--profile", s_set_profile },   { "--fail-on", s_set_fail_on },
    { "--baseline", s_set_baseline },
};

/* Takes `--name value` or `--name=value`; false with a sentence when it is not understood. */
static bool s_take_option(analyze_options_t *self, char **words, int left, int *used)
{
    size_t size = strcspn(words[0], "=");
    for (size_t i = 0; i < COUNT_OF(s_options); i++) {
        if (strlen(s_options[i].name) != size || memcmp(words[0], s_options[i].name, size) != 0)
            continue;
        const char *value = words[0][size] ? words[0] + size + 1 : left > 1 ? words[1] : NULL;
        *used = words[0][size] ? 1 : 2;
        if (value)
            return s_options[i].set(self, value);
        app_fail(0, "%s: a value is missing", words[0]);
        return false;
    }
    app_fail(0, "there is no option '%s'; try --help", words[0]);
    return false;
}

bool analyze_options_take(analyze_options_t *self, int *argc, char **argv)
{
    int kept = 0;
    for (int i = 0, used; i < *argc; i += used) {
        used = 1;
        if (strcmp(argv[i], "--") == 0) {
            while (++i < *argc)
                argv[kept++] = argv[i];
            break;
        }
        if (argv[i][0] != '-' || argv[i][1] == '\0')
            argv[kept++] = argv[i];
        else if (!s_take_option(self, argv + i, *argc - i, &used))
            return false;
    }
    *argc = kept;
    return true;
}
