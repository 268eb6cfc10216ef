# SPDX-License-Identifier: MPL-2.0
"""What a client may rely on: the protocol, the answers, and who is let in."""
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from edge import HOST, PATIENCE, Edge, Response, request, responses  # noqa: E402
from tap import check, done, same  # noqa: E402

JSON = {"Content-Type": "application/json"}


def the_protocol(edge):
    with edge.connect() as connection:
        connection.sendall(request("GET", "/v1/ping", close=False) * 3 + request("GET", "/v1/ping"))
        data = b""
        while piece := connection.recv(65536):
            data += piece
    found, rest = responses(data)
    same([r.status for r in found], [200] * 4, "pipelined requests are all answered, in order")

    body = b'{"name":"a"}'
    two = (request("POST", "/v1/demo/things", body, JSON, close=False)
           + request("GET", "/v1/ping"))
    found, rest = responses(edge.send(two))
    same([r.status for r in found], [201, 200], "a body and a request behind it, in one piece")

    found, rest = responses(edge.send(request("GET", "/v1/ping") + b"GET / HTTP/1.1\r\n" * 3000))
    same([r.status for r in found], [200], "an answer arrives although more was sent than is read")

    found, rest = responses(edge.send(b"\r\n\r\n" + request("GET", "/v1/ping")))
    same([r.status for r in found], [200], "empty lines before a request are passed over, once run")

    with edge.connect() as connection:
        for byte in request("POST", "/v1/demo/things", body, JSON):
            connection.sendall(bytes([byte]))
        data = b""
        while piece := connection.recv(65536):
            data += piece
    same(Response(data).status, 201, "a request that comes byte by byte")

    chunks = b"3\r\n" + body[:3] + b"\r\n9\r\n" + body[3:] + b"\r\n0\r\n\r\n"
    head = (b"POST /v1/demo/things HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n")
    found, rest = responses(edge.send(head + b"\r\n" + chunks + request("GET", "/v1/ping")))
    same([r.status for r in found], [201, 200], "a body in chunks, and the connection goes on")

    with edge.connect() as connection:
        connection.sendall(request("POST", "/v1/demo/things", None,
                                   {**JSON, "Content-Length": len(body), "Expect": "100-continue"}))
        first = connection.recv(65536)
        same(first, b"HTTP/1.1 100 Continue\r\n\r\n", "100-continue is answered first")
        connection.sendall(body)
        same(Response(connection.recv(65536)).status, 201, "and then the request")
    refused = edge.request("POST", "/nothing", None, {"Content-Length": 5, "Expect": "100-continue"})
    same(refused.status, 404, "a request that is refused is not asked for its body")

    same(edge.request("GET", "http://localhost/v1/ping").status, 200, "an absolute address")
    same(edge.request("GET", "HTTP://LOCALHOST:1?x").status, 200, "one without a path is /")
    same(edge.request("GET", "/v1/ping", headers={"X-Tab": "a\tb"}).status, 200, "a tab in a value")
    same(edge.request("GET", "/v1/ping", headers={"Content-Length": "0 "}).status, 200,
         "space behind a length")
    same(edge.send(b"GET /v1/ping HTTP/1.0\r\nHost: localhost\r\n\r\n")[:15], b"HTTP/1.1 200 OK",
         "HTTP/1.0")
    old = Response(edge.send(b"GET /v1/ping HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n"
                             b"\r\nGET /v1/ping HTTP/1.0\r\nHost: localhost\r\n\r\n"))
    same(old.headers.get("connection"), "keep-alive", "HTTP/1.0 with keep-alive is told so")
    same(Response(old.rest).status, 200, "and goes on")
    upgrade = edge.request("GET", "/v1/ping", headers={
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}, close=False)
    same((upgrade.status, upgrade.headers.get("connection")), (200, "close"),
         "an upgrade is not taken up")
    for path in ("/v1/demo/things/%00", "/v1/demo/things/%zz", "/v1/demo/things/%f",
                 "/v1/demo/things/%ff", "/v1/demo/things/1?name=%zz", "/v1/demo/things/1?name=%00"):
        same(edge.get(path).code, "BAD_REQUEST", f"{path} is refused")


