# SPDX-License-Identifier: MPL-2.0
"""Debian's Prometheus beside a running system: every expression of the dashboard and of the rules
returns data, and whoever kills an instance makes Alertmanager call a webhook."""
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
import prometheus  # noqa: E402
from bus import DISCONNECT, Worker  # noqa: E402
from parts import Folder, die_with_parent, free_port  # noqa: E402
from tap import check, done, same, skip  # noqa: E402
from web import PATIENCE, Web  # noqa: E402

DEPLOY = os.path.abspath(os.path.join(os.environ.get("srcdir", "."), "deploy"))
RULES = os.path.join(DEPLOY, "prometheus", "signalbox.rules.yml")
DASHBOARD = os.path.join(DEPLOY, "grafana", "signalbox.json")


def tool(*words):
    result = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False,
                            timeout=PATIENCE * 3)
    return "" if result.returncode == 0 else result.stdout + result.stderr


def files():
    """What needs no system."""
    same(tool("check", "rules", RULES), "", "promtool takes the rules")
    same(tool("test", "rules", RULES.replace(".yml", ".test.yml")), "", "and they fire when they should")
    same(tool("check", "config", "--syntax-only", os.path.join(DEPLOY, "prometheus", "prometheus.yml")), "",
         "and the configuration")
    with open(RULES, encoding="utf-8") as rules, \
            open(RULES.replace(".yml", ".test.yml"), encoding="utf-8") as tests:
        named = set(re.findall(r"alertname: (\w+)", tests.read()))
        same(set(re.findall(r"- alert: (\w+)", rules.read())) - named, set(), "every rule is tested")


def expressions():
    """Name and text of every expression; of a rule without what it is compared with."""
    with open(DASHBOARD, encoding="utf-8") as file:
        for panel in json.load(file)["panels"]:
            for target in panel.get("targets", []):
                yield f"{panel['title']}: {target['legendFormat']}", target["expr"]
    with open(RULES, encoding="utf-8") as file:
        for name, text in re.findall(r"- alert: (\w+)\n +expr: (.*)", file.read()):
            for part in text.split(" and "):
                yield f"rule {name}", re.sub(r" (>|>=) \S+$", "", part)


BILLING = {"service": "billing", "version": "1.0.0", "about": "",
           "methods": [{"name": "list", "request": {"type": "object"}, "access": "user",
                        "http": {"route": "GET /v1/billing"}}]}


def leave_a_route(folder, web):
    """A service was here and has left: its route answers 503."""
    worker = Worker(folder.socket("bus"), "billing", "billing-1", descriptor=BILLING)
    while "/v1/billing" not in web.get("/openapi.json").json()["paths"]:
        pass
    worker.send(DISCONNECT)
    worker.close()


FLAWED = {"nodes": [{"id": "a", "type": "trigger"}, {"id": "b"}, {"id": "c"}],
          "edges": [{"from": "b", "to": "c"}]}  # nothing starts "b"


class Work:
    """Somebody uses the system all the time, and not always well."""

    def __init__(self, port):
        self.web = Web(port)
        self.has_ended = False
        self.number = 0
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.has_ended = True
        self.thread.join()

    def _run(self):
        while not self.has_ended:
            self.number += 1
            self.web.get("/v1/rules")
            self.web.get("/v1/billing")
            self.web.post("/v1/analyses?kind=generic", {**FLAWED, "name": f"w{self.number}"})


class Receiver:
    """The webhook's end."""

    def __init__(self):
        self.port = free_port()
        self.alerts = []
        self.changed = threading.Condition()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()
                with receiver.changed:
                    receiver.alerts += body["alerts"]
                    receiver.changed.notify_all()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, status, **labels):
        def found():
            return any(alert["status"] == status and labels.items() <= alert["labels"].items()
                       for alert in self.alerts)
        with self.changed:
            return self.changed.wait_for(found, PATIENCE * 3)


def start_alertmanager(folder, receiver):
    """Its process and its address."""
    config = {"route": {"receiver": "hook", "group_by": ["..."], "group_wait": "0s",
                        "group_interval": "1s", "repeat_interval": "1h"},
              "receivers": [{"name": "hook", "webhook_configs": [
                  {"url": f"http://127.0.0.1:{receiver.port}/"}]}]}
    path = os.path.join(folder, "alertmanager.yml")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(config, file)
    address = f"127.0.0.1:{free_port()}"
    log = open(os.path.join(folder, "alertmanager.log"), "wb")
    process = subprocess.Popen(
        ["prometheus-alertmanager", f"--config.file={path}", f"--web.listen-address={address}",
         f"--storage.path={folder}/alertmanager", "--cluster.listen-address="],
        stdout=log, stderr=log, preexec_fn=die_with_parent)
    return process, address


def main():
    if not prometheus.is_here() or not shutil.which("prometheus-alertmanager"):
        skip("prometheus, prometheus-alertmanager or python3-prometheus-client are not installed")
    files()
    receiver = Receiver()
    with Folder(edge_port=0, edge_allow_anonymous="true", edge_threads=32, edge_limits="false",
                bus_snapshot_ms=250, broker_snapshot_ms=250, bus_trace_per_million=1000000) as folder:
        folder.start("broker")
        folder.start("actor", "metrics", "auth", "analysis", "limiter", "cache", "jobs", "webhook")
        edge = folder.start("edge")
        victim = folder.start("actor", "cache", "--instance", "victim")
        Web(edge.port).wait_for("/v1/rules")
        leave_a_route(folder, Web(edge.port))
        alertmanager, address = start_alertmanager(folder.path, receiver)
        with Work(edge.port), prometheus.Prometheus(folder.path, [f"127.0.0.1:{edge.port}"],
                                                    [RULES], address) as server:
            seen = 0
            for name, text in expressions():
                found = server.wait(text, lambda found: any(value == value for _, value in found))
                check(any(value == value for _, value in found), f"{name} returns data", text)
                seen += 1
            check(seen > 50, "there are so many expressions", seen)
            check(server.get("/api/v1/query_exemplars", query="http_request_duration_seconds_bucket",
                             start="0", end="9999999999"), "Prometheus keeps the traces of examples")
            victim.kill()
            check(receiver.wait("firing", alertname="InstanceDown", instance="victim"),
                  "an instance is killed: Alertmanager calls the webhook", receiver.alerts)
            folder.start("actor", "cache", "--instance", "victim")
            check(receiver.wait("resolved", alertname="InstanceDown", instance="victim"),
                  "and again when it is back", receiver.alerts)
        alertmanager.terminate()
        alertmanager.wait(PATIENCE)
    sys.exit(done())


main()
