/* SPDX-License-Identifier: MPL-2.0
 *
 * Schemas and values are written as JSON, since that is what readers know.
 */
#include "config.h"

#include "proto/json.h"
#include "proto/pack.h"
#include "proto/schema.h"
#include "tests/tap.h"

static const value_t *s_value(arena_t *arena, const char *json)
{
    buf_t bytes = { 0 };
    json_error_t error;
    value_verdict_t verdict;
    if (!json_to_msgpack(json, strlen(json), VALUE_LIMITS, 0, &bytes, &error))
        die("the test's own JSON is wrong: %s", json);
    void *copy = arena_text(arena, bytes.bytes, bytes.size);
    const value_t *value = value_parse(arena, copy, bytes.size, VALUE_LIMITS, &verdict);
    buf_free(&bytes);
    return value;
}

static void test_validation(void)
{
    /* schema, value, and the first error as "pointer: why"; NULL when it is valid */
    static const char *const cases[][3] = {
        { "{}", "{\"anything\":[1]}", NULL },
        { "true", "5", NULL },
        { "{\"type\":\"integer\"}", "5", NULL },
        { "{\"type\":\"integer\"}", "5.0", NULL },
        { "{\"type\":\"integer\"}", "5.5", ": must be an integer" },
        { "{\"type\":\"number\"}", "5", NULL },
        { "{\"type\":\"string\"}", "5", ": must be a text" },
        { "{\"type\":[\"string\",\"null\"]}", "null", NULL },
        { "{\"type\":[\"string\",\"null\"]}", "1", ": must be null or a text" },
        { "{\"type\":\"string\"}", "\"a\\u0000b\"", ": must not hold U+0000" },
        { "{\"minimum\":1,\"maximum\":10}", "0", ": must be at least 1" },
        { "{\"minimum\":1,\"maximum\":10}", "10", NULL },
        { "{\"exclusiveMaximum\":10}", "10", ": must be below 10" },
        { "{\"minimum\":3,\"exclusiveMinimum\":3}", "3", ": must be above 3" },
        { "{\"multipleOf\":0.1}", "0.3", NULL },
        { "{\"multipleOf\":5}", "7", ": must be a multiple of 5" },
        { "{\"minLength\":2}", "\"\xc3\xa9\"", ": must have at least 2 characters" },
        { "{\"maxLength\":2}", "\"\xc3\xa9\xc3\xa9\"", NULL },
        { "{\"maxLength\":2}", "\"abc\"", ": must have at most 2 characters" },
        { "{\"pattern\":\"^[a-z]+$\"}", "\"abc\"", NULL },
        { "{\"pattern\":\"^[a-z]+$\"}", "\"aBc\"", ": must match ^[a-z]+$" },
        { "{\"enum\":[\"a\",\"b\"]}", "\"c\"", ": must be one of: a, b" },
        { "{\"enum\":[1,null]}", "null", NULL },
        { "{\"const\":{\"a\":1}}", "{\"a\":1.0}", NULL },
        { "{\"const\":1}", "2", ": is not the one value that is allowed" },
        { "{\"items\":{\"type\":\"integer\"}}", "[1,2,\"x\"]", "/2: must be an integer" },
        { "{\"minItems\":1}", "[]", ": must have at least 1 items" },
        { "{\"maxItems\":1}", "[1,2]", ": must have at most 1 items" },
        { "{\"uniqueItems\":true}", "[1,2,1.0]", ": items 0 and 2 are the same" },
        { "{\"required\":[\"a\"]}", "{}", "/a: is required" },
        { "{\"properties\":{\"a\":{\"type\":\"boolean\"}}}", "{\"a\":1}", "/a: must be a boolean" },
        { "{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"b/c~d\":1}",
          "/b~1c~0d: is not a field here" },
        { "{\"additionalProperties\":{\"type\":\"integer\"}}", "{\"x\":\"y\"}",
          "/x: must be an integer" },
        { "{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"null\"}]}", "null", NULL },
        { "{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"null\"}]}", "\"x\"",
          ": fits none of the 2 alternatives" },
        { "{\"format\":\"uuid\"}", "\"0190a6d0-0000-7000-8000-000000000000\"", NULL },
        { "{\"format\":\"uuid\"}", "\"0190a6d0\"", ": must be a valid uuid" },
        { "{\"format\":\"date-time\"}", "\"2026-02-28T23:59:60.5+01:00\"", NULL },
        { "{\"format\":\"date-time\"}", "\"2026-02-30T00:00:00Z\"", ": must be a valid date-time" },
        { "{\"format\":\"date\"}", "\"2024-02-29\"", NULL },
        { "{\"format\":\"date\"}", "\"2025-02-29\"", ": must be a valid date" },
        { "{\"format\":\"email\"}", "\"a.b+c@example.org\"", NULL },
        { "{\"format\":\"email\"}", "\"a@b\"", ": must be a valid email" },
        { "{\"format\":\"email\"}", "\"a..b@example.org\"", ": must be a valid email" },
        { "{\"format\":\"uri\"}", "\"https://example.org/%20?x=1#y\"", NULL },
        { "{\"format\":\"uri\"}", "\"//example.org\"", ": must be a valid uri" },
        { "{\"format\":\"uri\"}", "\"http://a b\"", ": must be a valid uri" },
        { "{\"format\":\"ipv4\"}", "\"127.0.0.1\"", NULL },
        { "{\"format\":\"ipv4\"}", "\"127.0.0.256\"", ": must be a valid ipv4" },
        { "{\"format\":\"ipv6\"}", "\"::ffff:1.2.3.4\"", NULL },
        { "{\"format\":\"ipv6\"}", "\"1:2\"", ": must be a valid ipv6" },
        { "{\"type\":\"object\",\"properties\":{\"n\":{\"$ref\":\"#/components/schemas/Node\"}}}",
          "{\"n\":{\"next\":{\"next\":{\"next\":5}}}}", "/n/next/next/next: must be an object" },
    };
    static const char components[] =
        "{\"Node\":{\"type\":\"object\",\"properties\":{\"next\":{\"$ref\":"
        "\"#/components/schemas/Node\"}}}}";
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        arena_t arena = { 0 };
        char why[SCHEMA_WHY_SIZE], got[600] = "";
        schema_errors_t errors;
        schema_set_t *set = schema_set_new(&arena, s_value(&arena, components));
        const schema_t *schema = schema_compile(set, s_value(&arena, cases[i][0]), why);
        if (!schema)
            note("%s: %s", cases[i][0], why);
        bool valid = schema && schema_validate(schema, s_value(&arena, cases[i][1]), &errors);
        if (schema && !valid)
            snprintf(got, sizeof got, "%s: %s", errors.list[0].pointer, errors.list[0].why);
        is_text(valid ? NULL : got, cases[i][2]);
        schema_set_destroy(&set);
        arena_free(&arena);
    }
}

