# SPDX-License-Identifier: MPL-2.0
"""Traces of a running system: their hops, which of them are kept, how they are looked at, and their export."""
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
import bus  # noqa: E402
import otlp  # noqa: E402
from outside import Receiver  # noqa: E402
from parts import Folder  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import PATIENCE, Web  # noqa: E402

SPAN = "b7ad6b7169203331"
KEY = "planted-collector-key"
ALL = {"bus_trace_per_million": 1000000}
NONE = {"bus_trace_per_million": 0}


def parent(number):
    """A traceparent of a trace of its own, which no ratio but all keeps."""
    trace = f"{number:018x}ffffffffffffff"
    return trace, f"00-{trace}-{SPAN}-01"


def wait(look):
    """What `look` returns, as soon as that is something."""
    deadline = time.monotonic() + PATIENCE
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return seen


class System:
    """Asks a running system about traces, over the bus."""

    def __init__(self, folder):
        self.client = bus.Client(folder.socket("bus"))

    def trace(self, trace, names=()):
        """The trace when spans of these names are in it; None when they do not come."""
        def look():
            command, answer = self.client.call("metrics", "trace", {"id": trace}, deadline=20000)
            if command == bus.FINAL and set(names) <= {span["name"] for span in answer["spans"]}:
                return answer
            return None
        return wait(look) if names else look()


def enqueue(web, url, headers):
    answer = web.post("/v1/jobs", {"kind": "http.check", "payload": {"url": url}}, headers)
    if answer.status != 202:
        raise RuntimeError(answer.body)


HOPS = ["POST /v1/jobs", "jobs.enqueue", "http.check"]
QUESTIONS = {"auth.identify", "limiter.take"}  # of an edge that answers somebody for the first time


def whole(found, count):
    """The trace when there are so many spans in it, and those of the edge's questions."""
    names = [span["name"] for span in found["spans"]] if found else []
    asked = sum(name in QUESTIONS for name in names)
    return found if QUESTIONS <= set(names) and asked % 2 == 0 and len(names) == count + asked else None


def questions(found, request):
    """What the edge asks for its own work before it answers: each a call, and the method that ran."""
    spans = {span["id"]: span for span in found["spans"]}
    calls = {span["id"]: span for span in found["spans"] if span["part"] == "edge" and span["kind"] == "client"}
    same({span["name"] for span in calls.values()}, QUESTIONS, "what the edge asks others is in the trace")
    same({span["parent_id"] for span in calls.values()}, {request["id"]}, "as done for the request")
    same(sorted((span["part"], span["kind"], span["name"]) for span in spans.values() if span["parent_id"] in calls),
         sorted((span["name"].split(".")[0], "server", span["name"]) for span in calls.values()),
         "and each with what was done for it")
    check(all(span["start_us"] >= request["start_us"] for span in calls.values()) and
          sum(span["duration_us"] for span in calls.values()) <= request["duration_us"], "in the time of the request",
          found)


