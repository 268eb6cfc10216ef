/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include "actors/base/text.h"
#include "tests/tap.h"

static void test_utf8(void)
{
    static const struct {
        const char *text;
        size_t step;
    } cases[] = {
        { "a", 1 },
        { "\xc3\xa9", 2 },
        { "\xe2\x82\xac", 3 },
        { "\xf0\x9f\x98\x80", 4 },
        { "\xc0\xaf", 0 },         /* overlong */
        { "\xe0\x80\xaf", 0 },     /* overlong */
        { "\xed\xa0\x80", 0 },     /* surrogate */
        { "\xf4\x90\x80\x80", 0 }, /* above U+10FFFF */
        { "\xff", 0 },
        { "\xe2\x82", 0 }, /* cut */
        { "\x80", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        is_int(text_utf8_step(cases[i].text, strlen(cases[i].text)), cases[i].step);
    ok(text_is_utf8("plain ascii of some length \xc3\xa9", 29));
    ok(!text_is_utf8("plain ascii of some length \xc3", 28));
    is_int(text_utf8_length("a\xc3\xa9\xe2\x82\xac", 6), 3);
}

/* What is cut in the middle of a character loses all of it. */
static void test_cutting(void)
{
    static const char text[] = "a\xc3\xa9\xe2\x82\xac";
    static const size_t whole[] = { 0, 1, 1, 3, 3, 3, 6 };
    for (size_t size = 0; size < COUNT_OF(whole); size++) {
        char copy[8];
        is_int(text_utf8_cut(text, size), whole[size]);
        is_int(text_copy_utf8(copy, size + 1, text, strlen(text)), size == strlen(text));
        is_int(strlen(copy), whole[size]);
    }
    is_int(text_utf8_cut("ab\xff"
                         "cd",
                         5),
           2);
}

/* Whatever is not plain ends a run, wherever in a word it stands. */
static void test_plain_runs(void)
{
    for (int c = 0; c < 256; c++) {
        const bool is_plain = c >= ' ' && c < 0x7f && c != '"' && c != '\\';
        bool is_right = true;
        for (size_t at = 0; at < 20; at++) {
            char text[20];
            memset(text, 'a', sizeof text);
            text[at] = (char)c;
            is_right &= text_plain_run(text, sizeof text) == (is_plain ? sizeof text : at);
            is_right &= text_plain_run(text, at) == at;
        }
        if (!is_right)
            is_int(c, -1);
    }
    is_int(text_plain_run("", 0), 0);
}

static void test_numbers(void)
{
    int64_t whole;
    double number;
    ok(text_to_i64("-9223372036854775808", 20, &whole) && whole == INT64_MIN);
    ok(text_to_i64("9223372036854775807", 19, &whole) && whole == INT64_MAX);
    ok(!text_to_i64("9223372036854775808", 19, &whole));
    ok(!text_to_i64("", 0, &whole));
    ok(!text_to_i64("-", 1, &whole));
    ok(!text_to_i64("1x", 2, &whole));
    ok(!text_to_i64(" 1", 2, &whole));
    ok(text_to_double("1.5e3", 5, &number) && number == 1500.0);
    ok(!text_to_double("0x10", 4, &number));
    ok(!text_to_double("nan", 3, &number));
    ok(!text_to_double("1e999", 5, &number));
}

static void test_number_texts(void)
{
    static const struct {
        int64_t number;
        const char *text;
    } cases[] = { { 0, "0" },
                  { 7, "7" },
                  { -1, "-1" },
                  { 1000, "1000" },
                  { INT64_MAX, "9223372036854775807" },
                  { INT64_MIN, "-9223372036854775808" } };
    char text[TEXT_INT_SIZE];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        is_int(text_of_int(cases[i].number, text), strlen(cases[i].text));
        is_text(text, cases[i].text);
    }
}

static void test_distance(void)
{
    is_int(text_distance("port", "port"), 0);
    is_int(text_distance("prot", "port"), 1);
    is_int(text_distance("por", "port"), 1);
    is_int(text_distance("", "port"), 4);
    is_int(text_distance("kitten", "sitting"), 3);
}

static void test_copy(void)
{
    char to[4];
    ok(text_copy(to, sizeof to, "abc", 3));
    is_text(to, "abc");
    ok(!text_copy(to, sizeof to, "abcd", 4));
    is_text(to, "abc");
}

TESTS({ "utf8", test_utf8 }, { "cutting", test_cutting }, { "plain runs", test_plain_runs },
      { "numbers", test_numbers }, { "number texts", test_number_texts },
      { "distance", test_distance }, { "copy", test_copy })