def the_verbs(edge):
    head = edge.request("HEAD", "/v1/ping")
    same((head.status, head.headers.get("content-length"), head.rest), (200, "13", b""),
         "HEAD has GET's headers and no body")
    same(edge.request("HEAD", "/v1/demo/things/4").status, 200, "HEAD of a service's route")
    wrong = edge.request("POST", "/v1/ping", b"{}", JSON)
    same((wrong.status, wrong.headers.get("allow")), (405, "GET, HEAD, OPTIONS"), "405 and Allow")
    wrong = edge.request("PATCH", "/v1/demo/things")
    same((wrong.status, wrong.headers.get("allow")), (405, "POST, OPTIONS"), "405 of a service")
    options = edge.request("OPTIONS", "/v1/demo/things/5")
    same((options.status, options.headers.get("allow")),
         (204, "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"), "OPTIONS of a path")
    options = edge.request("OPTIONS", "*")
    same((options.status, "DELETE" in options.headers.get("allow", "")), (204, True), "OPTIONS *")
    same(edge.get("/v1/nothing").code, "NOT_FOUND", "404")
    same(edge.get("/v1/ping/").code, "NOT_FOUND", "a slash too many")
    same(edge.get("/v1/demo/things//x").code, "NOT_FOUND", "an empty segment")
    same(edge.get("/v1/../v1/ping").code, "NOT_FOUND", "dot segments are not resolved")


def the_translation(edge):
    got = edge.get("/v1/demo/things/5?tag=a&tag=b%26&ratio=2&deep=true&name=x+y")
    same(got.json(), {"request": {"id": 5, "tag": ["a", "b&"], "ratio": 2, "deep": True,
                                  "name": "x y"}}, "path and query, typed by the schema")
    same(edge.get("/v1/demo/things/5?tag=a").json()["request"]["tag"], ["a"], "an array of one")
    same(edge.get("/v1/demo/things/5?name=a%2Fb").json()["request"]["name"], "a/b",
         "an encoded slash is data")
    same(edge.get("/v1/demo/things/a%2Fb").json().get("errors"),
         [{"pointer": "/id", "detail": "must be an integer"}], "also in the path")
    for query, pointer in (("deep=maybe", "/deep"), ("unknown=1", "/unknown"), ("id=6", "/id"),
                           ("ratio=1&ratio=2", "/ratio"), ("name=" + "x" * 41, "/name"),
                           ("tag=1&tag=2&tag=3&tag=4&tag=5", "/tag")):
        bad = edge.get(f"/v1/demo/things/5?{query}")
        same((bad.status, [e["pointer"] for e in bad.json().get("errors", [])]), (422, [pointer]),
             f"?{query[:20]} is refused by name")
    change = edge.request("PATCH", "/v1/demo/things/5?deep=true", b'{"name":"n","tag":["t"]}', JSON)
    same(change.json(), {"request": {"id": 5, "deep": True, "name": "n", "tag": ["t"]}},
         "path, query and body are one")
    change = edge.request("PATCH", "/v1/demo/things/5", b'{"id":5,"name":"n"}', JSON)
    same(change.json(), {"request": {"id": 5, "name": "n"}}, "the body may repeat the path")
    change = edge.request("PATCH", "/v1/demo/things/5", b'{"id":6}', JSON)
    same((change.status, change.json()["errors"][0]["pointer"]), (422, "/id"),
         "but not contradict it")
    put = edge.request("PUT", "/v1/demo/things/5", b'[1,2.5,"x",null,{"a":[]}]', JSON)
    same(put.json(), {"request": {"id": 5, "document": [1, 2.5, "x", None, {"a": []}]}},
         "a body that is one field")
    same(edge.request("PUT", "/v1/demo/things/5", b'"text"', JSON).json()["request"]["document"],
         "text", "a body that is a text")
    same(edge.request("PUT", "/v1/demo/things/5").json()["errors"][0]["pointer"], "/document",
         "a missing body is a missing field")
    created = edge.post("/v1/demo/things", {"name": "x"})
    same((created.status, created.headers.get("location")), (201, "/v1/demo/things/7"),
         "201 with Location")
    removed = edge.request("DELETE", "/v1/demo/things/5")
    same((removed.status, removed.body, removed.headers.get("deprecation"),
          removed.headers.get("sunset")), (204, b"", "@0", "Thu, 31 Jan 2030 00:00:00 GMT"),
         "204, and a route that will go says so")
    page = edge.get("/v1/demo/page")
    same((page.headers["content-type"], page.body), ("text/html; charset=utf-8", b"<p>hello</p>"),
         "a document of another media type")
    check("sandbox" in page.headers["content-security-policy"], "which runs in a sandbox")
    same(edge.get("/v1/demo/broken").code, "BAD_REPLY", "a reply that is no msgpack")


