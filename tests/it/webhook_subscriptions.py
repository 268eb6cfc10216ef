# SPDX-License-Identifier: MPL-2.0
"""Subscriptions: an event published any number of times is one delivery, which is tried until it is taken.

The jobs service is played by the test, which runs jobs when it wants to. On PostgreSQL there are two
instances of the webhook service.
"""
import json
import os
import sys
import threading
import time

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
import bus  # noqa: E402
from jobs import Jobs  # noqa: E402
from outside import Receiver, is_signed  # noqa: E402
from parts import Folder  # noqa: E402
from postgres import database  # noqa: E402
from tap import check, done, same, skip  # noqa: E402
from user import User  # noqa: E402
from web import Web  # noqa: E402

PATIENCE = 20
ATTEMPTS = 3


def subscribed(user, stranger, receiver):
    made = user.post("/v1/webhooks", {"url": receiver.url(), "events": ["test.happened", "monitor.*"],
                                      "about": "ours"})
    one = made.json()
    same(made.status, 201, "a subscription is made")
    same(made.headers["location"], "/v1/webhooks/" + one["id"], "and has a place")
    check(one["secret"].startswith("whsec_"), "its secret is shown")
    secret = one.pop("secret")
    same(user.get("/v1/webhooks/" + one["id"]).json(), one, "this once")
    same(user.get("/v1/webhooks").json()["items"], [one], "it is listed")
    same((one["status"], one["about"], one["events"]), ("active", "ours", ["test.happened", "monitor.*"]),
         "as it was asked for")
    path = "/v1/webhooks/" + one["id"]
    same([stranger.get(path).status, stranger.delete(path).status, stranger.patch(path, {"about": "x"}).status,
          stranger.post(path + "/rotate").status, stranger.post(path + "/test").status,
          stranger.get(path + "/deliveries").status, len(stranger.get("/v1/webhooks").json()["items"])],
         [404, 404, 404, 404, 404, 404, 0], "nobody else sees it")
    same(Web(user.web.port).get("/v1/webhooks").status, 401, "nor who has not signed in")
    for name, body in [("an URL with a password", {"url": "https://a:b@example.com/", "events": ["*"]}),
                       ("a strange scheme", {"url": "ftp://example.com/", "events": ["*"]}),
                       ("an address inside", {"url": "http://[::ffff:10.0.0.1]/", "events": ["*"]}),
                       ("no events", {"url": "https://example.com/", "events": []}),
                       ("a strange kind", {"url": "https://example.com/", "events": ["Test Happened"]}),
                       ("a star in the middle", {"url": "https://example.com/", "events": ["a.*.b"]})]:
        same(user.post("/v1/webhooks", body).status, 422, f"refused: {name}")
    return path, secret


def event(account, number, **more):
    return {"id": f"event-{number}", "account": account, "type": "test.happened", "data": {"n": number}, **more}


