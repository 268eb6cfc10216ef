# SPDX-License-Identifier: MPL-2.0
"""Leaving under load: whatever the edge has begun to read is answered, and it exits with 0."""
import json
import os
import signal
import socket
import sys
import threading
import time

os.environ["EDGE_HOST_LOG"] = "1"
sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from edge import PATIENCE, Edge, Response, read_all, read_one, request  # noqa: E402
from tap import check, done, same  # noqa: E402

JSON = {"Content-Type": "application/json"}


class Client(threading.Thread):
    """Asks over one connection after the other until none is to be had."""

    def __init__(self, edge, number, ms):
        super().__init__()
        self.edge, self.number, self.ms = edge, number, ms
        self.answered = set()
        self.cut = []  # answers that ended in the middle

    def run(self):
        sent = 0
        while True:
            try:
                connection = self.edge.connect()
            except OSError:
                return
            with connection:
                while True:
                    sent += 1
                    name = f"c{self.number}-{sent}"
                    body = json.dumps({"ms": self.ms}).encode()
                    try:
                        connection.sendall(request("POST", "/v1/demo/slow", body,
                                                   {**JSON, "X-Request-ID": name}, close=False))
                        data = read_one(connection)
                    except OSError:
                        break
                    if not data:
                        break
                    response = Response(data)
                    if response.status == 200 and not response.json():
                        self.cut.append(data)
                    self.answered.add(name)
                    if response.headers.get("connection") == "close":
                        break


def under_load():
    edge = Edge(threads=64)
    clients = [Client(edge, n, ms) for n, ms in enumerate([0] * 12 + [150] * 12)]
    for client in clients:
        client.start()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and sum(len(c.answered) for c in clients) < 500:
        time.sleep(0.01)
    status, log = edge.stop()
    for client in clients:
        client.join(PATIENCE)
    same(status, 0, "the edge leaves with status 0")
    begun = set()
    for line in log.splitlines():
        entry = json.loads(line)
        if entry["event_name"].startswith("request"):
            begun.add(entry["request_id"])
    answered = set().union(*(client.answered for client in clients))
    check(len(begun) >= 500, "there was a load", len(begun))
    same(sorted(begun - answered), [], "every request that was begun reached its client")
    same(sum(len(client.cut) for client in clients), 0, "and to its last byte")
    drained = [json.loads(line) for line in log.splitlines() if '"edge.drained"' in line]
    same(drained[0]["left"], 0, "nothing was left when it stopped")


def every_kind_of_connection():
    with Edge() as edge:
        idle, half, working, stream = (edge.connect() for _ in range(4))
        idle.sendall(request("GET", "/v1/ping", close=False))
        read_one(idle)
        half.sendall(b"GET /v1/ping HT")
        working.sendall(request("POST", "/v1/demo/slow", b'{"ms":500}', JSON, close=False))
        stream.sendall(request("GET", "/v1/events"))
        while b":\n\n" not in stream.recv(65536):
            pass
        while edge.metric("edge_connections_open") < 5:
            pass
        edge.process.send_signal(signal.SIGTERM)
        same(idle.recv(10), b"", "an idle connection is closed at once")
        half.sendall(b"TP/1.1\r\nHost: localhost\r\n\r\n")
        answer = Response(read_all(half))
        same((answer.status, answer.headers.get("connection")), (200, "close"),
             "a request of which a part had come is answered")
        answer = Response(read_all(working))
        same((answer.status, answer.headers.get("connection")), (200, "close"),
             "so is one that a service works on")
        read_all(stream)
        check(True, "a stream ends")
        try:
            edge.connect().close()
            check(False, "nobody new is let in")
        except ConnectionRefusedError:
            check(True, "nobody new is let in")
        same(edge.stop()[0], 0, "the edge leaves with status 0")


def who_never_ends():
    with Edge(drain_ms=300) as edge:
        half = edge.connect()
        half.sendall(b"GET /v1/ping HT")
        while edge.metric("edge_connections_open") < 2:
            pass
        began = time.monotonic()
        same(edge.stop()[0], 0, "a client that never ends does not keep the edge")
        check(time.monotonic() - began < 5, "for long")


def who_does_not_read():
    with Edge(drain_ms=300, write_ms=60000) as edge:
        deaf = edge.connect()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(request("GET", "/v1/demo/big?size=4000000", close=False) * 4)
        while edge.metric("edge_connections_open") < 2:
            pass
        began = time.monotonic()
        same(edge.stop()[0], 0, "nor does one that takes no answer")
        check(time.monotonic() - began < 10, "for as long as it may otherwise take")


under_load()
every_kind_of_connection()
who_never_ends()
who_does_not_read()
sys.exit(done())
