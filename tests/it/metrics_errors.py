# SPDX-License-Identifier: MPL-2.0
"""Failures of ours are grouped by what they are, counted once however many parts tell of them, and
told: as a list, one by one, on a topic when they are new, and as an alert."""
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
import msgpack  # noqa: E402
import zmq  # noqa: E402
from bus import ERROR, FINAL, Worker, dealer, publish  # noqa: E402
from parts import Folder  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import PATIENCE, Web  # noqa: E402

DESCRIPTOR = {"service": "plant", "version": "1", "methods": [
    {"name": "grow", "summary": "Grows", "access": "public", "idempotent": True,
     "request": {"type": "object", "properties": {"what": {"type": "string"}}},
     "reply": {"type": "object"}, "http": {"route": "GET /v1/plant"}}]}
SECRET = "planted-secret-4711"


class Plant:
    """A service that fails as it is asked to; it may tell of that itself, as ours do."""

    def __init__(self, folder):
        self.worker = Worker(folder.socket("bus"), "plant", "plant-1", credit=10,
                             descriptor=DESCRIPTOR)
        self.tells, self.sequence = False, 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                head, frames = self.worker.next()
            except zmq.Again:
                continue  # nobody asks
            principal = msgpack.unpackb(frames[0]) if len(frames) > 1 else {}
            message = msgpack.unpackb(frames[-1]).get("what", "")
            if not message:
                self.worker.answer(head, {}, FINAL)
                continue
            if self.tells and message != "the sky":
                self.sequence += 1
                publish(self.worker.socket, "error", self.event(message, principal),
                        self.sequence, publisher="plant-1")
            self.worker.answer(head, {"code": "INTERNAL", "detail": message,
                                      "outside": message == "the sky"}, ERROR, 500)

    @staticmethod
    def event(message, principal):
        return {"code": "INTERNAL", "part": "plant", "method": "grow", "message": message,
                "request_id": principal.get("request_id", ""),
                "breadcrumbs": [{"at": "2026-11-21T10:00:00Z", "level": "warn", "event": "dry",
                                 "text": "no water"}]}


class Errors:
    """The list, as administrators see it."""

    def __init__(self, web, key):
        self.web, self.headers = web, {"X-API-Key": key}

    def get(self, path="", status=200):
        answer = self.web.get("/v1/errors" + path, self.headers)
        same(answer.status, status, f"GET /v1/errors{path[:20]} answers {status}")
        return answer.json()

    def look(self, **wanted):
        items = self.web.get("/v1/errors?limit=100", self.headers).json()["items"]
        return [item for item in items if wanted.items() <= item.items()]

    def wait(self, what, accept, **wanted):
        """Looks until the groups are as they should be."""
        until = time.monotonic() + PATIENCE
        while True:
            found = self.look(**wanted)
            if accept(found) or time.monotonic() > until:
                check(accept(found), what, found)
                return found
            time.sleep(0.02)


def counted(*counts):
    return lambda found: sorted(item["count"] for item in found) == sorted(counts)


def grouped(web, errors, plant):
    """Alike failures are one; who answered is who failed."""
    answers = [web.get(f"/v1/plant?what=bed%20{n}%20is%20dry") for n in range(3)]
    same([answer.status for answer in answers], [500] * 3, "a service fails")
    found = errors.wait("three failures that are alike make a group", counted(3), part="plant")[0]
    same((found["code"], found["method"], found["message"]),
         ("INTERNAL", "grow", "bed <n> is dry"), "by what they are")
    same(found["instances"][0].partition("-")[0], "edge", "told of by the edge")
    one = errors.get("/" + found["fingerprint"])
    same((one["sample"]["message"], one["sample"]["request_id"]),
         ("bed 2 is dry", answers[2].headers["x-request-id"]), "with the last one as it was")
    same(one["sample"]["trace_id"], answers[2].headers["traceparent"].split("-")[1],
         "and where it belongs")
    plant.tells = True
    id_ = web.get("/v1/plant?what=bed%207%20is%20dry").headers["x-request-id"]
    errors.wait("the service tells of it, too: it counts once", counted(4), part="plant")
    one = errors.get("/" + found["fingerprint"])
    same((one["last_instance"], one["sample"]["request_id"], one["sample"]["breadcrumbs"][0]["text"]),
         ("plant-1", id_, "no water"), "as the service told it")
    return found


