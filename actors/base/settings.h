/* SPDX-License-Identifier: MPL-2.0
 *
 * settings - every part declares its settings once, as a table
 *
 * A row says name, type, default, bounds, unit and what it is for. From the rows come parsing,
 * validation, `--help`, the listing of `signalbox config`, the sample file and the tables in
 * docs/configuration.md. Values are taken from, weakest first: the default, the ZPL file (ZeroMQ
 * RFC 4, read by czmq's zconfig), the environment (SIGNALBOX_EDGE_PORT), flags (--edge.port 8080).
 *
 * All problems are reported at once, each with the nearest right name, before a socket is opened.
 * A secret may also be given as `<name>_file`, the path of a file that holds it.
 */
#ifndef SIGNALBOX_SETTINGS_H
#define SIGNALBOX_SETTINGS_H

#include "actors/base/base.h"
#include "actors/base/buf.h"

/* The type of the field that `offset` names in the part's struct. */
typedef enum {
    SETTING_INT,  /* int64_t */
    SETTING_BOOL, /* bool */
    SETTING_TEXT, /* const char *, owned by the settings, "" when not set */
} setting_type_t;

typedef struct {
    const char *name;
    setting_type_t type;
    size_t offset;       /* of the field in the part's struct */
    const char *preset;  /* default, as a user would write it */
    int64_t min, max;    /* of an integer, or of a text's length in bytes (0 = 4096) */
    const char *unit;    /* "ms", "bytes", "threads"; NULL when it has none */
    const char *choices; /* the words a text may be, separated by spaces; NULL for any */
    bool reloadable;     /* SIGHUP takes it over without a restart */
    bool secret;         /* masked in every output */
    const char *about;   /* one sentence */
} setting_t;

/* One part's table and the struct it fills. */
typedef struct {
    const char *name; /* "edge" */
    const setting_t *rows;
    void *target;
} settings_section_t;

typedef struct settings settings_t;

/* `sections` ends with an empty one; the rows live as long as the settings. All targets hold their
 * defaults afterwards. */
settings_t *settings_new(const settings_section_t *sections);

/* Frees everything, the texts in the targets included. */
void settings_destroy(settings_t **self_p);

/* Takes over a ZPL file. Adds a line to `problems` for each problem; true when there were none. */
bool settings_read_file(settings_t *self, const char *path, buf_t *problems) MUST_CHECK;

/* Takes over every SIGNALBOX_* variable; SIGNALBOX_CONFIG, the path of the file, is left alone. */
bool settings_read_environment(settings_t *self, char *const *environment,
                               buf_t *problems) MUST_CHECK;

/* Takes over one `--section.name value`; `name` is without the dashes. */
bool settings_read_flag(settings_t *self, const char *name, const char *value,
                        buf_t *problems) MUST_CHECK;

/* Whether `name` ("edge.port") is a setting. */
bool settings_knows(const settings_t *self, const char *name);

/* Reads the same file again and takes over what is reloadable; other changes are problems that say
 * a restart is needed. Texts replaced stay valid until the end. */
bool settings_reload(settings_t *self, buf_t *problems) MUST_CHECK;

/* The effective configuration as a ZPL file with the origin of every value; secrets masked. */
void settings_print(const settings_t *self, buf_t *out);

/* The flags of one section ("edge"), or of all when `section` is NULL, for --help. */
void settings_help(const settings_t *self, const char *section, buf_t *out);

/* The Markdown tables of docs/configuration.md. */
void settings_document(const settings_t *self, buf_t *out);

#endif
