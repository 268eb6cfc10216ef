# SPDX-License-Identifier: MPL-2.0
"""Every command as an operator uses it: what it prints, what it does, and its exit status."""
import itertools
import json
import os
import re
import signal
import socket
import struct
import sys
import threading
import time

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
import bus  # noqa: E402
from load import Load  # noqa: E402
from parts import Folder, free_port  # noqa: E402
from postgres import database  # noqa: E402
from tap import check, done, same, skip  # noqa: E402
from web import PATIENCE, Web  # noqa: E402

OTHERS = ("auth", "cache", "http", "jobs", "limiter", "metrics", "webhook")  # beside the analysis
COMMANDS = ("run broker edge actor migrate config call watch ps drain log-level analyze openapi "
            "health top trace user key audit jobs errors").split()

MISTAKES = [
    # words                                         what the answer says
    ("rnu",                                         "did you mean 'run'?"),
    ("zzzzzz",                                      "there is no command 'zzzzzz'"),
    ("--verbose",                                   "there is no command '--verbose'"),
    ("run extra",                                   "'extra' is not understood here"),
    ("run --edge.prot 1",                           "did you mean 'edge.port'?"),
    ("run --edge.port",                             "--edge.port: a value is missing"),
    ("run --edge.port 65536",                       "not a whole number from 0 to 65535"),
    ("edge --edge.allow_anonymous perhaps",         "neither true nor false"),
    ("edge --log.level loud",                       "none of: debug info warn error"),
    ("broker --config no.cfg",                      "cannot read 'no.cfg'"),
    ("actor",                                       "name the actors"),
    ("actor analysys",                              "there is no actor 'analysys'"),
    ("migrate now",                                 "'now' is not understood here"),
    ("config --all",                                "'--all' is not understood here"),
    ("call analysis",                               "SERVICE.METHOD"),
    ("call " + 200 * "a" + ".b",                    "SERVICE.METHOD"),
    ("call analysis.rules {",                       "line 1, column 2 of the JSON"),
    ("call analysis.rules {} --deadline=soon",      "'--deadline=soon' is not understood here"),
    ("call analysis.rules {} more",                 "'more' is not understood here"),
    ("watch a b",                                   "'b' is not understood here"),
    ("ps analysis",                                 "'analysis' is not understood here"),
    ("drain",                                       "name one instance"),
    ("analyze",                                     "name the files or folders"),
    ("openapi yaml",                                "'yaml' is not understood here"),
    ("user",                                        "say what to do"),
    ("user tier ada@example.dev",                   "'tier' takes other arguments"),
    ("key revoke",                                  "'revoke' takes other arguments"),
    ("health now",                                  "'now' is not understood here"),
    ("run --data some/where/deep",                  "cannot make the data folder 'some/where/deep'"),
]


def words():
    """Help, version, and everything that is not understood."""
    with Folder() as folder:
        status, usage, _ = folder.command()
        same(status, 2, "no command at all is a mistake")
        same(folder.run("--help"), usage, "that prints the same as --help")
        same(re.findall(r"^  ([\w-]+)", usage, re.M), COMMANDS, "which lists every command")
        for command in COMMANDS:
            text = folder.run(command, "--help")
            check(re.match(rf"Usage: signalbox {command}\b.*\n\n[A-Z].*\.\n", text),
                  f"{command} --help", text)
        check(re.fullmatch(r"signalbox \d+\.\d+\.\d+\n", folder.run("--version")), "--version")
        for line, answer in MISTAKES:
            status, output, errors = folder.command(*line.split())
            same((status, output, answer in errors), (2, "", True), f"{line[:50]}: {answer}")
        status, _, errors = folder.command(
            "config", "--edge.prot", "1", "--storage.dta", "x", edge_port="many")
        same((status, len(errors.splitlines())), (2, 3), "all mistakes are told at once")
        status, _, errors = folder.command("ps", "--data", "nowhere")
        same((status, "no broker answers at ipc://nowhere/bus.sock" in errors), (1, True),
             "a bus without a broker")