def told(folder, watch, group):
    """Whoever listens, or reads the summary, hears of a new one."""
    event = watch.wait_line(f'"topic":"error.new".*"{group["fingerprint"]}"')
    body = json.loads(event.string)["body"]
    same((body["part"], body["message"], body["count"]), ("plant", "bed <n> is dry", 1),
         "a new group is told on the topic error.new")
    alert = watch.wait_line(f'"topic":"alert".*"NewError".*"{group["fingerprint"]}"')
    body = json.loads(alert.string)["body"]
    same((body["severity"], body["labels"]["part"], body["labels"]["method"]),
         ("warning", "plant", "grow"), "and by an alert")
    check("ALERT NewError since" in folder.run("top", "--once"), "which top shows")


def of_the_edge(web, errors):
    """What nobody but the edge can know."""
    same(web.get("/v1/plant?what=the%20sky").status, 500, "somebody outside fails")
    web.get("/v1/plant?what=" + "x" * 10)
    errors.wait("another message, another group", counted(1), message="xxxxxxxxxx")
    same(errors.look(message="the sky"), [], "but what failed outside is no error of ours")
    same(web.get("/v1/errors").status, 401, "not everybody may read them")
    same(errors.web.get("/v1/errors?limit=101", errors.headers).status, 422, "a page is bounded")
    same(errors.get("/" + "00000000-0000-8000-8000-000000000000", 404)["code"], "NOT_FOUND",
         "none that is not there")


def paged(folder, errors):
    """Page by page, every group once."""
    socket = dealer(folder.socket("bus"))
    for n in range(7):
        event = {"code": "WEEDS", "part": "garden", "method": "weed", "message": "kind " + "abcdefg"[n]}
        publish(socket, "error", event, n + 1, publisher="garden-1")
        errors.wait(f"kind {n} arrives", lambda found, n=n: len(found) == n + 1, part="garden")
        time.sleep(0.002)  # pages are told apart by milliseconds
    seen, cursor = [], ""
    for _ in range(4):
        page = errors.get(f"?part=garden&code=WEEDS&limit=2{cursor}")
        seen.append([item["message"][-1] for item in page["items"]])
        cursor = f"&cursor={page['next_cursor']}"
    same(seen, [["g", "f"], ["e", "d"], ["c", "b"], ["a"]], "the newest first")
    same(page["next_cursor"], None, "until there are no more")
    same(errors.get("?cursor=nonsense", 422)["code"], "UNPROCESSABLE", "no other cursor")
    same(len(errors.look(part="garden", code="WEEDS")), 7, "all of them on one page")


def hostile(folder, errors):
    """What a stranger publishes is read with care, or not at all."""
    socket = dealer(folder.socket("bus"))
    bad = ["text", 7, None, {}, {"code": "X"}, {"code": "X", "part": "a b"},
           {"code": "X", "part": "p", "deep": [[[[[[1]]]]]]},
           {"code": "X", "part": "p", "message": "m" * 20000},
           {"code": 5, "part": ["p"]}]
    for n, body in enumerate(bad):
        publish(socket, "error", body, n + 1, publisher="stranger")
    publish(socket, "error", {"code": "ODD", "part": "stranger", "method": "a\x1b[2J\nb",
                              "message": "m" * 3000, "request_id": "../../etc", "trace_id": 5,
                              "breadcrumbs": [{"at": 5, "text": "\x00" * 300}] * 30},
            len(bad) + 1, publisher="stranger")
    found = errors.wait("what can be read is", counted(1), part="stranger")[0]
    same((found["method"], len(found["message"])), ("a [2J b", 500), "cut, and without what moves a cursor")
    sample = errors.get("/" + found["fingerprint"])["sample"]
    same((sample["request_id"], sample["trace_id"], len(sample["breadcrumbs"])), ("", "", 16),
         "nothing but what is known to be harmless")
    stats = json.loads(folder.run("call", "metrics._stats"))["values"]
    same(stats["metrics_errors_bad_total"], len(bad), "the rest is counted")


