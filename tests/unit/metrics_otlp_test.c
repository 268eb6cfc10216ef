/* SPDX-License-Identifier: MPL-2.0
 *
 * What a collector says of the spans it was sent.
 */
#include "config.h"

#include "actors/metrics/otlp.h"
#include "tests/tap.h"

static void test_refused(void)
{
    static const struct {
        const char *answer;
        size_t refused;
        const char *why;
    } rows[] = {
        { "", 0, "" },
        { "{}", 0, "" },
        { "{\"partialSuccess\":{}}", 0, "" },
        { "{\"partialSuccess\":null}", 0, "" },
        { "{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"no name\"}}", 3,
          "no name" },
        { "{\"partialSuccess\":{\"rejectedSpans\":3}}", 3, "" },
        { "{\"partialSuccess\":{\"errorMessage\":\"slow down\"}}", 0, "slow down" },
        { "{\"partialSuccess\":{\"rejectedSpans\":\"0\",\"errorMessage\":\"old\"}}", 0, "old" },
        { "{\"partialSuccess\":{\"rejectedSpans\":\"-1\"}}", 0, "" },
        { "{\"partialSuccess\":{\"rejectedSpans\":\"many\"}}", 0, "" },
        { "{\"partialSuccess\":{\"rejectedSpans\":[1]}}", 0, "" },
        { "{\"partialSuccess\":{\"rejectedSpans\":\"3\"", 0, "" },
        { "[1]", 0, "" },
        { "<html>", 0, "" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char why[EXPORTER_WHY_SIZE] = "";
        is_int(otlp_refused(rows[i].answer, strlen(rows[i].answer), why), rows[i].refused);
        is_text(why, rows[i].why);
    }
}

/* Its words are cut between characters. */
static void test_long_words(void)
{
    char why[EXPORTER_WHY_SIZE] = "";
    buf_t answer = { 0 };
    buf_add_text(&answer, "{\"partialSuccess\":{\"rejectedSpans\":\"1\",\"errorMessage\":\"x");
    for (int i = 0; i < EXPORTER_WHY_SIZE; i++)
        buf_add_text(&answer, "\xc3\xa4");
    buf_add_text(&answer, "\"}}");
    is_int(otlp_refused(answer.bytes, answer.size, why), 1);
    is_int(strlen(why), EXPORTER_WHY_SIZE - 1);
    buf_free(&answer);
}

TESTS({ "refused", test_refused }, { "long words", test_long_words })
