/* SPDX-License-Identifier: MPL-2.0
 *
 * json_bench - CPU time of JSON to msgpack, msgpack to a tree, and a tree to JSON
 *
 * An operation is one document of 10 KB, 100 KB or 1 MB. The control cases are of the same run: the
 * bytes copied, the bytes looked at one by one, and the same msgpack packed by msgpack-c from the
 * tree, which is what writing the answer alone costs. BENCH_MS changes the length of a case.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "proto/json.h"
#include "proto/pack.h"
#include "tests/bench/bench.h"
#include "tests/bench/documents.h"

typedef struct {
    buf_t json, packed, out;
    arena_t arena;
    const value_t *value;
} document_t;

static volatile uint64_t s_sink; /* what is computed is used */

static void s_copy(void *arg)
{
    document_t *self = arg;
    self->out.size = 0;
    buf_add(&self->out, self->json.bytes, self->json.size);
    s_sink += self->out.bytes[self->out.size / 2];
}

static void s_scan(void *arg)
{
    const document_t *self = arg;
    uint64_t quotes = 0;
    for (size_t i = 0; i < self->json.size; i++) {
        uint8_t byte = self->json.bytes[i];
        __asm__ volatile("" : "+r"(byte)); /* each byte, as a parser has to */
        quotes += byte == '"';
    }
    s_sink += quotes;
}

static void s_pack_value(pack_t *pack, const value_t *value)
{
    switch ((value_type_t)value->type) {
    case VALUE_NIL:
        pack_nil(pack);
        break;
    case VALUE_BOOL:
        pack_bool(pack, value->truth);
        break;
    case VALUE_INT:
        pack_int(pack, value->integer);
        break;
    case VALUE_UINT:
        pack_uint(pack, value->natural);
        break;
    case VALUE_FLOAT:
        pack_double(pack, value->number);
        break;
    case VALUE_TEXT:
        pack_string(pack, value->text, value->count);
        break;
    case VALUE_BINARY:
        pack_bytes(pack, value->bytes, value->count);
        break;
    case VALUE_ARRAY:
        pack_array(pack, value->count);
        for (uint32_t i = 0; i < value->count; i++)
            s_pack_value(pack, &value->items[i]);
        break;
    case VALUE_MAP:
        pack_map(pack, value->count);
        for (uint32_t i = 0; i < 2 * value->count; i++)
            s_pack_value(pack, &value->items[i]);
        break;
    }
}

static void s_pack(void *arg)
{
    document_t *self = arg;
    pack_t pack;
    self->out.size = 0;
    pack_init(&pack, &self->out);
    s_pack_value(&pack, self->value);
}

static void s_read(void *arg)
{
    document_t *self = arg;
    json_error_t error;
    self->out.size = 0;
    insist(json_to_msgpack((const char *)self->json.bytes, self->json.size, VALUE_LIMITS, 0,
                           &self->out, &error));
}

static void s_parse(void *arg)
{
    document_t *self = arg;
    arena_t arena = { 0 };
    value_verdict_t verdict;
    insist(value_parse(&arena, self->packed.bytes, self->packed.size, VALUE_LIMITS, &verdict));
    arena_free(&arena);
}

static void s_write(void *arg)
{
    document_t *self = arg;
    self->out.size = 0;
    json_write(self->value, &self->out);
}

int main(void)
{
    static const struct {
        uint32_t nodes;
        const char *size;
    } sizes[] = { { 10, "10 KB" }, { 100, "100 KB" }, { 1000, "1 MB" } };
    static const struct {
        const char *name;
        void (*run)(void *arg);
    } cases[] = {
        { "copy (control)", s_copy },  { "scan (control)", s_scan },   { "pack (control)", s_pack },
        { "JSON to msgpack", s_read }, { "msgpack to tree", s_parse }, { "tree to JSON", s_write },
    };
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        document_t document = { 0 };
        documents_n8n(&document.json, sizes[i].nodes);
        document.value = documents_parse(&document.json, &document.packed, &document.arena);
        for (size_t c = 0; c < COUNT_OF(cases); c++) {
            char name[64];
            snprintf(name, sizeof name, "%s, %s", cases[c].name, sizes[i].size);
            bench_repeat("json", name, 1, cases[c].run, &document);
        }
        buf_free(&document.json);
        buf_free(&document.packed);
        buf_free(&document.out);
        arena_free(&document.arena);
    }
    return 0;
}
