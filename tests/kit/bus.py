# SPDX-License-Identifier: MPL-2.0
"""bus - the native dialect and Majordomo, written from docs/protocol.md and the RFCs' frame tables

Independent of the C side on purpose: what these peers and the broker disagree about is a fault of one
of them.
"""
import itertools
import struct
import time

import msgpack
import zmq

HEADER = ">2sBBBBBBQIIQQ25sBBB"
READY, CREDIT, REQUEST, PARTIAL, FINAL, ERROR, CANCEL, DRAIN, HEARTBEAT, DISCONNECT, PUBLISH, \
    SNAPSHOT = range(1, 13)
IDEMPOTENT, BROADCAST, ROUTE_KEY, TRACED, PRINCIPAL, STAMPED, RETRYABLE, RETAIN = (
    1 << bit for bit in range(8))

_context = zmq.Context()


def header(command, *, flags=0, priority=1, request_id=0, deadline=0, detail=0, route_key=0,
           schema=0, trace=b"", service="", method="", reply=""):
    """An encoded header."""
    names = [name.encode() for name in (service, method, reply)]
    return struct.pack(HEADER, b"SX", 1, command, flags, priority, 0, 0, request_id, deadline,
                       detail, route_key, schema, trace, *map(len, names)) + b"".join(names)


class Header:
    """A decoded header."""

    def __init__(self, data):
        fields = struct.unpack_from(HEADER, data)
        (_, _, self.command, self.flags, self.priority, self.hops, _, self.request_id,
         self.deadline, self.detail, self.route_key, self.schema, self.trace) = fields[:13]
        names, at = [], struct.calcsize(HEADER)
        for size in fields[13:]:
            names.append(data[at:at + size].decode())
            at += size
        self.service, self.method, self.reply = names


def route_key(text):
    """Whose business something is: FNV-1a, 64 bits, of its name."""
    value = 0xcbf29ce484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001b3 % 2 ** 64
    return value


def dealer(endpoint, timeout=10.0):
    """A connected DEALER whose reads give up after `timeout` seconds."""
    socket = _context.socket(zmq.DEALER)
    socket.linger = 0
    socket.rcvtimeo = int(timeout * 1000)
    socket.connect(endpoint)
    return socket


class Client:
    """Calls over the native dialect."""

    def __init__(self, endpoint):
        self.socket = dealer(endpoint)
        self.ids = itertools.count(1)

    def send(self, service, method, body=None, **options):
        """Sends a request; its id."""
        request_id = next(self.ids)
        self.socket.send_multipart([
            header(REQUEST, service=service, method=method, request_id=request_id, **options),
            msgpack.packb(body if body is not None else {})])
        return request_id

    def receive(self):
        """The next answer: (header, body). Beats of the broker are passed over."""
        while True:
            frames = self.socket.recv_multipart()
            head = Header(frames[0])
            if head.command != HEARTBEAT:
                return head, msgpack.unpackb(frames[1]) if len(frames) > 1 else None

    def call(self, service, method, body=None, **options):
        """A request and its answer: (FINAL or ERROR, body)."""
        request_id = self.send(service, method, body, **options)
        while True:
            head, answer = self.receive()
            if head.request_id == request_id and head.command in (FINAL, ERROR):
                return head.command, answer

    def close(self):
        """Leaves without a word, as a crash would."""
        self.socket.close()


class Worker:
    """Serves over the native dialect, one message at a time under the test's control."""

    def __init__(self, endpoint, service, instance, credit=1, descriptor=None, **ready):
        self.socket = dealer(endpoint)
        self.service = service
        body = {"instance": instance, "credit": credit, "heartbeat_ms": 60000, **ready}
        if descriptor is not None:
            body["descriptor"] = msgpack.packb(descriptor)
        self.socket.send_multipart([header(READY, service=service), msgpack.packb(body)])
        self.welcome = self.next((READY, ERROR))

    def next(self, commands=(REQUEST,)):
        """The next message with one of these commands: (header, frames behind it)."""
        while True:
            frames = self.socket.recv_multipart()
            head = Header(frames[0])
            if head.command in commands:
                return head, frames[1:]

    def answer(self, head, body, command=FINAL, detail=0):
        """Answers a request."""
        self.socket.send_multipart([header(command, request_id=head.request_id, detail=detail),
                                    msgpack.packb(body)])

    def send(self, command, **fields):
        """Sends a header alone."""
        self.socket.send(header(command, **fields))

    def close(self):
        """Leaves without a word, as a crash would."""
        self.socket.close()


