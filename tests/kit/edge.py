# SPDX-License-Identifier: MPL-2.0
"""edge - an edge_host process, and HTTP over raw sockets"""
import ctypes
import json
import os
import signal
import socket
import subprocess
import tempfile

HOST = os.environ.get("EDGE_HOST", "tests/it/edge_host")
PATIENCE = 20  # seconds after which a test gives up waiting

PR_SET_PDEATHSIG = 1


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Edge:
    """A running edge_host; settings as keywords: threads=16, allow_anonymous="true"."""

    def __init__(self, *flags, **settings):
        settings.setdefault("allow_anonymous", "true")
        command = [HOST, *flags]
        for name, value in settings.items():
            command += [f"--edge.{name}", str(value)]
        # a file, not a pipe: nobody would read the pipe while the test runs
        self.log = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self.log, text=True, preexec_fn=_die_with_parent
        )
        line = self.process.stdout.readline()
        if not line.startswith("ready "):
            raise RuntimeError(self.read_log())
        self.port = int(line.split()[1])

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        status, log = self.stop()
        if kind is None and (status != 0 or "Sanitizer" in log or "runtime error" in log):
            raise RuntimeError(f"edge_host ended with {status}:\n{log}")

    def stop(self):
        """Ends the process; its exit status and what it wrote to its log."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=PATIENCE * 3)
        return self.process.returncode, self.read_log()

    def read_log(self):
        self.log.seek(0)
        return self.log.read()

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def send(self, data):
        """Sends bytes over a new connection; everything that comes back until it is closed."""
        with self.connect() as connection:
            try:
                connection.sendall(data)
            except OSError:
                pass  # the edge may have refused it already
            return read_all(connection)

    def request(self, method, path, body=None, headers=None, **more):
        """One request over a connection of its own, as a Response."""
        return Response(self.send(request(method, path, body, headers, **more)), method)

    def get(self, path, headers=None):
        return self.request("GET", path, headers=headers)

    def post(self, path, value, headers=None):
        headers = {"Content-Type": "application/json", **(headers or {})}
        return self.request("POST", path, json.dumps(value).encode(), headers)

    def metric(self, name):
        """The value of one line of /metrics."""
        for line in self.get("/metrics").body.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        return None


def request(method, path, body=None, headers=None, version="1.1", close=True):
    lines = [f"{method} {path} HTTP/{version}", "Host: localhost"]
    if close:
        lines.append("Connection: close")
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


def read_all(connection):
    data = b""
    try:
        while piece := connection.recv(65536):
            data += piece
    except ConnectionResetError:
        data += b"<reset>"
    return data


class Response:
    """The first response in `data`; `rest` is what follows it."""

    def __init__(self, data, method="GET"):
        self.raw = data
        head, _, rest = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        parts = lines[0].split(" ", 2)
        self.status = int(parts[1]) if len(parts) == 3 and parts[1].isdigit() else 0
        self.reason = parts[2] if len(parts) == 3 else ""
        self.lines = lines[1:]
        self.headers = {}
        for line in self.lines:
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        has_body = method != "HEAD" and self.status not in (204, 304) and self.status >= 200
        length = int(self.headers.get("content-length", "0")) if has_body else 0
        if has_body and "content-length" not in self.headers:
            length = len(rest)
        self.body = rest[:length]
        self.rest = rest[length:]

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return {}

    @property
    def code(self):
        return self.json().get("code")


def responses(data):
    """All responses in a connection's bytes."""
    found = []
    while data.startswith(b"HTTP/"):
        found.append(Response(data))
        data = found[-1].rest
    return found, data
