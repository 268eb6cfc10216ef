/* SPDX-License-Identifier: MPL-2.0
 *
 * tap - the kit of the C tests: checks that print the Test Anything Protocol
 *
 * A test program is a list of functions and, at its end, TESTS with a table of their names. Run it
 * with a name to run only that one.
 */
#ifndef SIGNALBOX_TAP_H
#define SIGNALBOX_TAP_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const char *name;
    void (*run)(void);
} tap_test_t;

static int tap_checks, tap_failures;
static const char *tap_now = "";

static inline bool tap_check(bool good, const char *what, const char *file, int line)
{
    tap_checks++;
    tap_failures += !good;
    printf("%sok %d - %s: %s\n", good ? "" : "not ", tap_checks, tap_now, what);
    if (!good)
        printf("# at %s:%d\n", file, line);
    fflush(stdout);
    return good;
}

/* Passes when the condition holds; the condition is the name of the check. */
#define ok(condition) tap_check(condition, #condition, __FILE__, __LINE__)

/* The same with a name, for conditions in loops over tables. */
#define ok_named(condition, name) tap_check(condition, name, __FILE__, __LINE__)

#define is_int(actual, expected)                                                                   \
    do {                                                                                           \
        long long tap_a = (long long)(actual), tap_e = (long long)(expected);                      \
        if (!tap_check(tap_a == tap_e, #actual " is " #expected, __FILE__, __LINE__))              \
            printf("# got %lld, expected %lld\n", tap_a, tap_e);                                   \
    } while (0)

#define is_text(actual, expected)                                                                  \
    do {                                                                                           \
        const char *tap_a = (actual), *tap_e = (expected);                                         \
        bool tap_same = tap_a && tap_e ? strcmp(tap_a, tap_e) == 0 : tap_a == tap_e;               \
        if (!tap_check(tap_same, #actual " is " #expected, __FILE__, __LINE__))                    \
            printf("# got \"%s\", expected \"%s\"\n", tap_a ? tap_a : "(null)",                    \
                   tap_e ? tap_e : "(null)");                                                      \
    } while (0)

/* A line that explains, for the log. */
#define note(...) (printf("# "), printf(__VA_ARGS__), printf("\n"))

static inline int tap_main(const tap_test_t *tests, size_t count, int argc, char **argv)
{
    for (size_t i = 0; i < count; i++) {
        if (argc > 1 && strcmp(argv[1], tests[i].name) != 0)
            continue;
        tap_now = tests[i].name;
        tests[i].run();
    }
    printf("1..%d\n", tap_checks);
    return tap_failures ? 1 : 0;
}

/* TESTS({ "name", function }, ...) is the last thing in the file. */
#define TESTS(...)                                                                                 \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        static const tap_test_t tests[] = { __VA_ARGS__ };                                         \
        return tap_main(tests, sizeof tests / sizeof tests[0], argc, argv);                        \
    }

#endif