def the_bodies(edge):
    cases = [
        (b"{", "INVALID_JSON"), (b'{"name":"a","name":"b"}', "INVALID_JSON"),
        (b'{"name":"\xff"}', "INVALID_JSON"), (b"{'name':1}", "INVALID_JSON"),
        (b'{"name":"a"} x', "INVALID_JSON"), (b"[" * 100 + b"]" * 100, "INVALID_JSON"),
        (b'{"name":1e999}', "INVALID_JSON"), (b"nul", "INVALID_JSON"), (b"  ", "INVALID_JSON"),
        (b"[1]", "VALIDATION_FAILED"), (b'{"name":1}', "VALIDATION_FAILED"),
        (b"{}", "VALIDATION_FAILED"), (b'{"name":"a","more":1}', "VALIDATION_FAILED"),
        (b'{"name":"\\u0000"}', "VALIDATION_FAILED"),
    ]
    for body, code in cases:
        same(edge.request("POST", "/v1/demo/things", body, JSON).code, code, f"{body[:24]} is {code}")
    where = edge.request("POST", "/v1/demo/things", b'{"name":\n  tru}', JSON).json()["detail"]
    check(where.startswith("At line 2, column 3"), "broken JSON is told where it breaks", where)
    for media in (None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx",
                  "application/json; charset=latin1", "multipart/form-data; boundary=x"):
        headers = {"Content-Type": media} if media else {}
        same(edge.request("POST", "/v1/demo/things", b"{}", headers).code, "UNSUPPORTED_MEDIA_TYPE",
             f"{media} is no JSON")
    for media in ("application/json; charset=utf-8", 'APPLICATION/JSON;charset="UTF-8"',
                  "application/vnd.demo+json"):
        same(edge.request("POST", "/v1/demo/things", b'{"name":"a"}', {"Content-Type": media}).status,
             201, f"{media} is")
    packed = edge.request("POST", "/v1/demo/things", gzip.compress(b'{"name":"a"}'),
                          {**JSON, "Content-Encoding": "gzip"})
    same((packed.status, packed.headers.get("accept-encoding")), (415, "identity"),
         "a packed body is refused")
    same(edge.request("GET", "/v1/demo/things/5", b"{}", JSON).code, "BAD_REQUEST", "GET with a body")
    large = json.dumps({"name": "a", "note": "x" * 3000000}).encode()
    same(edge.request("POST", "/v1/demo/things", large, JSON).status, 201, "3 MB in one body")
    with edge.connect() as connection:
        connection.sendall(request("POST", "/v1/demo/things", None,
                                   {**JSON, "Transfer-Encoding": "chunked"}))
        status = 0
        try:
            for _ in range(2000):
                connection.sendall(b"2000\r\n" + b" " * 8192 + b"\r\n")
        except OSError:
            pass
        data = b""
        try:
            while piece := connection.recv(65536):
                data += piece
        except OSError:
            pass
        same(Response(data).code, "TOO_LARGE", "chunks without an end")


