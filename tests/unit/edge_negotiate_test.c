/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include <zlib.h>

#include "edge/gzip.h"
#include "edge/http.h"
#include "edge/negotiate.h"
#include "edge/tracing.h"
#include "tests/tap.h"

static void test_gzip(void)
{
    static const struct {
        const char *header;
        bool wanted;
    } cases[] = {
        { NULL, false },
        { "", false },
        { "gzip", true },
        { "GZIP", true },
        { "deflate, gzip;q=1.0, *;q=0.5", true },
        { "gzip ; q=0.001", true },
        { "gzip;q=0", false },
        { "gzip;q=0.000", false },
        { "gzip;q=2", false },
        { "gzip;q=x", false },
        { "x-gzip", false },
        { "br", false },
        { "*", true },
        { "*;q=0", false },
        { "gzip;q=0, *", false },
        { "identity", false },
        { "identity;q=0.5, gzip;q=0.4", false },
        { "identity;q=0.5, gzip;q=0.5", true },
        { "identity;q=0, *", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ok_named(negotiate_gzip(cases[i].header) == cases[i].wanted,
                 cases[i].header ? cases[i].header : "no header");
}

static void test_html(void)
{
    ok(negotiate_html("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
    ok(!negotiate_html("*/*"));
    ok(!negotiate_html("application/json"));
    ok(!negotiate_html("application/json, text/html;q=0.9"));
    ok(!negotiate_html(NULL));
}

static void test_tags(void)
{
    ok(negotiate_has_tag("\"a\"", "\"a\""));
    ok(negotiate_has_tag("W/\"a\"", "\"a\""));
    ok(negotiate_has_tag("\"b\", \"a\"", "\"a\""));
    ok(negotiate_has_tag("*", "\"a\""));
    ok(!negotiate_has_tag("\"ab\"", "\"a\""));
    ok(!negotiate_has_tag("a", "\"a\""));
    ok(!negotiate_has_tag("\"a\"x", "\"a\""));
    ok(!negotiate_has_tag("", "\"a\""));
    ok(!negotiate_has_tag(NULL, "\"a\""));
}

static void test_packing(void)
{
    gzip_t gzip;
    gzip_init(&gzip, 1);
    char text[5000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 11);
    for (int round = 0; round < 3; round++) { /* the second uses what the first made */
        buf_t packed = { 0 };
        char again[sizeof text];
        gzip_pack(&gzip, text, sizeof text, &packed);
        z_stream stream = { .next_in = packed.bytes,
                            .avail_in = (uInt)packed.size,
                            .next_out = (Bytef *)again,
                            .avail_out = sizeof again };
        ok(packed.size < sizeof text / 10);
        ok(inflateInit2(&stream, 15 + 16) == Z_OK && inflate(&stream, Z_FINISH) == Z_STREAM_END);
        ok(stream.total_out == sizeof text && memcmp(again, text, sizeof text) == 0);
        inflateEnd(&stream);
        buf_free(&packed);
    }
    gzip_free(&gzip);
}

static void test_words(void)
{
    char text[HTTP_ALLOW_SIZE], date[HTTP_DATE_SIZE];
    is_text(http_allow(HTTP_BIT(HTTP_GET) | HTTP_BIT(HTTP_DELETE), text), "GET, DELETE");
    is_text(http_allow(HTTP_BIT(HTTP_VERBS) - 1, text),
            "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    is_int(http_verb_find("PATCH", 5), HTTP_PATCH);
    is_int(http_verb_find("patch", 5), HTTP_VERBS);
    is_int(http_verb_find("PATC", 4), HTTP_VERBS);
    is_text(http_date(784111777000, date), "Sun, 06 Nov 1994 08:49:37 GMT");
    is_text(http_reason(431), "Request Header Fields Too Large");
}

static void test_request_id(void)
{
    char id[TRACING_REQUEST_ID_BYTES + 1];
    tracing_request_id(id, "A.b_c-9");
    is_text(id, "A.b_c-9");
    tracing_request_id(id, "a b");
    is_int(strlen(id), 36);
    tracing_request_id(id, NULL);
    is_int(strlen(id), 36);
    tracing_request_id(id, "sbr_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"); /* a secret */
    is_int(strlen(id), 36);
}

TESTS({ "gzip", test_gzip }, { "html", test_html }, { "tags", test_tags },
      { "packing", test_packing }, { "words", test_words }, { "request_id", test_request_id })
