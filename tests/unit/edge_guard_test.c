/* SPDX-License-Identifier: MPL-2.0
 *
 * Heads that are let through, what is rewritten in them, and every reason to refuse one. What a
 * refusal looks like from outside is in tests/it/edge_malformed.py.
 */
#include "config.h"

#include <stdlib.h>

#include "edge/guard.h"
#include "tests/tap.h"

static const guard_limits_t s_limits = { .target_bytes = 100, .headers_bytes = 400 };

/* Checks a copy; `after` (may be NULL) receives what has become of it. */
static guard_verdict_t s_check(const char *text, guard_head_t *head, char *after)
{
    size_t size = strlen(text);
    char *copy = malloc(size); /* of its exact size, so that sanitizers see a step too far */
    memcpy(copy, text, size);
    guard_verdict_t verdict = guard_check(copy, &size, &s_limits, head);
    if (after) {
        memcpy(after, copy, size);
        after[size] = '\0';
    }
    free(copy);
    return verdict;
}

#define LINE "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"

static void test_verdicts(void)
{
    static const struct {
        const char *head;
        guard_verdict_t verdict;
    } cases[] = {
        { LINE HOST "\r\n", GUARD_GOOD },
        { "GET / HTTP/1.0\r\n\r\n", GUARD_GOOD },
        { "DELETE /a?b=c HTTP/1.1\r\n" HOST "\r\n", GUARD_GOOD },
        { LINE "host:a:80\r\n\r\n", GUARD_GOOD },
        { LINE HOST "X:\r\n\r\n", GUARD_GOOD },
        { LINE HOST "X: \xc3\xbc\r\n\r\n", GUARD_GOOD },
        { LINE HOST "Transfer-Encoding: Chunked\r\n\r\n", GUARD_GOOD },
        { LINE HOST "Content-Length: 007\r\n\r\n", GUARD_GOOD },
        { "GET /\r\n\r\n", GUARD_BAD_LINE },
        { "GET / HTTP/1.1 \r\n\r\n", GUARD_BAD_LINE },
        { "GET / HTTP/11\r\n\r\n", GUARD_BAD_LINE },
        { "GET / HTTP/x.1\r\n\r\n", GUARD_BAD_LINE },
        { " / HTTP/1.1\r\n\r\n", GUARD_BAD_LINE },
        { "G@T / HTTP/1.1\r\n\r\n", GUARD_BAD_LINE },
        { "GET  / HTTP/1.1\r\n" HOST "\r\n", GUARD_BAD_TARGET },
        { "GET /a b HTTP/1.1\r\n" HOST "\r\n", GUARD_BAD_TARGET },
        { "GET /\x7f HTTP/1.1\r\n" HOST "\r\n", GUARD_BAD_TARGET },
        { "GET * HTTP/1.1\r\n" HOST "\r\n", GUARD_BAD_TARGET },
        { "GET http:///a HTTP/1.1\r\n" HOST "\r\n", GUARD_BAD_TARGET },
        { "GET http://u@a/ HTTP/1.1\r\n" HOST "\r\n", GUARD_BAD_TARGET },
        { "GET /\nX: y HTTP/1.1\r\n" HOST "\r\n", GUARD_BARE_LF },
        { "GET / HTTP/1.1\nHost: a\n\n", GUARD_BARE_LF },
        { LINE "Host: a\n\r\n", GUARD_BARE_LF },
        { LINE HOST "\n", GUARD_BARE_LF },
        { "GET / HTTP/1.2\r\n" HOST "\r\n", GUARD_BAD_VERSION },
        { "GET / HTTP/3.0\r\n" HOST "\r\n", GUARD_BAD_VERSION },
        { "HACK / HTTP/1.1\r\n" HOST "\r\n", GUARD_UNKNOWN_METHOD },
        { "TRACE / HTTP/1.1\r\n" HOST "\r\n", GUARD_REFUSED_METHOD },
        { "CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", GUARD_REFUSED_METHOD },
        { LINE HOST "A: b\r\n c\r\n\r\n", GUARD_FOLDED },
        { LINE " Host: a\r\n\r\n", GUARD_FOLDED },
        { LINE HOST "A : b\r\n\r\n", GUARD_NAME_SPACE },
        { LINE HOST "A\t: b\r\n\r\n", GUARD_NAME_SPACE },
        { LINE HOST "A\r\n\r\n", GUARD_BAD_NAME },
        { LINE HOST ":a\r\n\r\n", GUARD_BAD_NAME },
        { LINE HOST "A/B: c\r\n\r\n", GUARD_BAD_NAME },
        { LINE HOST "A: b\x01\r\n\r\n", GUARD_BAD_VALUE },
        { LINE HOST "A: b\rc\r\n\r\n", GUARD_BAD_VALUE },
        { LINE "\r\n", GUARD_NO_HOST },
        { LINE HOST HOST "\r\n", GUARD_TWO_HOSTS },
        { LINE "Host: a,b\r\n\r\n", GUARD_BAD_HOST },
        { LINE "Host: a:\x31\x32\x33\x34\x35\x36\r\n\r\n", GUARD_BAD_HOST },
        { LINE "Host: [::1\r\n\r\n", GUARD_BAD_HOST },
        { LINE "Host: [x]\r\n\r\n", GUARD_BAD_HOST },
        { LINE HOST "Content-Length: 1x\r\n\r\n", GUARD_BAD_LENGTH },
        { LINE HOST "Content-Length: 9999999999999999999\r\n\r\n", GUARD_BAD_LENGTH },
        { LINE HOST "Content-Length: 1\r\nContent-length: 1\r\n\r\n", GUARD_TWO_LENGTHS },
        { LINE HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
          GUARD_LENGTH_AND_CODING },
        { "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", GUARD_CODING_IN_1_0 },
        { LINE HOST "Transfer-Encoding: identity\r\n\r\n", GUARD_BAD_CODING },
        { LINE HOST "Transfer-Encoding: chunked, gzip\r\n\r\n", GUARD_BAD_CODING },
        { LINE HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", GUARD_UNKNOWN_CODING },
        { LINE HOST "Expect: later\r\n\r\n", GUARD_BAD_EXPECT },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        guard_head_t head;
        guard_verdict_t verdict = s_check(cases[i].head, &head, NULL);
        char name[80];
        snprintf(name, sizeof name, "case %zu: %s", i, guard_row(cases[i].verdict)->sentence);
        if (!ok_named(verdict == cases[i].verdict, name))
            note("got %d, expected %d", verdict, cases[i].verdict);
    }
}

static void test_limits(void)
{
    char text[2000];
    guard_head_t head;
    size_t used =
        (size_t)snprintf(text, sizeof text, "GET /%0*d HTTP/1.1\r\nHost: a\r\n\r\n", 99, 0);
    is_int(s_check(text, &head, NULL), GUARD_GOOD);
    snprintf(text, sizeof text, "GET /%0*d HTTP/1.1\r\nHost: a\r\n\r\n", 100, 0);
    is_int(s_check(text, &head, NULL), GUARD_LONG_TARGET);
    snprintf(text, sizeof text, LINE HOST "X: %0*d\r\n\r\n", 386, 0);
    is_int(s_check(text, &head, NULL), GUARD_GOOD);
    snprintf(text, sizeof text, LINE HOST "X: %0*d\r\n\r\n", 387, 0);
    is_int(s_check(text, &head, NULL), GUARD_LARGE_HEAD);
    used = (size_t)snprintf(text, sizeof text, LINE HOST);
    for (int i = 1; i < GUARD_HEADERS_MAX; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "X:\r\n");
    snprintf(text + used, sizeof text - used, "\r\n");
    is_int(s_check(text, &head, NULL), GUARD_GOOD);
    snprintf(text + used, sizeof text - used, "X:\r\n\r\n");
    is_int(s_check(text, &head, NULL), GUARD_MANY_HEADERS);
}

static void test_what_is_read(void)
{
    guard_head_t head;
    s_check("POST / HTTP/1.1\r\n" HOST "Content-Length: 12\r\nExpect: 100-Continue\r\n\r\n", &head,
            NULL);
    is_int(head.verb, HTTP_POST);
    is_int(head.length, 12);
    ok(head.expects_continue && head.keep_alive && !head.is_1_0 && !head.is_chunked);
    s_check("PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", &head, NULL);
    ok(head.is_1_0 && !head.expects_continue && !head.keep_alive);

    static const struct {
        const char *version, *connection;
        bool keeps;
    } connections[] = {
        { "1.1", "close", false },
        { "1.1", "keep-alive", true },
        { "1.1", "Keep-Alive, TE", true },
        { "1.1", "TE", false },
        { "1.1", "keep-alive, close", false },
        { "1.1", "keep-alive\r\nConnection: close", false },
        { "1.1", "keep-alive, Upgrade", false },
        { "1.0", "keep-alive", true },
        { "1.0", "", false },
    };
    for (size_t i = 0; i < sizeof connections / sizeof connections[0]; i++) {
        char text[200], name[40];
        snprintf(text, sizeof text, "GET / HTTP/%s\r\n" HOST "Connection: %s\r\n\r\n",
                 connections[i].version, connections[i].connection);
        snprintf(name, sizeof name, "HTTP/%s, %.10s", connections[i].version,
                 connections[i].connection);
        is_int(s_check(text, &head, NULL), GUARD_GOOD);
        ok_named(head.keep_alive == connections[i].keeps, name);
    }

    static const struct {
        const char *host;
        bool is_loopback;
    } hosts[] = {
        { "localhost", true },         { "LocalHost:1", true },  { "127.0.0.1", true },
        { "127.255.1.2:65535", true }, { "[::1]:80", true },     { "localhost.", false },
        { "localhost.a", false },      { "127.0.0.1.a", false }, { "127.1", false },
        { "1127.0.0.1", false },       { "[::2]", false },       { "example.com", false },
    };
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        char text[200];
        snprintf(text, sizeof text, LINE "Host: %s\r\n\r\n", hosts[i].host);
        is_int(s_check(text, &head, NULL), GUARD_GOOD);
        ok_named(head.host_is_loopback == hosts[i].is_loopback, hosts[i].host);
    }
}

