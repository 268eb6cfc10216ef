/* SPDX-License-Identifier: MPL-2.0
 *
 * A value computed before something it was made of changed is never kept.
 */
#include "config.h"

#include "actors/cache/epochs.h"
#include "tests/tap.h"

static span_t s_span(const char *text)
{
    return (span_t){ text, strlen(text) };
}

static bool s_allows(const epochs_t *epochs, uint64_t epoch, const char *tag)
{
    span_t tags[] = { s_span("other"), s_span(tag) };
    return epochs_allow(epochs, epoch, tags, COUNT_OF(tags));
}

static void test_tags(void)
{
    epochs_t epochs;
    epochs_init(&epochs);
    uint64_t before = epochs.now;
    ok(s_allows(&epochs, before, "prices"));
    epochs_change_tag(&epochs, s_span("prices"));
    ok(!s_allows(&epochs, before, "prices"));
    ok(s_allows(&epochs, before, "orders"));
    ok(s_allows(&epochs, epochs.now, "prices")); /* begun after the change */
    uint64_t between = epochs.now;
    epochs_change_tag(&epochs, s_span("prices"));
    ok(!s_allows(&epochs, between, "prices"));
    epochs_free(&epochs);
}

static void test_all(void)
{
    epochs_t epochs;
    epochs_init(&epochs);
    uint64_t before = epochs.now;
    epochs_change_all(&epochs);
    ok(!s_allows(&epochs, before, "prices"));
    ok(!epochs_allow(&epochs, before, NULL, 0));
    ok(s_allows(&epochs, epochs.now, "prices"));
    epochs_free(&epochs);
}

static void test_forgetting(void)
{
    epochs_t epochs;
    epochs_init(&epochs);
    epochs_change_tag(&epochs, s_span("first"));
    uint64_t between = epochs.now;
    epochs_change_tag(&epochs, s_span("second"));
    epochs_forget(&epochs, between);
    ok(epochs.tags != NULL);
    ok(!s_allows(&epochs, between, "second"));
    epochs_forget(&epochs, epochs.now);
    ok(epochs.tags == NULL);
}

static void test_bound(void)
{
    char name[16];
    epochs_t epochs;
    epochs_init(&epochs);
    uint64_t before = epochs.now;
    for (int i = 0; i < EPOCHS_TAGS_MAX + 1; i++) {
        snprintf(name, sizeof name, "%d", i);
        epochs_change_tag(&epochs, s_span(name));
    }
    ok(!s_allows(&epochs, before, "0")); /* its tag is not remembered, its age is */
    ok(!s_allows(&epochs, before, "never changed"));
    ok(s_allows(&epochs, epochs.now - 1, "never changed"));
    epochs_free(&epochs);
}

TESTS({ "tags", test_tags }, { "all", test_all }, { "forgetting", test_forgetting },
      { "bound", test_bound })