def hops(folder, system, web, receiver, admin):
    """From a request through the queue of jobs to somebody outside."""
    trace, traceparent = parent(1)
    enqueue(web, receiver.url("/seen"), {**admin, "traceparent": traceparent, "tracestate": "foo=1 , bar=2"})
    request = receiver.next()
    told = request.headers["traceparent"].split("-")
    same((told[1], told[3]), (trace, "01"), "who is called outside is in the trace")
    same(request.headers["tracestate"], "foo=1,bar=2", "and gets its state, which the job has kept")
    outside = f"GET 127.0.0.1:{receiver.port}"
    found = wait(lambda: whole(system.trace(trace), 5))
    if not check(found, "the trace is known"):
        return
    spans = {span["id"]: span for span in found["spans"]}
    chain, at = [], told[2]
    while at in spans:
        chain.append((spans[at]["name"], spans[at]["kind"], spans[at]["part"]))
        at = spans[at]["parent_id"]
    same(chain, [(outside, "client", "http"), ("http.check", "server", "http"), ("http.check", "consumer", "jobs"),
                 ("jobs.enqueue", "server", "jobs"), ("POST /v1/jobs", "server", "edge")], "each hop is the child of the one before")
    same(at, SPAN, "and the first that of the caller")
    edge = next(span for span in found["spans"] if span["part"] == "edge" and span["kind"] == "server")
    same({key: edge["attributes"].get(key) for key in ("http.request.method", "http.route", "http.response.status_code")},
         {"http.request.method": "POST", "http.route": "/v1/jobs", "http.response.status_code": 202}, "what the request was")
    check(all(span["duration_us"] >= 0 and abs(span["start_us"] / 1e6 - time.time()) < 1000 for span in found["spans"]),
          "with times")
    same((found["name"], found["part"], found["is_failed"], found["span_count"]),
         ("POST /v1/jobs", "edge", False, len(found["spans"])), "what began it")
    questions(found, edge)
    same(len([span for span in found["spans"] if span["name"] not in QUESTIONS]), 5, "and nothing else")
    # an edge that was kept from hearing of revoked rights for a moment lets nobody administer
    same(wait(lambda: (answer := web.get(f"/v1/traces/{trace}", admin)).status == 200 and answer.json()), found,
         "administrators get the same over HTTP")
    same(web.get(f"/v1/traces/{trace}").status, 401, "nobody else does")
    same(web.get(f"/v1/traces/{'0' * 31}1", admin).status, 404, "one that is not known is not found")
    same(web.get("/v1/traces/1", admin).status, 422, "and what is no id is refused")
    lines = folder.run("trace", trace).splitlines()
    check(lines[0].startswith(trace) and lines[0].endswith(f"  {len(found['spans'])} spans"),
          "`signalbox trace` prints it", lines)
    names = [re.match(r" *[0-9.]+[mu]?s +[0-9.]+[mu]?s [ !] ( *)(\S+ ?\S*)", line).group(1, 2) for line in lines[2:]]
    same([(len(indent), name.strip()) for indent, name in names if name.strip() not in QUESTIONS],
         [(0, "POST /v1/jobs"), (2, "jobs.enqueue"), (4, "http.check"), (6, "http.check"), (8, outside)],
         "as a tree")
    check(f"{trace} " in folder.run("trace"), "and lists it among the last ones")
    check(trace not in folder.run("trace", "--failed"), "but not among those that failed")
    check("not kept" in folder.fail("trace", "0" * 31 + "1"), "of another one it says that nothing is known")
    folder.fail("trace", "nonsense", status=2)


def pulled(system):
    """A worker that fetches jobs is told where whoever enqueued them stood."""
    def ask(method, body, **more):
        command, answer = system.client.call("jobs", method, body, deadline=20000, **more)
        return answer if command == bus.FINAL else answer["code"]

    trace = parent(2)[0]
    ask("queue_set", {"name": "fetched", "pulled": True})
    ask("enqueue_as", {"jobs": [{"kind": "fetched.resize"}, {"kind": "fetched.crop"}]},
        flags=bus.TRACED, trace=bytes.fromhex(trace + SPAN + "01"))
    ask("enqueue_as", {"jobs": [{"kind": "fetched.turn"}]})
    items = {item["kind"]: item["traceparent"] for item in ask("claim", {"worker": "w", "queue": "fetched"})["items"]}
    handler = next(span["id"] for span in system.trace(trace, ["jobs.enqueue_as"])["spans"])
    same(items, {"fetched.resize": f"00-{trace}-{handler}-01", "fetched.crop": f"00-{trace}-{handler}-01",
                 "fetched.turn": None}, "who fetches jobs is told of their traces")


def others(folder, system, web):
    """A service in any language tells spans of its own, as docs/tracing.md shows it."""
    with open(os.path.join(os.environ.get("srcdir", "."), "docs", "tracing.md"), encoding="utf-8") as document:
        batch = json.loads(re.search(r"```json\n(.*?)```", document.read(), re.S)[1])
    publisher = bus.dealer(folder.socket("bus"))
    bus.publish(publisher, "trace", batch, 1, publisher="billing-1")
    told = batch["spans"][0]
    found = system.trace(told["trace_id"], ["billing.charge"])
    same((found["part"], found["spans"][0]["instance"], found["spans"][0]["attributes"]),
         ("billing", "billing-1", told["attributes"]), "a service of one's own tells spans")
    odd = {**told, "id": "00f067aa0ba902b8", "parent_id": None, "name": "a \"b\" \\ \n \x1b \u2028 \U0001f4a5", "kind": 0,
           "start_us": (2 ** 64 - 1) // 1000, "duration_us": 0,
           "attributes": {"empty": "", "controls": "\x00\x7f\u009b", "least": -2 ** 63, "most": 2 ** 63 - 1}}
    bus.publish(publisher, "trace", {**batch, "spans": [odd, {**odd, "start_us": odd["start_us"] + 1}]}, 2,
                publisher="billing-1")
    found = system.trace(told["trace_id"], ["billing.charge", odd["name"]])
    same(found and next(span["attributes"] for span in found["spans"] if span["name"] == odd["name"]), odd["attributes"],
         "whatever they hold")
    for number, wrong in enumerate([7, {"part": "billing"}, {**batch, "spans": [{**told, "kind": 9}]},
                                    {**batch, "spans": [{**told, "trace_id": "x"}]}]):
        bus.publish(publisher, "trace", wrong, 3 + number, publisher="billing-1")
    check(wait(lambda: (web.metric("metrics_spans_bad_total") or 0) >= 5), "what is none is counted")
    publisher.close()


