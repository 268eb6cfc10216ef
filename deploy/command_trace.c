/* SPDX-License-Identifier: MPL-2.0
 *
 * command_trace - what happened because of one request: its spans as a tree, with times
 *
 * Without an id it lists the traces that were kept last.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deploy/app.h"
#include "deploy/cell.h"
#include "proto/metrics.h"
#include "proto/trace.h"

#define TRACE_DEPTH_MAX 40 /* beyond that nothing is indented any further */
#define TRACE_NAME      44 /* columns, with its indentation */

typedef struct {
    const char *id; /* NULL: the list */
    bool only_failed;
} trace_options_t;

/* ---- one trace ------------------------------------------------------------------------------ */

/* A span among the others, ordered by the time at which it began. */
typedef struct {
    const value_t *span;
    int64_t start_us;
    bool is_printed;
} node_t;

typedef struct {
    node_t *nodes;
    size_t count;
} tree_t;

static int s_compare(const void *a, const void *b)
{
    const node_t *one = a, *other = b;
    return (one->start_us > other->start_us) - (one->start_us < other->start_us);
}

static void s_read_tree(tree_t *tree, const value_t *spans, arena_t *arena)
{
    const value_t *span;
    tree->nodes = arena_array(arena, spans ? spans->count + 1 : 1, sizeof *tree->nodes);
    for (tree->count = 0; (span = value_item(spans, (uint32_t)tree->count)); tree->count++)
        tree->nodes[tree->count] =
            (node_t){ .span = span, .start_us = value_get_int(span, "start_us", 0) };
    qsort(tree->nodes, tree->count, sizeof *tree->nodes, s_compare);
}

static bool s_is_child(const value_t *span, const value_t *parent)
{
    const value_t *id = value_get(parent, "id"), *parent_id = value_get(span, "parent_id");
    return id && parent_id && value_equal(id, parent_id);
}

static bool s_has_parent(const tree_t *tree, const value_t *span)
{
    for (size_t i = 0; i < tree->count; i++)
        if (tree->nodes[i].span != span && s_is_child(span, tree->nodes[i].span))
            return true;
    return false;
}

/* What the name does not say already. */
static void s_print_attributes(const value_t *attributes)
{
    static const char *const said[] = { "http.request.method", "http.route", "server.address",
                                        "rpc.service",         "rpc.method", "db.namespace",
                                        "db.operation.name" };
    char key[CELL_SIZE], text[CELL_SIZE];
    for (uint32_t i = 0; attributes && i < attributes->count; i++) {
        const value_t *name = &attributes->items[2 * i], *value = name + 1;
        bool is_said = false;
        for (size_t j = 0; j < COUNT_OF(said); j++)
            is_said |= value_is(name, said[j]);
        if (is_said)
            continue;
        const char *dot = strrchr(cell_text(name, key), '.');
        if (value_is_type(value, VALUE_INT))
            snprintf(text, sizeof text, "%" PRId64, value->integer);
        else
            cell_text(value, text);
        printf(" %s=%s", dot ? dot + 1 : key, text);
    }
}

static void s_print_span(const value_t *span, int64_t begin_us, int depth)
{
    char name[CELL_SIZE], instance[CELL_SIZE], start[CELL_SIZE], took[CELL_SIZE];
    const int indent = 2 * (depth < TRACE_DEPTH_MAX / 2 ? depth : TRACE_DEPTH_MAX / 2);
    const int room = indent + 4 < TRACE_NAME ? TRACE_NAME - indent : 4;
    printf("%9s %9s %c %*s%-*.*s %-24.24s",
           cell_time((double)(value_get_int(span, "start_us", 0) - begin_us), start),
           cell_time((double)value_get_int(span, "duration_us", 0), took),
           value_get_bool(span, "is_failed", false) ? '!' : ' ', indent, "", room, room,
           cell_text(value_get(span, "name"), name),
           cell_text(value_get(span, "instance"), instance));
    s_print_attributes(value_get(span, "attributes"));
    printf("\n");
}

