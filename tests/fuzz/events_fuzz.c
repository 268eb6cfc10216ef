/* SPDX-License-Identifier: MPL-2.0
 *
 * What strangers publish for the service `metrics`: two snapshots of which the first four bytes say
 * where they are parted, and all of it as a failure. Whatever is taken makes a summary and a list
 * of errors that fit their schemas, and an exposition of whole lines.
 */
#include "config.h"

#include "actors/metrics/summary.h"
#include "proto/metrics.h"
#include "proto/schema.h"
#include "tests/fuzz/fuzz.h"

#define NOW_MS INT64_C(1795258001595)

typedef struct {
    arena_t arena;
    buf_t bytes;
    schema_set_t *set;
    const schema_t *summary, *errors;
} contract_t;

static const schema_t *s_compile(contract_t *self, const field_t *fields)
{
    char why[SCHEMA_WHY_SIZE];
    pack_t pack;
    value_verdict_t verdict;
    self->bytes.size = 0;
    pack_init(&pack, &self->bytes);
    field_write_schema(fields, &pack);
    const char *copy = arena_text(&self->arena, self->bytes.bytes, self->bytes.size);
    const value_t *json = value_parse(&self->arena, copy, self->bytes.size, VALUE_LIMITS, &verdict);
    const schema_t *schema = schema_compile(self->set, json, why);
    insist(schema);
    return schema;
}

/* Compiled once, and kept. */
static const contract_t *s_contract(void)
{
    static contract_t contract;
    if (!contract.set) {
        contract.set = schema_set_new(&contract.arena, NULL);
        contract.summary = s_compile(&contract, metrics_summary.reply);
        contract.errors = s_compile(&contract, metrics_errors.reply);
    }
    return &contract;
}

static void s_check_fit(const schema_t *schema, const buf_t *packed)
{
    arena_t arena = { 0 };
    value_verdict_t verdict;
    schema_errors_t errors;
    const value_t *value = value_parse(&arena, packed->bytes, packed->size, VALUE_LIMITS, &verdict);
    insist(value && schema_validate(schema, value, &errors));
    arena_free(&arena);
}

/* As the actor packs it, with its last member. */
static void s_check_summary(const board_t *board, const errors_t *errors)
{
    buf_t members = { 0 }, whole = { 0 };
    pack_t pack;
    pack_init(&pack, &members);
    summary_write(board, errors, 6000, NOW_MS, &pack);
    pack_init(&pack, &whole);
    pack_map(&pack, SUMMARY_MEMBERS + 1);
    pack_raw(&pack, members.bytes + 1, members.size - 1);
    pack_text(&pack, "alerts");
    pack_array(&pack, 0);
    s_check_fit(s_contract()->summary, &whole);
    buf_free(&members);
    buf_free(&whole);
}

static void s_check_exposition(const board_t *board)
{
    size_t count;
    buf_t text = { 0 };
    exposition_source_t *sources = board_sources(board, &count);
    for (exposition_format_t format = EXPOSITION_TEXT; format <= EXPOSITION_OPENMETRICS; format++) {
        text.size = 0;
        exposition_write(sources, count, format, &text);
        insist(text.size > 0 && text.bytes[text.size - 1] == '\n');
        insist(!memchr(text.bytes, '\0', text.size));
    }
    board_give_back(sources, count);
    buf_free(&text);
}

static void s_snapshots(const uint8_t *bytes, size_t size, const errors_t *errors)
{
    board_t board;
    uint64_t missed;
    board_init(&board, 60000);
    const size_t cut = size >= 4 ? get_u32(bytes) : 0;
    if (cut <= size - 4 && size >= 4) {
        view_t *first = view_read(bytes + 4, cut),
               *second = view_read(bytes + 4 + cut, size - 4 - cut);
        if (first)
            (void)board_take(&board, &first, NOW_MS - 1000, 5000, &missed);
        if (second)
            (void)board_take(&board, &second, NOW_MS, 6000, &missed);
    }
    s_check_summary(&board, errors);
    s_check_exposition(&board);
    board_free(&board);
    insist(board.bytes == 0);
}

static void s_failure(const uint8_t *bytes, size_t size, errors_t *errors)
{
    arena_t arena = { 0 };
    fault_t fault;
    const error_group_t *group;
    size_t evicted;
    buf_t page = { 0 };
    pack_t pack;
    if (fault_read(&fault, &arena, bytes, size)) {
        insist(errors_take(errors, &fault, "stranger", NOW_MS, &group, &evicted) == ERRORS_NEW);
        pack_init(&pack, &page);
        pack_map(&pack, 2);
        pack_text(&pack, "items");
        pack_array(&pack, 1);
        pack_map(&pack, ERRORS_MEMBERS);
        errors_write_group(group, &pack);
        pack_pair_text(&pack, "next_cursor", NULL);
        s_check_fit(s_contract()->errors, &page);
    }
    buf_free(&page);
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    errors_t errors;
    errors_init(&errors, 60000);
    s_failure(bytes, size, &errors);
    s_snapshots(bytes, size, &errors);
    errors_free(&errors);
    return 0;
}