def exported(run, web, collector, admin):
    """What goes to a collector is as the specification has it."""
    trace, traceparent = parent(3)
    before, has_odd = [], False
    while not (has_odd and collector.received.empty()) and (request := collector.next()):
        before.append(json.loads(request.body))
        has_odd |= any(span["name"].startswith("a \"b\"") for span in otlp.spans(before[-1]))
    check(has_odd, "what others have told is exported", before)
    same({otlp.fault(body) for body in before}, {None}, "each body so far is an ExportTraceServiceRequest")
    refusals = iter([(503, {"Retry-After": "1"}, b""), (429, {}, b"")])
    collector.answer = lambda request: next(refusals, (200, {}, b"{}"))
    while not collector.received.empty():
        collector.received.get()
    same(web.get("/v1/analyses", {**admin, "traceparent": traceparent}).status, 200, "a request is answered")
    bodies = []
    while len(bodies) < 3 and (request := collector.next()):
        bodies.append(request)
    same(len({request.body for request in bodies}), 1, "what is refused for the moment is sent again")
    same({(request.path, request.headers["content-type"], request.headers["authorization"], request.headers["traceparent"])
          for request in bodies}, {("/v1/traces", "application/json", f"Bearer {KEY}", None)},
         "to where it belongs, with the headers that were set")
    seen, wrong = [], []
    deadline = time.monotonic() + PATIENCE
    while bodies and time.monotonic() < deadline:
        body = json.loads(bodies.pop().body)
        wrong.append(otlp.fault(body))
        seen += [span for span in otlp.spans(body) if span["traceId"] == trace]
        if {span["name"] for span in seen} >= {"GET /v1/analyses", "analysis.list"}:
            break
        bodies = [collector.next()]
    same(set(wrong), {None}, "each body is an ExportTraceServiceRequest")
    spans = {span["name"]: span for span in seen}
    edge, handler = spans["GET /v1/analyses"], spans["analysis.list"]
    same((edge["parentSpanId"], handler["parentSpanId"], edge["kind"]), (SPAN, edge["spanId"], 2), "the spans are related")
    same((edge["resource"]["service.name"], handler["resource"]["service.name"], edge["resource"]["service.namespace"]),
         ("edge", "analysis", "signalbox"), "and belong to their parts")
    same((edge["attributes"]["http.response.status_code"], edge["status"]), (200, {}), "what is known of them is told")
    took = int(edge["endTimeUnixNano"]) - int(edge["startTimeUnixNano"])
    check(0 < took < 1e12 and abs(int(edge["startTimeUnixNano"]) / 1e9 - time.time()) < 1000, "with times")
    partial(run, web, collector)
    before = web.metric("metrics_spans_not_exported_total")
    collector.answer = (400, {}, b"")
    web.get("/v1/ping", admin)
    check(wait(lambda: web.metric("metrics_spans_not_exported_total") > before), "what is refused for good is counted")
    collector.answer = (200, {}, b"{}")


def partial(run, web, collector):
    """A collector may take a body and refuse some of its spans: it says how many, and why."""
    refusal = {"rejectedSpans": "1", "errorMessage": f"no room at https://me:{KEY}@otel/ for one"}
    collector.answer = (200, {}, json.dumps({"partialSuccess": refusal}).encode())
    check(wait(lambda: (web.metric("metrics_spans_not_exported_total") or 0) >= 2), "spans that it refuses are counted")
    told = wait(lambda: [event for event in run.events() if event["event_name"] == "export.lost"])
    same([(event["to"], event["items"], event["why"]) for event in told],
         [("otlp", 1, "no room at https://***@otel/ for one")], "the log says so now and then, in its words")


GOOD_SPAN = {"traceId": "1" * 32, "spanId": "2" * 16, "name": "a", "startTimeUnixNano": "1", "endTimeUnixNano": "2",
             "kind": 2, "attributes": [{"key": "k", "value": {"intValue": "7"}}], "status": {"code": 2}}
BAD_SPANS = [
    ("an id in base64", {"traceId": "EREREREREREREREREREREQ=="}),
    ("an id of zeros", {"spanId": "0" * 16}),
    ("a kind as a name", {"kind": "SPAN_KIND_SERVER"}),
    ("a kind there is not", {"kind": 6}),
    ("a time as a number", {"startTimeUnixNano": 1}),
    ("a name in snake case", {"parent_span_id": "2" * 16}),
    ("a name there is not", {"duration": "1"}),
    ("an int as a number", {"attributes": [{"key": "k", "value": {"intValue": 7}}]}),
    ("two values", {"attributes": [{"key": "k", "value": {"intValue": "7", "stringValue": "7"}}]}),
    ("a value as it is", {"attributes": [{"key": "k", "value": 7}]}),
    ("attributes as a map", {"attributes": {"k": "7"}}),
    ("a status as a name", {"status": {"code": "STATUS_CODE_ERROR"}}),
]