static void test_refused_schemas(void)
{
    static const char *const cases[][2] = {
        { "{\"oneOf\":[]}", "the keyword 'oneOf' is not supported" },
        { "{\"type\":\"whole\"}", "type: neither a JSON type nor a list of them" },
        { "{\"format\":\"hostname\"}", "format: 'hostname' is not supported" },
        { "{\"pattern\":\"(\"}", NULL },
        { "{\"pattern\":\"(a)\\\\1\"}", "pattern: back-references are not supported" },
        { "{\"multipleOf\":0}", "multipleOf: must be above 0" },
        { "{\"minLength\":-1}", "minLength: must be a whole number from 0" },
        { "{\"enum\":[]}", "enum: must be a list with at least one value" },
        { "{\"anyOf\":[{\"anyOf\":[{}]}]}",
          "anyOf: only simple types are supported as alternatives" },
        { "{\"$ref\":\"other.json\"}", "$ref: only #/components/schemas/NAME is supported" },
        { "{\"$ref\":\"#/components/schemas/None\"}",
          "$ref: the descriptor has no component 'None'" },
        { "{\"$ref\":\"#/components/schemas/A\"}",
          "$ref: components refer to each other without an end" },
        { "{\"$ref\":\"#/components/schemas/A\",\"items\":{}}",
          "$ref: properties, items and additionalProperties belong into the schema it names" },
        { "{\"properties\":{\"x\":{\"properties\":5}}}", "properties: must be an object" },
        { "5", "a schema must be an object" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        arena_t arena = { 0 };
        char why[SCHEMA_WHY_SIZE] = "";
        schema_set_t *set =
            schema_set_new(&arena, s_value(&arena, "{\"A\":{\"$ref\":\"#/components/schemas/B\"},"
                                                   "\"B\":{\"$ref\":\"#/components/schemas/A\"}}"));
        ok_named(!schema_compile(set, s_value(&arena, cases[i][0]), why), cases[i][0]);
        if (cases[i][1])
            is_text(why, cases[i][1]);
        schema_set_destroy(&set);
        arena_free(&arena);
    }
}

/* No JSON has it, but a descriptor is msgpack. The second list is longer than the first, which is
 * the one that room was made for. */
static void test_a_keyword_stands_once(void)
{
    arena_t arena = { 0 };
    buf_t bytes = { 0 };
    pack_t pack;
    char why[SCHEMA_WHY_SIZE] = "", name[12];
    value_verdict_t verdict;
    pack_init(&pack, &bytes);
    pack_map(&pack, 2);
    pack_text(&pack, "properties");
    pack_map(&pack, 0);
    pack_text(&pack, "properties");
    pack_map(&pack, 1000);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "%d", i);
        pack_pair_bool(&pack, name, true);
    }
    schema_set_t *set = schema_set_new(&arena, NULL);
    const value_t *source = value_parse(&arena, bytes.bytes, bytes.size, VALUE_LIMITS, &verdict);
    ok(!schema_compile(set, source, why));
    is_text(why, "the keyword 'properties' stands twice");
    schema_set_destroy(&set);
    arena_free(&arena);
    buf_free(&bytes);
}

