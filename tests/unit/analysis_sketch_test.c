/* SPDX-License-Identifier: MPL-2.0
 *
 * Sketches: what is kept of a workflow, and that nothing but a sketch is read as one.
 */
#include "config.h"

#include "tests/unit/analysis_drawn.h"

static buf_t s_write(const sketch_t *sketch)
{
    buf_t bytes = { 0 };
    pack_t pack;
    pack_init(&pack, &bytes);
    sketch_write(sketch, &pack);
    return bytes;
}

static bool s_is_same(const sketch_t *a, const sketch_t *b)
{
    bool same = slice_equal(a->kind, b->kind) && a->group_count == b->group_count &&
                a->node_count == b->node_count && a->wire_count == b->wire_count;
    for (uint32_t g = 0; same && g < a->group_count; g++)
        same = slice_equal(a->groups[g], b->groups[g]);
    for (uint32_t n = 0; same && n < a->node_count; n++) {
        const sketch_node_t *one = &a->nodes[n], *other = &b->nodes[n];
        same = slice_equal(one->id, other->id) && slice_equal(one->name, other->name) &&
               slice_equal(one->type, other->type) && one->settings == other->settings &&
               one->group == other->group && one->x == other->x &&
               (one->x == SKETCH_NOWHERE || one->y == other->y) && one->shape == other->shape &&
               one->disabled == other->disabled;
    }
    for (uint32_t w = 0; same && w < a->wire_count; w++) {
        const sketch_wire_t *one = &a->wires[w], *other = &b->wires[w];
        same = one->src == other->src && one->dst == other->dst && one->output == other->output &&
               one->input == other->input && one->channel == other->channel;
    }
    return same;
}

static void s_check_round_trip(const char *name, const char *text)
{
    drawn_t drawn;
    sketch_t read;
    if (!ok_named(drawn_make(&drawn, text), name))
        return;
    buf_t bytes = s_write(&drawn.sketch);
    ok_named(sketch_read(&read, &drawn.kit.arena, bytes.bytes, bytes.size) &&
                 s_is_same(&drawn.sketch, &read),
             name);
    buf_free(&bytes);
    drawn_free(&drawn);
}

static void test_round_trip(void)
{
    static const char *const files[] = { "WF102-fires.json",          "WF102-fires-asl.json",
                                         "WF102-fires-node-red.json", "WF102-fires-generic.json",
                                         "WF108-fires-node-red.json", "WF401-fires-asl.json" };
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        kit_t file = { 0 };
        char path[64];
        snprintf(path, sizeof path, "tests/fixtures/analysis/%s", files[i]);
        ok(kit_read(&file, kit_folder(&file, path)));
        s_check_round_trip(files[i], buf_text(&file.text));
        kit_free(&file);
    }
    for (size_t i = 0; i < COUNT_OF(drawn_hostile); i++) {
        drawn_t drawn;
        sketch_t read;
        ok_named(drawn_make_of(&drawn, drawn_hostile[i]), drawn_hostile[i]);
        buf_t bytes = s_write(&drawn.sketch);
        ok_named(sketch_read(&read, &drawn.kit.arena, bytes.bytes, bytes.size) &&
                     s_is_same(&drawn.sketch, &read),
                 drawn_hostile[i]);
        buf_free(&bytes);
        drawn_free(&drawn);
    }
}