def the_answers(edge):
    long = "/v1/demo/big?size=5000"
    plain = edge.get(long)
    same((plain.headers.get("content-encoding"), plain.headers.get("vary")),
         (None, "Accept-Encoding"), "not packed unless asked")
    packed = edge.get(long, {"Accept-Encoding": "br, gzip"})
    same((packed.headers.get("content-encoding"), gzip.decompress(packed.body)),
         ("gzip", plain.body), "packed when asked")
    check(packed.headers["etag"] != plain.headers["etag"], "with a tag of its own")
    for accept in ("gzip;q=0", "identity, gzip;q=0.5", "br", "*;q=0"):
        same(edge.get(long, {"Accept-Encoding": accept}).headers.get("content-encoding"), None,
             f"not packed for {accept}")
    same(edge.get(long, {"Accept-Encoding": "*"}).headers.get("content-encoding"), "gzip",
         "packed for *")
    same(edge.get(long, {"Accept-Encoding": "gzip", "X-No-Compression": "1"}).headers.get(
        "content-encoding"), None, "X-No-Compression")
    same(edge.get("/v1/demo/big?size=100", {"Accept-Encoding": "gzip"}).headers.get(
        "content-encoding"), None, "small bodies are not packed")
    head = edge.request("HEAD", long, headers={"Accept-Encoding": "gzip"})
    same(head.headers["content-length"], packed.headers["content-length"], "HEAD of a packed body")

    tag = plain.headers["etag"]
    for value in (tag, f'"x", {tag}', "*", f"W/{tag}"):
        again = edge.get(long, {"If-None-Match": value})
        same((again.status, again.rest), (304, b""), f"304 for {value[:12]}")
    same(edge.get(long, {"If-None-Match": '"x"'}).status, 200, "another tag")
    same(edge.get("/v1/demo/big?size=5001", {"If-None-Match": tag}).status, 200, "another body")

    own = edge.get("/v1/ping", {"X-Request-ID": "my-id.1"})
    same(own.headers["x-request-id"], "my-id.1", "a request's own id")
    for bad in ("a b", "x" * 65, "<b>", "", "a/b"):
        made = edge.get("/v1/ping", {"X-Request-ID": bad}).headers["x-request-id"]
        check(re.fullmatch(r"[0-9a-f-]{36}", made), f"not the id {bad[:8]!r}", made)
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    out = edge.get("/v1/ping", {"traceparent": parent}).headers["traceparent"]
    check(out[:36] == parent[:36] and out[36:52] != parent[36:52], "a trace goes on, in a new span")
    for bad in (parent.upper(), parent[:-1], "ff" + parent[2:], "00-" + "0" * 32 + parent[35:],
                parent + "-more"):
        out = edge.get("/v1/ping", {"traceparent": bad}).headers["traceparent"]
        check(out[3:35] != parent[3:35], f"not the trace of {bad[:8]}", out)

    for name, value in (("x-content-type-options", "nosniff"), ("x-frame-options", "SAMEORIGIN"),
                        ("cross-origin-opener-policy", "same-origin"), ("x-xss-protection", "0"),
                        ("referrer-policy", "no-referrer"), ("origin-agent-cluster", "?1")):
        same(plain.headers.get(name), value, f"{name} as helmet sends it")
    check("server" not in plain.headers and "x-powered-by" not in plain.headers,
          "nothing tells what the edge is made of")
    problem = edge.post("/v1/demo/failures", {"code": "CONFLICT"})
    same((problem.status, {k: problem.json().get(k) for k in ("status", "code", "detail",
                                                              "instance")}),
         (409, {"status": 409, "code": "CONFLICT", "detail": "As asked",
                "instance": "/v1/demo/failures"}), "a service's failure is a problem")
    same(problem.json()["request_id"], problem.headers["x-request-id"], "which names its request")
    busy = edge.post("/v1/demo/failures", {"code": "UNAVAILABLE"})
    same((busy.status, busy.headers.get("retry-after"), busy.json()["retry_after"]), (503, "1", 1),
         "503 says when to try again")
    same(edge.get("/v1/demo/admin").code, "FORBIDDEN", "a role that the caller lacks")


