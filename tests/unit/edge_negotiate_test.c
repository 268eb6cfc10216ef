/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include <zlib.h>

#include "edge/gzip.h"
#include "edge/http.h"
#include "edge/negotiate.h"
#include "edge/trace.h"
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

static void test_trace(void)
{
    static const char parent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    static const char *const bad[] = {
        "",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x",
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    };
    trace_t trace;
    char text[TRACE_PARENT_SIZE], id[TRACE_REQUEST_ID_BYTES + 1];
    uint8_t frame[FRAME_TRACE_BYTES];
    trace_begin(&trace, parent);
    ok(trace.is_continued);
    trace_parent(&trace, text);
    ok(memcmp(text, parent, 36) == 0 && memcmp(text + 36, parent + 36, 16) != 0);
    is_text(text + 52, "-01");
    trace_frame(&trace, frame);
    ok(memcmp(frame, trace.trace, 16) == 0 && memcmp(frame + 16, trace.span, 8) == 0);
    is_text(trace_state(&trace, "a=1,b=2"), "a=1,b=2");
    is_text(trace_state(&trace, "a=\x01"), "");
    trace_begin(&trace, "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-later");
    ok(trace.is_continued);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        trace_begin(&trace, bad[i]);
        ok_named(!trace.is_continued, bad[i]);
    }
    is_text(trace_state(&trace, "a=1"), "");
    trace_request_id(id, "A.b_c-9");
    is_text(id, "A.b_c-9");
    trace_request_id(id, "a b");
    is_int(strlen(id), 36);
    trace_request_id(id, NULL);
    is_int(strlen(id), 36);
}

TESTS({ "gzip", test_gzip }, { "html", test_html }, { "tags", test_tags },
      { "packing", test_packing }, { "words", test_words }, { "trace", test_trace })
