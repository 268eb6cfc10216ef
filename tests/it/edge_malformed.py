# SPDX-License-Identifier: MPL-2.0
"""Every way of making two servers disagree about a request is refused by name.

Each case is followed, in the same bytes, by a second request, hidden where a lenient server would
find it. The edge must answer the first with the right problem, close, and never run the second.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from edge import Edge, Response  # noqa: E402
from tap import check, done, same  # noqa: E402

HIDDEN = b"GET /v1/ping HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: smuggled\r\n\r\n"
POST = b"POST /v1/demo/things HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
GET = b"GET /v1/ping HTTP/1.1\r\nHost: localhost\r\n"
LENGTH = str(len(HIDDEN)).encode()

# name, bytes, status, code
CASES = [
    ("Transfer-Encoding with Content-Length",
     POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400, "BAD_REQUEST"),
    ("Content-Length with Transfer-Encoding, the other way round",
     POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "BAD_REQUEST"),
    ("Transfer-Encoding: identity", POST + b"Transfer-Encoding: identity\r\n\r\n", 400, "BAD_REQUEST"),
    ("Transfer-Encoding: identity, then chunked",
     POST + b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400, "BAD_REQUEST"),
    ("Transfer-Encoding: chunked, identity",
     POST + b"Transfer-Encoding: chunked, identity\r\n\r\n", 400, "BAD_REQUEST"),
    ("Transfer-Encoding: chunked, chunked",
     POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n", 400, "BAD_REQUEST"),
    ("Transfer-Encoding: xchunked", POST + b"Transfer-Encoding: xchunked\r\n\r\n", 400, "BAD_REQUEST"),
    ("Transfer-Encoding empty", POST + b"Transfer-Encoding:\r\n\r\n", 400, "BAD_REQUEST"),
    ("Transfer-Encoding: gzip, chunked",
     POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501, "NOT_IMPLEMENTED"),
    ("chunked in HTTP/1.0",
     b"POST /v1/demo/things HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400, "BAD_REQUEST"),
    ("Content-Length twice, differently",
     POST + b"Content-Length: 0\r\nContent-Length: " + LENGTH + b"\r\n\r\n", 400, "BAD_REQUEST"),
    ("Content-Length twice, equally",
     POST + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 400, "BAD_REQUEST"),
    ("Content-Length as a list", POST + b"Content-Length: 5, 6\r\n\r\n", 400, "BAD_REQUEST"),
    ("Content-Length with letters", POST + b"Content-Length: 5abc\r\n\r\n", 400, "BAD_REQUEST"),
    ("Content-Length with a sign", POST + b"Content-Length: +5\r\n\r\n", 400, "BAD_REQUEST"),
    ("Content-Length negative", POST + b"Content-Length: -5\r\n\r\n", 400, "BAD_REQUEST"),
    ("Content-Length in hex", POST + b"Content-Length: 0x5\r\n\r\n", 400, "BAD_REQUEST"),
    ("Content-Length that overflows",
     POST + b"Content-Length: 18446744073709551616\r\n\r\n", 400, "BAD_REQUEST"),
    ("Content-Length empty", POST + b"Content-Length:\r\n\r\n", 400, "BAD_REQUEST"),
    ("a folded header", GET + b"X-A: b\r\n c\r\nContent-Length: " + LENGTH + b"\r\n\r\n",
     400, "BAD_REQUEST"),
    ("a header folded by a tab", GET + b"X-A: b\r\n\tc\r\n\r\n", 400, "BAD_REQUEST"),
    ("a first header that is folded", b"GET /v1/ping HTTP/1.1\r\n Host: localhost\r\n\r\n",
     400, "BAD_REQUEST"),
    ("white space before the colon", GET + b"Content-Length : 0\r\n\r\n", 400, "BAD_REQUEST"),
    ("a header without a colon", GET + b"nonsense\r\n\r\n", 400, "BAD_REQUEST"),
    ("a header without a name", GET + b": value\r\n\r\n", 400, "BAD_REQUEST"),
    ("a bad character in a name", GET + b"X(A): b\r\n\r\n", 400, "BAD_REQUEST"),
    ("a NUL in a value", GET + b"X-A: b\0c\r\n\r\n", 400, "BAD_REQUEST"),
    ("a bare CR in a value", GET + b"X-A: b\rc\r\n\r\n", 400, "BAD_REQUEST"),
    ("bare line feeds", b"GET /v1/ping HTTP/1.1\nHost: localhost\n\n", 400, "BAD_REQUEST"),
    ("one bare line feed", GET + b"X-A: b\nX-B: c\r\n\r\n", 400, "BAD_REQUEST"),
    ("an empty line ended by a bare line feed before Content-Length",
     GET + b"X-A: b\n\r\nContent-Length: " + LENGTH + b"\r\n\r\n", 400, "BAD_REQUEST"),
    ("Host missing", b"GET /v1/ping HTTP/1.1\r\n\r\n", 400, "BAD_REQUEST"),
    ("Host twice", GET + b"Host: localhost\r\n\r\n", 400, "BAD_REQUEST"),
    ("Host empty", b"GET /v1/ping HTTP/1.1\r\nHost:\r\n\r\n", 400, "BAD_REQUEST"),
    ("Host with a path", b"GET /v1/ping HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "BAD_REQUEST"),
    ("Host with a user", b"GET /v1/ping HTTP/1.1\r\nHost: a@b\r\n\r\n", 400, "BAD_REQUEST"),
    ("Host with a bad port", b"GET /v1/ping HTTP/1.1\r\nHost: localhost:99999\r\n\r\n",
     400, "BAD_REQUEST"),
    ("Host with space inside", b"GET /v1/ping HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "BAD_REQUEST"),
    ("65 headers",
     GET + b"".join(b"X-%d: 1\r\n" % i for i in range(64)) + b"Content-Length: 5\r\n\r\n",
     431, "HEADERS_TOO_LARGE"),
    ("headers that are too large", GET + b"X-A: " + b"a" * 20000 + b"\r\n\r\n",
     431, "HEADERS_TOO_LARGE"),
    ("headers without an end", GET + b"X-A: " + b"a" * 100000, 431, "HEADERS_TOO_LARGE"),
    ("an address that is too long", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
     414, "URI_TOO_LONG"),
    ("an address without an end", b"GET /" + b"a" * 100000, 414, "URI_TOO_LONG"),
    ("two spaces in the request line", b"GET  /v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n",
     400, "BAD_REQUEST"),
    ("a line break inside the request line",
     b"GET \r\n/v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "BAD_REQUEST"),
    ("space behind the version", b"GET /v1/ping HTTP/1.1 \r\nHost: localhost\r\n\r\n",
     400, "BAD_REQUEST"),
    ("a control character in the address", b"GET /v1/\x01 HTTP/1.1\r\nHost: localhost\r\n\r\n",
     400, "BAD_REQUEST"),
    ("a fragment in the address", b"GET /v1/ping#a HTTP/1.1\r\nHost: localhost\r\n\r\n",
     400, "BAD_REQUEST"),
    ("raw UTF-8 in the address", "GET /v1/ü HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(),
     400, "BAD_REQUEST"),
    ("a relative address", b"GET v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "BAD_REQUEST"),
    ("an address of another scheme", b"GET ftp://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
     400, "BAD_REQUEST"),
    ("* with GET", b"GET * HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "BAD_REQUEST"),
    ("HTTP/0.9", b"GET /v1/ping\r\n\r\n", 400, "BAD_REQUEST"),
    ("HTTP/2.0", b"GET /v1/ping HTTP/2.0\r\nHost: localhost\r\n\r\n", 505, "VERSION_NOT_SUPPORTED"),
    ("HTTP/1.2", b"GET /v1/ping HTTP/1.2\r\nHost: localhost\r\n\r\n", 505, "VERSION_NOT_SUPPORTED"),
    ("a version with markup",
     b"GET /v1/ping HTTP/<script>alert(1)</script>\r\nHost: localhost\r\n\r\n", 400, "BAD_REQUEST"),
    ("http in lower case", b"GET /v1/ping http/1.1\r\nHost: localhost\r\n\r\n", 400, "BAD_REQUEST"),
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "VERSION_NOT_SUPPORTED"),
    ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "BAD_REQUEST"),
    ("TRACE", b"TRACE /v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "METHOD_NOT_ALLOWED"),
    ("CONNECT", b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
     405, "METHOD_NOT_ALLOWED"),
    ("an unknown method", b"BREW /v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n",
     501, "NOT_IMPLEMENTED"),
    ("a method in lower case", b"get /v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n",
     501, "NOT_IMPLEMENTED"),
    ("a bad character in the method", b"G(T /v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n",
     400, "BAD_REQUEST"),
    ("Expect: 200-ok", POST + b"Expect: 200-ok\r\nContent-Length: 4\r\n\r\n",
     417, "EXPECTATION_FAILED"),
    ("a chunk size that is none",
     POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 400, "BAD_REQUEST"),
    ("a chunk longer than its size",
     POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{} \r\n0\r\n\r\n", 400, "BAD_REQUEST"),
    ("a chunk size with a sign",
     POST + b"Transfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n", 400, "BAD_REQUEST"),
    ("a body over the limit by its Content-Length",
     POST + b"Content-Length: 8388609\r\n\r\n", 413, "TOO_LARGE"),
]


def the_cases(edge):
    for name, data, status, code in CASES:
        raw = edge.send(data + HIDDEN)
        response = Response(raw)
        same((response.status, response.code), (status, code), name)
        check(b"smuggled" not in raw and response.rest == b"",
              f"{name}: the hidden request did not run", raw)
        same(response.headers.get("content-type"), "application/problem+json",
             f"{name}: a problem document")
        same(response.headers.get("connection"), "close", f"{name}: the connection closes")
        check(b"<script>" not in raw, f"{name}: nothing is echoed", raw)
        same(edge.get("/v1/ping").status, 200, f"{name}: the next request works")


def the_counters(edge):
    check(edge.metric("edge_bad_heads_total") >= 60, "refused heads are counted")
    same(edge.metric("edge_parser_refusals_total"), 0.0,
         "what passed the guard, civetweb could parse")
    allow = edge.send(b"TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    check("GET" in Response(allow).headers.get("allow", ""), "405 tells what is allowed")


with Edge() as edge:
    the_cases(edge)
    the_counters(edge)
    status, log = edge.stop()
    same(status, 0, "the edge leaves with status 0")
sys.exit(done())