static void test_hostile_patterns_end(void)
{
    arena_t arena = { 0 };
    char why[SCHEMA_WHY_SIZE], text[3003];
    schema_set_t *set = schema_set_new(&arena, NULL);
    const schema_t *schema = schema_compile(set, s_value(&arena, "{\"pattern\":\"^(a+)+$\"}"), why);
    memset(text, 'a', sizeof text);
    text[0] = '"';
    text[3000] = '!';
    text[3001] = '"';
    text[3002] = '\0';
    ok(!schema_validate(schema, s_value(&arena, text), NULL)); /* given up, not run for ever */
    schema_set_destroy(&set);
    arena_free(&arena);
}

static void test_all_errors_up_to_a_limit(void)
{
    arena_t arena = { 0 };
    char why[SCHEMA_WHY_SIZE];
    schema_errors_t errors;
    schema_set_t *set = schema_set_new(&arena, NULL);
    const schema_t *schema =
        schema_compile(set, s_value(&arena, "{\"items\":{\"type\":\"integer\"}}"), why);
    ok(!schema_validate(schema, s_value(&arena, "[1,\"a\",2,\"b\"]"), &errors));
    is_int(errors.count, 2);
    is_text(errors.list[1].pointer, "/3");
    ok(!schema_validate(schema,
                        s_value(&arena, "[null,null,null,null,null,null,null,null,null,null,null,"
                                        "null,null,null,null,null,null,null,null,null]"),
                        &errors));
    is_int(errors.count, SCHEMA_ERRORS_MAX);
    schema_set_destroy(&set);
    arena_free(&arena);
}

TESTS({ "validation", test_validation }, { "refused schemas", test_refused_schemas },
      { "a keyword stands once", test_a_keyword_stands_once },
      { "hostile patterns", test_hostile_patterns_end },
      { "all errors", test_all_errors_up_to_a_limit })
