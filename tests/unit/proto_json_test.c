/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include <stdlib.h>

#include "proto/json.h"
#include "tests/tap.h"

#define LIMITS ((value_limits_t){ .depth = 64, .nodes = 100000 })

/* Reads and writes again; NULL when it is refused, with the verdict in `error`. */
static char *s_again(const char *text, size_t size, unsigned options, json_error_t *error)
{
    buf_t packed = { 0 }, out = { 0 };
    arena_t arena = { 0 };
    char *result = NULL;
    value_verdict_t verdict;
    if (json_to_msgpack(text, size, LIMITS, options, &packed, error)) {
        const value_t *value = value_parse(&arena, packed.bytes, packed.size, LIMITS, &verdict);
        if (value) {
            json_write(value, &out);
            result = mem_text(out.bytes, out.size);
        } else {
            note("the output is no msgpack: %s", value_verdict_text(verdict));
        }
    }
    buf_free(&packed);
    buf_free(&out);
    arena_free(&arena);
    return result;
}

static void test_accepted(void)
{
    static const char *const cases[][2] = {
        { "null", "null" },
        { " true ", "true" },
        { "\t[\r\n]", "[]" },
        { "{}", "{}" },
        { "0", "0" },
        { "-0", "-0.0" },
        { "-1", "-1" },
        { "127", "127" },
        { "128", "128" },
        { "-33", "-33" },
        { "-129", "-129" },
        { "65536", "65536" },
        { "4294967296", "4294967296" },
        { "9223372036854775807", "9223372036854775807" },
        { "-9223372036854775808", "-9223372036854775808" },
        { "18446744073709551615", "18446744073709551615" },
        { "0.1", "0.1" },
        { "1.0", "1.0" },
        { "1e3", "1000.0" },
        { "1E+2", "100.0" },
        { "123456789.123456789", "123456789.12345679" },
        { "5e-324", "4.94065645841247e-324" },
        { "1.7976931348623157e308", "1.7976931348623157e+308" },
        { "\"\"", "\"\"" },
        { "\"a\\u0062c\"", "\"abc\"" },
        { "\"\\u00e9\\u20ac\\ud83d\\ude00\"", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
        { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\"" },
        { "\"\\u0000\"", "\"\\u0000\"" },
        { "[1,[2,{\"a\":[]}],\"x\"]", "[1,[2,{\"a\":[]}],\"x\"]" },
        { "{\"b\":1,\"a\":{\"b\":2}}", "{\"b\":1,\"a\":{\"b\":2}}" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        json_error_t error;
        char *result = s_again(cases[i][0], strlen(cases[i][0]), 0, &error);
        is_text(result, cases[i][1]);
        mem_free(result);
    }
}

static void test_refused(void)
{
    static const struct {
        const char *text;
        json_verdict_t verdict;
        size_t offset;
    } cases[] = {
        { "", JSON_EMPTY, 0 },
        { "  ", JSON_EMPTY, 2 },
        { "[", JSON_CUT, 1 },
        { "{\"a\"", JSON_CUT, 4 },
        { "\"abc", JSON_CUT, 4 },
        { "[1,]", JSON_UNEXPECTED, 3 },
        { "{\"a\":1,}", JSON_UNEXPECTED, 7 },
        { "{a:1}", JSON_UNEXPECTED, 1 },
        { "[1 2]", JSON_UNEXPECTED, 3 },
        { "nul", JSON_CUT, 0 },
        { "NaN", JSON_UNEXPECTED, 0 },
        { "'a'", JSON_UNEXPECTED, 0 },
        { "1 1", JSON_TRAILING, 2 },
        { "{}}", JSON_TRAILING, 2 },
        { "01", JSON_BAD_NUMBER, 2 },
        { "1.", JSON_CUT, 2 },
        { "[1.]", JSON_BAD_NUMBER, 3 },
        { "[-]", JSON_BAD_NUMBER, 2 },
        { "[1e]", JSON_BAD_NUMBER, 3 },
        { "18446744073709551616", JSON_BIG_NUMBER, 0 },
        { "-9223372036854775809", JSON_BIG_NUMBER, 0 },
        { "1e400", JSON_BIG_NUMBER, 0 },
        { "{\"a\":1,\"a\":2}", JSON_DUPLICATE_KEY, 7 },
        { "{\"a\":1,\"\\u0061\":2}", JSON_DUPLICATE_KEY, 7 },
        { "\"\\x\"", JSON_BAD_ESCAPE, 1 },
        { "\"\\u12g4\"", JSON_BAD_ESCAPE, 1 },
        { "\"\\ud800\"", JSON_BAD_TEXT, 1 },
        { "\"\\udc00\\ud800\"", JSON_BAD_TEXT, 1 },
        { "\"\xc0\xaf\"", JSON_BAD_TEXT, 1 },
        { "\"\xed\xa0\x80\"", JSON_BAD_TEXT, 1 },
        { "\"a\nb\"", JSON_CONTROL, 2 },
        { "\xef\xbb\xbf{}", JSON_UNEXPECTED, 0 },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        json_error_t error;
        char *result = s_again(cases[i].text, strlen(cases[i].text), 0, &error);
        ok_named(result == NULL, cases[i].text);
        is_int(error.verdict, cases[i].verdict);
        is_int(error.offset, cases[i].offset);
        mem_free(result);
    }
    json_error_t error;
    ok(s_again("[1\0]", 4, 0, &error) == NULL);
    is_int(error.verdict, JSON_UNEXPECTED);
    ok(s_again("{\n  \"a\": x\n}", 12, 0, &error) == NULL);
    is_int(error.line, 2);
    is_int(error.column, 8);
}

static void test_big_numbers_as_text(void)
{
    json_error_t error;
    char *result = s_again("[18446744073709551616,1e999,-1]", 31, JSON_BIG_NUMBERS_AS_TEXT, &error);
    is_text(result, "[\"18446744073709551616\",\"1e999\",-1]");
    mem_free(result);
}

static void test_limits(void)
{
    buf_t text = { 0 }, packed = { 0 };
    json_error_t error;
    for (int i = 0; i < 65; i++)
        buf_add_byte(&text, '[');
    for (int i = 0; i < 65; i++)
        buf_add_byte(&text, ']');
    ok(!json_to_msgpack((char *)text.bytes, 130, LIMITS, 0, &packed, &error));
    is_int(error.verdict, JSON_TOO_DEEP);
    ok(json_to_msgpack((char *)text.bytes + 1, 128, LIMITS, 0, &packed, &error));
    packed.size = 0;
    ok(!json_to_msgpack("[1,2,3]", 7, (value_limits_t){ .depth = 4, .nodes = 3 }, 0, &packed,
                        &error));
    is_int(error.verdict, JSON_TOO_MANY);
    is_int(packed.size, 0);
    buf_free(&text);
    buf_free(&packed);
}

/* Containers whose heads grow to 16 and 32 bits, and objects that switch to the hash table. */
static void test_large_containers(void)
{
    static const int counts[] = { 0, 1, 12, 13, 15, 16, 17, 200, 65535, 65536, 70000 };
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        buf_t array = { 0 }, object = { 0 };
        json_error_t error;
        buf_add_text(&array, "[[\"x\"");
        buf_add_text(&object, "{\"k\":{\"inner\":1");
        for (int n = 0; n < counts[i]; n++) {
            buf_printf(&array, ",%d", n);
            buf_printf(&object, ",\"key%d\":%d", n, n);
        }
        buf_add_text(&array, "],\"end\"]");
        buf_add_text(&object, "},\"z\":null}");
        buf_t packed = { 0 }, out = { 0 };
        arena_t arena = { 0 };
        value_verdict_t verdict;
        const value_limits_t limits = { .depth = 8, .nodes = 1000000 };
        buf_t *const both[] = { &array, &object };
        for (int j = 0; j < 2; j++) {
            packed.size = out.size = 0;
            bool read =
                json_to_msgpack((char *)both[j]->bytes, both[j]->size, limits, 0, &packed, &error);
            ok(read);
            const value_t *value = value_parse(&arena, packed.bytes, packed.size, limits, &verdict);
            ok(value != NULL);
            json_write(value, &out);
            ok(out.size == both[j]->size && memcmp(out.bytes, both[j]->bytes, out.size) == 0);
        }
        object.size -= 2; /* a second "z" instead of the end */
        buf_add_text(&object, "1,\"z\":2}");
        packed.size = 0;
        ok(!json_to_msgpack((char *)object.bytes, object.size, limits, 0, &packed, &error));
        buf_free(&array);
        buf_free(&object);
        buf_free(&packed);
        buf_free(&out);
        arena_free(&arena);
    }
}

static void test_duplicate_among_many(void)
{
    buf_t text = { 0 }, packed = { 0 };
    json_error_t error;
    buf_add_text(&text, "{");
    for (int i = 0; i < 5000; i++)
        buf_printf(&text, "\"key-%d\":%d,", i, i);
    buf_add_text(&text, "\"key-2500\":1}");
    ok(!json_to_msgpack((char *)text.bytes, text.size, LIMITS, 0, &packed, &error));
    is_int(error.verdict, JSON_DUPLICATE_KEY);
    buf_free(&text);
    buf_free(&packed);
}

static void test_doubles_read_back_equal(void)
{
    unsigned wrong = 0;
    srand48(42);
    for (int i = 0; i < 20000; i++) {
        char text[40];
        json_error_t error;
        double number = (drand48() - 0.5) * (i % 2 ? 1e300 : 1e3) * (i % 3 ? 1 : 1e-300);
        snprintf(text, sizeof text, "%.17g", number);
        char *result = s_again(text, strlen(text), 0, &error);
        wrong += !result || strtod(result, NULL) != number;
        mem_free(result);
    }
    is_int(wrong, 0);
}

TESTS({ "accepted", test_accepted }, { "refused", test_refused },
      { "big numbers", test_big_numbers_as_text }, { "limits", test_limits },
      { "large containers", test_large_containers },
      { "duplicate among many", test_duplicate_among_many },
      { "doubles", test_doubles_read_back_equal })
