# SPDX-License-Identifier: MPL-2.0
"""What is one account's is nobody else's: every path of the API document that names something, walked by
a stranger who knows all the names, with every method it has.

One account makes something of each kind. Whoever adds a path with a parameter tells here what stands for
it, or the walk fails: nothing is left out by forgetting it.
"""
import json
import os
import re
import sys
import time

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
from outside import Receiver  # noqa: E402
from parts import Folder  # noqa: E402
from tap import check, done, same  # noqa: E402
from user import User  # noqa: E402
from web import Web  # noqa: E402

PATIENCE = 30
PASSWORD = "correct horse battery staple"
MARK = "owners-own-mark"  # in everything the owner makes
METHODS = ("get", "post", "put", "patch", "delete")

# Paths whose parameter names nothing of an account's, and why.
SHARED = {
    "/v1/rules/{id}": "rules are everybody's",
    "/v1/hooks/{provider}": "providers sign; webhook_hooks.py",
}

# Bodies that fit, so that a refusal is about whose it is and not about what was sent.
BODIES = {
    "put /v1/schedules/{name}": {"cron": "0 0 1 1 *", "kind": "analysis.run", "payload": {}},
    "patch /v1/monitors/{id}": {"name": "taken"},
    "patch /v1/webhooks/{id}": {"about": "taken"},
    "post /v1/webhooks/{id}/rotate": {"overlap_hours": 0},
    "post /v1/jobs/{id}/complete": {"fence": 1},
    "post /v1/jobs/{id}/extend": {"fence": 1},
    "post /v1/jobs/{id}/fail": {"fence": 1},
    "patch /v1/queues/{name}": {"paused": True},
    "patch /v1/admin/users/{id}": {"role": "admin"},
    "put /v1/admin/flags/{name}": {"enabled": True},
    "put /v1/admin/limits/{name}": {"limit": 1, "window_s": 60},
    "put /v1/admin/breakers/{host}": {"forced": "open"},
    "put /v1/admin/hooks/{provider}": {"scheme": "hmac", "secrets": ["x"], "kind": "a.b"},
}

# A stranger may make something of the same name, and delete that: it is theirs.
OWN = {"put /v1/schedules/{name}", "delete /v1/schedules/{name}"}
# Of a job that is forgotten or another's there is a page with nothing in it.
EMPTY = {"get /v1/jobs/{id}/children"}


def until(look, name):
    limit = time.monotonic() + PATIENCE
    while not (found := look()) and time.monotonic() < limit:
        time.sleep(0.05)
    check(found, name)
    return found


def put(user, path, value):
    return user.web.request("PUT", path, json.dumps(value).encode(),
                            {"Content-Type": "application/json", **user.headers})


def belongings(owner, receiver):
    """Something of each kind: {path with its parameters: their values}."""
    workflow = {"nodes": [{"id": MARK, "type": "trigger"}, {"id": "b"}], "edges": []}
    analysis = owner.post(f"/v1/analyses?name={MARK}", workflow)
    same(analysis.status, 201, "an analysis")
    monitor = owner.post("/v1/monitors", {"name": MARK, "url": receiver.url("/" + MARK), "interval_s": 86400})
    same(monitor.status, 201, "a monitor")
    until(lambda: owner.get(f"/v1/monitors/{monitor.json()['id']}").json()["status"] != "unknown", "its only look")
    webhook = owner.post("/v1/webhooks", {"url": receiver.url("/" + MARK), "events": ["*"], "about": MARK})
    same(webhook.status, 201, "a subscription")
    webhook = webhook.json()["id"]
    owner.post(f"/v1/webhooks/{webhook}/test")
    deliveries = until(lambda: owner.get(f"/v1/webhooks/{webhook}/deliveries").json()["items"], "a delivery")
    schedule = put(owner, f"/v1/schedules/{MARK}", BODIES["put /v1/schedules/{name}"])
    check(schedule.status in (200, 201), "a schedule", schedule.body)
    job = owner.post("/v1/jobs", {"kind": "analysis.run", "delay_ms": 3600000, "payload": {"note": MARK}})
    check(job.status in (200, 201, 202), "a job", job.body)
    bad = owner.post("/v1/jobs", {"kind": "analysis.run", "payload": {"note": MARK}}).json()["id"]
    until(lambda: owner.get(f"/v1/dead/{bad}").status == 200, "a dead one")
    key = owner.post("/v1/keys", {"name": MARK})
    same(key.status, 201, "a key")
    key = key.json()["id"]
    same(owner.post(f"/v1/keys/{key}/signing-secret").status, 201, "its signing secret")
    session = owner.get("/v1/auth/sessions").json()["items"][0]["id"]
    member = owner.get("/v1/account/members").json()["items"][0]["id"]
    analysis = analysis.json()
    return {
        "/v1/analyses/{id}": {"id": analysis["id"]},
        "/v1/workflows/{id}": {"id": analysis["workflow_id"]},
        "/v1/monitors/{id}": {"id": monitor.json()["id"]},
        "/v1/webhooks/{id}": {"id": webhook, "delivery_id": deliveries[0]["id"]},
        "/v1/schedules/{name}": {"name": MARK},
        "/v1/jobs/{id}": {"id": job.json()["id"]},
        "/v1/dead/{id}": {"id": bad},
        "/v1/keys/{id}": {"id": key},
        "/v1/auth/sessions/{id}": {"id": session},
        "/v1/account/members/{id}": {"id": member},
        "/v1/queues/{name}": {"name": "analysis"},
        "/v1/errors/{fingerprint}": {"fingerprint": "0123456789abcdef"},
        "/v1/traces/{id}": {"id": "4bf92f3577b34da6a3ce929d0e0e4736"},
        "/v1/admin/users/{id}": {"id": member},
        "/v1/admin/invites/{id}": {"id": member},
        "/v1/admin/flags/{name}": {"name": MARK},
        "/v1/admin/limits/{name}": {"name": "free"},
        "/v1/admin/breakers/{host}": {"host": "example.com:443"},
        "/v1/admin/hooks/{provider}": {"provider": "acme"},
    }


