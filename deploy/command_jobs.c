/* SPDX-License-Identifier: MPL-2.0
 *
 * command_jobs - an operator's hands on jobs: what waits, what is dead, and running it again
 *
 * Asks the jobs service over the bus, as a part of the system and not in anybody's name.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "actors/base/text.h"
#include "deploy/app.h"
#include "proto/json.h"
#include "proto/jobs.h"

#define JOBS_DEADLINE_MS 30000
#define REPLAY_LIMIT     100 /* at once: so often the line of progress is renewed */

/* ---- calls ----------------------------------------------------------------------------------- */

/* Calls; the answer is closed by the caller. False: said why. */
static bool s_call(client_t *client, const method_t *method, buf_t *body, answer_t *answer)
{
    bool good = client_call(client,
                            &(client_request_t){ .service = jobs_service.name,
                                                 .method = method->name,
                                                 .body = body,
                                                 .deadline_ms = JOBS_DEADLINE_MS },
                            answer);
    if (!good)
        app_fail_answer(answer);
    return good;
}

static int s_show(client_t *client, const method_t *method, buf_t *body)
{
    answer_t answer;
    bool good = s_call(client, method, body, &answer);
    if (good && answer_size(&answer) > 1)
        app_print_body(answer_bytes(&answer), answer_size(&answer), true);
    answer_close(&answer);
    return good ? APP_EXIT_OK : APP_EXIT_FAILED;
}

/* A request of one whole number, read from an argument. */
static bool s_pack_id(const char *text, buf_t *body)
{
    int64_t id;
    pack_t pack;
    if (!text_to_i64(text, strlen(text), &id) || id < 1) {
        app_fail(0, "'%s' is no number of a job", text);
        return false;
    }
    pack_init(&pack, body);
    pack_map(&pack, 1);
    pack_pair_int(&pack, "id", id);
    return true;
}

static int s_show_id(client_t *client, const method_t *method, const char *id)
{
    buf_t body = { 0 };
    int status = s_pack_id(id, &body) ? s_show(client, method, &body) : APP_EXIT_USAGE;
    buf_free(&body);
    return status;
}

/* ---- looking --------------------------------------------------------------------------------- */

static int s_list(client_t *client, int argc, char **argv)
{
    buf_t body = { 0 };
    pack_t pack;
    const char *state = argc > 0 ? argv[0] : "live";
    bool is_dead = strcmp(state, "dead") == 0;
    const char *cursor = argc > 1 ? argv[1] : NULL;
    pack_init(&pack, &body);
    size_t position = pack_open_map(&pack), pairs = 1;
    pack_pair_bool(&pack, "all", true);
    if (!is_dead) {
        pack_pair_text(&pack, "state", state);
        pairs++;
    }
    if (cursor) {
        pack_pair_text(&pack, "cursor", cursor);
        pairs++;
    }
    pack_close(&pack, position, pairs);
    int status = s_show(client, is_dead ? &jobs_dead : &jobs_list, &body);
    buf_free(&body);
    return status;
}

static int s_get(client_t *client, int argc, char **argv)
{
    (void)argc;
    return s_show_id(client, &jobs_get, argv[0]);
}

static int s_cancel(client_t *client, int argc, char **argv)
{
    (void)argc;
    return s_show_id(client, &jobs_cancel, argv[0]);
}

static int s_delete(client_t *client, int argc, char **argv)
{
    (void)argc;
    return s_show_id(client, &jobs_dead_delete, argv[0]);
}

static int s_enqueue(client_t *client, int argc, char **argv)
{
    buf_t body = { 0 };
    pack_t pack;
    json_error_t error;
    pack_init(&pack, &body);
    pack_map(&pack, argc > 1 ? 2 : 1);
    pack_pair_text(&pack, "kind", argv[0]);
    int status = APP_EXIT_OK;
    if (argc > 1) {
        pack_text(&pack, "payload");
        if (!json_to_msgpack(argv[1], strlen(argv[1]), VALUE_LIMITS, 0, &body, &error))
            status = app_fail(APP_EXIT_USAGE, "line %u, column %u of the JSON: %s", error.line,
                              error.column, json_verdict_text(error.verdict));
    }
    if (status == APP_EXIT_OK)
        status = s_show(client, &jobs_enqueue, &body);
    buf_free(&body);
    return status;
}

/* ---- queues ---------------------------------------------------------------------------------- */

static int s_queues(client_t *client, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return s_show(client, &jobs_queues, &(buf_t){ 0 });
}

static int s_set_paused(client_t *client, const char *queue, bool paused)
{
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 2);
    pack_pair_text(&pack, "name", queue);
    pack_pair_bool(&pack, "paused", paused);
    int status = s_show(client, &jobs_queue_set, &body);
    buf_free(&body);
    return status;
}

static int s_pause(client_t *client, int argc, char **argv)
{
    (void)argc;
    return s_set_paused(client, argv[0], true);
}

static int s_resume(client_t *client, int argc, char **argv)
{
    (void)argc;
    return s_set_paused(client, argv[0], false);
}

/* ---- replaying ------------------------------------------------------------------------------- */

typedef struct {
    const char *kind, *queue, *code;
    bool is_dry;
    int64_t replayed, collisions;
} replay_t;

static bool s_read_option(const char *word, const char *name, const char **value)
{
    size_t size = strlen(name);
    if (strncmp(word, name, size) != 0)
        return false;
    *value = word + size;
    return true;
}

