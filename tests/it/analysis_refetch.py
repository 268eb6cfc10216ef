# SPDX-License-Identifier: MPL-2.0
"""A workflow that is fetched from an URL by a schedule: new versions, no news, what got worse, and every
way in which it cannot be fetched.
"""
import json
import os
import sys
import time

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
from outside import Receiver  # noqa: E402
from parts import Folder  # noqa: E402
from postgres import database  # noqa: E402
from tap import check, done, same, skip  # noqa: E402
from user import User  # noqa: E402

PATIENCE = 30
SETTINGS = {"edge_port": 0, "edge_limits": "false", "outbound_allow": "127.0.0.1", "jobs_poll_ms": 50,
            "outbound_breaker_failures": 1000, "auth_hash_memory_kib": 1024, "auth_hash_passes": 1}


def workflow(name, steps, lonely=0):
    nodes = [{"id": f"s{i}", "type": "transform" if i else "schedule"} for i in range(steps)]
    edges = [{"from": f"s{i - 1}", "to": f"s{i}"} for i in range(1, steps)]
    nodes += [{"id": f"alone{i}", "type": "transform"} for i in range(lonely)]
    return {"name": name, "nodes": nodes, "edges": edges}


class Host(Receiver):
    """Serves documents by their paths; what is no bytes is served as JSON."""

    def __init__(self):
        super().__init__()
        self.pages = {}
        self.answer = lambda request: self.pages.get(request.path, (404, {}, b"nothing"))

    def serve(self, path, content, status=200, headers=None):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.pages[path] = (status, headers or {}, body)
        return self.url(path)


def await_end(user, job):
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        answer = user.get(f"/v1/jobs/{job}").json()
        if answer.get("state") in ("done", "dead"):
            return answer
        time.sleep(0.02)
    return answer


def run(user, name):
    """Runs a schedule out of turn: its job when it has ended."""
    answer = user.post(f"/v1/schedules/{name}/run").json()
    return await_end(user, answer["id"])


def put(user, name, payload):
    return user.web.request("PUT", f"/v1/schedules/{name}",
                            json.dumps({"cron": "0 3 * * *", "kind": "analysis.refetch",
                                        "payload": payload}).encode(),
                            {"Content-Type": "application/json", **user.headers})


def versions(user, host):
    receiver = Receiver()
    user.post("/v1/webhooks", {"url": receiver.url(), "events": ["analysis.regressed"]})
    first = user.post("/v1/analyses", workflow("flow", 3)).json()
    url = host.serve("/flow.json", workflow("flow", 3))
    same(put(user, "nightly", {"url": url, "workflow_id": first["workflow_id"]}).status, 201, "it is scheduled")
    job = run(user, "nightly")
    same((job["state"], job["result"]["repeated"], job["result"]["analysis"]["id"]), ("done", True, first["id"]),
         "what is as it was makes no new version")
    host.serve("/flow.json", workflow("flow", 4))
    job = run(user, "nightly")
    same((job["result"]["repeated"], job["result"]["analysis"]["workflow_id"]), (False, first["workflow_id"]),
         "what has changed is a new version of the workflow")
    host.serve("/flow.json", workflow("renamed", 4, lonely=2))
    worse = run(user, "nightly")["result"]["analysis"]
    same((worse["workflow_id"], worse["name"]), (first["workflow_id"], "renamed"), "also under another name")
    same(run(user, "nightly")["result"]["repeated"], True, "which is the same the next time")
    history = user.get("/v1/workflows/" + first["workflow_id"]).json()["analyses"]
    same([item["id"] for item in history][::2], [worse["id"], first["id"]], "its history has all of them")
    same(len(history), 3, "each once")
    request = receiver.next()
    told = json.loads(request.body) if request else {"data": {}}
    same((told["type"], told["data"]["id"], told["data"]["before"]["id"]),
         ("analysis.regressed", worse["id"], history[1]["id"]), "what got worse is told")
    job = await_end(user, user.post("/v1/jobs", {"kind": "analysis.refetch", "payload": {
        "url": host.serve("/named.json", workflow("x", 2)), "name": "mine/x", "profile": "gate"}}).json()["id"])
    same((job["result"]["analysis"]["name"], job["result"]["analysis"]["profile"]), ("mine/x", "gate"),
         "a name and a profile are taken as with a submission")
    receiver.stop()
    return first["workflow_id"]


