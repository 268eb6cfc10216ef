#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""job_worker - a service whose method is run as a job, for tests that kill it

    tests/kit/job_worker.py ENDPOINT INSTANCE LEDGER

Serves `work.run {n, ms}`: waits, writes "job fence n" to the ledger, and answers. It says who it is
again when the broker does not know it. Prints "ready" when it is registered for the first time.
"""
import sys
import time

import msgpack
import zmq

from bus import DISCONNECT, ERROR, FINAL, HEARTBEAT, READY, REQUEST, Header, header

SERVICE = "work"
BEAT_SECONDS = 0.2
DESCRIPTOR = {"service": SERVICE, "version": "1.0.0", "methods": [{
    "name": "run", "access": "user",
    "request": {"type": "object", "properties": {"n": {"type": "integer"},
                                                 "ms": {"type": "integer"}}}}]}


def main(endpoint, instance, path):
    socket = zmq.Context().socket(zmq.DEALER)
    socket.linger = 0
    socket.connect(endpoint)
    ready = [header(READY, service=SERVICE),
             msgpack.packb({"instance": instance, "credit": 32, "heartbeat_ms": 200,
                            "descriptor": msgpack.packb(DESCRIPTOR)})]
    socket.send_multipart(ready)
    beat_at, waiting = 0.0, []  # waiting: (when, request, job, number)
    # unbuffered: what was written is there when the process is not any more
    with open(path, "ab", buffering=0) as ledger:
        while True:
            now = time.monotonic()
            if now >= beat_at:
                socket.send(header(HEARTBEAT, service=SERVICE))
                beat_at = now + BEAT_SECONDS
            while waiting and waiting[0][0] <= now:
                _, request_id, job, number = waiting.pop(0)
                ledger.write(f"{job} {number}\n".encode())
                socket.send_multipart([header(FINAL, request_id=request_id),
                                       msgpack.packb({"n": number})])
            until = min([beat_at, *(item[0] for item in waiting[:1])])
            if not socket.poll(max(0, (until - now) * 1000)):
                continue
            frames = socket.recv_multipart()
            head = Header(frames[0])
            if head.command == READY:
                print("ready", flush=True)
            elif head.command in (DISCONNECT, ERROR):
                socket.send_multipart(ready)
            elif head.command == REQUEST:
                body = msgpack.unpackb(frames[-1])
                job, fence, _ = head.reply.split("/")[1].split(".")
                waiting.append((time.monotonic() + body.get("ms", 0) / 1000, head.request_id,
                                f"{job} {fence}", body.get("n", 0)))
                waiting.sort()


if __name__ == "__main__":
    main(*sys.argv[1:])