static void test_what_is_rewritten(void)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        { LINE HOST "X: a\tb\r\n\r\n", LINE HOST "X: a b\r\n\r\n" },
        { LINE HOST "X: a b  \r\n\r\n", LINE HOST "X:   a b\r\n\r\n" },
        { LINE HOST "X:   \r\n\r\n", LINE HOST "X:   \r\n\r\n" },
        { "GET http://b:80/c?d HTTP/1.1\r\n" HOST "\r\n", "GET /c?d HTTP/1.1\r\n" HOST "\r\n" },
        { "GET HTTPS://b HTTP/1.1\r\n" HOST "\r\n", "GET / HTTP/1.1\r\n" HOST "\r\n" },
        { "GET http://b?d HTTP/1.1\r\n" HOST "\r\n", "GET /?d HTTP/1.1\r\n" HOST "\r\n" },
        { "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS / HTTP/1.1\r\n" HOST "\r\n" },
    };
    guard_head_t head;
    char after[500];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        is_int(s_check(cases[i].before, &head, after), GUARD_GOOD);
        is_text(after, cases[i].after);
    }
    ok(head.is_asterisk);
    s_check("OPTIONS http://a HTTP/1.1\r\n" HOST "\r\n", &head, NULL);
    ok(head.is_asterisk);
    s_check("GET http://localhost/ HTTP/1.1\r\nHost: example.com\r\n\r\n", &head, NULL);
    ok(head.host_is_loopback);
    s_check("GET http://example.com/ HTTP/1.1\r\nHost: localhost\r\n\r\n", &head, NULL);
    ok(!head.host_is_loopback);
}

