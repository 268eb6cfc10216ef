/* SPDX-License-Identifier: MPL-2.0
 *
 * command_log - from which severity on parts log, seen and changed while they run
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <uthash.h>

#include "actors/base/clock.h"
#include "actors/base/id.h"
#include "actors/base/log.h"
#include "actors/base/monitor.h"
#include "actors/base/text.h"
#include "deploy/app.h"
#include "deploy/cell.h"
#include "proto/levels.h"
#include "proto/topic.h"
#include "proto/value.h"

#define QUIET_MS  400  /* nobody new has answered for so long: that was everybody */
#define MOST_MS   5000 /* nobody is waited for longer */
#define REPEAT_MS 100  /* asked again: an answer may have come before we could hear it */

typedef struct {
    const char *part, *level; /* NULL: all; nothing is changed */
    int64_t for_s;
} options_t;

/* One part of one process, which may answer several times. */
typedef struct {
    UT_hash_handle hh;
    char level[8];
    bool is_own;
    int64_t left_s;
    char key[]; /* the part, a tab, the process */
} row_t;

typedef struct {
    char id[ID_UUID_SIZE];
    const options_t *options;
    monitor_t monitor; /* locks what follows; woken when there is news */
    row_t *rows;
    uint64_t news_ms; /* when somebody new was heard last; 0: never */
} hearing_t;

/* ---- what is answered ----------------------------------------------------------------------- */

static void s_note(hearing_t *self, const value_t *part, const value_t *process)
{
    char key[2 * CELL_SIZE], name[CELL_SIZE], of[CELL_SIZE], level[CELL_SIZE];
    row_t *row;
    cell_text(value_get(part, "part"), name);
    cell_text(value_get(part, "level"), level);
    if (!name[0] || !level[0])
        return;
    const int size = snprintf(key, sizeof key, "%s\t%s", name, cell_text(process, of));
    HASH_FIND(hh, self->rows, key, (size_t)size, row);
    if (!row) {
        row = mem_zeroed(sizeof *row + (size_t)size + 1);
        memcpy(row->key, key, (size_t)size);
        HASH_ADD(hh, self->rows, key, (unsigned)size, row);
        self->news_ms = clock_ms();
    }
    text_copy(row->level, sizeof row->level, level, strlen(level));
    row->is_own = value_get_bool(part, "own", false);
    row->left_s = value_get_int(part, "left_s", 0);
}

static void s_on_levels(void *arg, const client_event_t *event)
{
    hearing_t *self = arg;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    const value_t *part,
        *map = value_parse(&arena, event->body, event->size, VALUE_LIMITS, &verdict);
    monitor_lock(&self->monitor);
    if (value_is(value_get(map, "id"), self->id))
        for (uint32_t i = 0; (part = value_item(value_get(map, "parts"), i)); i++)
            s_note(self, part, value_get(map, "process"));
    monitor_wake(&self->monitor);
    monitor_unlock(&self->monitor);
    arena_free(&arena);
}

/* ---- asking --------------------------------------------------------------------------------- */

static void s_ask(client_t *client, const hearing_t *self)
{
    const options_t *options = self->options;
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack,
             1 + (size_t)(options->part != NULL) + (options->level != NULL) + (options->for_s > 0));
    pack_pair_text(&pack, "id", self->id);
    if (options->part)
        pack_pair_text(&pack, "part", options->part);
    if (options->level)
        pack_pair_text(&pack, "level", options->level);
    if (options->for_s)
        pack_pair_int(&pack, "for_s", options->for_s);
    client_publish(client, topic_row(TOPIC_LOG_CONTROL)->prefix, false, &body);
}

static bool s_goes_on(const hearing_t *self, uint64_t began_ms, uint64_t now_ms)
{
    return now_ms - began_ms < MOST_MS && (!self->news_ms || now_ms - self->news_ms < QUIET_MS);
}

/* Asks again and again until nobody new has answered for a while. */
static void s_gather(client_t *client, hearing_t *self)
{
    const uint64_t began_ms = clock_ms();
    monitor_lock(&self->monitor);
    for (uint64_t now_ms = began_ms, ask_ms = began_ms; s_goes_on(self, began_ms, now_ms);
         now_ms = clock_ms()) {
        if (now_ms >= ask_ms) {
            s_ask(client, self);
            ask_ms = now_ms + REPEAT_MS;
        }
        monitor_wait_until(&self->monitor, ask_ms);
    }
    monitor_unlock(&self->monitor);
}

/* ---- the answer ----------------------------------------------------------------------------- */

static int s_compare(const row_t *a, const row_t *b)
{
    return strcmp(a->key, b->key);
}

