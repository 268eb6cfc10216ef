/* SPDX-License-Identifier: MPL-2.0
 *
 * The API document as a value; tests/it/edge_openapi.py gives it to others to read.
 */
#include "config.h"

#include "edge/edge.h"
#include "tests/kit/described.h"
#include "tests/tap.h"

static const char s_shop[] =
    "{\"service\":\"shop\",\"version\":\"1\",\"about\":\"Sells\",\"components\":{"
    "\"Thing\":{\"type\":\"object\",\"properties\":{\"inner\":{\"$ref\":"
    "\"#/components/schemas/Thing\"}}},\"a/b\":{\"type\":\"string\"}},\"methods\":["
    "{\"name\":\"create\",\"summary\":\"Makes\",\"access\":\"user\","
    "\"http\":{\"route\":\"POST /v1/shop/things\",\"status\":201},"
    "\"request\":{\"type\":\"object\",\"properties\":{\"thing\":{\"$ref\":"
    "\"#/components/schemas/Thing\"},\"odd\":{\"$ref\":\"#/components/schemas/a/b\"}}},"
    "\"reply\":{\"$ref\":\"#/components/schemas/Thing\"},\"errors\":[\"CONFLICT\",\"NONSENSE\"]},"
    "{\"name\":\"list\",\"access\":\"public\",\"http\":{\"route\":\"GET /v1/shop/things\"},"
    "\"request\":{\"type\":\"object\",\"required\":[\"page\"],\"properties\":{\"page\":"
    "{\"type\":\"integer\",\"description\":\"Which \\\"page\\\"\"}}}},"
    "{\"name\":\"inner\",\"request\":{\"type\":\"object\"}}]}";
static const char s_bank[] =
    "{\"service\":\"bank\",\"version\":\"1\",\"components\":{\"Thing\":{\"type\":\"string\"}},"
    "\"methods\":[{\"name\":\"get\",\"access\":\"user\",\"http\":{\"route\":\"GET /v1/bank/{id}\"},"
    "\"request\":{\"type\":\"object\",\"properties\":{\"id\":{\"$ref\":"
    "\"#/components/schemas/Thing\"}}}}]}";

static arena_t s_arena;
static buf_t s_packed;

static const value_t *s_read(const buf_t *text)
{
    json_error_t error;
    value_verdict_t verdict;
    s_packed.size = 0;
    if (!json_to_msgpack((const char *)text->bytes, text->size, VALUE_LIMITS, 0, &s_packed, &error))
        die("the document is not JSON at line %u, column %u", error.line, error.column);
    return value_parse(&s_arena, s_packed.bytes, s_packed.size, VALUE_LIMITS, &verdict);
}

static bool s_holds(const buf_t *text, const char *part)
{
    return memmem(text->bytes, text->size, part, strlen(part)) != NULL;
}

static void test_document(void)
{
    descriptor_t *shop = described_read(s_shop), *bank = described_read(s_bank);
    buf_t one = { 0 }, two = { 0 };
    edge_write_openapi((const descriptor_t *[]){ shop, bank }, 2, "9.9.9", &one);
    edge_write_openapi((const descriptor_t *[]){ bank, shop }, 2, "9.9.9", &two);
    ok(one.size == two.size && memcmp(one.bytes, two.bytes, one.size) == 0);

    const value_t *document = s_read(&one);
    ok(value_is(value_get(document, "openapi"), "3.1.0"));
    ok(value_is(value_at(document, "info.version"), "9.9.9"));
    const value_t *paths = value_get(document, "paths");
    const value_t *things = value_get(paths, "/v1/shop/things");
    const value_t *create = value_get(things, "post"), *list = value_get(things, "get");
    ok(value_is(value_get(create, "operationId"), "shop.create"));
    ok(value_get(value_get(create, "responses"), "201") != NULL);
    ok(value_is(value_get(value_get(value_get(create, "responses"), "409"), "description"),
                "CONFLICT"));
    ok(value_get(value_get(create, "responses"), "415") != NULL);
    ok(value_get(value_get(create, "responses"), "401") != NULL);
    ok(value_get(value_get(list, "responses"), "401") == NULL);
    ok(value_get(value_get(list, "responses"), "415") == NULL);
    ok(value_get(list, "requestBody") == NULL);
    const value_t *page = value_item(value_get(list, "parameters"), 0);
    ok(value_is(value_get(page, "in"), "query") && value_get_bool(page, "required", false));
    ok(value_is(value_get(page, "description"), "Which \"page\""));
    const value_t *id =
        value_item(value_get(value_get(value_get(paths, "/v1/bank/{id}"), "get"), "parameters"), 0);
    ok(value_is(value_get(id, "in"), "path") && value_get_bool(id, "required", false));

    /* two services, two components of one name */
    const value_t *schemas = value_at(document, "components.schemas");
    ok(value_get(schemas, "shop.Thing") && value_get(schemas, "bank.Thing"));
    ok(value_get(schemas, "shop.a_b") != NULL);
    ok(value_is(value_get(value_get(id, "schema"), "$ref"), "#/components/schemas/bank.Thing"));
    ok(s_holds(&one, "\"inner\":{\"$ref\":\"#/components/schemas/shop.Thing\"}"));
    ok(s_holds(&one, "\"odd\":{\"$ref\":\"#/components/schemas/shop.a_b\"}"));
    ok(!s_holds(&one, "inner\":{}") && !s_holds(&one, "shop.inner"));

    buf_t none = { 0 };
    edge_write_openapi(NULL, 0, "1", &none);
    ok(value_get(s_read(&none), "paths") != NULL);
    buf_free(&none);
    buf_free(&one);
    buf_free(&two);
    buf_free(&s_packed);
    arena_free(&s_arena);
    descriptor_destroy(&shop);
    descriptor_destroy(&bank);
}

TESTS({ "document", test_document })