def refused(user, stranger, host, workflow_id):
    flow = host.serve("/fine.json", workflow("fine", 2))
    cases = [
        ("no such page", {"url": host.url("/missing.json")}, "UNPROCESSABLE", "answered 404"),
        ("no JSON", {"url": host.serve("/a.txt", b"{nothing")}, "UNPROCESSABLE", "did not answer with JSON"),
        ("an empty page", {"url": host.serve("/empty", b"")}, "UNPROCESSABLE", "did not answer with JSON"),
        ("no workflow", {"url": host.serve("/b.json", {"some": "thing"})}, "UNPROCESSABLE", "what kind of workflow"),
        ("too much", {"url": host.serve("/big.json", b"[" + b" " * (8 << 20) + b"]")}, "UNPROCESSABLE", "more than 8 MiB"),
        ("another kind", {"url": flow, "workflow_id": workflow_id, "kind": "n8n"}, "UNPROCESSABLE", "another kind"),
        ("a private address", {"url": "http://10.1.2.3/flow.json"}, "UNPROCESSABLE", "10.1.2.3"),
        ("a redirect to one", {"url": host.serve("/away", b"", 302, {"Location": "http://192.168.1.1/x"})},
         "UNPROCESSABLE", "192.168.1.1"),
        ("a strange scheme", {"url": "file:///etc/passwd"}, "VALIDATION_FAILED", ""),
    ]
    for name, payload, code, detail in cases:
        job = await_end(user, user.post("/v1/jobs", {"kind": "analysis.refetch", "payload": payload}).json()["id"])
        error = job["error"] or {"code": None, "detail": ""}
        same((job["state"], error["code"], job["attempts"]), ("dead", code, 1), f"refused for good: {name}")
        check(detail in error["detail"], "and it says why", error["detail"])
    job = await_end(stranger, stranger.post("/v1/jobs", {"kind": "analysis.refetch", "payload": {
        "url": flow, "workflow_id": workflow_id}}).json()["id"])
    same((job["state"], job["error"]["code"]), ("dead", "NOT_FOUND"), "nobody else's workflow is touched")

    host.serve("/later.json", b"", 503)
    job = user.post("/v1/jobs", {"kind": "analysis.refetch", "backoff_ms": 10,
                                 "payload": {"url": host.url("/later.json")}}).json()["id"]
    limit = time.monotonic() + PATIENCE
    while user.get(f"/v1/jobs/{job}").json()["failures"] == 0 and time.monotonic() < limit:
        time.sleep(0.02)
    host.serve("/later.json", workflow("later", 2))
    same(await_end(user, job)["state"], "done", "what may pass is tried again")
    host.serve("/moved.json", b"", 302, {"Location": host.url("/fine.json")})
    job = await_end(user, user.post("/v1/jobs", {"kind": "analysis.refetch", "payload": {
        "url": host.url("/moved.json")}}).json()["id"])
    same(job["state"], "done", "redirects are followed")


def story(folder, port):
    host = Host()
    user, stranger = User(port, "ada@example.dev"), User(port, "eve@example.dev")
    folder.run("user", "tier", "ada@example.dev", "pro")
    workflow_id = versions(user, host)
    refused(user, stranger, host, workflow_id)
    host.stop()


print("# in one process")
with Folder(**SETTINGS) as folder_:
    story(folder_, folder_.start("run").port)
if os.environ.get("TEST_POSTGRES_URL"):
    print("# on PostgreSQL")
    with database() as url_, Folder(**SETTINGS, storage_database=url_) as folder_:
        folder_.environment["SIGNALBOX_WEBHOOK_SECRET"] = "7" * 64
        folder_.run("migrate")
        folder_.start("broker")
        for actors in (["auth"], ["jobs"], ["webhook", "http"], ["analysis"], ["analysis"]):
            folder_.start("actor", *actors)
        story(folder_, folder_.start("edge").port)
else:
    skip("TEST_POSTGRES_URL is not set: run by tests/kit/postgres.py")
sys.exit(done())
