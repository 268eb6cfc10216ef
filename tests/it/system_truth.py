# SPDX-License-Identifier: MPL-2.0
"""What the edge says of the system is true: when a broker is killed and another takes its place, and
when a service runs but cannot work.
"""
import os
import sys
import threading
import time

import msgpack

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from bus import DISCONNECT, ERROR, READY, Header, Worker, dealer, header  # noqa: E402
from parts import Folder  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import Web  # noqa: E402

EDGE = {"edge_port": 0, "edge_allow_anonymous": "true", "edge_threads": 16}
PATIENCE_SECONDS = 30
BEATS = {"bus_heartbeat_ms": 200, "broker_heartbeat_ms": 200}


def wait_status(web, path, status, name):
    """The answer that has the status."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        answer = web.get(path)
        if answer.status == status:
            break
    same(answer.status, status, name)
    return answer


def wait_check(web, path, name, message):
    """The answer in which a check says so."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        answer = web.get(path)
        said = answer.json()["checks"].get(name, {}).get("message", "")
        if message in said:
            break
    same(message in said and message, message, f"{name}: {message}")
    return answer


def another_broker(folder):
    """Its name is made up at each start, so nothing takes back what the one before has said."""
    broker = folder.start("broker")
    actor = folder.start("actor", "analysis")
    web = Web(folder.start("edge").port)
    wait_status(web, "/health/ready", 200, "ready with its required service")
    broker.kill()
    broker = folder.start("broker")
    wait_status(web, "/v1/rules", 200, "the next broker leads to the service")
    wait_status(web, "/health/ready", 200, "and it is ready again")
    same(actor.stop(), 0, "the actor leaves")
    answer = wait_status(web, "/health/ready", 503, "no longer ready without it")
    same(answer.json()["checks"]["service.analysis"]["message"][:29], "No instance of it is running ",
         "and says why")
    same(web.get("/v1/rules").status, 503, "as its calls do")

    actor = folder.start("actor", "analysis")
    wait_status(web, "/health/ready", 200, "ready with the next one")
    actor.kill()
    broker.kill()
    folder.start("broker")
    wait_check(web, "/health/ready", "broker", "A broker answers")
    wait_check(web, "/health/ready", "service.analysis", "No instance of it is running")
    same(web.get("/v1/rules").json()["code"], "NO_INSTANCE",
         "both died at once: the routes are known, the next broker never heard of the service")


AILING = {"service": "ailing", "version": "1.0.0", "about": "",
          "methods": [{"name": "_health", "request": {"type": "object"}, "idempotent": True},
                      {"name": "lose", "request": {"type": "object"}, "access": "user",
                       "http": {"route": "POST /v1/ailing"}}]}


class Ailing:
    """A service that is as the test wants it; it leaves when it is to be silent."""

    def __init__(self, endpoint):
        self.status = "ok"
        self.asked = 0
        self.worker = Worker(endpoint, "ailing", "ailing-1", credit=100, descriptor=AILING)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            head, _ = self.worker.next()
            self.asked += 1
            status = self.status
            if status == "silent":
                break
            self.worker.answer(head, {"instance": "ailing-1", "status": status,
                                      "checks": [{"name": "database", "status": status}]})


def what_services_say(folder):
    """A service that runs may not be well all the same."""
    folder.start("broker")
    service = Ailing(folder.socket("bus"))
    web = Web(folder.start("edge").port)
    wait_status(web, "/health/ready", 200, "the required service runs")
    answer = wait_status(web, "/health", 200, "and says it is well")
    same((answer.json()["status"], answer.json()["checks"]["service.ailing"]["message"]),
         ("healthy", "Version 1.0.0"), "so all is")
    asked = service.asked
    for _ in range(50):
        web.get("/health/detailed")
    check(service.asked <= asked + 10, "however often one asks, it is asked now and then",
          service.asked - asked)

    service.status = "error"
    gone = "Version 1.0.0, but its database cannot be reached or does not work"
    for path in ("/health/detailed", "/health"):
        answer = wait_check(web, path, "service.ailing", gone)
        same((answer.status, answer.json()["status"]), (503, "unhealthy"),
             f"{path}: what is required cannot work")
    same(web.get("/health/live").status, 200, "but the edge lives")
    same(web.get("/health/ready").status, 200, "and may be sent requests: another path may work")
    service.status = "silent"
    answer = wait_check(web, "/health", "service.ailing", "it was asked how it is")
    same((answer.status, answer.json()["status"]), (200, "degraded"),
         "no answer in time may mean that it is busy")
    service.worker.send(DISCONNECT)
    wait_check(web, "/health/ready", "service.ailing", "No instance of it is running")
    service.worker.close()


def who_is_lost_says_when(folder):
    """A request whose instance dies with it may be sent again."""
    worker = Worker(folder.socket("bus"), "ailing", "ailing-2", descriptor=AILING)
    web = Web(folder.parts[-1].port)
    wait_check(web, "/health/ready", "service.ailing", "Version 1.0.0")
    killer = threading.Thread(target=lambda: (worker.next(), worker.close()), daemon=True)
    killer.start()
    answer = web.post("/v1/ailing", {})
    killer.join(PATIENCE_SECONDS)
    same((answer.status, answer.json()["code"]), (502, "WORKER_LOST"), "an instance dies at work")
    same((answer.headers.get("retry-after"), answer.json()["retry_after"]), ("1", 1),
         "and the answer says when to try again")


def refusals(folder):
    """Whoever is refused again and again does not fill the disk."""
    count, socket = 2000, dealer(folder.socket("bus"))
    for _ in range(count):
        socket.send_multipart([header(READY, service="$SRV"), msgpack.packb({"instance": "x"})])
    for _ in range(count):
        while Header(socket.recv_multipart()[0]).command != ERROR:
            pass
    said = folder.parts[0].log().count('"registration.refused"')
    check(0 < said < count / 2, "only some refusals are logged", said)


with Folder(**EDGE, **BEATS, edge_limits="false", edge_required="analysis") as parts:
    another_broker(parts)
with Folder(**EDGE, **BEATS, edge_limits="false", edge_required="ailing") as parts:
    what_services_say(parts)
    who_is_lost_says_when(parts)
    refusals(parts)
sys.exit(done())