def published(user, stranger, client, jobs, receiver, path, secret):
    """One event, published by many at once."""
    answers = []

    def publish():
        caller = bus.Client(client)
        answers.append(caller.call("webhook", "publish", event(user.account, 1), deadline=20000))

    threads = [threading.Thread(target=publish) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same({command for command, _ in answers}, {bus.FINAL}, "an event is published by many at once")
    same(sorted(answer["duplicate"] for _, answer in answers), [False] + [True] * 7, "and counts once")
    caller = bus.Client(client)

    def told(body):
        return caller.call("webhook", "publish", body, deadline=20000)[1]["deliveries"]

    same(told(event(user.account, 2, type="monitor.down")), 1, "all of a service is wanted")
    same(told(event(user.account, 3, type="monitoring.down")), 0, "but nothing that only sounds like it")
    same(told(event(user.account, 4, type="other.happened")), 0, "nor what was not asked for")
    same(told(event(stranger.account, 5)), 0, "nor what happens to others")
    taken = jobs.take(2)
    same(len(taken), 2, "two deliveries have a job each")
    same({job["kind"] for job in taken}, {"webhook.send"}, "that sends them")
    time.sleep(1.5)  # a tick of every instance
    same(jobs.order, [], "and no more than that")
    receiver.answer = (204, {}, b"")
    same([jobs.run(job) for job in taken], [(None, {"state": "delivered"})] * 2, "they are delivered")
    requests = [receiver.next(), receiver.next()]
    same({request.headers["webhook-id"] for request in requests}, {"event-1", "event-2"}, "under the events' ids")
    check(all(is_signed(request, secret) for request in requests), "signed with the secret")
    same(json.loads(next(request.body for request in requests if request.headers["webhook-id"] == "event-1"))["data"],
         {"n": 1}, "with their data")
    listed = user.get(path + "/deliveries").json()["items"]
    same([(item["event_id"], item["state"], item["attempts"], item["status"]) for item in listed],
         [("event-2", "delivered", 1, 204), ("event-1", "delivered", 1, 204)], "the deliveries are listed")
    same(jobs.run(taken[0]), (None, {"state": "delivered"}), "a job that runs once more has nothing to do")
    check(receiver.received.empty(), "and sends nothing")
    return listed


def tried(user, client, jobs, receiver, path):
    """Attempts, refusals, replays."""
    caller = bus.Client(client)
    caller.call("webhook", "publish", event(user.account, 10), deadline=20000)
    job = jobs.take(1)[0]
    receiver.answer = (503, {"Retry-After": "7"}, b"")
    code, failure = jobs.run(job)
    same((code, failure["retry_after_ms"]), ("UNAVAILABLE", 7000), "a receiver that is busy is tried again")
    item = user.get(path + "/deliveries").json()["items"][0]
    same((item["state"], item["attempts"], item["status"], item["detail"]),
         ("queued", 1, 503, "The receiver answered 503"), "which is told")
    one = f"{path}/deliveries/{item['id']}"
    same(user.get(one).json(), item, "of this one delivery, too")
    same(user.post(one + "/replay").status, 422, "as long as it is under way there is nothing to replay")
    same(jobs.run(job)[0], "UNAVAILABLE", "a second attempt")
    same(jobs.run(job), (None, {"state": "failed"}), "the last one ends it")
    same([user.get(one).json()[name] for name in ("state", "attempts")], ["failed", ATTEMPTS], "as failed")
    again = user.post(one + "/replay")
    same((again.status, again.json()["state"] in ("waiting", "queued"), again.json()["replays"]), (202, True, 1),
         "it is replayed")
    job = jobs.take(1)[0]
    receiver.answer = (200, {}, b"")
    same(jobs.run(job), (None, {"state": "delivered"}), "and delivered")
    same(user.get(path + "/deliveries?state=failed").json()["items"], [], "nothing has failed any more")
    caller.call("webhook", "publish", event(user.account, 11), deadline=20000)
    receiver.answer = (400, {}, b"")
    same(jobs.run(jobs.take(1)[0]), (None, {"state": "failed"}), "what is refused is not tried again")
    test = user.post(path + "/test")
    same((test.status, test.json()["type"]), (202, "webhook.test"), "a test is sent on demand")
    receiver.answer = (200, {}, b"")
    while not receiver.received.empty():
        receiver.received.get()
    same(jobs.run(jobs.take(1)[0])[1], {"state": "delivered"}, "whatever was subscribed to")
    same(json.loads(receiver.next().body)["type"], "webhook.test", "and says so")


def rotated(user, jobs, receiver, path, old):
    new = user.post(path + "/rotate", {"overlap_hours": 1}).json()
    check(new["secret"] != old and new["old_secret_until"], "a new secret, beside the old one", new)
    user.post(path + "/test")
    jobs.run(jobs.take(1)[0])
    request = receiver.next()
    same([is_signed(request, secret) for secret in (old, new["secret"])], [True, True], "both sign")
    last = user.post(path + "/rotate", {"overlap_hours": 0}).json()["secret"]
    user.post(path + "/test")
    jobs.run(jobs.take(1)[0])
    request = receiver.next()
    same([is_signed(request, secret) for secret in (old, new["secret"], last)], [False, False, True],
         "or the new one alone, at once")


def together(user, jobs, receiver, path):
    """A secret that was given out signs, however much else is changed at the same moment."""
    is_over, wrong = threading.Event(), []

    def change(name):
        while not is_over.is_set():
            user.patch(path, {"about": name})

    threads = [threading.Thread(target=change, args=(f"by {n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        secret = user.post(path + "/rotate", {"overlap_hours": 0}).json()["secret"]
        user.patch(path, {"about": "afterwards"})
        user.post(path + "/test")
        jobs.run(jobs.take(1)[0])
        wrong += [secret] if not is_signed(receiver.next(), secret) else []
    is_over.set()
    for thread in threads:
        thread.join()
    same(len(wrong), 0, "a new secret holds, whatever else of the subscription is changed meanwhile")


def away(user, client, jobs, receiver, path):
    """While nobody enqueues, deliveries wait; then they are made up for."""
    jobs.refuses = True
    bus.Client(client).call("webhook", "publish", event(user.account, 20), deadline=20000)
    same(user.get(path + "/deliveries").json()["items"][0]["state"], "waiting", "without jobs a delivery waits")
    jobs.refuses = False
    receiver.answer = (410, {}, b"")
    same(jobs.run(jobs.take(1)[0]), (None, {"state": "failed"}), "until there are")
    one = user.get(path).json()
    same((one["status"], one["reason"]), ("disabled", "The receiver answered 410, gone"),
         "a receiver that is gone is not told any more")
    answer = bus.Client(client).call("webhook", "publish", event(user.account, 21), deadline=20000)
    same(answer[1]["deliveries"], 0, "of anything")
    same(user.post(path + "/test").status, 422, "nor tested")
    same(user.patch(path, {"status": "active", "events": ["*"]}).json()["status"], "active", "until it is set active")
    same(user.patch(path, {"status": "paused"}).json()["status"], "paused", "it can be paused")
    answer = bus.Client(client).call("webhook", "publish", event(user.account, 22), deadline=20000)
    same(answer[1]["deliveries"], 0, "and hears of nothing meanwhile")
    user.patch(path, {"status": "active"})
    bus.Client(client).call("webhook", "publish", event(user.account, 23), deadline=20000)
    job = jobs.take(1)[0]
    same([user.delete(path).status, user.get(path).status, user.delete(path).status], [204, 404, 404], "it is deleted")
    same(jobs.run(job), (None, {"state": "gone"}), "and what was on its way is not sent")


def paged(user):
    def make():
        user.post("/v1/webhooks", {"url": "https://example.com/", "events": ["*"]})

    for _ in range(46):
        make()
    threads = [threading.Thread(target=make) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [item["id"] for item in user.get("/v1/webhooks?limit=100").json()["items"]][::-1]
    same(len(ids), 50, "an account may have fifty, however many it asks for at once")
    same(user.post("/v1/webhooks", {"url": "https://example.com/", "events": ["*"]}).status, 422,
         "there is a limit to subscriptions")
    seen, cursor = [], ""
    while cursor is not None:
        page = user.get("/v1/webhooks?limit=20" + (f"&cursor={cursor}" if cursor else "")).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    same(seen, ids[::-1], "they are listed page by page")


def story(**settings):
    with Folder(edge_port=0, edge_limits="false", outbound_allow="127.0.0.1", webhook_attempts=ATTEMPTS,
                webhook_backoff_ms=1, outbound_breaker_failures=1000, auth_hash_memory_kib=1024, auth_hash_passes=1,
                **settings) as folder:
        if settings:
            folder.environment["SIGNALBOX_WEBHOOK_SECRET"] = "7" * 64
            folder.run("migrate")
        folder.start("broker")
        folder.start("actor", "auth", "--instance", "auth-1")
        folder.start("actor", "webhook", "--instance", "webhook-1")
        if settings:
            folder.start("actor", "webhook", "--instance", "webhook-2")
        edge = folder.start("edge")
        Web(edge.port).wait_for("/v1/webhooks", status=401)
        jobs, receiver = Jobs(folder, "webhook"), Receiver()
        user, stranger = User(edge.port, "ada@example.dev"), User(edge.port, "eve@example.dev")
        client = folder.socket("bus")
        path, secret = subscribed(user, stranger, receiver)
        published(user, stranger, client, jobs, receiver, path, secret)
        tried(user, client, jobs, receiver, path)
        rotated(user, jobs, receiver, path, secret)
        together(user, jobs, receiver, path)
        away(user, client, jobs, receiver, path)
        paged(stranger)
        stored = b"".join(open(os.path.join(folder.path, "var", name), "rb").read()
                          for name in os.listdir(os.path.join(folder.path, "var"))
                          if name.startswith("webhook.db"))
        check(b"whsec_" not in stored, "no secret is stored as it is")
        check(not any("whsec_" in part.log() for part in folder.parts), "nor logged")
        receiver.stop()


def while_resting():
    """A host that is given a rest is not called, and that is no attempt: nothing is lost by it."""
    with Folder(edge_port=0, edge_limits="false", outbound_allow="127.0.0.1", webhook_attempts=ATTEMPTS,
                outbound_breaker_failures=ATTEMPTS - 1, outbound_breaker_open_ms=600000,
                auth_hash_memory_kib=1024, auth_hash_passes=1) as folder:
        folder.start("broker")
        auth = folder.start("actor", "auth", "--instance", "auth-1")
        key = auth.wait_line(r"^  (sbx_live_\S+)$").group(1)
        folder.start("actor", "webhook", "--instance", "webhook-1")
        folder.start("actor", "http", "--instance", "http-1")
        edge = folder.start("edge")
        user, jobs, receiver = User(edge.port, "ada@example.dev"), Jobs(folder, "webhook"), Receiver()
        made = user.post("/v1/webhooks", {"url": receiver.url(), "events": ["*"]})
        deadline = time.monotonic() + PATIENCE
        while made.status != 201 and time.monotonic() < deadline:
            time.sleep(0.02)
            made = user.post("/v1/webhooks", {"url": receiver.url(), "events": ["*"]})
        path = f"/v1/webhooks/{made.json()['id']}/deliveries"
        bus.Client(folder.socket("bus")).call("webhook", "publish", event(user.account, 40), deadline=20000)
        job = jobs.take(1)[0]
        receiver.answer = (500, {}, b"")
        same([jobs.run(job)[0] for _ in range(ATTEMPTS - 1)], ["UNAVAILABLE"] * (ATTEMPTS - 1), "a receiver fails")
        failures = [jobs.run(job) for _ in range(2 * ATTEMPTS)]
        same({code for code, _ in failures}, {"UNAVAILABLE"}, "and is given a rest, which ends nothing")
        same({failure.get("retry_after_ms", 0) for _, failure in failures}, {0}, "and is not come back to faster than before")
        item = user.get(path).json()["items"][0]
        same((item["state"], item["attempts"]), ("queued", ATTEMPTS - 1), "what was not tried is no attempt")
        check("not called" in item["detail"], "which is told", item)
        same(receiver.received.qsize(), ATTEMPTS - 1, "as the receiver can tell")
        receiver.answer = (204, {}, b"")
        Web(edge.port).request("PUT", f"/v1/admin/breakers/127.0.0.1:{receiver.port}", b'{"forced":"closed"}',
                               {"Authorization": "Bearer " + key, "Content-Type": "application/json"})
        deadline = time.monotonic() + PATIENCE
        while jobs.run(job)[0] and time.monotonic() < deadline:
            time.sleep(0.05)
        item = user.get(path).json()["items"][0]
        same((item["state"], item["attempts"]), ("delivered", ATTEMPTS), "afterwards there are attempts left")
        receiver.stop()


def with_real_jobs():
    """Everything in one process: the jobs service makes the attempts."""
    with Folder(edge_port=0, edge_limits="false", outbound_allow="127.0.0.1", webhook_backoff_ms=50,
                auth_hash_memory_kib=1024, auth_hash_passes=1) as folder:
        part, receiver = folder.start("run"), Receiver()
        user = User(part.port, "ada@example.dev")
        made = user.post("/v1/webhooks", {"url": receiver.url(), "events": ["*"]}).json()
        answers = iter([(500, {}, b""), (429, {"Retry-After": "1"}, b"")])
        receiver.answer = lambda request: next(answers, (204, {}, b""))
        bus.Client(folder.socket("bus")).call("webhook", "publish", event(user.account, 30), deadline=20000)
        requests = [receiver.next() for _ in range(3)]
        check(all(request and is_signed(request, made["secret"]) for request in requests),
              "three attempts, each signed")
        path = f"/v1/webhooks/{made['id']}/deliveries"
        deadline = time.monotonic() + PATIENCE
        while (item := user.get(path).json()["items"][0])["state"] != "delivered" and time.monotonic() < deadline:
            time.sleep(0.05)
        same((item["state"], item["attempts"], item["status"]), ("delivered", 3, 204), "the third is taken")
        same(part.stop(), 0, "it leaves with status 0")
        receiver.stop()


if not os.environ.get("TEST_POSTGRES_URL"):
    skip("TEST_POSTGRES_URL is not set: run by tests/kit/postgres.py")
print("# with the jobs service")
with_real_jobs()
print("# while the host is given a rest")
while_resting()
print("# on SQLite")
story()
print("# on PostgreSQL, two instances")
with database() as url:
    story(storage_database=url)
sys.exit(done())
