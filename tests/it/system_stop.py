# SPDX-License-Identifier: MPL-2.0
"""`signalbox run` ends under load: told to, it answers what it has begun; killed, it keeps its word."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from load import Load  # noqa: E402
from parts import Folder  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import Response, Web, read_all, request  # noqa: E402

ACROSS_RESTARTS = 3
JSON = {"Content-Type": "application/json"}


def told_to():
    """Every request that the edge has logged, so whose first line it has read, was answered."""
    with Folder(edge_port=0, edge_allow_anonymous="true", edge_threads=64, edge_limits="false",
                bus_snapshot_ms=100) as folder:
        run = folder.start("run")
        half = Web(run.port).connect()
        half.sendall(b"GET /v1/ping HTTP/1.1\r\n")
        with Load(run.port, clients=16) as load:
            load.wait(300)
            while (Web(run.port).metric("edge_connections_open") or 0) < 17:
                pass
            run.process.send_signal(signal.SIGTERM)
            half.sendall(b"Host: localhost\r\n\r\n")
            same(Response(read_all(half)).status, 200,
                 "a request of which one line was read is answered")
            same(run.stop(), 0, "run leaves with status 0")
        begun = {event["request_id"] for event in run.events()
                 if event["event_name"] == "request" and event["request_id"].startswith(load.prefix)}
        answered = set(load.acknowledged)
        check(len(begun) >= 300, "there was a load", len(begun))
        same(sorted(begun - answered), [], "every request that was begun was answered")
        same((load.wrong, dict(load.problems)), ([], {}), "with what it asked for")
        drained = [event for event in run.events() if event["event_name"] == "edge.drained"]
        same([event["left"] for event in drained], [0], "nothing was left")
        is_kept(folder, load.acknowledged, "told to end")


def is_kept(folder, acknowledged, name):
    """The next process on the same data knows every analysis that was acknowledged."""
    run = folder.start("run")
    web, lost = Web(run.port), []
    for request_id, analysis in acknowledged.items():
        answer = web.get("/v1/analyses/" + analysis)
        if answer.status != 200 or answer.json()["name"] != request_id:
            lost.append(f"{request_id}: {answer.raw!r}")
    same(lost, [], f"{name}: nothing acknowledged is lost ({len(acknowledged)} analyses)")
    return run


def killed():
    with Folder(edge_port=0, edge_allow_anonymous="true", edge_threads=64, edge_limits="false") as folder:
        acknowledged = {}
        for number in range(ACROSS_RESTARTS):
            run = is_kept(folder, acknowledged, f"killed {number} times")
            with Load(run.port, clients=12, prefix=f"k{number}-") as load:
                load.wait(150)
                run.kill()
            same(load.wrong, [], "no half answers")
            acknowledged.update(load.acknowledged)
        is_kept(folder, acknowledged, f"killed {ACROSS_RESTARTS} times")


told_to()
killed()
sys.exit(done())
