# SPDX-License-Identifier: MPL-2.0
"""Monitors: what is due is looked at once, a change of status is told and never lost, the log and the report.

The jobs service is played by the test. On PostgreSQL there are two instances of the http service.
"""
import json
import os
import sys
import time

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
import bus  # noqa: E402
from jobs import Jobs  # noqa: E402
from outside import Receiver  # noqa: E402
from parts import Folder  # noqa: E402
from postgres import database  # noqa: E402
from tap import check, done, same, skip  # noqa: E402
from user import User  # noqa: E402
from web import Web  # noqa: E402

PATIENCE = 20


def wait(look, wanted):
    """Asks until the answer is as wanted; the last answer."""
    deadline = time.monotonic() + PATIENCE
    while (seen := look()) != wanted and time.monotonic() < deadline:
        time.sleep(0.02)
    return seen


def made(user, stranger, receiver):
    receiver.answer = (200, {}, b"all is well")
    answer = user.post("/v1/monitors", {"name": "Shop", "url": receiver.url("/health"), "interval_s": 30,
                                        "expect": {"contains": "well"}})
    monitor = answer.json()
    same((answer.status, monitor["status"], monitor["confirmations"]), (201, "unknown", 2), "a monitor is made")
    path = "/v1/monitors/" + monitor["id"]
    same(answer.headers["location"], path, "and has a place")
    same(wait(lambda: user.get(path).json()["status"], "up"), "up", "it is looked at, and found up")
    time.sleep(2.5)  # some ticks of every instance
    same(len(user.get(path + "/checks").json()["items"]), 1, "once, until it is due again")
    same(receiver.received.qsize(), 1, "as the site can tell")
    same([stranger.get(path).status, stranger.delete(path).status, stranger.get(path + "/checks").status,
          stranger.web.request("PATCH", path, b"{}", {"Content-Type": "application/json", **stranger.headers}).status,
          stranger.get("/v1/monitors").json()["items"]], [404, 404, 404, 404, []], "nobody else sees it")
    for name, change in [("an interval that is too short", {"interval_s": 29}), ("no URL", {"url": "shop"}),
                         ("a password", {"url": "https://a:b@example.com/"}),
                         ("an address inside", {"url": "http://169.254.169.254/latest"}),
                         ("an unknown expectation", {"expect": {"colour": "green"}})]:
        body = {"name": "Shop", "url": receiver.url(), "interval_s": 30, **change}
        same(user.post("/v1/monitors", body).status, 422, f"refused: {name}")
    return path, monitor["id"]


def changes(user, client, jobs, receiver, path, number):
    """Down after two looks, told; up after one, told."""
    def look():
        command, answer = bus.Client(client).call("http", "monitor_run", {"id": number}, deadline=20000)
        return answer["looked"] if command == bus.FINAL else answer

    hook = user.post("/v1/webhooks", {"url": receiver.url("/hook"), "events": ["monitor.*"]}).json()["id"]
    events = Web(user.web.port).connect()
    events.sendall(("GET /v1/events?topic=monitor. HTTP/1.1\r\nHost: localhost\r\n"
                    f"Authorization: {user.headers['Authorization']}\r\n\r\n").encode())
    check(b"200" in events.recv(4096), "somebody watches")
    receiver.answer = (500, {}, b"")
    same(look(), True, "it is looked at again")
    one = user.get(path).json()
    same((one["status"], one["failures"]), ("up", 1), "one failure is none")
    same(look(), True, "and again")
    one = user.get(path).json()
    same((one["status"], one["failures"], one["changes"][0]["status"], one["changes"][0]["detail"]),
         ("down", 2, "down", "The status is 500"), "two in a row are")
    job = jobs.take(1)[0]
    check(b"monitor.down" in events.recv(65536), "who watches sees it")
    receiver.answer = (204, {}, b"")
    while not receiver.received.empty():
        receiver.received.get()
    same(jobs.run(job), (None, {"state": "delivered"}), "who has subscribed is told")
    told = json.loads(receiver.next().body)
    same((told["type"], told["data"]["name"], told["data"]["status"], told["data"]["detail"]),
         ("monitor.down", "Shop", "down", "The status is 500"), "of what")
    receiver.answer = (500, {}, b"")
    look()
    same([issue["rule"] for issue in user.get(path).json()["issues"]], ["MN101"], "and it has become an issue")
    receiver.answer = (200, {}, b"well")
    look()
    one = user.get(path).json()
    same((one["status"], one["failures"], one["issues"]), ("up", 0, []), "one success ends it")
    same([change["status"] for change in one["changes"]], ["up", "down", "up"], "its changes are kept")
    same(one["uptime"], {"day": 40.0, "week": 40.0}, "and how often it was up")
    check(0 < one["latency"]["p50_ms"] <= one["latency"]["p95_ms"] <= one["latency"]["p99_ms"],
          "and how long it took", one["latency"])
    job = jobs.take(1)[0]
    receiver.answer = (204, {}, b"")
    jobs.run(job)
    items = user.get(f"/v1/webhooks/{hook}/deliveries").json()["items"]
    same([item["type"] for item in items], ["monitor.up", "monitor.down"], "each change is told once")
    events.close()
    return look


