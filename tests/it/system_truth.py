# SPDX-License-Identifier: MPL-2.0
"""What the edge says of the system stays true when a broker is killed and another takes its place."""
import os
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from parts import Folder  # noqa: E402
from tap import done, same  # noqa: E402
from web import Web  # noqa: E402

EDGE = {"edge_port": 0, "edge_allow_anonymous": "true", "edge_threads": 16,
        "edge_required": "analysis"}
BEATS = {"bus_heartbeat_ms": 200, "broker_heartbeat_ms": 200}


def wait_status(web, path, status, name):
    """The answer that has the status."""
    for _ in range(2000):
        answer = web.get(path)
        if answer.status == status:
            break
    same(answer.status, status, name)
    return answer


def wait_check(web, path, check, message):
    """The answer in which a check says so."""
    for _ in range(2000):
        answer = web.get(path)
        said = answer.json()["checks"].get(check, {}).get("message", "")
        if message in said:
            break
    same(message in said and message, message, f"{check}: {message}")
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
    same(answer.json()["checks"]["required.analysis"]["message"], "No instance of it is running",
         "and says why")
    same(web.get("/v1/rules").status, 503, "as its calls do")

    actor = folder.start("actor", "analysis")
    wait_status(web, "/health/ready", 200, "ready with the next one")
    actor.kill()
    broker.kill()
    folder.start("broker")
    wait_check(web, "/health/ready", "bus", "A broker answers")
    wait_check(web, "/health/ready", "required.analysis", "No instance of it is running")
    same(web.get("/v1/rules").json()["code"], "NO_INSTANCE",
         "both died at once: the routes are known, the next broker never heard of the service")


with Folder(**EDGE, **BEATS) as parts:
    another_broker(parts)
sys.exit(done())