def checker():
    """The checker is worth its name."""
    def body(span):
        return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": [span]}]}]}
    same(otlp.fault(body(GOOD_SPAN)), None, "a good body")
    for what, change in BAD_SPANS:
        check(otlp.fault(body({**GOOD_SPAN, **change})), f"{what} is found")
    for name in ("traceId", "spanId", "name", "startTimeUnixNano"):
        check(otlp.fault(body({key: value for key, value in GOOD_SPAN.items() if key != name})), f"{name} is missed")


def together():
    """Everything in one process, and every trace kept."""
    receiver, collector = Receiver(), Receiver()
    with Folder(edge_port=0, outbound_allow="127.0.0.1", metrics_otlp_url=collector.url("/v1/traces"),
                metrics_otlp_headers=f"Authorization=Bearer%20{KEY}", bus_snapshot_ms=200, **ALL) as folder:
        run = folder.start("run")
        admin = {"Authorization": f"Bearer {run.wait_line(r'^  (sbx_live_.+)$').group(1)}"}
        web, system = Web(run.port), System(folder)
        hops(folder, system, web, receiver, admin)
        pulled(system)
        others(folder, system, web)
        exported(run, web, collector, admin)
        same(run.stop(), 0, "it leaves in order")
        check(KEY not in run.log(), "the key of the collector is not logged")
        check(KEY not in folder.run("config"), "nor shown")
    receiver.stop()
    collector.stop()


def apart():
    """Each part in a process, and nothing kept by the ratio: what fails or is slow is, as a whole."""
    receiver = Receiver()
    with Folder(edge_port=0, edge_allow_anonymous="true", edge_threads=16, edge_limits="false",
                outbound_allow="127.0.0.1", bus_trace_slow_ms=300, bus_snapshot_ms=200, **NONE) as folder:
        folder.start("broker")
        folder.start("actor", "metrics", "--instance", "first")
        folder.start("actor", "jobs")
        folder.start("actor", "http")
        folder.start("actor", "auth")
        edge = folder.start("edge")
        web, system = Web(edge.port), System(folder)
        wait(lambda: web.get("/v1/jobs").status == 200)
        wait(lambda: web.get("/v1/monitors").status == 200)
        swift, traceparent = parent(4)
        enqueue(web, receiver.url("/swift"), {"traceparent": traceparent, "tracestate": "foo=1"})
        same(receiver.next().headers["traceparent"].split("-")[1::2], [swift, "00"], "an unkept trace goes on")
        receiver.answer = lambda request: time.sleep(0.6) or (200, {}, b"")
        slow, traceparent = parent(5)
        enqueue(web, receiver.url("/slow"), {"traceparent": traceparent})
        outside = f"GET 127.0.0.1:{receiver.port}"
        found = system.trace(slow, [*HOPS, outside])
        check(found, "the trace of what is slow is kept, with the hops that were not")
        same(len({span["instance"] for span in found["spans"]}), 3, "from all processes")
        same(found["is_failed"], False, "it did not fail")
        failed, traceparent = parent(6)
        receiver.answer = None  # hangs up
        answer = web.post("/v1/jobs", {"kind": "webhook.nothing"}, {"traceparent": traceparent})
        check(answer.status >= 400, "a mistake of the caller's")
        receiver.answer = (500, {}, b"")
        enqueue(web, receiver.url("/broken"), {"traceparent": parent(7)[1]})
        found = system.trace(parent(7)[0], [*HOPS, outside])
        check(found and found["is_failed"], "the trace of what fails is kept")
        same(system.trace(swift), None, "that of what went well is not")
        same(system.trace(failed), None, "nor that of a mistake")
        folder.start("actor", "metrics", "--instance", "second")
        enqueue(web, receiver.url("/broken"), {"traceparent": parent(8)[1]})
        check(system.trace(parent(8)[0], [*HOPS, outside]), "there are two who hear")

        def known():
            lines = folder.command("call", "metrics.trace", json.dumps({"id": parent(8)[0]}), "--all")[1]
            return lines.count('"span_count":5') == 2
        check(wait(known), "and both know all of it")
        check(web.metric("bus_traces_named_total") >= 3, "who named traces has counted them")
    receiver.stop()


checker()
together()
apart()
sys.exit(done())
