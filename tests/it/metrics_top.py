# SPDX-License-Identifier: MPL-2.0
"""`signalbox top`: once, into a pipe, and on a terminal."""
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from bus import dealer, publish  # noqa: E402
from parts import PROGRAM, Folder, die_with_parent  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import PATIENCE, Web  # noqa: E402

HEADS = ("PART ", "INSTANCE ", "METHOD ", "QUEUE ")
ENTER, LEAVE, HOME = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[H"


class Asking:
    """Somebody asks all the time."""

    def __init__(self, port):
        self.web, self.has_ended = Web(port), False
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.has_ended = True
        self.thread.join()

    def _run(self):
        while not self.has_ended:
            self.web.get("/v1/ping")


def once(folder, edge):
    """The pace of what is asked now."""
    until = time.monotonic() + PATIENCE
    with Asking(edge.port):
        while time.monotonic() < until:
            text = folder.run("top", "--once")
            found = re.search(r"^GET +/v1/ping +([\d.]+) +0\.0 +0\.00 +(\S+)", text, re.M)
            if found and float(found.group(1)) > 0 and found.group(2) != "0us":
                break
    check(found and float(found.group(1)) > 0, "what is asked is told with its pace", text)
    same([head for head in HEADS if "\n" + head not in text], [], "a table of everything")
    check(re.search(r"^edge-\w+ +up ", text, re.M), "every instance", text)
    check(re.search(r"^metrics +\d+ +[1-9]\d* +1$", text, re.M), "every queue", text)
    check("\x1b" not in text, "nothing but text where there is no terminal")
    return text


def hostile(folder):
    """Nobody's name moves the cursor."""
    sender = dealer(folder.socket("bus"))
    series = [{"labels": {"method": "GET", "route": "/\x1b[2J\n" + "x" * 100, "status": "200"},
               "value": 1}]
    snapshot = {"part": "edge", "instance": "hostile", "boot": 1, "sequence": 1,
                "families": [{"name": "http_requests_total", "kind": "counter", "about": "x",
                              "series": series}]}
    publish(sender, "metrics.edge.hostile", snapshot, 1)
    until = time.monotonic() + PATIENCE
    while "hostile" not in (text := folder.run("top", "--once")) and time.monotonic() < until:
        pass
    check("/?[2J?xxx" in text and "\x1b" not in text, "control characters are shown as such", text)
    sender.close()


def piped(folder):
    """Without a terminal a table comes with every summary."""
    part = folder.start("top")
    tables = 0
    while tables < 3 and part.wait_line("^Signalbox at ", after=len(part.lines) and tables):
        tables = sum(line.startswith("Signalbox at ") for line in part.lines)
    check(tables >= 3, "a table for each summary", part.lines[-5:])
    same(part.stop(), 0, "until it is told to end")


def on_terminal(folder, metrics):
    main, other = pty.openpty()
    process = subprocess.Popen([PROGRAM, "top"], cwd=folder.path, stdin=other, stdout=other,
                               stderr=subprocess.DEVNULL, env={**folder.environment, "TERM": "xterm"},
                               preexec_fn=die_with_parent)
    os.close(other)
    seen = b""

    def read_until(is_so):
        nonlocal seen
        until = time.monotonic() + PATIENCE
        while not is_so() and time.monotonic() < until and \
                select.select([main], [], [], PATIENCE)[0]:
            try:
                seen += os.read(main, 65536)
            except OSError:  # the other end is closed
                break

    read_until(lambda: seen.count(HOME) >= 2)
    check(seen.startswith(ENTER), "it takes another screen", seen[:40])
    frame = seen.split(HOME)[1]
    same(frame.count(b"\n") <= 24, True, "and no more lines than fit")
    check(b"PART " in frame, "with the tables", frame)
    metrics.kill()
    read_until(lambda: b"No summary has come for " in seen)
    check(b"No summary has come for " in seen, "when nothing comes any more it says so", seen[-200:])
    folder.start("actor", "metrics")
    before = len(seen)
    read_until(lambda: b"Signalbox at " in seen[before:])
    check(b"Signalbox at " in seen[before:], "until something does", seen[before:])
    process.send_signal(signal.SIGINT)
    read_until(lambda: LEAVE in seen)
    check(seen.rstrip().endswith(LEAVE), "and gives the screen back", seen[-40:])
    same(process.wait(PATIENCE), 0, "when it is interrupted")
    os.close(main)


def on_a_dumb_one(folder):
    main, other = pty.openpty()
    with subprocess.Popen([PROGRAM, "top"], cwd=folder.path, stdin=other, stdout=other, stderr=subprocess.DEVNULL,
                          env={**folder.environment, "TERM": "dumb"}, preexec_fn=die_with_parent) as process:
        os.close(other)
        text = b""
        until = time.monotonic() + PATIENCE
        while text.count(b"Signalbox at ") < 2 and time.monotonic() < until:
            text += os.read(main, 65536)
        process.terminate()
    check(text.count(b"Signalbox at ") >= 2 and b"\x1b" not in text, "a dumb terminal gets text alone", text[:200])
    os.close(main)


with Folder(edge_port=0, edge_allow_anonymous="true", edge_threads=16, edge_limits="false",
            bus_snapshot_ms=200, broker_snapshot_ms=200) as parts:
    parts.start("broker")
    check("NO_SERVICE" in parts.fail("top", "--once"), "without the actor a sentence says so")
    actor = parts.start("actor", "metrics")
    host = parts.start("edge")
    once(parts, host)
    hostile(parts)
    piped(parts)
    on_a_dumb_one(parts)
    on_terminal(parts, actor)
    check("is not understood" in parts.fail("top", "twice", status=2), "an argument that is none")
sys.exit(done())
