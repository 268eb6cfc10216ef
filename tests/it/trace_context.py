# SPDX-License-Identifier: MPL-2.0
"""W3C Trace Context, level 1, case by case from its text: what a service that is called gets to know
of what its caller's caller said, by way of the edge, the broker and an actor that calls out.

    trace_context.py [--harness SECONDS]

With --harness it only starts the service and prints its URL, for the test service of the working
group to be pointed at.
"""
import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import time

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
from outside import Receiver  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import PATIENCE, Response, Web  # noqa: E402

HOST = "tests/it/trace_host"
PR_SET_PDEATHSIG = 1

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GOOD = f"00-{TRACE}-{SPAN}-01"
FORM = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-(0[01])$")


class Service:
    """The host, and somebody behind it."""

    def __init__(self, *flags):
        self.process = subprocess.Popen(
            [HOST, *flags], stdout=subprocess.PIPE, text=True,
            preexec_fn=lambda: ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
        self.port = int(self.process.stdout.readline().split()[1])
        self.web = Web(self.port)
        self.receiver = Receiver()

    def ask(self, headers, count=1):
        """Posts with these headers, a list of pairs; the answer, and what came out behind."""
        calls = [{"url": self.receiver.url("/callback"), "arguments": []}] * count
        body = json.dumps(calls).encode()
        lines = ["POST /v1/hop HTTP/1.1", "Host: localhost", "Connection: close",
                 "Content-Type: application/json", f"Content-Length: {len(body)}",
                 *(f"{name}:{value}" for name, value in headers)]
        answer = Response(self.web.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body), "POST")
        if answer.status != 200:
            raise RuntimeError(answer.body)
        return answer, [self.receiver.next() for _ in range(count)]

    def stop(self):
        self.receiver.stop()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


def goes_on(headers, request):
    """Whether the outgoing request is in the trace, as the child of somebody between."""
    parent = FORM.match(request.headers["traceparent"] or "")
    if not parent or parent[2] == SPAN or set(parent[1]) == {"0"} or set(parent[2]) == {"0"}:
        raise RuntimeError(f"{headers}: {request.headers['traceparent']} is no traceparent")
    return parent[1] == TRACE


