# SPDX-License-Identifier: MPL-2.0
"""A part that crashes says so in one line with its calls, ends by the signal, and is seen to be
back: by its boot, and by a counter."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from parts import PROGRAM, Folder  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import PATIENCE, Web  # noqa: E402


def is_sanitized():
    """Whether a sanitizer reports bad addresses instead."""
    with open(PROGRAM, "rb") as program:
        return b"__asan_init" in program.read()


def boots(folder):
    """By instance, as ps tells them."""
    rows = [line.split() for line in folder.run("ps").splitlines()[1:]]
    return {row[1]: row[-2] for row in rows}


def crash(part, number):
    """Ends the part by a signal; the last line of its log."""
    part.process.send_signal(number)
    same(part.process.wait(PATIENCE * 3), -number, f"{signal.Signals(number).name} ends the process")
    lines = [json.loads(line) for line in part.log().splitlines()]
    same(sum(line["event_name"] == "process.crashed" for line in lines), 1, "one line tells of it")
    return lines[-1]


def told(line, number, instance):
    same((line["event_name"], line["severity_text"], line["signal"]),
         ("process.crashed", "FATAL", signal.Signals(number).name), "what it was")
    same([(life["part"], life["instance"]) for life in line["instances"]], [("cache", instance)],
         "which instances are gone")
    check(re.fullmatch("[0-9a-f]{16,}", line["build_id"]), "of which build", line)


def named(line):
    """addr2line reads what stands there."""
    if not shutil.which("addr2line"):
        return
    places = [frame.split("+")[1] for frame in line["backtrace"] if frame.startswith("signalbox+")]
    names = subprocess.run(["addr2line", "-f", "-e", PROGRAM, *places], capture_output=True,
                           text=True, check=True).stdout
    check(re.search("^(main|s_run_actors)$", names, re.M), "addr2line names the calls", names)


def wait(look, what):
    """Looks until it is so."""
    until = time.monotonic() + PATIENCE * 3
    while time.monotonic() < until and not look():
        time.sleep(0.05)
    check(look(), what)


def instances(folder):
    """By name, as the summary tells them."""
    return {one["instance"]: one for one in
            json.loads(folder.run("call", "metrics.summary"))["instances"]}


with Folder(bus_snapshot_ms=200, broker_snapshot_ms=200, edge_port=0,
            edge_allow_anonymous="true") as parts:
    parts.start("broker")
    parts.start("actor", "metrics")
    web = Web(parts.start("edge").port)
    numbers = [signal.SIGABRT] if is_sanitized() else [signal.SIGABRT, signal.SIGSEGV]
    cache = parts.start("actor", "cache", "--instance", "one")
    for count, sent in enumerate(numbers, 1):
        wait(lambda: instances(parts).get("one", {}).get("up"), "it is up")
        before = boots(parts)["one"]
        last = crash(cache, sent)
        told(last, sent, "one")
        named(last)
        ms = last["instances"][0]["boot"]
        same(before, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03}Z",
             "ps told the boot that the line tells")
        cache = parts.start("actor", "cache", "--instance", "one")
        check(boots(parts)["one"] > before, "ps tells another boot then")
        health = json.loads(parts.run("call", "cache._health"))
        check(health["boot"] > ms, "and so does its health", health)
        wait(lambda: instances(parts)["one"]["restarts"] == count, "the summary counts restarts")
    text = parts.run("top", "--once")
    check(re.search(rf"^one +up .* {len(numbers)}$", text, re.M), "and top shows them", text)
    wait(lambda: re.search(r'instance_restarts_total\{[^}]*after="crash"[^}]*\} ' + str(len(numbers)),
                           web.get("/metrics").body.decode()), "a counter tells them by part")
    cache.stop()
    parts.start("actor", "cache", "--instance", "one")
    wait(lambda: re.search(r'instance_restarts_total\{[^}]*after="leave"[^}]*\} 1',
                           web.get("/metrics").body.decode()), "apart from those that had left")
sys.exit(done())