/* Each once, though ids may say that spans are each other's parents. */
static void s_print_below(tree_t *tree, node_t *node, int64_t begin_us, int depth)
{
    node->is_printed = true;
    s_print_span(node->span, begin_us, depth);
    for (size_t i = 0; i < tree->count; i++)
        if (!tree->nodes[i].is_printed && s_is_child(tree->nodes[i].span, node->span))
            s_print_below(tree, &tree->nodes[i], begin_us, depth + 1);
}

static void s_print_trace(const value_t *trace, arena_t *arena)
{
    tree_t tree;
    char id[CELL_SIZE], at[CELL_SIZE], took[CELL_SIZE];
    s_read_tree(&tree, value_get(trace, "spans"), arena);
    printf("%s  %s  %s  %zu spans%s\n", cell_text(value_get(trace, "id"), id),
           cell_text(value_get(trace, "started_at"), at),
           cell_time((double)value_get_int(trace, "duration_us", 0), took), tree.count,
           value_get_bool(trace, "is_failed", false) ? "  failed" : "");
    printf("%9s %9s   %-*s %-24s\n", "START", "TOOK", TRACE_NAME, "SPAN", "INSTANCE");
    const int64_t begin_us = tree.count ? tree.nodes[0].start_us : 0;
    for (int rest = 0; rest < 2; rest++) /* first the roots, then what is in a circle */
        for (size_t i = 0; i < tree.count; i++)
            if (!tree.nodes[i].is_printed && (rest || !s_has_parent(&tree, tree.nodes[i].span)))
                s_print_below(&tree, &tree.nodes[i], begin_us, 0);
}

/* ---- the list ------------------------------------------------------------------------------- */

static void s_print_list(const value_t *items)
{
    char id[CELL_SIZE], at[CELL_SIZE], took[CELL_SIZE], name[CELL_SIZE];
    const value_t *item;
    printf("%-32s %-24s %9s %6s   %s\n", "TRACE", "STARTED", "TOOK", "SPANS", "BEGAN WITH");
    for (uint32_t i = 0; (item = value_item(items, i)); i++)
        printf("%-32s %-24s %9s %6" PRId64 " %c %s\n", cell_text(value_get(item, "id"), id),
               cell_text(value_get(item, "started_at"), at),
               cell_time((double)value_get_int(item, "duration_us", 0), took),
               value_get_int(item, "span_count", 0),
               value_get_bool(item, "is_failed", false) ? '!' : ' ',
               cell_text(value_get(item, "name"), name));
}

/* ---- the command ---------------------------------------------------------------------------- */

static int s_trace(client_t *client, void *arg)
{
    const trace_options_t *options = arg;
    arena_t arena = { 0 };
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    pack_map(&pack, 1);
    if (options->id)
        pack_pair_text(&pack, "id", options->id);
    else
        pack_pair_bool(&pack, "failed", options->only_failed);
    const value_t *answer = app_ask(
        client,
        &(client_request_t){ .service = metrics_service.name,
                             .method = options->id ? metrics_trace.name : metrics_traces.name,
                             .body = &body,
                             .flags = FRAME_IDEMPOTENT },
        &arena);
    if (answer && options->id)
        s_print_trace(answer, &arena);
    else if (answer)
        s_print_list(value_get(answer, "items"));
    arena_free(&arena);
    return answer ? APP_EXIT_OK : APP_EXIT_FAILED;
}

static int s_run_trace(app_t *app, int argc, char **argv)
{
    trace_options_t options = { 0 };
    uint8_t id[TRACE_ID_BYTES];
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--failed") == 0)
            options.only_failed = true;
        else if (!options.id && trace_read_id(id, argv[i], strlen(argv[i])))
            options.id = argv[i];
        else
            return app_misunderstood(argv[i]);
    return app_with_client(app, s_trace, &options);
}

static const char *const s_trace_sections[] = { "bus", NULL };

const command_t command_trace = {
    .name = "trace",
    .arguments = "[ID] [--failed]",
    .about = "Shows what happened because of one request, with times; or lists the last traces",
    .help = "  --failed        lists only those in which something failed",
    .sections = s_trace_sections,
    .run = s_run_trace,
};
