# SPDX-License-Identifier: MPL-2.0
"""Failures go to a receiver that speaks Sentry's protocol: as the specification has it, once each,
and not while the receiver rests. The envelope is taken apart here from the specification alone
(develop.sentry.dev/sdk: envelopes, event payloads, rate limiting)."""
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from bus import dealer, publish  # noqa: E402
from outside import Receiver  # noqa: E402
from parts import Folder  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import PATIENCE  # noqa: E402

KEY = "c0ffee00c0ffee00c0ffee00c0ffee00"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
LEVELS = {"fatal", "error", "warning", "info", "debug"}


def envelope(body):
    """Its headers and items: a line of JSON, then for each item a line of JSON and a payload of the
    length that it tells, ended by a line feed or the end."""
    def line(at):
        end = body.index(b"\n", at)
        return json.loads(body[at:end]), end + 1

    headers, at = line(0)
    items = []
    while at < len(body):
        item, at = line(at)
        payload = body[at:at + item["length"]]
        same(len(payload), item["length"], "an item is as long as it tells")
        at += item["length"]
        check(at == len(body) or body[at:at + 1] == b"\n", "and ended by a line feed")
        at += 1
        items.append((item, payload))
    return headers, items


class Bus:
    """Somebody who tells of failures."""

    def __init__(self, folder):
        self.socket, self.sequence = dealer(folder.socket("bus")), 0

    def tell(self, message, **more):
        self.sequence += 1
        publish(self.socket, "error", {"code": "INTERNAL", "part": "billing", "method": "invoice",
                                       "message": message, **more}, self.sequence,
                publisher="billing-1")


def counted(folder, name):
    return json.loads(folder.run("call", "metrics._stats"))["values"][name]


def wait(look, what):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and not look():
        time.sleep(0.05)
    check(look(), what)


def an_event(receiver, bus):
    bus.tell("invoice 4711 has 0 lines", version="2.1", request_id="req-1", trace_id=TRACE,
             span_id=SPAN, breadcrumbs=[{"at": "2026-11-21T10:04:01.595Z", "level": "warn",
                                         "event": "query.slow", "text": "took 2 s"}])
    request = receiver.next()
    same((request.command, request.path, request.headers["content-type"]),
         ("POST", "/api/42/envelope/", "application/x-sentry-envelope"), "where it goes")
    scheme, _, rest = request.headers["x-sentry-auth"].partition(" ")
    auth = dict(pair.split("=", 1) for pair in rest.split(", "))
    same((scheme, auth["sentry_version"], auth["sentry_key"],
          auth["sentry_client"].startswith("signalbox/")), ("Sentry", "7", KEY, True), "by whom")
    headers, items = envelope(request.body)
    same(len(items), 1, "one item")
    check(re.fullmatch("[0-9a-f]{32}", headers["event_id"]), "an id of 32 hexadecimal digits")
    check(re.fullmatch(TIME, headers["sent_at"]), "when it was sent", headers)
    item, payload = items[0]
    same((item["type"], item["content_type"]), ("event", "application/json"), "it is an event")
    event = json.loads(payload)
    same(event["event_id"], headers["event_id"], "of that id")
    check(re.fullmatch(TIME, event["timestamp"]), "when it was met")
    same((event["platform"], event["level"], event["logger"], event["transaction"]),
         ("other", "error", "billing", "billing.invoice"), "what it is of")
    same((event["server_name"], event["release"], event["environment"]),
         ("billing-1", "signalbox@2.1", "staging"), "and where")
    same(event["exception"]["values"], [{"type": "INTERNAL", "value": "invoice 4711 has 0 lines"}],
         "what was said")
    check(len(event["fingerprint"]) == 1 and len(event["fingerprint"][0]) == 36,
          "of which group", event["fingerprint"])
    same(event["tags"], {"code": "INTERNAL", "part": "billing", "method": "invoice",
                         "request_id": "req-1"}, "tags to search by")
    same(event["contexts"]["trace"], {"trace_id": TRACE, "span_id": SPAN}, "its trace")
    crumbs = event["breadcrumbs"]["values"]
    same(crumbs, [{"timestamp": "2026-11-21T10:04:01.595Z", "type": "default", "level": "warning",
                   "category": "query.slow", "message": "took 2 s"}], "and what came before")
    check({crumb["level"] for crumb in crumbs} <= LEVELS, "with severities that are known")
    return event


def alike(receiver, bus, first):
    bus.tell("invoice 4712 has 3 lines", request_id="req-2")
    event = json.loads(envelope(receiver.next().body)[1][0][1])
    same((event["fingerprint"], event["event_id"] != first["event_id"]), (first["fingerprint"], True),
         "another one of the group is an event of its own")
    check("contexts" not in event and "breadcrumbs" not in event, "without what is not known")


def rests(folder, receiver, bus):
    """What is too often is sent later; what a receiver says of other items is nothing to us."""
    receiver.answer = (429, {"Retry-After": "1", "X-Sentry-Rate-Limits": "1:error:organization"}, b"")
    bus.tell("too often")
    begun = receiver.next()
    receiver.answer = (200, {"X-Sentry-Rate-Limits": "600:transaction:key"}, b"{}")
    again = receiver.next()
    same((again.body, begun.body != b""), (begun.body, True), "what was too often is sent once more")
    bus.tell("soon after")
    receiver.answer = (200, {"X-Sentry-Rate-Limits": "600:transaction:key, 600:error;default:key"}, b"")
    check(b"soon after" in receiver.next().body, "another kind's quota is not ours")
    wait(lambda: counted(folder, "metrics_sentry_sent_total") == 4, "what was taken is counted")
    bus.tell("while it rests")
    wait(lambda: counted(folder, "metrics_errors_total") == 5, "what comes while it rests is known")
    folder.run("call", "metrics.summary")
    same((counted(folder, "metrics_sentry_sent_total"), receiver.received.qsize()), (4, 0),
         "and not sent")


def refused(folder):
    errors = folder.fail("actor", "metrics", "--metrics.sentry_dsn", "https://sentry.example/7")
    check("metrics.sentry_dsn is not like https://KEY@HOST/PROJECT: it has no key" in errors,
          "a bad DSN ends the start", errors)
    check(KEY not in folder.run("config"), "config does not print it")


collector = Receiver()
dsn = collector.url("/42").replace("://", f"://{KEY}@")
with Folder(metrics_sentry_dsn=dsn, metrics_sentry_environment="staging",
            http_collectors=f"{collector.address}:{collector.port}") as parts:
    parts.start("broker")
    one = parts.start("actor", "metrics", "http")
    teller = Bus(parts)
    event_one = an_event(collector, teller)
    alike(collector, teller, event_one)
    rests(parts, collector, teller)
    refused(parts)
    check(KEY not in one.log(), "and no log has it")
collector.stop()
sys.exit(done())