def forgotten(folder, errors, web, group):
    """By every instance, whichever was asked; then it is new again."""
    folder.start("actor", "metrics", "--instance", "a-second", "--storage.data", "var")
    web.get("/v1/plant?what=bed%209%20is%20dry")

    def counts():
        """Of the group, by each instance of the service."""
        lines = folder.run("call", "metrics.errors", '{"part": "plant"}', "--all").splitlines()
        lists = [json.loads(line) for line in lines if '"items"' in line and line.startswith('{"items"')]
        return sorted([item["count"] for item in one["items"]
                       if item["fingerprint"] == group["fingerprint"]] for one in lists)

    def wait(expected, what):
        until = time.monotonic() + PATIENCE
        while counts() != expected and time.monotonic() < until:
            time.sleep(0.05)
        same(counts(), expected, what)

    wait([[1], [5]], "an instance that has just begun knows what it has heard")
    answer = web.request("DELETE", "/v1/errors/" + group["fingerprint"], headers=errors.headers)
    same(answer.status, 204, "a group is forgotten")
    wait([[], []], "by all instances")
    same(web.request("DELETE", "/v1/errors/" + group["fingerprint"], headers=errors.headers).status,
         404, "once")
    web.get("/v1/plant?what=bed%2010%20is%20dry")
    wait([[1], [1]], "and begins anew")


def by_hand(folder, group):
    """What operators type."""
    text = folder.run("errors")
    check(text.startswith("FINGERPRINT ") and group["fingerprint"] in text, "errors lists them", text)
    check("\x1b" not in text and "a ?[2J b" not in text and "stranger" in text,
          "nobody's text moves the cursor", text)
    rows = folder.run("errors", "--part=plant", "--code=INTERNAL").splitlines()[1:]
    same({row.split()[4] for row in rows}, {"plant"}, "those of a part and code")
    text = folder.run("errors", group["fingerprint"])
    check("bed 7 is dry" in text and "2026-11-21T10:00:00.000Z warn  dry no water" in text,
          "and one of them with the last", text)
    check("NOT_FOUND" in folder.fail("errors", "forget", "00000000-0000-8000-8000-000000000000"),
          "none is forgotten that is not there")
    for words in (("errors", "forget"), ("errors", "a", "b"), ("errors", "--all"),
                  ("errors", "a", "--part=b")):
        check(folder.fail(*words, status=2), f"{' '.join(words)} is not understood")


def secrets(folder, errors, web):
    """Nothing that was sent as a secret is in what is told."""
    headers = {"Authorization": "Bearer " + SECRET, "X-API-Key": SECRET, "Cookie": SECRET}
    web.get("/v1/plant?what=wilts", headers)
    folder.run("call", "metrics.summary")
    every = [errors.get("/" + item["fingerprint"]) for item in errors.look()]
    check(SECRET not in json.dumps(every), "no secret is told")


with Folder(edge_port=0, edge_threads=16, edge_limits="false", edge_grants="plant:public",
            bus_snapshot_ms=200) as parts:
    run = parts.start("run")
    listener = parts.start("watch")
    api = Errors(Web(run.port), run.wait_line(r"(sbx_live_\S+)").group(1))
    service = Plant(parts)
    begins = time.monotonic()  # until the service's routes and the key are known to the edge
    while (api.web.get("/v1/plant").status, api.web.get("/v1/errors", api.headers).status) != \
            (200, 200) and time.monotonic() < begins + PATIENCE:
        time.sleep(0.02)
    dry = grouped(api.web, api, service)
    told(parts, listener, dry)
    of_the_edge(api.web, api)
    paged(parts, api)
    hostile(parts, api)
    by_hand(parts, dry)
    secrets(parts, api, api.web)
    forgotten(parts, api, api.web, dry)
sys.exit(done())
