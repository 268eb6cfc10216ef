# SPDX-License-Identifier: MPL-2.0
"""Too many, too slow, too silent: nobody can keep the edge from answering the next request."""
import os
import resource
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from edge import PATIENCE, Edge, Response, read_all, request  # noqa: E402
from tap import check, done, same  # noqa: E402

SLOW = b"POST /v1/demo/things HTTP/1.1\r\nHost: localhost\r\nX-Slow: "


def quick(edge, name, limit=0.5):
    began = time.monotonic()
    response = edge.get("/v1/ping")
    took = time.monotonic() - began
    check(response.status == 200 and took < limit, name, f"{response.status} after {took:.3f} s")


def an_idle_crowd_and_slow_senders():
    with Edge() as edge:
        crowd = []
        for _ in range(600):
            connection = edge.connect()
            connection.sendall(request("GET", "/v1/ping", close=False))
            crowd.append(connection)
        slow = [edge.connect() for _ in range(200)]
        for round in range(5):
            for connection in slow:
                try:
                    connection.sendall(SLOW if round == 0 else b"a")
                except OSError:
                    pass
            quick(edge, f"round {round}: a new request beside 600 idle and 200 slow ones")
            time.sleep(0.1)  # what makes the slow ones slow
        live = edge.metric("edge_connections_open")
        check(live <= 0.81 * 512, "a fifth of the threads stays free", live)
        check(edge.metric('edge_connections_shut_total{reason="idle"}') >= 300,
              "idle connections made room")
        for connection in crowd + slow:
            connection.close()
        same(edge.stop()[0], 0, "and the edge leaves with status 0")


def nothing_but_slow_senders():
    with Edge(threads=32, head_ms=3000) as edge:
        slow = []
        for _ in range(40):
            slow.append(edge.connect())
            slow[-1].sendall(SLOW)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and edge.get("/v1/ping").status != 200:
            pass
        quick(edge, "a new request beside nothing but slow senders")
        check(edge.metric('edge_connections_shut_total{reason="slow"}') > 0,
              "slow senders made room")
        first = Response(read_all(slow[0]))
        check(first.status in (408, 503), "and were told", first.raw)


def a_full_house():
    with Edge(threads=16) as edge:
        busy = [edge.connect() for _ in range(16)]
        for connection in busy:
            connection.sendall(request("POST", "/v1/demo/slow", b'{"ms":1500}',
                                       {"Content-Type": "application/json"}, close=False))
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            refused = edge.get("/v1/ping")
            if refused.status == 503:
                break
        same((refused.status, refused.code, refused.headers.get("retry-after"),
              refused.headers.get("connection")), (503, "OVERLOADED", "1", "close"),
             "503 at once when every thread works")
        for connection in busy:
            check(Response(connection.recv(65536)).status == 200, "those inside are served")
            connection.close()


def one_address():
    with Edge(connections_per_address=3) as edge:
        inside = [edge.connect() for _ in range(3)]
        for connection in inside:
            connection.sendall(request("GET", "/v1/ping", close=False))
            connection.recv(65536)
        same(edge.get("/v1/ping").status, 503, "a fourth connection of one address")
        inside[0].close()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and (last := edge.get("/v1/ping").status) != 200:
            pass
        same(last, 200, "a place that is free again")


def late_heads_and_bodies():
    with Edge(head_ms=300, body_ms=300) as edge:
        same(Response(edge.send(SLOW)).status, 408, "a head that does not end")
        with edge.connect() as connection:
            data = drip(connection, SLOW, b"a")
            same(Response(data).status, 408, "a head that comes byte by byte, for ever")
        body = (b"POST /v1/demo/things HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
        same(Response(edge.send(body)).code, "REQUEST_TIMEOUT", "a body that does not come")
        with edge.connect() as connection:
            data = drip(connection, body, b" ")
            same(Response(data).code, "REQUEST_TIMEOUT", "a body that comes byte by byte")
        chunked = (b"POST /v1/demo/things HTTP/1.1\r\nHost: localhost\r\n"
                   b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        with edge.connect() as connection:
            data = drip(connection, chunked, b"1\r\n \r\n")
            same(Response(data).code, "REQUEST_TIMEOUT", "chunks that come one by one")
        with edge.connect() as connection:
            same(read_all(connection), b"", "a client with nothing to say is told nothing")
        check(edge.metric('edge_late_total{what="head"}') >= 2, "late heads are counted")
        check(edge.metric('edge_late_total{what="body"}') >= 3, "late bodies are counted")


def drip(connection, first, more):
    """Sends slowly until the edge answers; what it answered."""
    connection.sendall(first)
    connection.settimeout(0.02)
    data = b""
    for _ in range(2000):
        try:
            piece = connection.recv(65536)
            if not piece:
                break
            data += piece
        except socket.timeout:
            try:
                connection.sendall(more)
            except OSError:
                pass
        except OSError:
            break
    return data


def a_client_that_does_not_read():
    with Edge(write_ms=300) as edge:
        with edge.connect() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(request("GET", "/v1/demo/big?size=4000000") * 4)
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline and not edge.metric("edge_write_failures_total"):
                pass
            check(edge.metric("edge_write_failures_total") >= 1, "an answer nobody takes is given up")
        quick(edge, "and the next request works")


def clients_that_do_not_read():
    with Edge(threads=32) as edge:
        crowd = []
        for _ in range(40):
            connection = edge.connect()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(request("GET", "/v1/demo/big?size=4000000", close=False) * 4)
            crowd.append(connection)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and edge.get("/v1/ping").status != 200:
            pass
        quick(edge, "a new request beside nothing but clients that do not read")
        check(edge.metric('edge_connections_shut_total{reason="slow"}') > 0, "some made room")
        for connection in crowd:
            connection.close()


def half_a_request():
    with Edge() as edge:
        for data in (b"GET", SLOW, b"POST /v1/demo/things HTTP/1.1\r\nHost: localhost\r\n"
                     b"Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{"):
            with edge.connect() as connection:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                raw = read_all(connection)
                check(raw == b"" or Response(raw).status == 400, "a client that stops half-way", raw)
        quick(edge, "and the next request works")


soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
for story in (an_idle_crowd_and_slow_senders, nothing_but_slow_senders, a_full_house, one_address,
              late_heads_and_bodies, a_client_that_does_not_read, clients_that_do_not_read,
              half_a_request):
    began = time.monotonic()
    story()
    print(f"# {story.__name__}: {time.monotonic() - began:.1f} s")
sys.exit(done())
