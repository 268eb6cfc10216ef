/* SPDX-License-Identifier: MPL-2.0
 *
 * command_errors - which failures there were, for whoever looks after the system
 *
 * Asks the service `metrics` over the bus. What it prints came from anywhere: nobody's text moves
 * the cursor.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "actors/base/text.h"
#include "deploy/app.h"
#include "proto/metrics.h"
#include "proto/page.h"

#define CELL_BYTES 512

typedef struct {
    const method_t *method;
    const char *fingerprint; /* NULL: the list */
    const char *part, *code; /* of the list; NULL: all */
    void (*print)(const value_t *reply);
} errors_command_t;

/* ---- printing ------------------------------------------------------------------------------- */

static const char *s_text(const value_t *map, const char *key, char cell[CELL_BYTES])
{
    size_t size = 0;
    const char *text = value_get_text(map, key, &size);
    if (size >= CELL_BYTES)
        size = CELL_BYTES - 1;
    for (size_t i = 0; i < size; i++)
        cell[i] = text[i] >= ' ' && text[i] < 0x7f ? text[i] : '?';
    cell[size] = '\0';
    return cell;
}

static void s_print_list(const value_t *reply)
{
    char fingerprint[CELL_BYTES], last[CELL_BYTES], code[CELL_BYTES], part[CELL_BYTES];
    char method[CELL_BYTES], message[CELL_BYTES];
    const value_t *items = value_get(reply, "items"), *item;
    printf("%-36s  %-24s %8s  %-18s %-12s %-24s %s\n", "FINGERPRINT", "LAST SEEN", "COUNT", "CODE",
           "PART", "METHOD", "MESSAGE");
    for (uint32_t i = 0; (item = value_item(items, i)); i++)
        printf("%-36s  %-24s %8" PRId64 "  %-18s %-12s %-24s %s\n",
               s_text(item, "fingerprint", fingerprint), s_text(item, "last_seen", last),
               value_get_int(item, "count", 0), s_text(item, "code", code),
               s_text(item, "part", part), s_text(item, "method", method),
               s_text(item, "message", message));
    if (value_is_type(value_get(reply, "next_cursor"), VALUE_TEXT))
        printf("(there are more than %d: --part and --code ask for less)\n", PAGE_MAX);
}

static void s_print_row(const char *title, const value_t *map, const char *key)
{
    char text[CELL_BYTES];
    printf("%-12s %s\n", title, s_text(map, key, text));
}

static void s_print_crumbs(const value_t *sample)
{
    char at[CELL_BYTES], level[CELL_BYTES], event[CELL_BYTES], text[CELL_BYTES];
    const value_t *list = value_get(sample, "breadcrumbs"), *crumb;
    if (value_item(list, 0))
        printf("\nlogged before:\n");
    for (uint32_t i = 0; (crumb = value_item(list, i)); i++)
        printf("  %s %-5s %s %s\n", s_text(crumb, "at", at), s_text(crumb, "level", level),
               s_text(crumb, "event", event), s_text(crumb, "text", text));
}

static void s_print_one(const value_t *group)
{
    const value_t *sample = value_get(group, "sample"), *instances = value_get(group, "instances");
    printf("%-12s %" PRId64 ", told by %u instances\n", "count", value_get_int(group, "count", 0),
           value_is_type(instances, VALUE_ARRAY) ? instances->count : 0);
    s_print_row("code", group, "code");
    s_print_row("part", group, "part");
    s_print_row("method", group, "method");
    s_print_row("message", group, "message");
    s_print_row("first seen", group, "first_seen");
    s_print_row("last seen", group, "last_seen");
    printf("\nthe last one:\n");
    s_print_row("  instance", group, "last_instance");
    s_print_row("  message", sample, "message");
    s_print_row("  request", sample, "request_id");
    s_print_row("  trace", sample, "trace_id");
    s_print_row("  version", sample, "version");
    s_print_crumbs(sample);
}

/* ---- asking --------------------------------------------------------------------------------- */

static size_t s_pack_text(pack_t *pack, const char *key, const char *text)
{
    if (text)
        pack_pair_text(pack, key, text);
    return text != NULL;
}

static void s_pack_request(const errors_command_t *self, buf_t *body)
{
    pack_t pack;
    pack_init(&pack, body);
    const size_t position = pack_open_map(&pack);
    size_t count = s_pack_text(&pack, "fingerprint", self->fingerprint);
    count += s_pack_text(&pack, "part", self->part);
    count += s_pack_text(&pack, "code", self->code);
    if (!self->fingerprint) {
        pack_pair_int(&pack, "limit", PAGE_MAX);
        count++;
    }
    pack_close(&pack, position, count);
}

static int s_ask(client_t *client, void *arg)
{
    const errors_command_t *self = arg;
    arena_t arena = { 0 };
    buf_t body = { 0 };
    answer_t answer;
    value_verdict_t verdict;
    s_pack_request(self, &body);
    const bool good = client_call(client,
                                  &(client_request_t){ .service = metrics_service.name,
                                                       .method = self->method->name,
                                                       .body = &body },
                                  &answer);
    if (!good)
        app_fail_answer(&answer);
    else if (self->print)
        self->print(value_parse(&arena, answer_bytes(&answer), answer_size(&answer), VALUE_LIMITS,
                                &verdict));
    answer_close(&answer);
    arena_free(&arena);
    return good ? APP_EXIT_OK : APP_EXIT_FAILED;
}

static int s_run(app_t *app, int argc, char **argv)
{
    errors_command_t command = { .method = &metrics_errors, .print = s_print_list };
    const char *words[2] = { NULL, NULL };
    int count = 0;
    for (int i = 0; i < argc; i++) {
        if (text_starts(argv[i], "--part="))
            command.part = strchr(argv[i], '=') + 1;
        else if (text_starts(argv[i], "--code="))
            command.code = strchr(argv[i], '=') + 1;
        else if (count < 2 && !text_starts(argv[i], "--"))
            words[count++] = argv[i];
        else
            return app_misunderstood(argv[i]);
    }
    const bool forgets = words[0] && strcmp(words[0], "forget") == 0;
    command.fingerprint = forgets ? words[1] : words[0];
    if (count == 1 + forgets) {
        command.method = forgets ? &metrics_forget_error : &metrics_error;
        command.print = forgets ? NULL : s_print_one;
    } else if (count > 0) {
        return forgets ? app_fail(APP_EXIT_USAGE, "name the group by its fingerprint")
                       : app_misunderstood(words[1]);
    }
    if (command.fingerprint && (command.part || command.code))
        return app_fail(APP_EXIT_USAGE, "--part and --code are for the list");
    return app_with_client(app, s_ask, &command);
}

static const char *const s_sections[] = { "bus", NULL };

const command_t command_errors = {
    .name = "errors",
    .arguments = "[--part=PART] [--code=CODE] | FINGERPRINT | forget FINGERPRINT",
    .about = "Lists failures that are no fault of the callers', or shows one",
    .help =
        "  --part=PART, --code=CODE   only those of this part or code\n"
        "  FINGERPRINT                one kind, with the last of it and what was logged before\n"
        "  forget FINGERPRINT         it is dealt with: when it is met again, it is new",
    .sections = s_sections,
    .run = s_run,
};
