/* SPDX-License-Identifier: MPL-2.0
 *
 * Path, query and body to msgpack; a reply to JSON.
 */
#include "config.h"

#include "edge/reply.h"
#include "edge/translate.h"
#include "tests/kit/described.h"
#include "tests/tap.h"

static const char s_service[] =
    "{\"service\":\"shop\",\"version\":\"1\",\"methods\":["
    "{\"name\":\"change\",\"access\":\"user\",\"http\":{\"route\":\"PATCH /v1/shop/{id}/{part}\"},"
    "\"request\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"id\"],"
    "\"properties\":{\"id\":{\"type\":\"integer\"},\"part\":{\"type\":\"string\"},"
    "\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}},"
    "\"ratio\":{\"type\":[\"number\",\"null\"]},\"deep\":{\"type\":\"boolean\"},"
    "\"either\":{\"type\":[\"integer\",\"string\"]},\"any\":{}}}},"
    "{\"name\":\"order\",\"access\":\"user\",\"http\":{\"route\":\"POST /v1/shop\"},"
    "\"request\":{\"type\":\"object\",\"additionalProperties\":false,"
    "\"properties\":{\"n\":{\"type\":\"integer\"},"
    "\"idempotency_key\":{\"type\":\"string\",\"maxLength\":5}}}},"
    "{\"name\":\"put\",\"access\":\"user\","
    "\"http\":{\"route\":\"PUT /v1/shop/{id}\",\"body\":\"document\"},"
    "\"request\":{\"type\":\"object\",\"additionalProperties\":false,"
    "\"required\":[\"id\",\"document\"],"
    "\"properties\":{\"id\":{\"type\":\"string\"},\"document\":{}}}}]}";

static routing_t *s_routing;
static arena_t s_arena;

static void s_open(void)
{
    static grants_t grants;
    char why[100];
    routing_report_t report;
    offer_t offer = { .described = described_new(described_read(s_service)), .is_live = true };
    ok(grants_read(&grants, "", why, sizeof why));
    s_routing = routing_build(&offer, 1, &grants, &report);
    described_drop(&offer.described);
    grants_free(&grants);
}

/* The message as JSON; or "CODE pointer why" of the first error. */
static const char *s_key; /* the header Idempotency-Key */

static const char *s_translate(http_verb_t verb, const char *target, const char *query,
                               const char *body)
{
    static char text[1000];
    static schema_errors_t fields;
    failure_t failure = { .code = ERROR_NONE };
    path_t path;
    buf_t message = { 0 }, json = { 0 };
    value_verdict_t verdict;
    ok(path_read(&path, target, strlen(target), &s_arena) == NULL);
    const translate_t request = { .route = routing_find(s_routing, &path, verb).route,
                                  .path = &path,
                                  .query = query,
                                  .body = body,
                                  .body_size = body ? strlen(body) : 0,
                                  .idempotency_key = s_key };
    if (translate_request(&request, &s_arena, &message, &failure, &fields)) {
        json_write(value_parse(&s_arena, message.bytes, message.size, VALUE_LIMITS, &verdict),
                   &json);
        snprintf(text, sizeof text, "%s", buf_text(&json));
    } else {
        const char *symbol = error_row(failure.code)->symbol;
        if (failure.fields && failure.fields->count)
            snprintf(text, sizeof text, "%s %s %s", symbol, fields.list[0].pointer,
                     fields.list[0].why);
        else
            snprintf(text, sizeof text, "%s %s", symbol, failure.detail);
    }
    buf_free(&message);
    buf_free(&json);
    arena_reset(&s_arena);
    return text;
}