PARENTS = [
    # what, headers, whether the trace goes on
    ("a traceparent", [GOOD], True),
    ("none", [], False),
    ("one that is not sampled", [f"00-{TRACE}-{SPAN}-00"], True),
    ("flags nobody knows", [f"00-{TRACE}-{SPAN}-ff"], True),
    ("two of them", [GOOD, f"00-{TRACE[::-1]}-{SPAN}-01"], False),
    ("the same twice", [GOOD, GOOD], False),
    ("an empty one", [""], False),
    ("white space around it", [f" \t{GOOD} \t "], True),
    ("a later version", [f"cc-{TRACE}-{SPAN}-01"], True),
    ("a later version with more behind", [f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like"], True),
    ("a later version with another sign behind", [f"cc-{TRACE}-{SPAN}-01.what-the-future"], False),
    ("version 00 with more behind", [f"{GOOD}-what-the-future-will-be-like"], False),
    ("version 00 with a dash behind", [f"{GOOD}-"], False),
    ("version 00 with a dot behind", [f"{GOOD}."], False),
    ("version ff", [f"ff-{TRACE}-{SPAN}-01"], False),
    ("a version in capitals", [f"CC-{TRACE}-{SPAN}-01"], False),
    ("a version that is no hex", [f".0-{TRACE}-{SPAN}-01"], False),
    ("a version of three digits", [f"000-{TRACE}-{SPAN}-01"], False),
    ("a version of one digit", [f"0-{TRACE}-{SPAN}-01"], False),
    ("a trace in capitals", [f"00-{TRACE.upper()}-{SPAN}-01"], False),
    ("a trace of zeros", [f"00-{'0' * 32}-{SPAN}-01"], False),
    ("a trace that is no hex", [f"00-.{TRACE[1:]}-{SPAN}-01"], False),
    ("a trace that is too long", [f"00-{TRACE}0-{SPAN}-01"], False),
    ("a trace that is too short", [f"00-{TRACE[1:]}-{SPAN}-01"], False),
    ("a parent in capitals", [f"00-{TRACE}-{SPAN.upper()}-01"], False),
    ("a parent of zeros", [f"00-{TRACE}-{'0' * 16}-01"], False),
    ("a parent that is no hex", [f"00-{TRACE}-{SPAN[:-1]}.-01"], False),
    ("a parent that is too long", [f"00-{TRACE}-{SPAN}0-01"], False),
    ("a parent that is too short", [f"00-{TRACE}-{SPAN[1:]}-01"], False),
    ("flags that are no hex", [f"00-{TRACE}-{SPAN}-.0"], False),
    ("flags of three digits", [f"00-{TRACE}-{SPAN}-001"], False),
    ("flags of one digit", [f"00-{TRACE}-{SPAN}-1"], False),
    ("no flags", [f"00-{TRACE}-{SPAN}"], False),
]


def parents(service):
    for what, values, expected in PARENTS:
        headers = [("traceparent", value) for value in values]
        answer, (request,) = service.ask(headers)
        same(goes_on(headers, request), expected, what)
        told = FORM.match(answer.headers["traceparent"])
        same((told[1], told[3]), FORM.match(request.headers["traceparent"]).group(1, 3),
             "and the answer tells the same trace")
    for name in ("TraceParent", "TRACEPARENT", "tRaCePaReNt"):
        headers = [(name, GOOD)]
        check(goes_on(headers, service.ask(headers)[1][0]), f"{name} is the same header")
    for name in ("trace-parent", "trace.parent"):
        check(not goes_on([], service.ask([(name, GOOD)])[1][0]), f"{name} is another one")


def several(service):
    """Each request that goes out is a span of its own."""
    for headers in ([("traceparent", GOOD)], []):
        _, requests = service.ask(headers, count=3)
        told = [FORM.match(request.headers["traceparent"]) for request in requests]
        same((len({parent[1] for parent in told}), len({parent[2] for parent in told})), (1, 3),
             "three calls are in one trace, each in its own span")
    first, second = (service.ask([])[1][0].headers["traceparent"] for _ in range(2))
    check(FORM.match(first)[1] != FORM.match(second)[1], "two requests begin two traces")


def members(count):
    return [f"bar{number:02}={number:02}" for number in range(count)]


STATES = [
    # what, headers, what is passed on; None: nothing
    ("a member", ["foo=1"], "foo=1"),
    ("two members", ["foo=1,bar=2"], "foo=1,bar=2"),
    ("white space around members", ["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3"),
    ("white space around all", [" \tfoo=1,bar=2 \t"], "foo=1,bar=2"),
    ("an empty header", [""], None),
    ("two headers", ["foo=1", "bar=2"], "foo=1,bar=2"),
    ("three headers, one of them empty", ["foo=1", "", "bar=2"], "foo=1,bar=2"),
    ("headers of several members", ["foo=1,bar=2", "rojo=1,congo=2", "baz=3"],
     "foo=1,bar=2,rojo=1,congo=2,baz=3"),
    ("empty members", [",foo=1,,bar=2, ,"], "foo=1,bar=2"),
    ("a key twice", ["foo=1,foo=1"], "foo=1"),
    ("a key twice with two values", ["foo=1,foo=2"], "foo=1"),
    ("a key twice in two headers", ["foo=1", "foo=2"], "foo=1"),
    ("all characters of a key", ["abcdefghijklmnopqrstuvwxyz0123456789_-*/=1"],
     "abcdefghijklmnopqrstuvwxyz0123456789_-*/=1"),
    ("all characters of a tenant's key", ["0123456789abc_-*/@a0_-*/=1"], "0123456789abc_-*/@a0_-*/=1"),
    ("all characters of a value", ["foo=" + "".join(chr(c) for c in range(0x21, 0x7f) if chr(c) not in ",=")],
     "foo=" + "".join(chr(c) for c in range(0x21, 0x7f) if chr(c) not in ",=")),
    ("a space within a value", ["foo=a b"], "foo=a b"),
    ("a key of 256", [f"{'z' * 256}=1"], f"{'z' * 256}=1"),
    ("a key of 257", [f"{'z' * 257}=1"], None),
    ("a tenant of 241, a system of 14", [f"{'t' * 241}@{'v' * 14}=1"], f"{'t' * 241}@{'v' * 14}=1"),
    ("a tenant of 242", [f"{'t' * 242}@v=1"], None),
    ("a system of 15", [f"t@{'v' * 15}=1"], None),
    ("a key with a space", ["foo =1"], None),
    ("a key in capitals", ["FOO=1"], None),
    ("a key with a dot", ["foo.bar=1"], None),
    ("a key that begins with a digit", ["1foo=1"], None),
    ("a key without a tenant", ["@foo=1"], None),
    ("a key without a system", ["foo@=1"], None),
    ("a key of two systems", ["foo@bar@baz=1"], None),
    ("no key", ["=1"], None),
    ("no value", ["foo="], None),
    ("no equals sign", ["foo"], None),
    ("two equals signs", ["foo=bar=baz"], None),
    ("a value of 256", [f"foo={'x' * 256}"], f"foo={'x' * 256}"),
    ("a value of 257", [f"foo={'x' * 257}"], None),
    ("a value beyond ASCII", ["foo=\xe9"], None),
    ("one that is wrong among good ones", ["foo=1,bar"], None),
    ("32 members", [",".join(members(32))], ",".join(members(32))),
    ("32 members in 32 headers", members(32), ",".join(members(32))),
    ("32 members and empty ones", [",,".join(members(32)) + ",,"], ",".join(members(32))),
    ("33 members", [",".join(members(33))], None),
    ("33 members in two headers", [",".join(members(32)), "bar32=32"], None),
    ("512 bytes", [f"a={'x' * 252},c=1,b={'y' * 251}"], f"a={'x' * 252},c=1,b={'y' * 251}"),
    ("513 bytes: a large one goes first", [f"a={'x' * 252},c=1,b={'y' * 252}"], f"c=1,b={'y' * 252}"),
    ("more: the last ones go", [",".join(f"k{n}={'x' * 100}" for n in range(6))],
     ",".join(f"k{n}={'x' * 100}" for n in range(4))),
]


def states(service):
    for what, values, expected in STATES:
        headers = [("traceparent", GOOD), *(("tracestate", value) for value in values)]
        _, (request,) = service.ask(headers)
        check(goes_on(headers, request), f"{what}: the trace goes on")
        same(request.headers["tracestate"], expected, what)
    for name in ("TraceState", "TRACESTATE"):
        _, (request,) = service.ask([("traceparent", GOOD), (name, "foo=1")])
        same(request.headers["tracestate"], "foo=1", f"{name} is the same header")
    for name, value in (("traceparent", f"00-{'0' * 32}-{SPAN}-01"), ("x-other", "1")):
        _, (request,) = service.ask([(name, value), ("tracestate", "foo=1")])
        same(request.headers["tracestate"], None, "a state without its traceparent is not passed on")


def flags():
    """Who decides what is kept: the ratio by the trace's id, or the caller where that is allowed."""
    for settings, sampled, expected in [((), "00", "00"), ((), "01", "00"),
                                        (("--bus.trace_per_million", "1000000"), "00", "01"),
                                        (("--bus.trace_per_million", "0", "--bus.trace_follow", "true"), "01", "01"),
                                        (("--bus.trace_per_million", "0", "--bus.trace_follow", "true"), "00", "00")]:
        service = Service(*settings)
        late = f"00-{TRACE[:18]}ffffffffffffff-{SPAN}-{sampled}"  # kept at no ratio but all
        _, (request,) = service.ask([("traceparent", late)])
        same(FORM.match(request.headers["traceparent"])[3], expected,
             f"{sampled} becomes {expected} with {' '.join(settings) or 'the defaults'}")
        same(service.stop(), 0, "it leaves")


if sys.argv[1:2] == ["--harness"]:
    host = Service()
    print(f"http://127.0.0.1:{host.port}/v1/hop", flush=True)
    time.sleep(float(sys.argv[2]))
    sys.exit(host.stop())

here = Service()
parents(here)
several(here)
states(here)
same(here.stop(), 0, "it leaves in order")
flags()
sys.exit(done())
