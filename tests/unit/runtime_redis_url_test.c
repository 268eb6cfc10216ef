/* SPDX-License-Identifier: MPL-2.0
 *
 * Where a Redis is, in the forms people write, and that nothing of a wrong URL is repeated.
 */
#include "config.h"

#include "actors/runtime/redis_url.h"
#include "tests/tap.h"

static void test_good(void)
{
    static const struct {
        const char *text, *host, *path, *user, *password;
        int port, database;
    } cases[] = {
        { "redis://localhost", "localhost", "", "", "", 6379, 0 },
        { "redis://localhost/", "localhost", "", "", "", 6379, 0 },
        { "redis://10.0.0.1:7000/3", "10.0.0.1", "", "", "", 7000, 3 },
        { "redis://[::1]:7000", "::1", "", "", "", 7000, 0 },
        { "redis://:pass@host:1/2", "host", "", "", "pass", 1, 2 },
        { "redis://me:p%40s%2Fs@host", "host", "", "me", "p@s/s", 6379, 0 },
        { "unix:///run/redis.sock", "", "/run/redis.sock", "", "", 6379, 0 },
        { "unix://:x@/run/redis.sock?db=5", "", "/run/redis.sock", "", "x", 6379, 5 },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        redis_url_t url;
        char why[200] = "";
        ok_named(redis_url_parse(&url, cases[i].text, why, sizeof why), cases[i].text);
        is_text(url.host, cases[i].host);
        is_text(url.path, cases[i].path);
        is_text(url.user, cases[i].user);
        is_text(url.password, cases[i].password);
        is_int(url.port, cases[i].port);
        is_int(url.database, cases[i].database);
    }
}

static void test_bad(void)
{
    static const char *const cases[] = {
        "",
        "localhost:6379",
        "http://host",
        "redis://",
        "redis://:secret@",
        "redis://secret@host",
        "redis://:secret%4@host",
        "redis://:secret%00@host",
        "redis://host:secret",
        "redis://host:0",
        "redis://host:65536",
        "redis://host/-1",
        "redis://host/secret",
        "redis://[::1",
        "rediss://:secret@host",
        "unix://secret",
        "unix:///run/redis.sock?secret=1",
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        redis_url_t url;
        char why[200] = "";
        ok_named(!redis_url_parse(&url, cases[i], why, sizeof why), cases[i]);
        ok(strstr(why, "storage.redis") == why);
        ok(!strstr(why, "secret"));
    }
}

static void test_too_long(void)
{
    char text[400], why[200];
    redis_url_t url;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memcpy(text, "unix:///", 8);
    ok(!redis_url_parse(&url, text, why, sizeof why));
    memcpy(text, "redis://", 8);
    ok(!redis_url_parse(&url, text, why, sizeof why));
}

TESTS({ "good", test_good }, { "bad", test_bad }, { "too long", test_too_long })