def the_fixed_routes(edge):
    for path in ("/health", "/health/live", "/health/ready", "/health/detailed", "/live", "/ready",
                 "/healthz", "/readyz"):
        got = edge.get(path)
        same((got.status, got.json().get("status")), (200, "healthy"), path)
        same(set(got.json()), {"status", "version", "timestamp", "boot", "uptime", "checks"},
             f"{path} has the shape")
    same(edge.get("/health/live").json()["checks"], {}, "live touches nothing")
    same(edge.get("/").headers["content-type"], "application/json", "/ for programs")
    same(edge.get("/", {"Accept": "text/html,*/*;q=0.8"}).headers["content-type"],
         "text/html; charset=utf-8", "/ for people")
    metrics = edge.get("/metrics")
    check(b"\nhttp_requests_total{" in metrics.body and b"\nbus_calls_total{" in metrics.body,
          "/metrics")
    same((metrics.headers["content-type"], metrics.headers["vary"]),
         ("text/plain; version=0.0.4; charset=utf-8", "Accept"), "/metrics for Prometheus of old")
    metrics = edge.get("/metrics", {"Accept": "application/openmetrics-text;version=1.0.0,"
                                              "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"})
    same((metrics.headers["content-type"], metrics.body[-6:]),
         ("application/openmetrics-text; version=1.0.0; charset=utf-8", b"# EOF\n"),
         "/metrics for Prometheus of today")
    page = edge.get("/api-docs")
    check(page.status == 200 and b"fetch-swagger" in page.body, "/api-docs says how to add its files")
    same(edge.get("/api-docs/swagger-ui.css").code, "NOT_FOUND", "files that are not there")


def the_page():
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("api-docs.html", b"<p>page</p>"), ("page.js", b"1;"),
                           ("swagger-ui-bundle.js", b"2;"), ("swagger-ui.css", b"a{}"),
                           ("swagger-ui.css.gz", gzip.compress(b"a{}")), ("secret.txt", b"no")):
            with open(os.path.join(folder, name), "wb") as out:
                out.write(text)
        with Edge(web_root=folder) as edge:
            page = edge.get("/api-docs")
            same((page.headers["content-type"], page.body),
                 ("text/html; charset=utf-8", b"<p>page</p>"), "the API page")
            policy = page.headers["content-security-policy"]
            check("script-src 'self'" in policy and "style-src 'self'" in policy and
                  "img-src 'self' data:" in policy and "unsafe" not in policy, "under a strict policy")
            script = edge.get("/api-docs/swagger-ui-bundle.js")
            same(script.headers["content-type"], "text/javascript; charset=utf-8",
                 "a script says its charset")
            tag = script.headers["etag"]
            same(edge.get("/api-docs/swagger-ui-bundle.js", {"If-None-Match": tag}).status, 304,
                 "and is fetched once")
            style = edge.get("/api-docs/swagger-ui.css", {"Accept-Encoding": "gzip"})
            same((style.headers.get("content-encoding"), gzip.decompress(style.body)),
                 ("gzip", b"a{}"), "a file that lies there packed")
            same(edge.get("/api-docs/swagger-ui.css").body, b"a{}", "and unpacked")
            same(edge.get("/api-docs/secret.txt").status, 404, "nothing but the page's own files")
            same(edge.get("/api-docs/..%2Fsecret.txt").status, 404, "by whatever name")
            os.remove(os.path.join(folder, "page.js"))
            os.symlink("secret.txt", os.path.join(folder, "page.js"))
            same(edge.get("/api-docs/page.js").status, 404, "nor through a link")


