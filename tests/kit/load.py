# SPDX-License-Identifier: MPL-2.0
"""load - clients that submit workflows, each another one, and look at every answer

    with Load(port) as load:
        load.wait(100)      # until a hundred more were answered
    same(load.wrong, [], "...")

Each client asks over one connection, the next as soon as the last was answered, and makes a new
connection when that one ended. It goes on when nobody listens: whoever tests what happens then
reads `problems`, `cut` and `acknowledged` afterwards.
"""
import collections
import json
import threading
import time

from web import PATIENCE, Response, Web, read_one, request

RETRY_SECONDS = 0.01
HANG_SECONDS = 15  # longer than any deadline of the service


def workflow(name, nodes):
    """A chain of so many nodes."""
    return {"name": name,
            "nodes": [{"id": f"n{i}", "type": "step", "name": f"Step {i}"} for i in range(nodes)],
            "edges": [{"from": f"n{i - 1}", "to": f"n{i}"} for i in range(1, nodes)]}


class Load:
    """The clients, from entry to exit."""

    def __init__(self, port, clients=6, prefix="q"):
        self.web = Web(port)
        self.prefix = prefix
        self.ends = threading.Event()
        self.changed = threading.Condition()
        self.acknowledged = {}  # request id: the analysis it was told
        self.problems = collections.Counter()  # (status, code): how often
        self.wrong = []  # answers that do not belong to their question, or are no answers
        self.cut = []  # request ids whose connection ended before the answer
        self.slowest = 0.0
        self.threads = [threading.Thread(target=self._run, args=(number,), daemon=True)
                        for number in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        for thread in self.threads:
            thread.join(PATIENCE * 3)
            if thread.is_alive():
                self.wrong.append("a client still waits for its answer")

    def wait(self, count):
        """Until so many more were acknowledged."""
        with self.changed:
            wanted = len(self.acknowledged) + count
            if not self.changed.wait_for(lambda: len(self.acknowledged) >= wanted, PATIENCE * 3):
                raise TimeoutError(f"{len(self.acknowledged)} of {wanted}, {self.problems}")

    def wait_problem(self, *codes):
        """Until a request failed with one of these."""
        def seen():
            return any(code in codes for _, code in self.problems)
        with self.changed:
            if not self.changed.wait_for(seen, PATIENCE * 3):
                raise TimeoutError(f"none of {codes} in {self.problems}")

    def named(self):
        """The codes of all problems."""
        return {code for _, code in self.problems}

    def _run(self, number):
        asked = 0
        while not self.ends.is_set():
            try:
                connection = self.web.connect()
            except OSError:
                self.ends.wait(RETRY_SECONDS)
                continue
            with connection:
                goes_on = True
                while goes_on and not self.ends.is_set():
                    asked += 1
                    goes_on = self._ask(connection, f"{self.prefix}{number}-{asked}", 1 + asked % 7)

    def _ask(self, connection, name, nodes):
        body = json.dumps(workflow(name, nodes)).encode()
        began = time.monotonic()
        try:
            connection.sendall(request("POST", "/v1/analyses?kind=generic", body,
                                       {"Content-Type": "application/json", "X-Request-ID": name},
                                       close=False))
            data = read_one(connection)
        except OSError as error:
            data = b""
            if isinstance(error, TimeoutError):
                self.wrong.append(f"{name} hangs")
        with self.changed:
            self.slowest = max(self.slowest, time.monotonic() - began)
            goes_on = self._judge(name, nodes, data)
            self.changed.notify_all()
        return goes_on

    def _judge(self, name, nodes, data):
        response = Response(data)
        answer = response.json()
        if not data:
            self.cut.append(name)
            return False
        if response.headers.get("x-request-id") != name or not answer:
            self.wrong.append(f"{name}: {data!r}")
        elif response.status in (200, 201):
            seen = (answer["name"], answer["kind"], answer["summary"]["nodes"],
                    answer["summary"]["wires"])
            if seen != (name, "generic", nodes, nodes - 1):
                self.wrong.append(f"{name} with {nodes} nodes: {seen}")
            self.acknowledged[name] = answer["id"]
        else:
            self.problems[response.status, response.code] += 1
        return response.headers.get("connection") != "close"
