/* SPDX-License-Identifier: MPL-2.0
 *
 * The graph walks against plain models of them, on random graphs.
 *
 * The models are the definitions written down: reachability by repeated squaring of the relation,
 * "a and b are in one component" as "each reaches the other", and "x must have run before n" as "n
 * is out of reach once x is taken away".
 */
#include "config.h"

#include "actors/analysis/ran.h"
#include "tests/tap.h"

#define NODES_MAX 14
#define GRAPHS    4000

static uint32_t s_seed = 12345;

static uint32_t s_random(uint32_t below)
{
    s_seed = s_seed * 1664525u + 1013904223u;
    return (s_seed >> 8) % below;
}

typedef struct {
    arena_t arena;
    work_t work;
    model_t model;
    bool wire[NODES_MAX][NODES_MAX];
    bool reach[NODES_MAX][NODES_MAX]; /* by one wire at least */
} graph_t;

static void s_add_wire(graph_t *self, uint32_t src, uint32_t dst)
{
    wire_t *wire = model_add_wire(&self->model, &self->work, src, dst);
    insist(wire);
    self->wire[src][dst] = true;
}

static void s_close_relation(graph_t *self, uint32_t nodes, uint32_t without)
{
    memcpy(self->reach, self->wire, sizeof self->reach);
    for (uint32_t n = 0; without < nodes && n < nodes; n++)
        self->reach[n][without] = self->reach[without][n] = false;
    for (uint32_t k = 0; k < nodes; k++)
        for (uint32_t a = 0; a < nodes; a++)
            for (uint32_t b = 0; b < nodes; b++)
                self->reach[a][b] |= self->reach[a][k] && self->reach[k][b];
}

