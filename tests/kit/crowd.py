# SPDX-License-Identifier: MPL-2.0
"""crowd - so many requests in flight at once, over connections that stay open, and every answer

    crowd = Crowd([edge.port, other.port], 256)
    answers = crowd.run(requests)

A request is (tag, bytes); `request()` of web.py makes the bytes. Each connection sends the next one as
soon as its last was answered. Times are monotonic seconds on this machine: what the edge did, it did
between `sent` and `received`.
"""
import collections
import concurrent.futures
import itertools
import selectors
import socket
import threading
import time

from web import PATIENCE, Response

Answer = collections.namedtuple("Answer", "tag port sent received response")


class _Line:
    """A connection with at most one request under way."""

    def __init__(self, port):
        self.port = port
        self.socket = None
        self.tag = self.sent = None
        self.data = b""

    def open(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, tag, data):
        self.tag, self.sent, self.data = tag, time.monotonic(), b""
        self.socket.sendall(data)

    def take(self):
        """Reads; the response when it is complete, None before, False when the connection ended."""
        piece = self.socket.recv(65536)
        self.data += piece
        head, found, body = self.data.partition(b"\r\n\r\n")
        if found:
            response = Response(self.data)
            if len(body) >= int(response.headers.get("content-length", "0")):
                return response
        return None if piece else False


class Crowd:
    """Connections shared evenly by some edges."""

    def __init__(self, ports, in_flight):
        self.lines = [_Line(port) for port in itertools.islice(itertools.cycle(ports), in_flight)]
        self.answers = []
        self.cut = []  # tags whose connection ended before the answer

    def run(self, requests, halfway=None):
        """Sends them all; their answers. `halfway` runs meanwhile, from the middle on, and on the
        calling thread: a process dies with the thread that started it."""
        if not halfway:
            return self._run(requests)
        middle = threading.Event()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            end = pool.submit(self._run, requests, middle)
            middle.wait()
            halfway()
            return end.result()

    def start(self, requests):
        """The same on a thread of its own: `answers` grows meanwhile."""
        thread = threading.Thread(target=self._run, args=(requests,), daemon=True)
        thread.start()
        return thread

    def _run(self, requests, middle=None):
        half = len(requests) // 2 if middle else 0
        begun, first = 0, len(self.answers)
        left = iter(requests)
        with selectors.DefaultSelector() as selector:
            ready = list(self.lines)
            while True:
                for line in ready:
                    following = next(left, None)
                    if following is None:
                        break
                    self._ask(selector, line, following)
                    begun += 1
                    if middle and begun == half:
                        middle.set()
                if not selector.get_map():
                    break
                events = selector.select(PATIENCE)
                if not events:
                    raise TimeoutError("nothing is answered any more")
                ready = [key.data for key, _ in events if self._take(selector, key.data)]
        for line in self.lines:
            if line.socket:
                line.socket.close()
            line.socket = None
        return self.answers[first:]

    @staticmethod
    def _ask(selector, line, following):
        if not line.socket:
            line.open()
        line.ask(*following)
        selector.register(line.socket, selectors.EVENT_READ, line)

    def _take(self, selector, line):
        """Whether the connection is ready for the next request."""
        try:
            response = line.take()
        except ConnectionError:
            response = False
        if response is None:
            return False
        selector.unregister(line.socket)
        if response:
            self.answers.append(Answer(line.tag, line.port, line.sent, time.monotonic(), response))
        else:
            self.cut.append(line.tag)
        if not response or response.headers.get("connection") == "close":
            line.socket.close()
            line.socket = None
        return True