static void test_the_end(void)
{
    static const char *const complete[] = { LINE HOST "\r\n", "GET / HTTP/1.1\n\n",
                                            LINE "A: b\n\r\n" };
    for (size_t i = 0; i < sizeof complete / sizeof complete[0]; i++) {
        size_t size = strlen(complete[i]), scanned = 0, wrong = 0;
        for (size_t have = 0; have < size; have++) /* byte by byte */
            wrong += guard_end(complete[i], have, &scanned) != 0;
        is_int(wrong, 0);
        is_int(guard_end(complete[i], size, &scanned), size);
        scanned = 0;
        char more[200];
        snprintf(more, sizeof more, "%sbody\r\n\r\n", complete[i]);
        is_int(guard_end(more, strlen(more), &scanned), size);
    }
    is_int(guard_blank("\r\n\nGET", 6), 3);
    is_int(guard_blank("\r", 1), 0);
    is_int(guard_blank("GET", 3), 0);
}

static void test_what_can_still_become_good(void)
{
    char text[1000];
    memset(text, 'a', sizeof text);
    is_int(guard_partial("", 0, &s_limits), GUARD_GOOD);
    is_int(guard_partial("GET /a HT", 9, &s_limits), GUARD_GOOD);
    is_int(guard_partial("\x16\x03\x01", 3, &s_limits), GUARD_BAD_LINE);
    is_int(guard_partial(text, 164, &s_limits), GUARD_GOOD);
    is_int(guard_partial(text, 165, &s_limits), GUARD_LONG_TARGET);
    text[20] = '\n';
    is_int(guard_partial(text, 563, &s_limits), GUARD_GOOD);
    is_int(guard_partial(text, 564, &s_limits), GUARD_LARGE_HEAD);
}

TESTS({ "verdicts", test_verdicts }, { "limits", test_limits },
      { "what is read", test_what_is_read }, { "what is rewritten", test_what_is_rewritten },
      { "the end", test_the_end },
      { "what can still become good", test_what_can_still_become_good })