static void s_pack_replay(const replay_t *self, int64_t after, buf_t *body)
{
    pack_t pack;
    pack_init(&pack, body);
    pack_map(&pack, 7);
    pack_pair_text(&pack, "kind", self->kind);
    pack_pair_text(&pack, "queue", self->queue);
    pack_pair_text(&pack, "code", self->code);
    pack_pair_int(&pack, "after", after);
    pack_pair_int(&pack, "limit", REPLAY_LIMIT);
    pack_pair_bool(&pack, "dry_run", self->is_dry);
    pack_pair_bool(&pack, "all", true);
}

/* What stays dead is named; false when the answer cannot be read. */
static bool s_count(replay_t *self, const answer_t *answer, int64_t *after)
{
    arena_t arena = { 0 };
    value_verdict_t verdict;
    const value_t *tree =
        value_parse(&arena, answer_bytes(answer), answer_size(answer), VALUE_LIMITS, &verdict);
    const value_t *ids = value_get(tree, "ids"), *collisions = value_get(tree, "collisions"), *item;
    bool good = ids && collisions;
    if (good)
        self->replayed += ids->count;
    for (uint32_t i = 0; (item = value_item(collisions, i)); i++, self->collisions++)
        printf("%" PRId64 " stays dead: %" PRId64 " has its unique key\n",
               value_get_int(item, "id", 0), value_get_int(item, "rival", 0));
    *after = value_get_int(tree, "next_after", 0);
    arena_free(&arena);
    return good;
}

/* One line, renewed in place where somebody looks on. */
static void s_tell(const replay_t *self, bool is_last)
{
    bool is_watched = isatty(STDERR_FILENO);
    if (!is_last && !is_watched)
        return;
    fprintf(stderr, "%s%" PRId64 " %s, %" PRId64 " not%s", is_watched ? "\r" : "", self->replayed,
            self->is_dry ? "would run again" : "run again", self->collisions, is_last ? "\n" : "");
}

static int s_replay_some(client_t *client, replay_t *self)
{
    int64_t after = 0;
    bool good;
    do {
        buf_t body = { 0 };
        answer_t answer;
        s_pack_replay(self, after, &body);
        good = s_call(client, &jobs_replay_many, &body, &answer) && s_count(self, &answer, &after);
        answer_close(&answer);
        buf_free(&body);
        s_tell(self, !good || after == 0);
    } while (good && after);
    return good ? APP_EXIT_OK : APP_EXIT_FAILED;
}

static int s_replay(client_t *client, int argc, char **argv)
{
    replay_t replay = { .kind = "", .queue = "", .code = "" };
    int64_t id;
    if (argc == 1 && text_to_i64(argv[0], strlen(argv[0]), &id))
        return s_show_id(client, &jobs_replay, argv[0]);
    bool is_all = false;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--dry-run") == 0)
            replay.is_dry = true;
        else if (strcmp(argv[i], "--all") == 0)
            is_all = true;
        else if (!s_read_option(argv[i], "--kind=", &replay.kind) &&
                 !s_read_option(argv[i], "--queue=", &replay.queue) &&
                 !s_read_option(argv[i], "--code=", &replay.code))
            return app_misunderstood(argv[i]);
    }
    if (!is_all && !replay.kind[0] && !replay.queue[0] && !replay.code[0])
        return app_fail(APP_EXIT_USAGE, "say which: a number, --kind=, --queue=, --code= or --all");
    return s_replay_some(client, &replay);
}

/* ---- the command ----------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int least, most; /* arguments behind the name */
    int (*run)(client_t *client, int argc, char **argv);
} s_subcommands[] = {
    { "list", 0, 2, s_list },     { "get", 1, 1, s_get },       { "enqueue", 1, 2, s_enqueue },
    { "cancel", 1, 1, s_cancel }, { "replay", 1, 5, s_replay }, { "delete", 1, 1, s_delete },
    { "queues", 0, 0, s_queues }, { "pause", 1, 1, s_pause },   { "resume", 1, 1, s_resume },
};

typedef struct {
    size_t which;
    int argc;
    char **argv;
} chosen_t;

static int s_run_chosen(client_t *client, void *arg)
{
    const chosen_t *chosen = arg;
    return s_subcommands[chosen->which].run(client, chosen->argc, chosen->argv);
}

static int s_run(app_t *app, int argc, char **argv)
{
    chosen_t chosen = { .argc = argc - 1, .argv = argv + 1 };
    for (size_t i = 0; argc > 0 && i < COUNT_OF(s_subcommands); i++) {
        if (strcmp(s_subcommands[i].name, argv[0]) != 0)
            continue;
        if (chosen.argc < s_subcommands[i].least || chosen.argc > s_subcommands[i].most)
            return app_fail(APP_EXIT_USAGE, "'%s' takes other arguments; try --help", argv[0]);
        chosen.which = i;
        return app_with_client(app, s_run_chosen, &chosen);
    }
    return app_fail(APP_EXIT_USAGE, "say what to do; try --help");
}

static const char *const s_sections[] = { "bus", NULL };

const command_t command_jobs = {
    .name = "jobs",
    .arguments = "list|get|enqueue|cancel|replay|delete|queues|pause|resume ...",
    .about = "Looks at jobs and runs dead ones again",
    .help = "  list [live|done|dead [CURSOR]]   of all accounts, the newest first\n"
            "  get ID\n"
            "  enqueue SERVICE.METHOD [JSON]    a job of the system's own\n"
            "  cancel ID\n"
            "  replay ID                        runs a dead job again\n"
            "  replay [--kind=KIND] [--queue=QUEUE] [--code=CODE] [--all] [--dry-run]\n"
            "                                   all that fit, or with --dry-run how many that is\n"
            "  delete ID                        a dead job\n"
            "  queues\n"
            "  pause QUEUE                      begins nothing more\n"
            "  resume QUEUE",
    .sections = s_sections,
    .run = s_run,
};