/* Tabs are groups; comments are left out; settings keep no text. */
static void test_what_is_kept(void)
{
    static const char text[] =
        "[{\"id\":\"t1\",\"type\":\"tab\",\"label\":\"First\"},"
        "{\"id\":\"t2\",\"type\":\"tab\",\"label\":\"Second\"},"
        "{\"id\":\"c\",\"type\":\"comment\",\"z\":\"t1\",\"name\":\"remark\"},"
        "{\"id\":\"b\",\"type\":\"mqtt-broker\",\"name\":\"Broker\"},"
        "{\"id\":\"i\",\"type\":\"inject\",\"z\":\"t1\",\"x\":10,\"y\":20,\"wires\":[[\"f\"]]},"
        "{\"id\":\"f\",\"type\":\"function\",\"z\":\"t1\",\"d\":true,\"func\":\"hidden text\","
        "\"wires\":[[]]},"
        "{\"id\":\"d\",\"type\":\"debug\",\"z\":\"t2\",\"x\":1e300,\"y\":0,\"wires\":[]}]";
    drawn_t drawn;
    ok(drawn_make(&drawn, text));
    const sketch_t *sketch = &drawn.sketch;
    is_int(sketch->group_count, 3);
    ok(slice_is(sketch->groups[0], "") && slice_is(sketch->groups[1], "First") &&
       slice_is(sketch->groups[2], "Second"));
    is_int(sketch->node_count, 4);
    static const struct {
        const char *id;
        uint32_t group;
        int32_t x;
        shape_t shape;
        bool disabled;
    } expected[] = {
        { "b", 0, SKETCH_NOWHERE, SHAPE_SETTINGS, false },
        { "i", 1, 10, SHAPE_START, false },
        { "f", 1, SKETCH_NOWHERE, SHAPE_STEP, true },
        { "d", 2, SKETCH_NOWHERE, SHAPE_STEP, false }, /* out of any canvas */
    };
    for (uint32_t n = 0; n < sketch->node_count && n < COUNT_OF(expected); n++) {
        const sketch_node_t *node = &sketch->nodes[n];
        ok_named(slice_is(node->id, expected[n].id) && node->group == expected[n].group &&
                     node->x == expected[n].x && node->shape == expected[n].shape &&
                     node->disabled == expected[n].disabled,
                 expected[n].id);
    }
    is_int(sketch->wire_count, 1);
    buf_t bytes = s_write(sketch);
    ok(!memmem(bytes.bytes, bytes.size, "hidden", 6));
    ok(!memmem(bytes.bytes, bytes.size, "remark", 6));
    buf_free(&bytes);
    drawn_free(&drawn);
}

/* Every byte changed in turn, and every shorter piece: read as something that keeps its promises,
 * or refused. */
static void test_damaged(void)
{
    drawn_t drawn;
    ok(drawn_make(&drawn, "{\"nodes\":[{\"id\":\"a\",\"position\":[1,2]},{\"id\":\"b\"}],"
                          "\"edges\":[{\"from\":\"a\",\"to\":\"b\"}]}"));
    buf_t bytes = s_write(&drawn.sketch);
    bool is_sound = true;
    for (size_t i = 0; i < bytes.size; i++)
        for (int c = 0; c < 256; c++) {
            arena_t arena = { 0 };
            sketch_t read;
            uint8_t was = bytes.bytes[i];
            bytes.bytes[i] = (uint8_t)c;
            if (sketch_read(&read, &arena, bytes.bytes, bytes.size)) {
                for (uint32_t n = 0; n < read.node_count; n++)
                    is_sound &= read.nodes[n].group < read.group_count &&
                                read.nodes[n].shape <= SHAPE_SETTINGS;
                for (uint32_t w = 0; w < read.wire_count; w++)
                    is_sound &= read.wires[w].src < read.node_count &&
                                read.wires[w].dst < read.node_count &&
                                read.wires[w].channel <= CHANNEL_AI;
            }
            bytes.bytes[i] = was;
            arena_free(&arena);
        }
    ok(is_sound);
    for (size_t size = 0; size < bytes.size; size++) {
        arena_t arena = { 0 };
        sketch_t read;
        is_sound &= !sketch_read(&read, &arena, bytes.bytes, size);
        arena_free(&arena);
    }
    ok(is_sound);
    buf_free(&bytes);
    drawn_free(&drawn);
}

TESTS({ "round trip", test_round_trip }, { "what is kept", test_what_is_kept },
      { "damaged", test_damaged })
