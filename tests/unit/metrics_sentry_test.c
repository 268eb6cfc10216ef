/* SPDX-License-Identifier: MPL-2.0
 *
 * Where events go, when they are not to, and what they hold. A whole envelope is taken apart, from
 * the specification, in tests/it/metrics_sentry.py.
 */
#include "config.h"

#include "actors/metrics/sentry.h"
#include "proto/json.h"
#include "tests/tap.h"

#define AUTH                                                                                       \
    "X-Sentry-Auth: Sentry sentry_version=7, sentry_client=signalbox/" PACKAGE_VERSION             \
    ", sentry_key="

static void test_dsn(void)
{
    static const struct {
        const char *dsn, *url, *auth; /* NULL: refused */
    } dsns[] = {
        { "https://abc@o1.ingest.example/42", "https://o1.ingest.example/api/42/envelope/",
          AUTH "abc" },
        { "http://abc:def@sentry.internal:9000/7", "http://sentry.internal:9000/api/7/envelope/",
          AUTH "abc, sentry_secret=def" },
        { "https://abc@example.com/deep/path/7", "https://example.com/deep/path/api/7/envelope/",
          AUTH "abc" },
        { "https://abc:@example.com/7", "https://example.com/api/7/envelope/", AUTH "abc" },
        { "ftp://abc@example.com/7", NULL, NULL },
        { "https://example.com/7", NULL, NULL },
        { "https://@example.com/7", NULL, NULL },
        { "https://example.com/a@b/7", NULL, NULL },
        { "https://abc@example.com", NULL, NULL },
        { "https://abc@/7", NULL, NULL },
        { "https://abc@example.com/", NULL, NULL },
        { "https://abc@example.com/7/", NULL, NULL },
        { "https://abc@example.com/7?x=1", NULL, NULL },
        { "https://a,b@example.com/7", NULL, NULL },
        { "https://abc@example.com/7\r\nX: y", NULL, NULL },
        { "https://", NULL, NULL },
        { "abc", NULL, NULL },
    };
    for (size_t i = 0; i < COUNT_OF(dsns); i++) {
        sentry_dsn_t dsn;
        char why[300] = "";
        const bool good = sentry_dsn_read(&dsn, dsns[i].dsn, why, sizeof why);
        ok_named(good == (dsns[i].url != NULL), dsns[i].url ? dsns[i].dsn : why);
        ok(good || (why[0] && !strstr(why, "abc@")));
        if (good) {
            is_text(dsn.url, dsns[i].url);
            is_text(dsn.auth, dsns[i].auth);
            sentry_dsn_free(&dsn);
        }
    }
}

static void test_rest(void)
{
    static const struct {
        const char *limits;
        uint32_t status, retry_after_ms, rest_ms;
    } answers[] = {
        { "", 200, 0, 0 },
        { "", 429, 0, SENTRY_REST_MS },
        { "", 429, 5000, 5000 },
        { "", 503, 2000, 2000 },
        { "60:error:organization", 200, 0, 60000 },
        { "60::organization", 200, 0, 60000 },
        { "60:", 429, 5000, 60000 },
        { "60:transaction:key", 200, 0, 0 },
        { "60:transaction;error;default:key", 200, 0, 60000 },
        { "60:errors:key", 200, 0, 0 },
        { "60:transaction:key, 2700:default;error;security:organization", 200, 0, 2700000 },
        { "2700:default:organization,30:error:project", 200, 0, 30000 },
        { "1.5:error", 200, 0, 1500 },
        { "99999999999:error", 200, 0, SENTRY_REST_MAX },
        { "-5:error", 200, 0, 0 },
        { "soon:error, :error, error", 200, 0, 0 },
        { "60", 200, 0, 0 },
        { ",,  ,", 200, 0, 0 },
    };
    for (size_t i = 0; i < COUNT_OF(answers); i++)
        ok_named(sentry_rest_ms(answers[i].status, answers[i].retry_after_ms, answers[i].limits) ==
                     answers[i].rest_ms,
                 answers[i].limits);
}

/* Whatever a failure holds, an envelope is three lines, the last of the length that is told. */
static void test_any_event_fits(void)
{
    fault_t fault = { .code = "INTERNAL",
                      .part = "cache",
                      .method = "a \"b\" \\ \n {c}",
                      .message = "line\none \x01 \"two\" \xc3\xa4",
                      .version = "",
                      .request_id = "",
                      .trace_id = "0af7651916cd43dd8448eb211c80319c",
                      .span_id = "" };
    for (size_t i = 0; i < FAULT_CRUMBS_MAX; i++)
        fault.crumbs[fault.crumb_count++] = (fault_crumb_t){ 0, "warn", "e\n", "\"text\":\"\n\"" };
    buf_t out = { 0 }, packed = { 0 };
    json_error_t error;
    size_t length = 0;
    sentry_write(&fault,
                 &(sentry_about_t){ .fingerprint = "f",
                                    .instance = "cache-1",
                                    .environment = "",
                                    .wall_ms = 1795258001595 },
                 &out);
    const char *head = buf_text(&out), *item = strchr(head, '\n') + 1,
               *event = strchr(item, '\n') + 1;
    ok(json_to_msgpack(head, (size_t)(item - head - 1), VALUE_LIMITS, 0, &packed, &error));
    ok(json_to_msgpack(item, (size_t)(event - item - 1), VALUE_LIMITS, 0, &packed, &error));
    ok(sscanf(item, "{\"type\":\"event\",\"length\":%zu,", &length) == 1);
    ok(event + length + 1 == head + out.size && head[out.size - 1] == '\n');
    ok(json_to_msgpack(event, length, VALUE_LIMITS, 0, &packed, &error));
    ok(!strstr(event, "\"contexts\"") && !strstr(event, "\"release\""));
    buf_free(&out);
    buf_free(&packed);
}

TESTS({ "DSN", test_dsn }, { "rest", test_rest }, { "any event fits", test_any_event_fits })
