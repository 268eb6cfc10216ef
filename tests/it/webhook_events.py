# SPDX-License-Identifier: MPL-2.0
"""Events of the services reach those who subscribed: of analyses, of what got worse, of jobs that died;
at least once and once by their ids, whoever is killed between the commit and the telling.
"""
import json
import os
import queue
import sys
import threading
import time

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
from outside import Receiver, is_signed  # noqa: E402
from parts import Folder  # noqa: E402
from postgres import database  # noqa: E402
from tap import check, done, same, skip  # noqa: E402
from user import User  # noqa: E402

PATIENCE = 30
KILLED = 40  # analyses that are submitted while the service is killed
SETTINGS = {"edge_port": 0, "edge_limits": "false", "outbound_allow": "127.0.0.1", "webhook_backoff_ms": 50,
            "webhook_attempts": 2, "outbound_breaker_failures": 1000, "auth_hash_memory_kib": 1024,
            "auth_hash_passes": 1}


def workflow(name, steps, lonely=0):
    """A chain; `lonely` steps that nothing leads to make it worse."""
    nodes = [{"id": f"s{i}", "type": "transform" if i else "schedule"} for i in range(steps)]
    edges = [{"from": f"s{i - 1}", "to": f"s{i}"} for i in range(1, steps)]
    nodes += [{"id": f"alone{i}", "type": "transform"} for i in range(lonely)]
    return {"name": name, "nodes": nodes, "edges": edges}


def subscribed(user, receiver, *kinds):
    made = user.post("/v1/webhooks", {"url": receiver.url(), "events": list(kinds)}).json()
    return f"/v1/webhooks/{made['id']}", made["secret"]


def told(receiver, kind):
    """What comes next, which has to be of that kind: its id, its body, the request."""
    request = receiver.next()
    if not check(request, f"{kind} is told"):
        return None, {"data": {}}, None
    body = json.loads(request.body)
    same(body["type"], kind, "and nothing else before")
    return request.headers["webhook-id"], body, request


def told_as_both(receiver):
    """What is told of an analysis that is worse, after `analysis.finished` or before it."""
    found = {}
    for _ in range(2):
        request = receiver.next()
        body = json.loads(request.body) if request else {"type": None, "data": {}}
        found[body["type"]] = body["data"]
    same(set(found), {"analysis.finished", "analysis.regressed"}, "is told as both")
    return found["analysis.regressed"]


