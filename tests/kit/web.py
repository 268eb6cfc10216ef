# SPDX-License-Identifier: MPL-2.0
"""web - HTTP over raw sockets, as a client on this machine"""
import json
import re
import socket
import time

PATIENCE = 20  # seconds after which a test gives up waiting


class Web:
    """An edge at a port."""

    def __init__(self, port):
        self.port = port

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

    def wait_for(self, path, headers=None, status=200):
        """Until it is answered so: an edge that was just started does not know the routes yet."""
        deadline = time.monotonic() + PATIENCE
        while self.get(path, headers).status != status:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} was not answered with {status}")
            time.sleep(0.02)

    def metric(self, name):
        """The value of a series of /metrics, all instances together; None when there is none.

        Labels are part of the name, in their order: 'edge_late_total{what="head"}'.
        """
        values = []
        for line in self.get("/metrics").body.decode().splitlines():
            series, _, value = line.rpartition(" ")
            series = re.sub(r'part="[^"]*",instance="[^"]*",?', "", series, count=1)
            if series.removesuffix("{}") == name:
                values.append(float(value))
        return sum(values) if values else None


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


def read_one(connection):
    """One response with a Content-Length; less when the connection ends before."""
    data = b""
    while True:
        _, found, body = data.partition(b"\r\n\r\n")
        if found:
            length = int(Response(data).headers.get("content-length", "0"))
            if len(body) >= length:
                return data
        piece = connection.recv(65536)
        if not piece:
            return data
        data += piece


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