static void test_requests(void)
{
    static const struct {
        http_verb_t verb;
        const char *path, *query, *body, *expected;
    } cases[] = {
        { HTTP_PATCH, "/v1/shop/7/a%2Fb", NULL, NULL, "{\"id\":7,\"part\":\"a/b\"}" },
        { HTTP_PATCH, "/v1/shop/-7/x", "deep=true&ratio=2.5", NULL,
          "{\"id\":-7,\"part\":\"x\",\"deep\":true,\"ratio\":2.5}" },
        { HTTP_PATCH, "/v1/shop/7/x", "ratio=2", NULL, "{\"id\":7,\"part\":\"x\",\"ratio\":2}" },
        { HTTP_PATCH, "/v1/shop/7/x", "tags=1&deep=false&tags=2", NULL,
          "{\"id\":7,\"part\":\"x\",\"tags\":[1,2],\"deep\":false}" },
        { HTTP_PATCH, "/v1/shop/7/x", "either=5", NULL,
          "{\"id\":7,\"part\":\"x\",\"either\":\"5\"}" },
        { HTTP_PATCH, "/v1/shop/7/x", "any=5", NULL, "{\"id\":7,\"part\":\"x\",\"any\":\"5\"}" },
        { HTTP_PATCH, "/v1/shop/7/x", NULL, "{\"any\":{\"a\":[1,null]}}",
          "{\"id\":7,\"part\":\"x\",\"any\":{\"a\":[1,null]}}" },
        { HTTP_PATCH, "/v1/shop/7/x", "deep=true", "{\"id\":7,\"any\":1}",
          "{\"part\":\"x\",\"deep\":true,\"id\":7,\"any\":1}" },
        { HTTP_PATCH, "/v1/shop/7/x", NULL, "{\"id\":7.0,\"part\":\"x\",\"any\":1}",
          "{\"id\":7.0,\"part\":\"x\",\"any\":1}" },
        { HTTP_PATCH, "/v1/shop/7/x", NULL, "{}", "{\"id\":7,\"part\":\"x\"}" },
        { HTTP_PUT, "/v1/shop/x", NULL, "[1,2]", "{\"id\":\"x\",\"document\":[1,2]}" },
        { HTTP_PUT, "/v1/shop/x", NULL, "{\"id\":\"y\"}",
          "{\"id\":\"x\",\"document\":{\"id\":\"y\"}}" },
        { HTTP_PUT, "/v1/shop/x", "document=1", NULL, "{\"id\":\"x\",\"document\":\"1\"}" },
        { HTTP_PUT, "/v1/shop/x", "document=1", "2",
          "VALIDATION_FAILED /document is the body, and cannot be given elsewhere" },
        { HTTP_PUT, "/v1/shop/x", NULL, NULL, "VALIDATION_FAILED /document is required" },
        { HTTP_PATCH, "/v1/shop/x/x", NULL, NULL, "VALIDATION_FAILED /id must be an integer" },
        { HTTP_PATCH, "/v1/shop/7.5/x", NULL, NULL, "VALIDATION_FAILED /id must be an integer" },
        { HTTP_PATCH, "/v1/shop/7/x", "deep=1", NULL, "VALIDATION_FAILED /deep must be a boolean" },
        { HTTP_PATCH, "/v1/shop/7/x", "tags=1&tags=x", NULL,
          "VALIDATION_FAILED /tags/1 must be an integer" },
        { HTTP_PATCH, "/v1/shop/7/x", "ratio=0x10", NULL,
          "VALIDATION_FAILED /ratio must be null or a number" },
        { HTTP_PATCH, "/v1/shop/7/x", "deep=true&deep=true", NULL,
          "VALIDATION_FAILED /deep is given more than once" },
        { HTTP_PATCH, "/v1/shop/7/x", "id=7", NULL,
          "VALIDATION_FAILED /id is given more than once" },
        { HTTP_PATCH, "/v1/shop/7/x", "other=1", NULL,
          "VALIDATION_FAILED /other is not a field here" },
        { HTTP_PATCH, "/v1/shop/7/x", NULL, "{\"other\":1}",
          "VALIDATION_FAILED /other is not a field here" },
        { HTTP_PATCH, "/v1/shop/7/x", NULL, "{\"id\":8}",
          "VALIDATION_FAILED /id contradicts the address" },
        { HTTP_PATCH, "/v1/shop/7/x", NULL, "{\"id\":\"7\"}",
          "VALIDATION_FAILED /id contradicts the address" },
        { HTTP_PATCH, "/v1/shop/7/x", "deep=true", "{\"deep\":false}",
          "VALIDATION_FAILED /deep contradicts the address" },
        { HTTP_PATCH, "/v1/shop/7/x", NULL, "[]", "VALIDATION_FAILED  must be an object" },
        { HTTP_PATCH, "/v1/shop/7/x", NULL, "{\"any\":}",
          "INVALID_JSON At line 1, column 8: this character cannot stand here" },
        { HTTP_PATCH, "/v1/shop/7/x", "a=%zz", NULL,
          "BAD_REQUEST The address holds a '%' that is not followed by two hex digits" },
    };
    s_open();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        is_text(s_translate(cases[i].verb, cases[i].path, cases[i].query, cases[i].body),
                cases[i].expected);
}