def await_deliveries(user, path, count, state=None):
    """The deliveries of a subscription when so many have ended."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        items = user.get(f"{path}/deliveries?limit=100").json()["items"]
        ended = [item for item in items if item["state"] in ("delivered", "failed")]
        if len(ended) >= count:
            break
        time.sleep(0.05)
    return ended


def analyses(user, stranger):
    receiver = Receiver()
    path, secret = subscribed(user, receiver, "analysis.*")
    first = user.post("/v1/analyses", workflow("flow", 3)).json()
    _, body, request = told(receiver, "analysis.finished")
    check(is_signed(request, secret), "signed")
    same((body["data"]["id"], body["data"]["score"], body["data"]["account"]),
         (first["id"], first["score"], user.account), "with the analysis")
    user.post("/v1/analyses", workflow("flow", 3))  # the same again is no news
    stranger.post("/v1/analyses", workflow("flow", 3))  # nor is what happens to others

    second = user.post("/v1/analyses", workflow("flow", 3, lonely=2)).json()
    check(second["score"] < first["score"], "a version that is worse", (first["score"], second["score"]))
    worse = told_as_both(receiver)
    same((worse["id"], worse["before"]["id"], worse["score_change"]),
         (second["id"], first["id"], second["score"] - first["score"]), "with what was before")
    check(sum(worse["new_issues"].values()) > 0, "and how many issues are new", worse)
    same(worse["before"]["baseline"], False, "measured against the version before")

    user.post("/v1/analyses", workflow("flow", 4))
    told(receiver, "analysis.finished")
    user.post("/v1/analyses", workflow("other", 3, lonely=3))
    told(receiver, "analysis.finished")
    user.put(f"/v1/workflows/{first['workflow_id']}/baseline", {"analysis_id": first["id"]})
    third = user.post("/v1/analyses", workflow("flow", 4, lonely=1)).json()
    worse = told_as_both(receiver)
    same((worse["id"], worse["before"]["id"], worse["before"]["baseline"]), (third["id"], first["id"], True),
         "or against the baseline, when one is pinned")
    same(len(await_deliveries(user, path, 7)), 7, "what got better is not told as worse, nor what has no version before")
    user.delete(path)
    receiver.stop()


def deaths(user):
    """Whose deliveries fail, too: of those nobody is told."""
    receiver = Receiver()
    receiver.answer = (500, {}, b"")
    path, _ = subscribed(user, receiver, "job.dead")
    dies = {"kind": "analysis.get", "payload": {"id": "019a4c1e-7b1f-7c3a-9d2e-4f5a6b7c8d9e"}}
    ids = []
    for n in range(2):
        ids.append(user.post("/v1/jobs", dies).json()["id"])
        ended = await_deliveries(user, path, n + 1)
        same([item["state"] for item in ended], ["failed"] * (n + 1), "a delivery that fails for good")
    seen = {}
    while not receiver.received.empty():
        request = receiver.received.get_nowait()
        seen[request.headers["webhook-id"]] = json.loads(request.body)["data"]
    same(sorted(data["id"] for data in seen.values()), sorted(ids), "each death is one event, and no other is")
    data = next(iter(seen.values()))
    same((data["kind"], data["queue"], data["error"]["code"]), ("analysis.get", "analysis", "NOT_FOUND"),
         "it says which job, and why")
    user.delete(path)
    receiver.stop()


def killed(folder, user):
    """The service dies with `kill -9` again and again while it is given work; webhooks are away at first."""
    receiver = Receiver()
    path, _ = subscribed(user, receiver, "analysis.finished")
    webhook = next(part for part in folder.parts if "webhook" in part.words)
    webhook.kill()
    accepted, todo = [], queue.Queue()
    for n in range(KILLED):
        todo.put(n)

    def submit():
        while True:
            try:
                n = todo.get_nowait()
            except queue.Empty:
                return
            limit = time.monotonic() + PATIENCE
            while time.monotonic() < limit:
                answer = user.post("/v1/analyses", workflow(f"killed {n}", 2 + n))
                if answer.status in (200, 201):
                    accepted.append(answer.json()["id"])
                    break

    threads = [threading.Thread(target=submit) for _ in range(2)]
    for thread in threads:
        thread.start()
    for round_ in range(3):
        while len(accepted) < (round_ + 1) * KILLED // 4 and any(thread.is_alive() for thread in threads):
            time.sleep(0.001)
        next(part for part in reversed(folder.parts) if part.words[1:2] == ["analysis"]).kill()
        folder.start("actor", "analysis")
        if round_ == 1:
            folder.start("actor", "webhook")
    for thread in threads:
        thread.join()
    same(len(set(accepted)), KILLED, "every workflow is analysed, while the service is killed")
    ended = await_deliveries(user, path, KILLED)
    same({item["state"] for item in ended}, {"delivered"}, "all are told")
    same(len(ended), KILLED, "each by one delivery")
    seen = set()
    while not receiver.received.empty():
        request = receiver.received.get_nowait()
        seen.add((request.headers["webhook-id"], json.loads(request.body)["data"]["id"]))
    same(sorted(analysis for _, analysis in seen), sorted(accepted), "of each analysis, with one event's id")
    receiver.stop()


def in_one_process():
    with Folder(**SETTINGS) as folder:
        port = folder.start("run").port
        user, stranger = User(port, "ada@example.dev"), User(port, "eve@example.dev")
        analyses(user, stranger)
        deaths(user)


def apart(**settings):
    with Folder(**SETTINGS, **settings) as folder:
        if settings:
            folder.environment["SIGNALBOX_WEBHOOK_SECRET"] = "7" * 64
            folder.run("migrate")
        folder.start("broker")
        for actor in ("auth", "jobs", "webhook", "analysis"):
            folder.start("actor", actor)
        port = folder.start("edge").port
        user, stranger = User(port, "ada@example.dev"), User(port, "eve@example.dev")
        analyses(user, stranger)
        deaths(user)
        killed(folder, user)


print("# in one process")
in_one_process()
print("# on SQLite, in several")
apart()
if os.environ.get("TEST_POSTGRES_URL"):
    print("# on PostgreSQL")
    with database() as url:
        apart(storage_database=url)
else:
    skip("TEST_POSTGRES_URL is not set: run by tests/kit/postgres.py")
sys.exit(done())
