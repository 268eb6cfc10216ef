/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include "proto/descriptor.h"
#include "proto/json.h"
#include "tests/tap.h"

static const field_t s_inner[] = { { "x", FIELD_NUMBER, .min = -1, .max = 1 }, { 0 } };

static const field_t s_request[] = {
    { "id", FIELD_STRING, .required = true, .format = "uuid", .about = "Which one" },
    { "limit", FIELD_INTEGER, .preset = "20", .min = 1, .max = 100, .example = "50" },
    { "kind", FIELD_STRING, .choices = "n8n asl", .nullable = true },
    { "points", FIELD_ARRAY, .fields = s_inner, .max = 3 },
    { "names", FIELD_ARRAY, .items = FIELD_STRING, .about = "Some" },
    { "document", FIELD_ANY, .about = "Anything" },
    { 0 },
};

static const field_t s_reply[] = { { "content", FIELD_STRING, .required = true }, { 0 } };

static const method_t s_show = {
    .name = "show",
    .summary = "Shows a thing",
    .request = s_request,
    .reply = s_reply,
    .errors = (const error_code_t[]){ ERROR_NOT_FOUND, ERROR_NONE },
    .access = ACCESS_USER,
    .role = "admin",
    .rate = "read",
    .cost = 2,
    .cost_per = "tags",
    .idempotent = true,
    .deadline_ms = 500,
    .cache = { .ttl_s = 60, .vary = "account", .tags = "thing:{id}" },
    .http = { .route = "GET /v1/things/{id}", .media = "image/svg+xml" },
};

static const service_t s_service = { .name = "things",
                                     .version = "1.2.3",
                                     .about = "Things",
                                     .methods = (const method_t *const[]){ &s_show, NULL } };

static void test_ours(void)
{
    buf_t bytes = { 0 };
    pack_t pack;
    char why[DESCRIPTOR_WHY_SIZE] = "";
    pack_init(&pack, &bytes);
    descriptor_write(&s_service, &pack);
    descriptor_t *descriptor = descriptor_read(bytes.bytes, bytes.size, why);
    is_text(why, "");
    ok(descriptor != NULL);
    is_text(descriptor->service, "things");
    is_text(descriptor->version, "1.2.3");
    const descriptor_method_t *method = descriptor_method(descriptor, "show", 4);
    ok(method != NULL);
    is_text(method->verb, "GET");
    is_text(method->path, "/v1/things/{id}");
    is_int(method->status, 200);
    is_text(method->media, "image/svg+xml");
    is_int(method->access, ACCESS_USER);
    is_text(method->role, "admin");
    is_int(method->cost, 2);
    is_text(method->cost_per, "tags");
    is_int(method->cache.ttl_s, 60);
    is_text(method->cache.tags, "thing:{id}");
    ok(method->idempotent);
    is_int(method->errors->count, 1);
    ok(value_is(value_item(method->errors, 0), "NOT_FOUND"));
    is_int(schema_types(schema_property(method->request, "limit", 5)), SCHEMA_INTEGER);
    ok(descriptor_method(descriptor, "sho", 3) == NULL);

    descriptor_t *again = descriptor_read(bytes.bytes, bytes.size, why);
    ok(again->hash == descriptor->hash);
    descriptor_destroy(&again);
    bytes.bytes[bytes.size / 2] ^= 1;
    again = descriptor_read(bytes.bytes, bytes.size, why);
    ok(!again || again->hash != descriptor->hash);
    descriptor_destroy(&again);
    descriptor_destroy(&descriptor);
    buf_free(&bytes);
}

/* One method of a service from outside, as JSON. */
static descriptor_t *s_read(const char *method, char why[DESCRIPTOR_WHY_SIZE])
{
    buf_t text = { 0 }, bytes = { 0 };
    json_error_t error;
    buf_printf(&text, "{\"service\":\"own\",\"version\":\"1.0\",\"methods\":[%s]}", method);
    if (!json_to_msgpack((char *)text.bytes, text.size, VALUE_LIMITS, 0, &bytes, &error))
        die("the test's own JSON is wrong: %s", method);
    descriptor_t *descriptor = descriptor_read(bytes.bytes, bytes.size, why);
    buf_free(&text);
    buf_free(&bytes);
    return descriptor;
}

