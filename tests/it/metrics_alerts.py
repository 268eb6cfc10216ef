# SPDX-License-Identifier: MPL-2.0
"""An alert is told on its topic, in the summary, and to a webhook: as a job where there is a service
of jobs, directly where there is none, and again when nobody was there to take it."""
import json
import os
import re
import sys
import threading
import time

import msgpack
import zmq

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from bus import DISCONNECT, ERROR, Worker  # noqa: E402
from outside import Receiver, is_signed  # noqa: E402
from parts import Folder  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import PATIENCE  # noqa: E402

URL, SECRET = "https://ops.example/hook", "whsec_" + "A" * 32


class Service:
    """Stands for `jobs` or `webhook`: keeps what it is asked, may refuse each message once."""

    def __init__(self, folder, name, refuses_first=False):
        self.worker = Worker(folder.socket("bus"), name, name + "-1", credit=10)
        self.asked, self.changed = [], threading.Condition()
        self.refuses_first = refuses_first
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                head, frames = self.worker.next()
            except zmq.Again:
                continue  # nobody asks
            with self.changed:
                self.asked.append((head.method, msgpack.unpackb(frames[-1])))
                refuses = self.refuses_first and self.asked.count(self.asked[-1]) == 1
                self.changed.notify_all()
            if refuses:
                self.worker.answer(head, {"code": "UNAVAILABLE"}, command=ERROR, detail=503)
            else:
                self.worker.answer(head, {})

    def wait(self, is_it):
        """The first request that is it."""
        with self.changed:
            self.changed.wait_for(lambda: any(is_it(body) for _, body in self.asked), PATIENCE * 3)
            return next((entry for entry in self.asked if is_it(entry[1])), (None, None))


def of(body, status, instance):
    """Whether a message, or a job with one, tells this of the instance."""
    data = body.get("payload", body).get("data", {})
    return data.get("status") == status and data.get("labels", {}).get("instance") == instance


def an_alert(folder, watch, jobs):
    victim = folder.start("actor", "cache", "--instance", "victim")
    folder.run("call", "cache._health", "{}")
    wait_up(folder, "victim")
    victim.kill()
    method, job = jobs.wait(lambda body: of(body, "firing", "victim"))
    same((method, job and job["kind"]), ("enqueue", "webhook.deliver"), "a job tells the webhook")
    message = job["payload"]
    data = message["data"]
    same((message["url"], message["type"], message["secrets"]), (URL, "alert.firing", [SECRET]),
         "where it is told, and signed with what")
    same((data["name"], data["severity"], data["labels"]),
         ("InstanceDown", "critical", {"part": "cache", "instance": "victim"}), "what is told")
    same(message["id"], data["id"] + "_firing", "an id by which it counts once")
    same(job["idempotency_key"], message["id"], "and makes one job")
    check(watch.wait_line(f'"topic":"alert".*"id":"{data["id"]}"'), "the topic tells it, too",
          watch.lines[-3:])
    check(f"ALERT InstanceDown since {data['since']} cache victim" in folder.run("top", "--once"),
          "and the summary")
    folder.start("actor", "cache", "--instance", "victim")
    _, job = jobs.wait(lambda body: of(body, "resolved", "victim"))
    same((job["payload"]["type"], job["payload"]["data"]["id"]), ("alert.resolved", data["id"]),
         "its end is told")


def wait_up(folder, instance):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if re.search(rf"^{instance} +up ", folder.run("top", "--once"), re.M):
            return
    raise TimeoutError(instance)


def without_jobs(folder, jobs):
    """The webhook is called directly, and once more when it could not."""
    jobs.worker.send(DISCONNECT)
    webhook = Service(folder, "webhook", refuses_first=True)
    lone = folder.start("actor", "limiter", "--instance", "lone")
    wait_up(folder, "lone")
    lone.kill()
    method, message = webhook.wait(lambda body: of(body, "firing", "lone"))
    same((method, message["url"]), ("deliver", URL), "without jobs the webhook is called")
    again = (method, message)
    with webhook.changed:
        webhook.changed.wait_for(lambda: webhook.asked.count(again) >= 2, PATIENCE * 3)
    same(webhook.asked.count(again), 2, "and once more when it did not take it")


def two_tell_once(folder):
    """Of two instances one tells; when it is gone the other one does."""
    jobs = Service(folder, "jobs")
    folder.start("actor", "metrics", "--instance", "z-last")
    wait_up(folder, "z-last")
    victim = folder.start("actor", "cache", "--instance", "second")
    wait_up(folder, "second")
    victim.kill()
    jobs.wait(lambda body: of(body, "firing", "second"))
    folder.start("actor", "cache", "--instance", "second")
    jobs.wait(lambda body: of(body, "resolved", "second"))
    told = [(body["payload"]["id"], body["payload"]["data"]["status"]) for _, body in jobs.asked
            if body["payload"]["data"]["labels"]["instance"] == "second"]
    same((len(told), len(set(told)), [status for _, status in told]), (2, 2, ["firing", "resolved"]),
         "two instances of the service tell once")


def to_its_receiver():
    """With the services as they are: a signed message arrives."""
    receiver = Receiver()
    with Folder(bus_snapshot_ms=200, broker_snapshot_ms=200, outbound_allow="127.0.0.1",
                metrics_alert_webhook=receiver.url(), metrics_alert_secret=SECRET) as folder:
        folder.start("broker")
        folder.start("actor", "metrics", "jobs", "webhook")
        victim = folder.start("actor", "cache", "--instance", "victim")
        wait_up(folder, "victim")
        victim.kill()
        request = receiver.next()
        body = json.loads(request.body)
        same((request.path, body["type"], body["data"]["name"], body["data"]["labels"]["instance"]),
             ("/hook", "alert.firing", "InstanceDown", "victim"), "the receiver is called")
        same(request.headers["webhook-id"], body["data"]["id"] + "_firing", "by its id")
        check(is_signed(request, SECRET), "and the message is signed")
    receiver.stop()


with Folder(bus_snapshot_ms=200, broker_snapshot_ms=200, metrics_alert_webhook=URL,
            metrics_alert_secret=SECRET) as parts:
    parts.start("broker")
    parts.start("actor", "metrics", "--instance", "a-first")
    keeper = Service(parts, "jobs")
    listener = parts.start("watch")
    an_alert(parts, listener, keeper)
    without_jobs(parts, keeper)
    two_tell_once(parts)
to_its_receiver()
sys.exit(done())