def operations(document):
    """(method, path) of all that names something."""
    return [(method, path) for path, item in sorted(document["paths"].items()) if "{" in path and path not in SHARED
            for method in METHODS if method in item]


def query_of(document, method, path, values):
    """What a query must have."""
    needed = [field["name"] for field in document["paths"][path][method].get("parameters", [])
              if field["in"] == "query" and field.get("required")]
    return "?" + "&".join(f"{name}={values['id']}" for name in needed) if needed else ""


def fill(things, path):
    """The path with the owner's names in it; None when nothing is told of it."""
    for known in sorted(things, key=len, reverse=True):
        if path == known or path.startswith(known + "/"):
            return re.sub(r"\{(\w+)\}", lambda name: str(things[known][name.group(1)]), path), things[known]
    return None, None


def snapshot(owner, things):
    """All the owner sees, but for what time changes."""
    seen = {}
    for path in ("/v1/analyses", "/v1/workflows", "/v1/monitors", "/v1/webhooks", "/v1/schedules", "/v1/jobs",
                 "/v1/dead", "/v1/keys", "/v1/account/members", "/v1/account", "/v1/auth/sessions"):
        seen[path] = owner.get(path)
    for path in things:
        seen[path] = owner.get(fill(things, path)[0])
    return {path: (answer.status, re.sub(r'"(last_used|last_seen|next|checked|updated)[a-z_]*":("[^"]*"|null|\d+)', "",
                                         answer.body.decode())) for path, answer in seen.items()
            if answer.status not in (403, 405)}


def calls(document, things, headers, port):
    """Calls everything; yields (method and path, answer, the ids that were named)."""
    web = Web(port)
    for method, path in operations(document):
        where, values = fill(things, path)
        name = f"{method} {path}"
        if not where:
            check(False, f"{name}: tell in this test what stands for its parameter")
            continue
        has_body = "requestBody" in document["paths"][path][method]
        body = json.dumps(BODIES.get(name, {})).encode() if has_body else None
        more = {"Content-Type": "application/json"} if has_body else {}
        where += query_of(document, method, path, values)
        yield name, web.request(method.upper(), where, body, {**more, **headers}), values


def walked(document, things, headers, port, who, allowed):
    for name, answer, values in calls(document, things, headers, port):
        if 401 not in allowed and (name in OWN and answer.status in (200, 201, 204) or
                                   name in EMPTY and answer.json() == {"items": [], "next_cursor": None}):
            continue
        check(answer.status in allowed, f"{who}: {name}", f"{answer.status} {answer.body[:300]}")
        text = answer.body.decode("utf-8", "replace")
        for value in values.values():
            text = text.replace(str(value), "")  # a problem names the path that was asked for
        check(MARK not in text, f"{who}: {name} tells nothing", text)


def lists(document, things, stranger):
    """Lists without a parameter hold nothing of the owner's."""
    for path, item in sorted(document["paths"].items()):
        if "{" in path or "get" not in item or path in ("/v1/events", "/metrics") or path.startswith("/health"):
            continue
        text = stranger.get(path).body.decode("utf-8", "replace")
        names = [str(value) for known, values in things.items() for value in values.values()
                 if len(str(value)) > 8 and "admin" not in known and value not in ("analysis",)]
        check(not any(name in text for name in names + [MARK]), f"{path} holds nothing of others", text[:300])


def main():
    receiver = Receiver()
    with Folder(edge_limits="off", outbound_allow="127.0.0.1") as folder:
        part = folder.start("run", "--port", "0")
        owner, stranger = User(part.port, "owner@example.dev"), User(part.port, "stranger@example.dev")
        document = Web(part.port).get("/openapi.json").json()
        things = belongings(owner, receiver)
        before = snapshot(owner, things)
        same({path: status for path, (status, _) in before.items() if status != 200}, {},
             "the owner sees all of it")
        check(sum(MARK in text for _, text in before.values()) >= 10, "and it is marked")
        walked(document, things, {}, part.port, "who has not signed in", (401,))
        walked(document, things, stranger.headers, part.port, "a stranger", (403, 404))
        key = stranger.post("/v1/keys", {"name": "all", "scopes": ["*"]})
        walked(document, things, {"X-API-Key": key.json().get("key", "none")}, part.port, "a stranger's key",
               (403, 404))
        lists(document, things, stranger)
        # whom administrators of the system have made a worker serves any account's jobs, and nothing else
        folder.run("user", "role", "stranger@example.dev", "service")
        worker = User.__new__(User)
        worker.web, worker.headers = stranger.web, {"Authorization": "Bearer " + stranger.web.post(
            "/v1/auth/login", {"email": "stranger@example.dev", "password": PASSWORD}).json()["access_token"]}
        for name, answer, _ in calls(document, things, worker.headers, part.port):
            if name not in OWN | EMPTY:
                check(answer.status in (403, 404, 412), f"a worker: {name}", f"{answer.status} {answer.body[:300]}")
        after = snapshot(owner, things)
        for path, (status, body) in before.items():
            same(after[path], (status, body), f"{path} is what it was to its owner")
        same(part.stop(), 0, "it ends")
    receiver.stop()


main()
sys.exit(done())