#define OBJECT "\"request\":{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"string\"}}}"

static void test_from_outside(void)
{
    static const char *const cases[][2] = {
        { "{\"name\":\"a\"," OBJECT "}", NULL },
        { "{\"name\":\"a\"," OBJECT ",\"access\":\"public\",\"http\":{\"route\":\"GET /v1/own\"}}",
          NULL },
        { "{\"name\":\"a b\"," OBJECT "}",
          "'name' must be a name of 1 to 64 letters, digits, '.', '_', '-'" },
        { "{\"name\":\"a\"}",
          "method 'a': 'request' is missing: give at least {\"type\": \"object\"}" },
        { "{\"name\":\"a\",\"request\":{\"type\":\"array\"}}",
          "method 'a': 'request' must be a schema of type object" },
        { "{\"name\":\"a\"," OBJECT ",\"access\":\"all\"}",
          "method 'a': 'access' must be internal, public or user" },
        { "{\"name\":\"a\"," OBJECT ",\"http\":{\"route\":\"GET /v1/own\"}}",
          "method 'a': an internal method has no HTTP binding" },
        { "{\"name\":\"a\"," OBJECT ",\"access\":\"user\",\"http\":{\"route\":\"FETCH /v1/own\"}}",
          "method 'a': 'route' must be GET, POST, PUT, PATCH or DELETE, a space and a path" },
        { "{\"name\":\"a\"," OBJECT ",\"access\":\"user\",\"http\":{\"route\":\"GET /own\"}}",
          "method 'a': the path '/own' must be like /v1/things/{id}" },
        { "{\"name\":\"a\"," OBJECT
          ",\"access\":\"user\",\"http\":{\"route\":\"GET /v1/own/x{id}\"}}",
          "method 'a': the path '/v1/own/x{id}' must be like /v1/things/{id}" },
        { "{\"name\":\"a\"," OBJECT
          ",\"access\":\"user\",\"http\":{\"route\":\"GET /v1/own/../x\"}}",
          NULL }, /* dots are characters like others: the edge's router never resolves them */
        { "{\"name\":\"a\"," OBJECT
          ",\"access\":\"user\",\"http\":{\"route\":\"GET /v1/own/{other}\"}}",
          "method 'a': the path parameter 'other' is no field of the request" },
        { "{\"name\":\"a\"," OBJECT ",\"deadline_ms\":600001}",
          "method 'a': 'deadline_ms' must be a whole number from 0 to 600000" },
        { "{\"name\":\"a\"," OBJECT ",\"reply\":{\"not\":{}}}",
          "method 'a': reply: the keyword 'not' is not supported" },
        { "{\"name\":\"a\"," OBJECT "},{\"name\":\"a\"," OBJECT "}",
          "the method 'a' stands twice" },
        { "{\"name\":\"a\"," OBJECT ",\"cache\":{\"ttl_s\":5,\"vary\":\"moon\"}}",
          "method 'a': 'vary' must be account or user" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char why[DESCRIPTOR_WHY_SIZE] = "";
        descriptor_t *descriptor = s_read(cases[i][0], why);
        is_text(descriptor ? NULL : why, cases[i][1]);
        descriptor_destroy(&descriptor);
    }
}

static void test_versions(void)
{
    ok(descriptor_compare_versions("1.10.0", "1.9.3") > 0);
    ok(descriptor_compare_versions("1.0", "1.0.1") < 0);
    ok(descriptor_compare_versions("2", "2") == 0);
    ok(descriptor_compare_versions("x", "1") < 0);
}

TESTS({ "ours", test_ours }, { "from outside", test_from_outside }, { "versions", test_versions })
