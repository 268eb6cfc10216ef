/* SPDX-License-Identifier: MPL-2.0
 *
 * Any JSON is analysed or refused with a sentence, as what it looks like and as every kind; what
 * comes of it is written in every format, is stored and read back, and compares with itself.
 */
#include "config.h"

#include "actors/analysis/diff.h"
#include "actors/analysis/mermaid.h"
#include "actors/analysis/sarif.h"
#include "actors/analysis/squeeze.h"
#include "actors/analysis/svg.h"
#include "proto/json.h"
#include "tests/fuzz/fuzz.h"

#define LIMITS ((value_limits_t){ .depth = 32, .nodes = 5000 })

static const value_t *s_parse(arena_t *arena, const buf_t *packed)
{
    value_verdict_t verdict;
    const value_t *value = value_parse(arena, packed->bytes, packed->size, VALUE_LIMITS, &verdict);
    insist(value);
    return value;
}

/* Packed, compressed, and back. */
static void s_store_sketch(sketch_t *back, arena_t *arena, const sketch_t *sketch, buf_t *packed)
{
    pack_t pack;
    pack_init(&pack, packed);
    sketch_write(sketch, &pack);
    squeezed_t squeezed = squeeze(arena, packed->bytes, packed->size);
    const uint8_t *bytes = unsqueeze(arena, &squeezed, packed->size);
    insist(bytes && memcmp(bytes, packed->bytes, packed->size) == 0);
    insist(sketch_read(back, arena, bytes, packed->size));
    insist(back->node_count == sketch->node_count && back->wire_count == sketch->wire_count &&
           back->group_count == sketch->group_count);
}

static void s_write_all(arena_t *arena, const sketch_t *sketch, const value_t *result)
{
    buf_t out = { 0 }, packed = { 0 };
    pack_t pack;
    sarif_t sarif;
    svg_write(sketch, result, "name", &out);
    mermaid_write(sketch, result, &out);
    insist(text_is_utf8((const char *)out.bytes, out.size));
    sarif_open(&sarif);
    sarif_add(&sarif, result, "a/b.json");
    sarif_close(&sarif, &out);
    pack_init(&pack, &packed);
    pack_map(&pack, DIFF_PAIRS);
    const version_t version = { .sketch = sketch, .result = result };
    diff_write(&version, &version, &pack);
    const value_t *diff = s_parse(arena, &packed);
    insist(value_get_int(diff, "score_change", 1) == 0);
    insist(value_at(diff, "wires.added")->count == 0 && value_at(diff, "issues.new")->count == 0);
    buf_free(&out);
    buf_free(&packed);
}

static void s_take(const analysis_result_t *result, arena_t *arena)
{
    buf_t answer = { 0 }, stored = { 0 };
    sketch_t sketch, back;
    pack_t pack;
    pack_init(&pack, &answer);
    result_write(result, &pack);
    const value_t *map = s_parse(arena, &answer);
    int64_t score = value_get_int(map, "score", -1);
    insist(score >= 0 && score <= 100);
    sketch_make(&sketch, arena, result);
    s_store_sketch(&back, arena, &sketch, &stored);
    s_write_all(arena, &back, map);
    buf_free(&answer);
    buf_free(&stored);
}

static void s_analyse(const value_t *document, const char *kind)
{
    arena_t arena = { 0 };
    analysis_result_t result;
    uint8_t key[ANALYSIS_KEY_BYTES];
    char why[ANALYSIS_WHY_SIZE] = "";
    const analysis_options_t options = { .kind = kind };
    analysis_verdict_t verdict = analysis_run(&arena, document, &options, &result);
    insist(verdict == ANALYSIS_DONE || (verdict == ANALYSIS_REFUSED && result.why[0]));
    if (verdict == ANALYSIS_DONE) {
        insist(analysis_key(&arena, document, &options, key, why) == ANALYSIS_DONE);
        s_take(&result, &arena);
    }
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    buf_t packed = { 0 };
    arena_t arena = { 0 };
    json_error_t error;
    const analyser_t *analyser;
    if (json_to_msgpack((const char *)bytes, size, LIMITS, 0, &packed, &error)) {
        const value_t *document = s_parse(&arena, &packed);
        s_analyse(document, NULL);
        for (size_t i = 0; (analyser = analyser_at(i)); i++)
            s_analyse(document, analyser->kind);
    }
    buf_free(&packed);
    arena_free(&arena);
    return 0;
}