static void s_print(const row_t *row)
{
    char how[48] = "configured";
    const char *tab = strchr(row->key, '\t');
    if (row->is_own && row->left_s)
        snprintf(how, sizeof how, "for %lld s", (long long)row->left_s);
    else if (row->is_own)
        snprintf(how, sizeof how, "until it ends");
    printf("%-12.*s %-6s %-14s %s\n", (int)(tab - row->key), row->key, row->level, how, tab + 1);
}

static bool s_is_wanted(const options_t *options, const row_t *row)
{
    const size_t size = options->part ? strlen(options->part) : 0;
    return !options->part ||
           (strncmp(row->key, options->part, size) == 0 && row->key[size] == '\t');
}

static int s_tell(hearing_t *self)
{
    size_t count = 0;
    HASH_SORT(self->rows, s_compare);
    for (const row_t *row = self->rows; row; row = row->hh.next) {
        if (!s_is_wanted(self->options, row))
            continue;
        if (count++ == 0)
            printf("%-12s %-6s %-14s %s\n", "PART", "LEVEL", "SET", "PROCESS");
        s_print(row);
    }
    if (!self->rows)
        return app_fail(APP_EXIT_FAILED, "nobody has answered");
    if (!count)
        return app_fail(APP_EXIT_FAILED,
                        "nobody plays the part '%s'; `signalbox log-level` lists all",
                        self->options->part);
    return APP_EXIT_OK;
}

static void s_free(hearing_t *self)
{
    row_t *row, *next;
    HASH_ITER(hh, self->rows, row, next)
    {
        HASH_DELETE(hh, self->rows, row);
        mem_free(row);
    }
    monitor_free(&self->monitor);
}

static int s_run_options(app_t *app, const options_t *options)
{
    hearing_t hearing = { .options = options };
    void *context = app_context();
    id_uuid7(hearing.id);
    monitor_init(&hearing.monitor);
    client_t *client = app_connect(app, context);
    if (client) {
        client_subscribe(client, topic_row(TOPIC_LOG_LEVELS)->prefix, s_on_levels, &hearing);
        s_gather(client, &hearing);
    }
    int status = client ? APP_EXIT_OK : APP_EXIT_FAILED;
    client_destroy(&client); /* nobody else writes to the rows any more */
    zmq_ctx_term(context);
    if (status == APP_EXIT_OK)
        status = s_tell(&hearing);
    s_free(&hearing);
    return status;
}

/* ---- the command ---------------------------------------------------------------------------- */

/* "90s", "10m", "2h"; without a letter, seconds. */
static bool s_read_duration(const char *text, int64_t *seconds)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 } };
    size_t size = strlen(text);
    int64_t unit = 1;
    for (size_t i = 0; size && i < COUNT_OF(units); i++)
        if (text[size - 1] == units[i].letter) {
            unit = units[i].seconds;
            size--;
            break;
        }
    return text_to_i64(text, size, seconds) && *seconds > 0 &&
           *seconds <= LEVELS_FOR_MAX_S / unit && (*seconds *= unit, true);
}

static bool s_is_level(const char *word)
{
    log_level_t level;
    return strcmp(word, "default") == 0 || log_level_parse(word, &level);
}

static int s_run_log_level(app_t *app, int argc, char **argv)
{
    options_t options = { 0 };
    for (int i = 0; i < argc; i++) {
        if (text_starts(argv[i], "--for=")) {
            if (!s_read_duration(strchr(argv[i], '=') + 1, &options.for_s))
                return app_fail(APP_EXIT_USAGE, "say how long as 90s, 10m or 2h, a week at most");
        } else if (text_starts(argv[i], "--") || options.level) {
            return app_misunderstood(argv[i]);
        } else if (s_is_level(argv[i])) {
            options.level = argv[i];
        } else if (!options.part) {
            options.part = argv[i];
        } else {
            return app_fail(APP_EXIT_USAGE, "'%s' is no level: debug, info, warn, error, default",
                            argv[i]);
        }
    }
    if (options.for_s && (!options.level || strcmp(options.level, "default") == 0))
        return app_fail(APP_EXIT_USAGE, "--for goes with a level");
    return s_run_options(app, &options);
}

static const char *const s_sections[] = { "bus", NULL };

const command_t command_log_level = {
    .name = "log-level",
    .arguments = "[PART] [LEVEL] [--for=DURATION]",
    .about = "Shows from which severity on the parts log, or changes it while they run",
    .help = "  PART             one part, such as edge, broker or limiter [all]\n"
            "  LEVEL            debug, info, warn, error; default ends what was changed\n"
            "  --for=DURATION   ends by itself after 90s, 10m, 2h [when the process ends]",
    .sections = s_sections,
    .run = s_run_log_level,
};