/* A random graph; `acyclic`: wires lead to higher numbers only. Node 0 is the start. */
static void s_make(graph_t *self, bool acyclic)
{
    static const catalog_row_t row = { .class = CLASS_TRANSFORM };
    uint32_t nodes = 2 + s_random(NODES_MAX - 1), wires = s_random(3 * nodes);

    *self = (graph_t){ .work = { 0 } };
    self->work.arena = &self->arena;
    model_init(&self->model, &self->work, NULL, nodes);
    for (uint32_t n = 0; n < nodes; n++) {
        node_t *node = model_add_node(&self->model, &self->work, &row);
        insist(node);
        node->root = n == 0;
    }
    for (uint32_t w = 0; w < wires; w++) {
        uint32_t a = s_random(nodes), b = s_random(nodes);
        if (acyclic && a == b)
            continue;
        s_add_wire(self, acyclic && a > b ? b : a, acyclic && a > b ? a : b);
    }
    model_finish(&self->model, &self->work);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void rows_go_both_ways(void)
{
    uint32_t wrong = 0;
    for (uint32_t g = 0; g < GRAPHS; g++) {
        graph_t graph;
        s_make(&graph, false);
        uint32_t out = 0, in = 0;
        const wire_t *wire;
        for (uint32_t n = 0; n < graph.model.node_count; n++) {
            for (uint32_t i = 0; (wire = model_out(&graph.model, n, i)); i++, out++)
                wrong += wire->src != n || !graph.wire[n][wire->dst];
            for (uint32_t i = 0; (wire = model_in(&graph.model, n, i)); i++, in++)
                wrong += wire->dst != n || !graph.wire[wire->src][n];
        }
        wrong += out != graph.model.wire_count || in != graph.model.wire_count;
        arena_free(&graph.arena);
    }
    is_int(wrong, 0);
}

/* ---- walking --------------------------------------------------------------------------------- */

static void s_check_tree(graph_t *graph, bool backward, uint32_t *wrong)
{
    const uint32_t nodes = graph->model.node_count, seed = s_random(nodes);
    tree_t tree = graph_walk(
        &graph->work, &graph->model,
        &(walk_t){ .seeds = &seed, .seed_count = 1, .channels = FOLLOW_RUN, .backward = backward });

    for (uint32_t n = 0; n < nodes; n++) {
        bool reached = n == seed || (backward ? graph->reach[n][seed] : graph->reach[seed][n]);
        *wrong += tree_has(&tree, n) != reached;
        if (!tree_has(&tree, n) || n == seed)
            continue;
        /* one step nearer to the seed, along a wire; and no wire would have been a shortcut */
        uint32_t via = tree.via[n];
        *wrong += tree.distance[n] != tree.distance[via] + 1 || tree.seed[n] != seed;
        *wrong += !(backward ? graph->wire[n][via] : graph->wire[via][n]);
        for (uint32_t a = 0; a < nodes; a++)
            if ((backward ? graph->wire[n][a] : graph->wire[a][n]) && tree_has(&tree, a))
                *wrong += tree.distance[n] > tree.distance[a] + 1;
    }
}

static void walks(void)
{
    uint32_t wrong = 0;
    for (uint32_t g = 0; g < GRAPHS; g++) {
        graph_t graph;
        s_make(&graph, false);
        s_close_relation(&graph, graph.model.node_count, NODE_NONE);
        s_check_tree(&graph, g % 2, &wrong);
        arena_free(&graph.arena);
    }
    is_int(wrong, 0);
}

static void parts_are_reached_through_their_host(void)
{
    static const catalog_row_t row = { .class = CLASS_TRANSFORM };
    arena_t arena = { 0 };
    work_t work = { .arena = &arena };
    model_t model;
    const uint32_t start = 0;

    model_init(&model, &work, NULL, 4);
    for (int n = 0; n < 4; n++)
        insist(model_add_node(&model, &work, &row));
    insist(model_add_wire(&model, &work, 0, 1));        /* start to host */
    wire_t *wire = model_add_wire(&model, &work, 2, 1); /* part into host */
    insist(wire);
    wire->channel = CHANNEL_AI;
    wire = model_add_wire(&model, &work, 3, 2); /* part into part */
    insist(wire);
    wire->channel = CHANNEL_AI;
    model_finish(&model, &work);

    tree_t all = graph_walk(&work, &model,
                            &(walk_t){ .seeds = &start, .seed_count = 1, .channels = FOLLOW_ALL });
    is_int(all.distance[3], 3);
    is_int(all.via[3], 2);
    tree_t run = graph_walk(&work, &model,
                            &(walk_t){ .seeds = &start, .seed_count = 1, .channels = FOLLOW_RUN });
    ok(tree_has(&run, 1) && !tree_has(&run, 2));
    const uint32_t part = 3;
    tree_t back = graph_walk(
        &work, &model,
        &(walk_t){ .seeds = &part, .seed_count = 1, .channels = FOLLOW_ALL, .backward = true });
    is_int(back.distance[0], 3);
    arena_free(&arena);
}

/* ---- components ------------------------------------------------------------------------------ */

static void components(void)
{
    uint32_t wrong = 0, cycles = 0;
    for (uint32_t g = 0; g < GRAPHS; g++) {
        graph_t graph;
        s_make(&graph, false);
        const uint32_t nodes = graph.model.node_count;
        s_close_relation(&graph, nodes, NODE_NONE);
        components_t found = graph_components(&graph.work, &graph.model, FOLLOW_RUN, NULL);
        for (uint32_t a = 0; a < nodes; a++) {
            for (uint32_t b = 0; b < nodes; b++) {
                bool same = a == b || (graph.reach[a][b] && graph.reach[b][a]);
                wrong += (found.of[a] == found.of[b]) != same;
                wrong += graph.reach[a][b] && found.of[b] > found.of[a];
            }
            wrong += found.is_cycle[found.of[a]] != graph.reach[a][a];
            uint32_t *cycle,
                length = graph_cycle(&graph.work, &graph.model, &found, FOLLOW_RUN, a, &cycle);
            wrong += (length > 0) != graph.reach[a][a];
            cycles += length > 0;
            for (uint32_t i = 0; i < length; i++)
                wrong += !graph.wire[cycle[i]][cycle[(i + 1) % length]];
            wrong += length && cycle[0] != a;
        }
        wrong += found.first[found.count] != nodes;
        arena_free(&graph.arena);
    }
    is_int(wrong, 0);
    ok(cycles > GRAPHS);
}

static void groups(void)
{
    uint32_t wrong = 0;
    for (uint32_t g = 0; g < GRAPHS; g++) {
        graph_t graph;
        bool marked[NODES_MAX];
        s_make(&graph, false);
        const uint32_t nodes = graph.model.node_count;
        for (uint32_t n = 0; n < nodes; n++)
            marked[n] = s_random(3) > 0;
        for (uint32_t a = 0; a < nodes; a++)
            for (uint32_t b = 0; b < nodes; b++)
                graph.wire[a][b] = (graph.wire[a][b] || graph.wire[b][a]) && marked[a] && marked[b];
        s_close_relation(&graph, nodes, NODE_NONE);
        groups_t found = graph_groups(&graph.work, &graph.model, marked);
        uint32_t group[NODES_MAX];
        memset(group, 0xff, sizeof group);
        for (uint32_t i = 0; i < found.count; i++)
            for (uint32_t m = found.first[i]; m < found.first[i + 1]; m++)
                group[found.members[m]] = i;
        for (uint32_t a = 0; a < nodes; a++) {
            wrong += (group[a] != NODE_NONE) != marked[a];
            for (uint32_t b = a + 1; b < nodes; b++)
                if (marked[a] && marked[b])
                    wrong += (group[a] == group[b]) != (graph.reach[a][b] || graph.reach[b][a]);
        }
        arena_free(&graph.arena);
    }
    is_int(wrong, 0);
}

/* ---- what must have run ---------------------------------------------------------------------- */

static uint32_t s_no_loop(const node_t *node)
{
    (void)node;
    return NODE_NONE;
}

static ran_t s_solve(graph_t *graph, const components_t *found)
{
    static const uint32_t start = 0;
    const uint32_t nodes = graph->model.node_count;
    uint32_t *targets = arena_array(&graph->arena, nodes, sizeof *targets);
    ran_t ran;
    for (uint32_t n = 0; n < nodes; n++)
        targets[n] = n;
    ran_solve(&ran, &graph->work,
              &(ran_question_t){ .model = &graph->model,
                                 .components = found,
                                 .roots = &start,
                                 .root_count = 1,
                                 .targets = targets,
                                 .target_count = nodes,
                                 .done_output = s_no_loop });
    return ran;
}

static void ran(void)
{
    uint32_t wrong = 0, alarms = 0, missed = 0, asked = 0;
    for (uint32_t g = 0; g < GRAPHS; g++) {
        graph_t graph;
        bool acyclic = g % 2;
        s_make(&graph, acyclic);
        const uint32_t nodes = graph.model.node_count;
        components_t found = graph_components(&graph.work, &graph.model, FOLLOW_RUN, NULL);
        ran_t answer = s_solve(&graph, &found);
        s_close_relation(&graph, nodes, NODE_NONE);
        bool from_start[NODES_MAX];
        for (uint32_t n = 0; n < nodes; n++) {
            from_start[n] = n == 0 || graph.reach[0][n];
            wrong += answer.reached[n] != from_start[n];
        }
        for (uint32_t x = 0; x < nodes; x++)
            for (uint32_t n = 0; n < nodes; n++)
                if (from_start[n] && from_start[x] && n != x)
                    wrong += ran_may(&answer, n, x) != graph.reach[x][n];
        for (uint32_t x = 0; x < nodes; x++) {
            s_close_relation(&graph, nodes, x);
            for (uint32_t n = 0; n < nodes; n++) {
                if (!from_start[n] || !from_start[x] || n == x)
                    continue;
                bool must = x == 0 || !(n == 0 || graph.reach[0][n]);
                asked++;
                alarms += must && n != 0 && !ran_must(&answer, n, x);
                missed += !must && ran_must(&answer, n, x);
            }
        }
        arena_free(&graph.arena);
    }
    is_int(wrong, 0);
    is_int(alarms, 0);
    is_int(missed, 0);
    note("%u pairs", asked);
}

TESTS({ "rows go both ways", rows_go_both_ways }, { "walks", walks },
      { "parts are reached through their host", parts_are_reached_through_their_host },
      { "components", components }, { "groups", groups }, { "ran", ran })