def the_callers():
    with Edge(allow_anonymous="false") as edge:
        same(edge.get("/v1/ping").status, 200, "public without signing in")
        got = edge.get("/v1/demo/things/5")
        same((got.status, got.headers.get("www-authenticate")), (401, "Bearer"), "401 for the rest")
        same(edge.get("/v1/events").status, 401, "events too")
        same(edge.get("/v1/ping", {"X-Forwarded-For": "1.2.3.4"}).status, 200, "a proxy may stand in front")
        same(Response(edge.send(b"GET /v1/ping HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n"
                                )).status, 200, "any host")
    with Edge() as edge:
        for host in ("localhost", "LOCALHOST:80", "127.0.0.1", "127.1.2.3:8080", "[::1]", "[::1]:1"):
            data = f"GET /v1/ping HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
            same(Response(edge.send(data)).status, 200, f"anonymous callers of {host}")
        for host in ("example.com", "localhost.example.com", "127.0.0.1.example.com", "192.168.0.1",
                     "[::2]", "127.a.b.c"):
            data = f"GET /v1/ping HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
            same(Response(edge.send(data)).code, "MISDIRECTED", f"not of {host}")
        same(edge.request("GET", "http://example.com/v1/ping").code, "MISDIRECTED",
             "nor of an absolute address")
        for name in ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded",
                     "X-Real-IP", "x-forwarded-anything"):
            same(edge.get("/v1/ping", {name: "1.2.3.4"}).code, "BAD_REQUEST", f"not with {name}")
        same(edge.get("/v1/demo/open").code, "NOT_FOUND", "public access without a grant")
        same(edge.get("/v1/analyses/mine").code, "NOT_FOUND", "another service's path")
    with Edge(grants="demo:public", cors_origins="https://a.example https://b.example") as edge:
        same(edge.get("/v1/demo/open").status, 200, "public access with a grant")
        got = edge.get("/v1/ping", {"Origin": "https://b.example"})
        same((got.headers.get("access-control-allow-origin"), got.headers.get("vary"),
              got.headers.get("access-control-allow-credentials")),
             ("https://b.example", "Origin", "true"), "a page that may call")
        for origin in ("https://c.example", "http://b.example", "https://b.example:444", "null", "*"):
            got = edge.get("/v1/ping", {"Origin": origin})
            same([name for name in got.headers if name.startswith("access-control-")], [],
                 f"a page of {origin} may not")
        ask = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
        got = edge.request("OPTIONS", "/v1/demo/things", headers=ask)
        same((got.status, got.headers.get("access-control-allow-methods"),
              got.headers.get("access-control-allow-origin")),
             (204, "POST, OPTIONS", "https://a.example"), "a preflight")
    with Edge("--host.demo", "false", required="demo") as edge:
        got = edge.get("/health/ready")
        same((got.status, got.json()["checks"]["service.demo"]["status"]), (503, "error"),
             "not ready without a required service")
        same(edge.get("/health/live").status, 200, "but alive")
    with Edge("--host.broker", "false") as edge:
        same(edge.get("/health/ready").status, 503, "not ready without a broker")
        got = edge.get("/v1/demo/things/5")
        same((got.status, got.code, got.headers.get("retry-after")), (503, "UNAVAILABLE", "1"),
             "and what is not known yet is not said to be missing")
        same(edge.get("/v1/ping").status, 200, "what is the edge's own is there")


def the_starts():
    """What cannot be is said in a sentence, before anything listens."""
    with Edge() as edge:
        cases = [
            ("tls_certificate", "/etc/tls/cert.pem", "nginx or HAProxy"),
            ("address", "localhost", "not an IPv4 address"),
            ("address", "192.0.2.1", "cannot listen on 192.0.2.1:0"),
            ("port", edge.port, f"cannot listen on 127.0.0.1:{edge.port}"),
            ("grants", "nonsense", "not like 'billing:/v1/invoices'"),
            ("grants", "demo:/v1/analyses", "belongs to 'analysis'"),
            ("threads", "4", "from 8 to 4096"),
            ("cors_origins", "*", "each origin must be named"),
            ("cors_origins", "https://a.example https://b.example/", "'https://b.example/' is not"),
            ("cors_origins", "null", "each origin must be named"),
        ]
        for name, value, sentence in cases:
            run = subprocess.run([HOST, f"--edge.{name}", str(value)], capture_output=True, text=True,
                                 timeout=PATIENCE)
            check(run.returncode == 2 and sentence in run.stderr, f"edge.{name} {value} is refused",
                  f"{run.returncode}: {run.stderr}")
    limited = subprocess.run(["sh", "-c", f"ulimit -n 300; exec {HOST}"], capture_output=True,
                             text=True, timeout=PATIENCE)
    check(limited.returncode == 2 and "ulimit -n" in limited.stderr,
          "so are more threads than there may be open files", limited.stderr)


with Edge() as main:
    the_protocol(main)
    the_verbs(main)
    the_translation(main)
    the_bodies(main)
    the_answers(main)
    the_fixed_routes(main)
    same(main.stop()[0], 0, "the edge leaves with status 0")
the_page()
the_callers()
the_starts()
sys.exit(done())