def logged(user, path):
    items = user.get(path + "/checks").json()["items"]
    same([item["result"]["reason"] for item in items], [None, "status", "status", "status", None],
         "the log has every look, the newest first")
    same([item["result"]["up"] for item in user.get(path + "/checks?up=false").json()["items"]], [False] * 3,
         "by what was found")
    same(len(user.get(path + "/checks?since=" + items[1]["at"]).json()["items"]), 2, "since a moment")
    same(user.get(path + "/checks?since=yesterday").status, 422, "which has to be one")
    seen, cursor = [], ""
    while cursor is not None:
        page = user.get(path + "/checks?limit=2" + (f"&cursor={cursor}" if cursor else "")).json()
        seen += page["items"]
        cursor = page["next_cursor"]
    same(seen, items, "page by page")
    timings = items[0]["result"]["timings"]
    check(timings["total_ms"] >= timings["first_byte_ms"] > 0, "with all its times", timings)


def neighbours(user, client, jobs, receiver):
    """A page of a host that fails is not looked at as if the other pages did."""
    def make(name):
        made_ = user.post("/v1/monitors", {"name": name, "url": receiver.url("/" + name), "confirmations": 1}).json()
        wait(lambda: user.get("/v1/monitors/" + made_["id"]).json()["status"] != "unknown", True)
        return made_["id"]

    receiver.answer = lambda request: (500, {}, b"") if request.path == "/broken" else (200, {}, b"")
    broken, well = make("broken"), make("well")
    for _ in range(6):  # more failures than a host may have before it is given a rest
        bus.Client(client).call("http", "monitor_run", {"id": broken}, deadline=20000)
    bus.Client(client).call("http", "monitor_run", {"id": well}, deadline=20000)
    same([item["result"]["reason"] for item in user.get(f"/v1/monitors/{well}/checks").json()["items"]], [None, None],
         "what is up is found up, whatever else fails on its host")
    same({item["result"]["reason"] for item in user.get(f"/v1/monitors/{broken}/checks").json()["items"]}, {"status"},
         "and what is down is looked at each time")
    same(len(jobs.take(1)), 1, "of one of them there is something to tell")
    for number in (broken, well):
        user.delete("/v1/monitors/" + number)


def lost(user, folder, webhook, jobs, receiver, look, path):
    """While webhooks are away a change waits to be told."""
    webhook.kill()
    receiver.answer = (404, {}, b"")
    look()
    look()
    same(user.get(path).json()["status"], "down", "it goes down while nobody can be told")
    same(jobs.order, [], "nobody is")
    folder.start("actor", "webhook", "--instance", "webhook-again")
    job = jobs.take(1)
    same(len(job), 1, "until they are back")
    receiver.answer = (204, {}, b"")
    same(jobs.run(job[0]), (None, {"state": "delivered"}), "then they are told")


def changed(user, look, receiver, path):
    receiver.answer = (204, {}, b"")
    one = user.patch(path, {"name": "New shop", "expect": {"status": [204]}, "interval_s": 60}).json()
    same((one["name"], one["expect"], one["interval_s"]), ("New shop", {"status": [204]}, 60), "it is changed")
    same(wait(lambda: user.get(path).json()["status"], "up"), "up", "and looked at at once")
    same(user.patch(path, {"paused": True}).json()["paused"], True, "it is paused")
    same(look(), False, "then nobody looks")
    receiver.answer = (302, {"Location": "http://10.0.0.1/"}, b"")
    user.post("/v1/monitors", {"name": "Inside", "url": receiver.url(), "confirmations": 1, "redirects": 1})
    inside = user.get("/v1/monitors?limit=1").json()["items"][0]
    checks = f"/v1/monitors/{inside['id']}/checks"
    wait(lambda: len(user.get(checks).json()["items"]), 1)
    same(user.get(checks).json()["items"][0]["result"]["reason"], "fenced", "nor ever inside")
    same([item["name"] for item in user.get("/v1/monitors?status=down").json()["items"]], ["Inside"],
         "they are listed by status")
    same([user.delete(path).status, user.get(path).status, user.delete(path).status], [204, 404, 404], "it is deleted")


def story(**settings):
    with Folder(edge_port=0, edge_limits="false", outbound_allow="127.0.0.1", auth_hash_memory_kib=1024,
                auth_hash_passes=1, **settings) as folder:
        if settings:
            folder.environment["SIGNALBOX_WEBHOOK_SECRET"] = "7" * 64
            folder.run("migrate")
        folder.start("broker")
        folder.start("actor", "auth", "--instance", "auth-1")
        webhook = folder.start("actor", "webhook", "--instance", "webhook-1")
        folder.start("actor", "http", "--instance", "http-1")
        if settings:
            folder.start("actor", "http", "--instance", "http-2")
        edge = folder.start("edge")
        wait(lambda: {Web(edge.port).get(path).status for path in ("/v1/webhooks", "/v1/monitors")}, {401})
        jobs, receiver = Jobs(folder, "webhook"), Receiver()
        user, stranger = User(edge.port, "ada@example.dev"), User(edge.port, "eve@example.dev")
        path, number = made(user, stranger, receiver)
        look = changes(user, folder.socket("bus"), jobs, receiver, path, number)
        logged(user, path)
        neighbours(user, folder.socket("bus"), jobs, receiver)
        lost(user, folder, webhook, jobs, receiver, look, path)
        changed(user, look, receiver, path)
        receiver.stop()


if not os.environ.get("TEST_POSTGRES_URL"):
    skip("TEST_POSTGRES_URL is not set: run by tests/kit/postgres.py")
print("# on SQLite")
story()
print("# on PostgreSQL, two instances")
with database() as url:
    story(storage_database=url)
sys.exit(done())
