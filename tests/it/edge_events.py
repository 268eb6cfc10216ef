# SPDX-License-Identifier: MPL-2.0
"""Server-sent events: by topic, by permission, and never at the expense of everybody else."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from edge import PATIENCE, Edge  # noqa: E402
from stream import Stream  # noqa: E402
from tap import check, done, same  # noqa: E402


def publish(edge, number):
    same(edge.post("/v1/demo/events", {"ms": number}).status, 204, f"event {number} is published")


def what_is_seen(edge):
    stream = Stream(edge, "?topic=analysis.")
    same((stream.head.status, stream.head.headers["content-type"]), (200, "text/event-stream"),
         "a stream")
    publish(edge, 1)
    publish(edge, 2)
    events = [stream.next(), stream.next()]
    same([(event, data["number"], data["account"]) for event, data, _ in events],
         [("analysis.finished", 1, "anonymous"), ("analysis.finished", 2, "anonymous")],
         "events of the caller's own account, in order")
    check(events[0][2] != events[1][2], "each with an id of its own")
    stream.connection.close()

    registry = Stream(edge, "?topic=registry.demo")
    edge.process.send_signal(signal.SIGHUP)
    event, data, _ = registry.next()
    while data["versions"][0]["instances"]:
        event, data, _ = registry.next()
    check(event.startswith("registry.demo.") and data["service"] == "demo" and
          "descriptor" not in data["versions"][0], "a service that leaves", data)
    deadline = time.monotonic() + PATIENCE
    gone = edge.get("/v1/demo/things/1")
    # until the edge has heard of it, the broker refuses, who does not say since when
    while time.monotonic() < deadline and "since" not in gone.json().get("detail", ""):
        gone = edge.get("/v1/demo/things/1")
    same((gone.status, gone.code, "since" in gone.json()["detail"], gone.headers["retry-after"]),
         (503, "NO_INSTANCE", True, "5"), "its routes say so, and since when")
    check("/v1/demo/things/{id}" in edge.get("/openapi.json").json()["paths"],
          "and stay documented")
    edge.process.send_signal(signal.SIGHUP)
    event, data, _ = registry.next()
    same(data["versions"][0]["instances"], 1, "a service that comes back")
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and edge.get("/v1/demo/things/1").status != 200:
        pass
    same(edge.get("/v1/demo/things/1").status, 200, "is routed to again")
    registry.connection.close()


def what_is_refused(edge):
    for query in ("?topic=audit", "?topic=metrics.", "?topic=", "?topic=analysis",
                  "?topic=analysis.&topic=log"):
        same(edge.get("/v1/events" + query).code, "FORBIDDEN", f"{query} is not for everybody")
    same(edge.get("/v1/events?other=1").code, "BAD_REQUEST", "an unknown parameter")
    same(edge.get("/v1/events?" + "&".join(["topic=analysis.x"] * 17)).code, "BAD_REQUEST",
         "too many topics")
    same(edge.request("POST", "/v1/events").status, 405, "only GET")


def how_many():
    with Edge(threads=16, events_percent=25, events_heartbeat_ms=100) as edge:
        streams = [Stream(edge) for _ in range(4)]
        same([s.head.status for s in streams], [200] * 4, "a quarter of the threads")
        full = edge.get("/v1/events")
        same((full.status, full.code, "retry-after" in full.headers), (503, "OVERLOADED", True),
             "and no more")
        same(edge.metric("edge_streams"), 4.0, "they are counted")
        data = b""
        while data.count(b":\n\n") < 2:
            data += streams[0].connection.recv(100)
        check(True, "silence is broken by comments")
        streams[0].connection.close()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and edge.metric("edge_streams") != 3.0:
            pass
        same(edge.metric("edge_streams"), 3.0, "a client that leaves makes room")
        edge.process.send_signal(signal.SIGTERM)
        while streams[1].next():
            pass  # what was on its way
        check(True, "streams end when the edge leaves")
        same(edge.stop()[0], 0, "which exits with 0")


def who_is_slow():
    with Edge(events_waiting=4, events_heartbeat_ms=100) as edge:
        stream = Stream(edge, "?topic=analysis.")
        published = seen = lost = 0
        while lost == 0 and published < 200000:
            same(edge.post("/v1/demo/events", {"ms": 1, "count": 5000}).status, 204, "a burst")
            published += 5000
            while seen + lost < published:
                event, data, _ = stream.next()
                if event == "lost":
                    lost += data["count"]
                else:
                    seen += 1
        check(lost > 0 and seen + lost == published,
              "what a stream did not get is told, to the last event", (seen, lost, published))
        same(edge.metric("edge_stream_drops_total"), float(lost), "and counted")


with Edge() as main:
    what_is_refused(main)
    what_is_seen(main)
how_many()
who_is_slow()
sys.exit(done())