def settings():
    """Where each value comes from, and that secrets are not shown."""
    with Folder(broker_name="from-environment") as folder:
        folder.write("s.cfg", 'edge\n    port = 8001\n    threads = 99\nlog\n    level = "warn"\n')
        folder.write("url", "postgresql://user:hush@host/db\n")
        text = folder.run("config", "--config", "s.cfg", "--edge.port=8002",
                          "--storage.database_file", "url")
        for line in ('level = "warn"    #  file', "port = 8002    #  flag", "threads = 99    #  file",
                     'name = "from-environment"    #  environment', "gzip_level = 1    #  default",
                     'database = "***"    #  flag'):
            check("    " + line + "\n" in text, f"config: {line}", text)
        check("hush" not in text, "config shows no secret")
        folder.write("all.cfg", folder.run("config"))
        values = re.compile(r"    #  \w+$", re.M)
        same(values.sub("", folder.run("config", "--config", "all.cfg")),
             values.sub("", folder.run("config")), "what config prints is a file to start from")


MIGRATED = "".join(name + ": up to date\n" for name in ("auth", "analysis", "limiter", "webhook", "http", "jobs"))


def migration(**where):
    name = "PostgreSQL" if where else "SQLite"
    with Folder(**where) as folder:
        status, text, _ = folder.command("migrate", "--check")
        same((status, "run signalbox migrate" in text), (1, True), f"{name}: --check says what to do")
        same(os.listdir(folder.path), [], f"{name}: and does nothing")
        same(folder.run("migrate"), MIGRATED, f"{name}: migrate")
        same(folder.run("migrate", "--check"), MIGRATED, f"{name}: and it is done")


def on_the_bus(folder):
    """call, watch, ps, drain, health and openapi beside a system that is used."""
    port = free_port()
    same(folder.command("health", "--port", port)[0], 1, "health: nobody there")
    with socket.create_server(("127.0.0.1", port)):
        taken = folder.fail("edge", "--port", port)
    check(f"127.0.0.1:{port}" in taken, "a taken port is named", taken)
    folder.run("migrate")
    folder.start("broker")
    edge = folder.start("edge", "--port", port)
    same(folder.command("health", "--port", port)[:2], (1, "not ready\n"), "health: not ready")
    actors = {name: folder.start("actor", "analysis", "--instance", name) for name in "ab"}
    same([actor.instance for actor in actors.values()], ["a", "b"], "an actor says its name")
    watch = folder.start("watch", "registry.")
    watch.wait_line('"name":"b"')
    event = json.loads(watch.lines[-1])
    same((event["body"]["service"], event["missed"]), ("analysis", 0), "watch prints JSON")
    while folder.command("health", "--port", port)[0]:
        pass
    same(folder.run("health", "--port", port), "ready\n", "health: ready")

    rules = json.loads(folder.run("call", "analysis.rules", '{"kind": "asl"}'))
    check(len(rules["items"]) > 5, "call prints the answer")
    lines = folder.run("call", "analysis._health", "--all").splitlines()
    same(len(lines[:2]), 2, "call --all: a line of each instance")
    same(json.loads("".join(lines[2:])), {"instances": 2, "answered": 2, "failed": 0},
         "and how many they were")
    for words_, answer in (
            (("analysis.get", '{"id": "x"}'), "VALIDATION_FAILED"), (("nobody.home",), "NO_SERVICE"),
            (("analysis.none",), "NO_METHOD")):
        check(answer in folder.fail("call", *words_), f"call {words_[0]} fails with {answer}")
    for command in ("broker", "run"):
        check("another broker listens on" in folder.fail(command, "--edge.port", "0"),
              f"{command}: a folder has one broker")
    folder.start("actor", "auth", "--instance", "c")
    folder.start("actor", "limiter", "--instance", "l")
    same(folder.run("drain", "c"), "c has left\n", "drain of what nobody uses")
    same(folder.run("drain", "l"), "l has left\n", "drain of what nobody uses")
    drained(folder, edge, actors)
    strangers(folder)
    served_is_printed(folder, port)
    same(watch.stop(), 0, "watch ends when told to")


def served_is_printed(folder, port):
    """The document is the same whether the services describe themselves or the program does."""
    printed = sorted(json.loads(folder.run("openapi"))["paths"])
    others = folder.start("actor", *OTHERS, "--instance", "others")
    for _ in range(1000):  # the edge hears of them a moment later
        served = sorted(Web(port).get("/openapi.json").json()["paths"])
        if served == printed:
            break
        time.sleep(0.01)
    same(served, printed, "openapi prints what the edge serves")
    same(others.stop(), 0, "other actors leave when told to")


ODD = "\x1b[2J\u009b2J\x7f\n\""


