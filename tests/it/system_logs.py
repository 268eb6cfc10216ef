# SPDX-License-Identifier: MPL-2.0
"""What processes log: levels of parts changed while they run, whose request a line is of, what is slow."""
import os
import pty
import re
import subprocess
import sys
import threading
import time

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
import bus  # noqa: E402
import zmq  # noqa: E402
from parts import Folder, PROGRAM  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import Web  # noqa: E402

PATIENCE = 20
REQUEST_ID = "of-this-test.1"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {"X-Request-ID": REQUEST_ID, "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


def levels(folder, *words):
    """What `signalbox log-level` prints: {part: (level, how, process)}."""
    rows = [re.split(r"\s{2,}|(?<=\S) (?=\S+:\d+$)", line.strip()) for line in
            folder.run("log-level", *words).splitlines()[1:]]
    return {(row[0].split()[0]): " ".join(row[0].split()[1:] + row[1:-1]) for row in rows}


def lines_of(process, name, **fields):
    return [event for event in process.events() if event["event_name"] == name and
            all(event.get(key) == value for key, value in fields.items())]


def wait_for(look, name):
    until = time.monotonic() + PATIENCE
    while not (found := look()) and time.monotonic() < until:
        time.sleep(0.02)
    check(found, name)
    return found


def processes():
    """Each part a process of its own: edge and broker obey as actors do."""
    with Folder(edge_port=0) as folder:
        broker = folder.start("broker")
        limiter = folder.start("actor", "limiter")
        edge = folder.start("edge")
        web = Web(edge.port)
        wait_for(lambda: web.get("/v1/ping").headers.get("x-ratelimit-limit"), "limits are counted")
        shown = levels(folder)
        check({"broker", "edge", "limiter", "main"} <= set(shown), "every part is shown", shown)
        same(set(how.split()[-1] for how in shown.values()), {"configured"}, "at its configured level")

        same(set(levels(folder, "limiter", "debug")), {"limiter"}, "one part is changed")
        same(folder.run("log-level", "limiter").split()[4:9], ["limiter", "debug", "until", "it", "ends"],
             "and shown so")
        web.get("/v1/ping")
        wait_for(lambda: lines_of(limiter, "call"), "it logs its calls")
        for part in (edge, broker):
            same([event for event in part.events() if event["severity_text"] == "DEBUG"], [],
                 f"the {part.words[0]} logs no more than before")
        for part in (edge, broker):
            levels(folder, part.words[0], "error")
        before = len(edge.events())
        web.get("/v1/ping")
        same(len(edge.events()), before, "the edge falls silent")
        for part in (edge, broker):
            levels(folder, part.words[0], "default")
        web.get("/v1/ping")
        wait_for(lambda: len(edge.events()) > before, "and speaks again")
        same(folder.run("log-level", "edge").split()[4:7], ["edge", "info", "configured"], "as configured")

        levels(folder, "edge", "debug", "--for=1s")
        wait_for(lambda: levels(folder, "edge")["edge"].endswith("configured"), "a duration ends by itself")
        levels(folder, "warn")
        same({levels(folder)[part].split()[0] for part in ("broker", "edge", "limiter")}, {"warn"},
             "all parts are changed at once")
        same(edge.stop(), 0, "the edge leaves")
        edge = folder.start("edge")
        same(levels(folder, "edge")["edge"], "info configured", "a restart ends it")
        for words, why in ((("lemiter", "debug"), "nobody plays the part 'lemiter'"),
                           (("edge", "loud"), "'loud' is no level"),
                           (("edge", "debug", "--for=soon"), "say how long as 90s, 10m or 2h"),
                           (("edge", "--for=1m"), "--for goes with a level"),
                           (("edge", "debug", "more"), "'more' is not understood here")):
            check(why in folder.fail("log-level", *words, status=1 if "nobody" in why else 2), why)


def strangers():
    """Whoever answers for parts that there are not does not move the cursor."""
    with Folder(edge_port=0) as folder:
        folder.start("broker")
        events = zmq.Context.instance().socket(zmq.SUB)
        events.connect(folder.socket("events"))
        events.subscribe(b"log.control")
        sender = bus.dealer(folder.socket("bus"))
        has_ended = threading.Event()

        def answer():
            number = 0
            while not has_ended.is_set():
                if events.poll(50):
                    number += 1
                    asked = bus.msgpack.unpackb(events.recv_multipart()[-1])
                    told = {"id": asked["id"], "process": "\x1b[2J\u009b2J\nx", "parts": [
                        {"part": "odd\x1b]0;x\x07", "level": "\x1b[1m", "own": False, "left_s": 0}]}
                    bus.publish(sender, "log.levels", told, number, publisher="odd")

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            text = wait_for(lambda: next((text for text in [folder.run("log-level")] if "odd" in text), None),
                            "a stranger answers")
        finally:
            has_ended.set()
            thread.join()
        check(text and re.fullmatch(r"[ -~\n]*", text), "and is shown without control characters", text)
        events.close()
        sender.close()


def one_process():
    """Parts that share a process: the thread's part decides."""
    with Folder(edge_port=0) as folder:
        run = folder.start("run", "--allow-anonymous")
        web = Web(run.port)
        levels(folder, "analysis", "debug")
        answer = web.post("/v1/analyses", {"nodes": [{"id": "a", "type": "trigger"}, {"id": "b"}],
                                           "edges": [{"from": "a", "to": "b"}]}, HEADERS)
        same(answer.status, 201, "an analysis")
        calls = wait_for(lambda: lines_of(run, "call"), "the analysis logs its calls")
        same({call["part"] for call in calls}, {"analysis"}, "and nobody else does")
        same({(call["request_id"], call["trace_id"]) for call in calls}, {(REQUEST_ID, TRACE)},
             "each line has the request's ids")
        line = lines_of(run, "request", request_id=REQUEST_ID)[0]
        same({key: line[key] for key in ("trace_id", "severity_text", "part", "http.request.method",
                                         "http.route", "http.response.status_code", "limit")},
             {"trace_id": TRACE, "severity_text": "INFO", "part": "edge", "http.request.method": "POST",
              "http.route": "/v1/analyses", "http.response.status_code": 201, "limit": "counted"},
             "the access log")
        check(line["http.request.body.size"] > 0 and line["http.response.body.size"] > 0 and
              line["actor_us"] > 0 and line["edge_us"] > 0, "with bytes and times", line)
        for _ in range(2):
            web.get("/v1/rules", HEADERS)
        same([line["cache"] for line in lines_of(run, "request", **{"http.route": "/v1/rules"})],
             ["miss", "hit"], "and what came of the cache")
        web.get("/v1/nothing?password=hunter2", HEADERS)
        same(lines_of(run, "request", **{"http.response.status_code": 404})[0]["error.type"],
             "NOT_FOUND", "and of failures")


def jobs():
    """A job's run is told apart, and leads back to the request it came from."""
    with Folder(edge_port=0) as folder:
        run = folder.start("run", "--allow-anonymous", "--actor.slow_ms=1")
        web = Web(run.port)
        levels(folder, "analysis", "debug")
        answer = web.post("/v1/jobs", {"kind": "analysis.run", "payload": {"body": "{"}}, HEADERS)
        check(answer.status in (200, 201, 202), "a job", answer.body)
        number = answer.json()["id"]
        found = wait_for(lambda: [event for event in run.events()
                                  if event.get("job", "").startswith(f"jobs/{number}.")], "its run is logged")
        same({(event["request_id"], event["trace_id"]) for event in found}, {(REQUEST_ID, TRACE)},
             "with the ids of the request that asked for it")


def slow():
    """What takes long is a warning, and counted."""
    with Folder(edge_port=0, edge_slow_ms=1, actor_slow_ms=1) as folder:
        run = folder.start("run", "--allow-anonymous", "--auth.hash_passes=4")
        web = Web(run.port)
        web.post("/v1/auth/login", {"email": "nobody@example.dev", "password": "long enough a password"},
                 HEADERS)
        line = wait_for(lambda: lines_of(run, "request.slow", **{"http.route": "/v1/auth/login"}),
                        "a slow request is told")[0]
        same((line["severity_text"], line["request_id"]), ("WARN", REQUEST_ID), "as a warning, whose it was")
        call = wait_for(lambda: lines_of(run, "call.slow", part="auth", request_id=REQUEST_ID),
                        "and the slow call behind it")[0]
        same(call["trace_id"], TRACE, "of the same request")
        check(wait_for(lambda: web.metric("http_requests_slow_total"), "and counted") >= 1, "at least once")


def terminal():
    """On a terminal there is text."""
    with Folder(edge_port=0) as folder:
        master, slave = pty.openpty()
        with subprocess.Popen([PROGRAM, "broker"], cwd=folder.path, env=folder.environment,
                              stdout=subprocess.PIPE, stderr=slave) as process:
            os.close(slave)
            process.stdout.readline()
            text = []
            reader = threading.Thread(target=lambda: text.append(os.read(master, 4096)), daemon=True)
            reader.start()
            process.terminate()
            reader.join(PATIENCE)
        check(text and re.match(rb"\d\d:\d\d:\d\d\.\d{3} INFO  main     process\.stopping", text[0]),
              "text for people", text)


processes()
strangers()
one_process()
jobs()
slow()
terminal()
sys.exit(done())
