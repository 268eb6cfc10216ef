# SPDX-License-Identifier: MPL-2.0
"""Broker, edge and actors as processes of their own, and what clients see when one of them is killed.

The same with SQLite over ipc, where there is one instance, and with PostgreSQL over tcp, where there
are two. Clients ask all the time (tests/kit/load.py) and look at every answer.
"""
import json
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from load import HANG_SECONDS, Load, workflow  # noqa: E402
from parts import Folder, free_port  # noqa: E402
from postgres import database  # noqa: E402
from tap import check, done, same, skip  # noqa: E402
from web import Web  # noqa: E402

EDGE = {"edge_port": 0, "edge_allow_anonymous": "true", "edge_threads": 32,
        "edge_limits": "false"}  # these tests do more than a caller may
BEATS = {"bus_heartbeat_ms": 200, "broker_heartbeat_ms": 200}
LOST_SECONDS = 4 * 0.2  # four missed beats are a loss


def judge(load, name, problems=()):
    """Nothing wrong, nothing that hangs, and no problem but those that may be."""
    same(load.wrong, [], f"{name}: every answer belongs to its question")
    same(load.cut, [], f"{name}: no connection ends before its answer")
    check(load.named() <= set(problems), f"{name}: problems are {' or '.join(problems) or 'none'}",
          load.problems)
    check(load.slowest < HANG_SECONDS, f"{name}: nothing hangs", load.slowest)


def is_kept(port, load, name):
    """Whatever was acknowledged is there."""
    web, lost = Web(port), []
    for request_id, analysis in load.acknowledged.items():
        answer = web.get("/v1/analyses/" + analysis)
        if answer.status != 200 or answer.json()["name"] != request_id:
            lost.append(f"{request_id}: {answer.raw!r}")
    same(lost, [], f"{name}: nothing acknowledged is lost")


# ---- SQLite over ipc ------------------------------------------------------------------------------

def one_instance(folder):
    folder.start("broker")
    edge = folder.start("edge")
    web = Web(edge.port)
    same(web.get("/health/ready").status, 503, "SQLite: what is required is not there yet")
    actor = folder.start("actor", "analysis", "--instance", "first")
    web.wait_for("/health/ready")
    answer = web.post("/v1/analyses?kind=generic", workflow("one", 3))
    same((answer.status, answer.json()["summary"]["nodes"]), (201, 3), "SQLite: analysed")
    twin = folder.fail("actor", "analysis")
    check("in use by process" in twin and "PostgreSQL" in twin,
          "SQLite: a second process on the file is refused with a sentence", twin)

    with Load(edge.port) as load:
        load.wait(50)
        actor.kill()
        load.wait_problem("NO_INSTANCE")
        folder.start("actor", "analysis", "--instance", "second")
        load.wait(50)
    judge(load, "SQLite: kill -9 of the only instance", ["WORKER_LOST", "NO_INSTANCE"])
    is_kept(edge.port, load, "SQLite")
    broker_restarts(folder, edge)


def broker_restarts(folder, edge):
    """Without a broker there are quick problems, with the next one everything goes on."""
    broker = folder.parts[0]
    with Load(edge.port, prefix="b") as load:
        load.wait(50)
        broker.kill()
        load.wait_problem("NO_BROKER")
        folder.start("broker")
        load.wait(100)
    judge(load, "the broker is killed and started again",
          ["NO_BROKER", "WORKER_LOST", "NO_INSTANCE", "UNAVAILABLE"])
    check(load.slowest < 5 * LOST_SECONDS, "the broker: and the problem is told at once",
          load.slowest)
    is_kept(edge.port, load, "the broker")
    # back before a beat is missed: the calls under way do not wait for their deadline all the same
    with Load(edge.port, prefix="c") as load:
        load.wait(50)
        folder.parts[-1].kill()
        folder.start("broker")
        load.wait(100)
    judge(load, "the broker is killed and back at once",
          ["NO_BROKER", "WORKER_LOST", "NO_INSTANCE", "UNAVAILABLE"])
    is_kept(edge.port, load, "the broker that is back")


# ---- PostgreSQL over tcp --------------------------------------------------------------------------

def two_instances(folder):
    check("run signalbox migrate" in folder.fail("actor", "analysis"),
          "PostgreSQL: an actor whose schema is behind says so")
    folder.run("migrate")
    folder.start("broker")
    watch = folder.start("watch")
    edge = folder.start("edge")
    actors = [folder.start("actor", "analysis", "--instance", name) for name in ("a", "b")]
    Web(edge.port).wait_for("/health/ready")
    with Load(edge.port) as load:
        load.wait(50)
        actors[0].process.send_signal(signal.SIGSTOP)  # so that it has requests in its hands
        load.wait(20)
        actors[0].kill()
        load.wait(100)
        folder.start("actor", "analysis", "--instance", "c")
        load.wait(50)
        for topic in ("metrics.broker.", "metrics.edge.", "metrics.analysis.b",
                      "metrics.analysis.c"):
            check(watch.wait_line(f'"topic":"{topic}'), f"watch shows {topic}*")
    judge(load, "PostgreSQL: kill -9 of one of two")
    is_kept(edge.port, load, "PostgreSQL")
    # what was published before the actor leaves has arrived when its leaving has
    actors[1].stop()
    watch.wait_line(r'"instances":\[\{"name":"c"[^]]*\]')
    no_gaps([json.loads(line) for line in watch.lines], len(load.acknowledged))
    same(watch.stop(), 0, "watch leaves with status 0")


def no_gaps(events, acknowledged):
    same([event for event in events if event["missed"]], [], "watch misses nothing")
    last, jumps = {}, []
    for event in events:
        key = event["publisher"], event["topic"]
        if key in last and event["sequence"] != last[key] + 1:
            jumps.append((key, last[key], event["sequence"]))
        last[key] = event["sequence"]
    same(jumps, [], "the sequence of every publisher and topic has no jump")
    finished = [event for event in events if event["topic"] == "analysis.finished"]
    # the instance that was killed may have stored some of which it could not tell any more
    check(acknowledged - 10 <= len(finished) <= acknowledged + 10, "there is an event of each analysis",
          (len(finished), acknowledged))


if not os.environ.get("TEST_POSTGRES_URL"):
    skip("TEST_POSTGRES_URL is not set: run by tests/kit/postgres.py")
with Folder(**EDGE, **BEATS, edge_required="analysis") as parts:
    one_instance(parts)
tcp = [f"tcp://127.0.0.1:{free_port()}" for _ in range(2)]
with database() as url:
    # beats as they are by default: on a busy machine a part may well be late by some hundred ms
    with Folder(**EDGE, edge_required="analysis", storage_database=url,
                broker_insecure="true", broker_requests=tcp[0], broker_events=tcp[1],
                bus_brokers=tcp[0], bus_events=tcp[1]) as parts:
        two_instances(parts)
sys.exit(done())