def strangers(folder):
    """Whatever others call themselves, send and answer: what is printed is JSON, or lines, and moves no cursor."""
    watch = folder.start("watch")
    sender = bus.dealer(folder.socket("bus"))
    until = time.monotonic() + PATIENCE
    for number in itertools.count(1):
        bus.publish(sender, "odd.body", {"a": ODD}, number, publisher=ODD)
        head = struct.pack(">2sBBQQqBB", b"SE", 1, 0, 1, number, int(time.time() * 1000), 0, 3) + b"raw"
        sender.send_multipart([bus.header(bus.PUBLISH, service="odd.raw"), head, b"\xc1"])
        watched = watch.wait_line('"odd.raw"', 0.5)
        if watched or time.monotonic() > until:
            break
    lines = [line for line in watch.lines if line.startswith("{")]
    check(all(re.fullmatch(r"[ -~]+", line) for line in lines), "watch prints no control characters", lines)
    seen = {event["topic"]: event for event in map(json.loads, lines)}
    same((seen["odd.body"]["publisher"], seen["odd.body"]["body"]), ("?[2J?2J??\"", {"a": ODD}),
         "but JSON, with what was sent")
    check("no msgpack" in seen["odd.raw"]["body"], "also of what cannot be read", seen["odd.raw"])
    same(watch.stop(), 0, "watch ends")
    worker = bus.Worker(folder.socket("bus"), "odd", "odd-1", credit=1)
    thread = threading.Thread(target=lambda: worker.answer(worker.next()[0], {"code": "UNPROCESSABLE", "message": ODD,
                                                                           "detail": ODD}, bus.ERROR, 422))
    thread.start()
    told = folder.fail("call", "odd.x")
    thread.join()
    check(re.fullmatch(r"[ -~\n]+", told) and "?[2J" in told, "nor does a failure", told)
    worker.close()
    sender.close()


def instances(folder):
    """What ps shows of analysis: the state of each instance."""
    rows = [line.split() for line in folder.run("ps").splitlines()[1:]]
    return {row[1]: row[-1] for row in rows if row[0] == "analysis"}


def drained(folder, edge, actors):
    same(instances(folder), {"a": "up", "b": "up"}, "ps lists the instances")
    check("No instance is called 'd'" in folder.fail("drain", "d"), "drain of nobody")
    with Load(edge.port) as load:
        load.wait(50)
        same(folder.run("drain", "a"), "a has left\n", "drain waits until the instance has left")
        same(actors["a"].process.wait(30), 0, "whose process ends with status 0")
        load.wait(50)
    same((load.wrong, load.cut, dict(load.problems)), ([], [], {}), "and loses nothing under load")
    same(instances(folder), {"b": "up"}, "the other goes on")


def reload():
    """SIGHUP takes over what may change while it runs, and says what may not."""
    with Folder(edge_port=0) as folder:
        folder.write("s.cfg", 'log\n    level = "error"\n')
        folder.start("broker")
        edge = folder.start("edge", "--config", "s.cfg")
        web = Web(edge.port)
        web.get("/v1/ping")
        same(edge.log(), "", "log.level = error: nothing to say")
        folder.write("s.cfg", 'log\n    level = "info"\nedge\n    threads = 300\n')
        edge.process.send_signal(signal.SIGHUP)
        asked = 1
        while '"event_name":"request"' not in edge.log():
            web.get("/v1/ping")
            asked += 1
        same(web.metric("edge_connections_total") is not None, True, "after SIGHUP requests are logged")
        check("edge.threads: a change takes effect after a restart only" in edge.log(),
              "and what needs a restart is told", edge.log())
        same(edge.stop(), 0, "it leaves with status 0")


def offline():
    with Folder() as folder:
        example = os.path.join(SOURCE, "docs", "examples", "workflow.json")
        for words_, status in (([example, "--fail-on", "critical"], 0),
                               ([example, "--fail-on", "error"], 1), (["nothing.json"], 2)):
            same(folder.command("analyze", *words_)[0], status, f"analyze ends with {status}")


if not os.environ.get("TEST_POSTGRES_URL"):
    skip("TEST_POSTGRES_URL is not set: run by tests/kit/postgres.py")
words()
settings()
migration()
with database() as url:
    migration(storage_database=url)
with database() as url:
    with Folder(edge_allow_anonymous="true", edge_threads=32, storage_database=url,
                edge_required="analysis", edge_limits="false") as parts:
        on_the_bus(parts)
reload()
offline()
sys.exit(done())