/* A body of many members keeps its own order and bytes behind the fields of the address. */
static void test_large_bodies(void)
{
    static const int counts[] = { 14, 15, 16, 17, 65534, 65535, 65536 };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        buf_t body = { 0 };
        static schema_errors_t fields;
        failure_t failure;
        path_t path;
        buf_t message = { 0 };
        value_verdict_t verdict;
        buf_add_text(&body, "{\"any\":{");
        for (int j = 0; j < counts[i]; j++)
            buf_printf(&body, "%s\"k%d\":%d", j ? "," : "", j, j);
        buf_add_text(&body, "}}");
        ok(path_read(&path, "/v1/shop/7/x", 12, &s_arena) == NULL);
        const translate_t request = {
            .route = routing_find(s_routing, &path, HTTP_PATCH).route,
            .path = &path,
            .body = (const char *)body.bytes,
            .body_size = body.size,
        };
        ok(translate_request(&request, &s_arena, &message, &failure, &fields));
        const value_t *map =
            value_parse(&s_arena, message.bytes, message.size, VALUE_LIMITS, &verdict);
        const value_t *any = value_get(map, "any");
        ok(any && any->count == (uint32_t)counts[i]);
        is_int(value_get_int(map, "id", 0), 7);
        buf_free(&body);
        buf_free(&message);
        arena_reset(&s_arena);
    }
    routing_drop(&s_routing);
}

static void test_replies(void)
{
    reply_t reply;
    buf_t content = { 0 }, out = { 0 };
    const value_t *tree;
    const char *why;
    descriptor_method_t method = { .name = "m" };
    buf_t packed = described_pack("{\"id\":\"a b/\xc3\xbc\",\"n\":-5,\"in\":{\"id\":3},\"content\":"
                                  "\"<p>\"}");
    ok(reply_read(&reply, &method, packed.bytes, packed.size, &s_arena, &content, &tree, &why));
    is_text(reply.media, "application/json");
    ok(reply.size == content.size && memcmp(reply.bytes, "{\"id\":\"a b/", 11) == 0);
    ok(reply_location("/v1/a/{id}/{n}/{in.id}", tree, &out));
    is_text(buf_text(&out), "/v1/a/a%20b%2F%C3%BC/-5/3");
    out.size = 0;
    ok(!reply_location("/v1/{missing}", tree, &out));
    ok(!reply_location("/v1/{in}", tree, &out));
    method.media = "text/html";
    ok(reply_read(&reply, &method, packed.bytes, packed.size, &s_arena, &content, &tree, &why));
    ok(reply.size == 3 && memcmp(reply.bytes, "<p>", 3) == 0);
    ok(!reply_read(&reply, &method, "\x80", 1, &s_arena, &content, &tree, &why) && why);
    method.media = NULL;
    ok(!reply_read(&reply, &method, "\xc1", 1, &s_arena, &content, &tree, &why) && why);
    ok(!reply_read(&reply, &method, "", 0, &s_arena, &content, &tree, &why) && why);
    buf_free(&packed);
    buf_free(&content);
    buf_free(&out);
    arena_free(&s_arena);
}

/* The header becomes a field, of methods that have it. */
static void test_idempotency_key(void)
{
    static const struct {
        const char *key, *target, *body, *message;
    } cases[] = {
        { "abc", "/v1/shop", "{\"n\":1}", "{\"idempotency_key\":\"abc\",\"n\":1}" },
        { "\"abc\"", "/v1/shop", NULL, "{\"idempotency_key\":\"abc\"}" },
        { NULL, "/v1/shop", "{\"n\":1}", "{\"n\":1}" },
        { "abc", "/v1/shop", "{\"idempotency_key\":\"abc\"}", "{\"idempotency_key\":\"abc\"}" },
    };
    s_open();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        s_key = cases[i].key;
        is_text(s_translate(HTTP_POST, cases[i].target, NULL, cases[i].body), cases[i].message);
    }
    s_key = "longer";
    ok(strncmp(s_translate(HTTP_POST, "/v1/shop", NULL, NULL), "VALIDATION_FAILED", 17) == 0);
    s_key = "abc";
    is_text(s_translate(HTTP_PATCH, "/v1/shop/1/a", NULL, "{}"), "{\"id\":1,\"part\":\"a\"}");
    s_key = NULL;
    routing_drop(&s_routing);
    arena_free(&s_arena);
}

TESTS({ "idempotency key", test_idempotency_key }, { "requests", test_requests },
      { "large bodies", test_large_bodies }, { "replies", test_replies })
