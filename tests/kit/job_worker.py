#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""job_worker - a service whose method is run as a job, for tests that kill it

    tests/kit/job_worker.py ENDPOINT INSTANCE LEDGER [STEPS]

Serves `work.run {n, ms, fails, dies}`: waits, writes "job fence n" to the ledger, and answers. The first
`fails` runs fail in a way that may pass, and with `dies` it fails for good. It says who it is again when
the broker does not know it. Prints "ready" when it is registered for the first time.

The file STEPS gets a line "nanoseconds step job fence n" for each step of a run: start, end, cancel. The
time is that of the machine's monotonic clock, so that lines of several processes can be compared.
"""
import sys
import time

import msgpack
import zmq

from bus import CANCEL, DISCONNECT, ERROR, FINAL, HEARTBEAT, READY, REQUEST, Header, header

SERVICE = "work"
BEAT_SECONDS = 0.2
DESCRIPTOR = {"service": SERVICE, "version": "1.0.0", "methods": [{
    "name": "run", "access": "user",
    "request": {"type": "object", "properties": {
        "n": {"type": "integer"}, "ms": {"type": "integer"}, "fails": {"type": "integer"},
        "dies": {"type": "boolean"}}}}]}


class Run:
    """A request that is being worked on."""

    def __init__(self, head, body):
        self.id = head.request_id
        self.job, self.fence, _ = head.reply.split("/")[1].split(".")
        self.body = body
        self.until = time.monotonic() + body.get("ms", 0) / 1000

    @property
    def name(self):
        return f"{self.job} {self.fence} {self.body.get('n', 0)}"

    def answer(self):
        """The frames that end it."""
        if self.body.get("dies"):
            return [header(ERROR, request_id=self.id, detail=422),
                    msgpack.packb({"code": "UNPROCESSABLE", "detail": "as it was told"})]
        if int(self.fence) <= self.body.get("fails", 0):
            return [header(ERROR, request_id=self.id, detail=503),
                    msgpack.packb({"code": "UNAVAILABLE", "detail": "as it was told"})]
        return [header(FINAL, request_id=self.id), msgpack.packb({"n": self.body.get("n", 0)})]


class Worker:
    """The process."""

    def __init__(self, endpoint, instance, ledger, steps=None):
        self.socket = zmq.Context().socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(endpoint)
        self.ready = [header(READY, service=SERVICE),
                      msgpack.packb({"instance": instance, "credit": 32, "heartbeat_ms": 200,
                                     "descriptor": msgpack.packb(DESCRIPTOR)})]
        self.socket.send_multipart(self.ready)
        self.runs = []
        # unbuffered: what was written is there when the process is not any more
        self.ledger = open(ledger, "ab", buffering=0)  # pylint: disable=consider-using-with
        self.steps = open(steps, "ab", buffering=0) if steps else None

    def note(self, step, run):
        """A line for the steps."""
        if self.steps:
            self.steps.write(f"{time.monotonic_ns()} {step} {run.name}\n".encode())

    def end_runs(self):
        """Answers those whose time is over."""
        now = time.monotonic()
        while self.runs and self.runs[0].until <= now:
            run = self.runs.pop(0)
            self.ledger.write(f"{run.name}\n".encode())
            self.note("end", run)
            self.socket.send_multipart(run.answer())

    def take(self, frames):
        """A message of the broker."""
        head = Header(frames[0])
        if head.command == READY:
            print("ready", flush=True)
        elif head.command in (DISCONNECT, ERROR):
            self.socket.send_multipart(self.ready)
        elif head.command == REQUEST:
            run = Run(head, msgpack.unpackb(frames[-1]))
            self.note("start", run)
            self.runs.append(run)
            self.runs.sort(key=lambda run: run.until)
        elif head.command == CANCEL:
            for run in [run for run in self.runs if run.id == head.request_id]:
                self.note("cancel", run)
                self.runs.remove(run)
                self.socket.send_multipart([header(ERROR, request_id=run.id, detail=499),
                                            msgpack.packb({"code": "CANCELLED"})])

    def serve(self):
        """Until it is killed."""
        beat_at = 0.0
        while True:
            now = time.monotonic()
            if now >= beat_at:
                self.socket.send(header(HEARTBEAT, service=SERVICE))
                beat_at = now + BEAT_SECONDS
            self.end_runs()
            until = min([beat_at, *(run.until for run in self.runs[:1])])
            if self.socket.poll(max(0, (until - time.monotonic()) * 1000)):
                self.take(self.socket.recv_multipart())


if __name__ == "__main__":
    Worker(*sys.argv[1:]).serve()
