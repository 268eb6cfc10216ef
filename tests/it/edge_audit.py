# SPDX-License-Identifier: MPL-2.0
"""What administrators do with any service is in the audit log, once, also when auth was away a moment.

Broker, edge, auth and limiter are processes of their own, so that auth can be stopped and go on.
"""
import json
import os
import signal
import sys
import time

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
from parts import Folder  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import PATIENCE, Web  # noqa: E402

POLICY = {"limit": 30, "window_ms": 60000}


class System:
    """The parts, and an administrator who calls."""

    def __init__(self, folder):
        self.folder = folder
        folder.start("broker")
        self.auth = folder.start("actor", "auth")
        self.admin = {"X-API-Key": self.auth.wait_line(r"(sbx_live_\S+)").group(1)}
        folder.start("actor", "limiter")
        self.edge = folder.start("edge")
        self.web = Web(self.edge.port)
        self.until(lambda: self.call("GET", "/v1/admin/limits").status == 200)

    def until(self, condition):
        limit = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > limit:
                raise TimeoutError
            time.sleep(0.02)

    def call(self, method, path, body=None, **headers):
        content = None if body is None else json.dumps(body).encode()
        return self.web.request(method, path, content, {"Content-Type": "application/json",
                                                        **self.admin, **headers})

    def entries(self, action):
        """Of the log, the newest first."""
        return self.call("GET", f"/v1/admin/audit?action={action}").json()["items"]

    def is_whole(self):
        status, output, errors = self.folder.command("audit", "verify")
        return check(status == 0, "and the log is whole", output + errors)


def recorded(system):
    """An action is in the log before it is answered."""
    answer = system.call("PUT", "/v1/admin/limits/bulk", POLICY, **{"X-Request-ID": "put-1"})
    same(answer.status, 200, "an administrator sets a limit")
    entry = system.entries("limiter.policy_set")[0]
    same({name: entry[name] for name in ("target", "request_id", "address")},
         {"target": "/v1/admin/limits/bulk", "request_id": "put-1", "address": "127.0.0.1"},
         "which is in the log")
    check(entry["detail"].startswith("status=200 key=") and entry["user_id"],
          "with what came of it, and the key", entry)
    same(system.call("DELETE", "/v1/admin/limits/bulk").status, 204, "and takes it back")
    same(len(system.entries("limiter.policy_delete")), 1, "which is, too")
    system.call("DELETE", "/v1/admin/limits/bulk")
    same(system.entries("limiter.policy_delete")[0]["detail"].split()[0], "status=404",
         "also when it did not succeed")
    same(system.entries("limiter.policies"), [], "reading is not")
    same(system.web.request("DELETE", "/v1/admin/limits/free").status, 401, "a stranger is refused")
    same(len(system.entries("limiter.policy_delete")), 2, "and does not fill the log")
    system.call("PUT", "/v1/admin/flags/new-console", {"enabled": True})
    same((len(system.entries("flag.set")), system.entries("auth.flag_set")), (1, []),
         "what auth does itself is there once")
    system.is_whole()


def away(system):
    """Auth does not answer for a moment, and hears of everything afterwards."""
    names = [f"away-{number}" for number in range(3)]
    system.call("GET", "/v1/admin/limits")  # the edge knows the caller
    system.auth.process.send_signal(signal.SIGSTOP)
    first = system.call("PUT", f"/v1/admin/limits/{names[0]}", POLICY)
    same(first.status, 200, "while auth stands still, what it has allowed goes on")
    system.until(lambda: system.web.metric("edge_audit_waiting") == 1)
    same(system.call("PUT", f"/v1/admin/limits/{names[1]}", POLICY).status, 503,
         "until nobody can say any more who is an administrator")
    system.auth.process.send_signal(signal.SIGCONT)
    system.until(lambda: system.web.metric("edge_audit_waiting") == 0)
    system.until(lambda: system.call("PUT", f"/v1/admin/limits/{names[2]}", POLICY).status == 200)
    targets = [entry["target"].rsplit("/", 1)[1] for entry in system.entries("limiter.policy_set")]
    same(targets, [names[2], names[0], "bulk"],
         "then it is told, and what it had taken without an answer is not there twice")
    same(system.web.metric("edge_audit_lost_total"), 0, "nothing is lost")
    system.is_whole()


def leaving(system):
    """What still waits when the edge leaves is counted and said."""
    system.call("GET", "/v1/admin/limits")
    system.auth.process.send_signal(signal.SIGSTOP)
    same(system.call("DELETE", "/v1/admin/limits/away-0").status, 204, "one more")
    system.edge.stop()
    lost = [event for event in system.edge.events() if event["event_name"] == "audit.lost"]
    shown = [event["path"] for event in system.edge.events() if event["event_name"] == "audit"]
    same([event["count"] for event in lost], [1], "an edge that leaves says what it could not tell")
    check("/v1/admin/limits/away-0" in shown, "and its log has it")
    system.auth.process.send_signal(signal.SIGCONT)


with Folder(edge_port=0, edge_threads=16, edge_limits="false", limiter_flush_ms=50) as folder_:
    system_ = System(folder_)
    recorded(system_)
    away(system_)
    leaving(system_)
sys.exit(done())