# ---- Majordomo: frames as in RFC 7 and RFC 18 -----------------------------------------------------

class MdpClient:
    """A client of either version; `lead` sends the empty first frame that 0.2 does not have."""

    def __init__(self, endpoint, version=1, lead=None):
        self.version = version
        self.lead = version == 1 if lead is None else lead
        self.socket = dealer(endpoint)

    def send(self, service, *body):
        """A request."""
        frames = [b"MDPC01"] if self.version == 1 else [b"MDPC02", b"\x01"]
        self.socket.send_multipart(([b""] if self.lead else []) + frames + [service.encode(), *body])

    def receive(self):
        """The next answer: (is final, service, body frames)."""
        frames = self.socket.recv_multipart()
        if self.lead:
            assert frames.pop(0) == b"", "an empty first frame"
        assert frames.pop(0) == (b"MDPC01" if self.version == 1 else b"MDPC02"), "the header"
        final = True if self.version == 1 else {b"\x02": False, b"\x03": True}[frames.pop(0)]
        return final, frames[0].decode(), frames[1:]

    def call(self, service, *body):
        """The body frames of the answer."""
        self.send(service, *body)
        return self.receive()[2]

    def close(self):
        """Leaves."""
        self.socket.close()


class MdpWorker:
    """A worker of either version."""

    COMMANDS = {1: dict(ready=1, request=2, final=3, heartbeat=4, disconnect=5),
                2: dict(ready=1, request=2, partial=3, final=4, heartbeat=5, disconnect=6)}

    def __init__(self, endpoint, service, version=1, lead=None, ready=True):
        self.version = version
        self.lead = version == 1 if lead is None else lead
        self.socket = dealer(endpoint)
        if ready:
            self.send("ready", service.encode())

    def send(self, command, *frames):
        """A command."""
        self.socket.send_multipart(
            ([b""] if self.lead else [])
            + [b"MDPW01" if self.version == 1 else b"MDPW02",
               bytes([self.COMMANDS[self.version][command]]), *frames])

    def receive(self):
        """The next command: (its name, frames)."""
        frames = self.socket.recv_multipart()
        if self.lead:
            assert frames.pop(0) == b"", "an empty first frame"
        assert frames.pop(0) == (b"MDPW01" if self.version == 1 else b"MDPW02"), "the header"
        names = {number: name for name, number in self.COMMANDS[self.version].items()}
        return names[frames[0][0]], frames[1:]

    def request(self):
        """The next request: (client address, body frames)."""
        while True:
            command, frames = self.receive()
            if command == "request":
                assert frames[1] == b"", "an empty frame behind the address"
                return frames[0], frames[2:]

    def answer(self, client, *body, command="final"):
        """Answers a request."""
        self.send(command, client, b"", *body)

    def close(self):
        """Leaves without a word, as a crash would."""
        self.socket.close()


# ---- events -----------------------------------------------------------------------------------------

class Event:
    """A received event."""

    def __init__(self, frames):
        self.topic = frames[0].decode()
        (self.magic, self.version, self.flags, self.epoch, self.sequence, self.time, _,
         size) = struct.unpack_from(">2sBBQQqBB", frames[1])
        self.publisher = frames[1][30:30 + size].decode()
        self.body = msgpack.unpackb(frames[2], strict_map_key=False)


class Subscriber:
    """A plain SUB, as monitoring in any language would have."""

    def __init__(self, endpoint, prefix="", timeout=15.0):
        self.socket = _context.socket(zmq.SUB)
        self.socket.linger = 0
        self.socket.rcvtimeo = int(timeout * 1000)
        self.socket.subscribe(prefix)
        self.socket.connect(endpoint)

    def next(self):
        """The next event."""
        return Event(self.socket.recv_multipart())

    def until(self, accept, seconds=15.0):
        """The first event that `accept` says yes to."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            event = self.next()
            if accept(event):
                return event
        raise TimeoutError("no such event")

    def close(self):
        """Leaves."""
        self.socket.close()


def publish(socket, topic, body, sequence, retain=False, publisher="test", epoch=1):
    """Publishes over a DEALER."""
    name = publisher.encode()
    head = struct.pack(">2sBBQQqBB", b"SE", 1, 0, epoch, sequence, int(time.time() * 1000), 0,
                       len(name)) + name
    socket.send_multipart([header(PUBLISH, service=topic, flags=RETAIN if retain else 0), head,
                           msgpack.packb(body)])
