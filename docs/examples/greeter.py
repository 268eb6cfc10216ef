#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""A service in forty lines: python3 greeter.py ipc://var/bus.sock"""
import struct
import sys
import msgpack
import zmq

READY, REQUEST, FINAL, ERROR, HEARTBEAT, DISCONNECT = 1, 3, 5, 6, 9, 10
DESCRIPTOR = {"service": "greeter", "version": "1.0.0", "about": "Greets people", "methods": [{
    "name": "greet", "summary": "Greets somebody by name", "access": "user", "idempotent": True,
    "request": {"type": "object", "additionalProperties": False, "required": ["name"],
                "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 50},
                               "times": {"type": "integer", "minimum": 1, "maximum": 9, "default": 1}}},
    "reply": {"type": "object", "properties": {"greeting": {"type": "string"}}},
    "http": {"route": "GET /v1/greeter/{name}"}}]}


def header(command, request_id=0, service=b"", detail=0):
    return struct.pack(">2sBBBBBBQIIQQ25sBBB", b"SX", 1, command, 0, 0, 0, 0, request_id, 0, detail,
                       0, 0, b"", len(service), 0, 0) + service


socket = zmq.Context().socket(zmq.DEALER)
socket.connect(sys.argv[1])
socket.send_multipart([header(READY, service=b"greeter"), msgpack.packb({
    "instance": "greeter-py", "credit": 8, "descriptor": msgpack.packb(DESCRIPTOR)})])
while True:
    if not socket.poll(1000):
        socket.send(header(HEARTBEAT, service=b"greeter"))
        continue
    head, *frames = socket.recv_multipart()
    command, request_id = head[3], struct.unpack_from(">Q", head, 8)[0]
    if command == REQUEST:
        request = msgpack.unpackb(frames[-1])
        greeting = "Hello, " + ", ".join([request["name"]] * request.get("times", 1))
        socket.send_multipart([header(FINAL, request_id), msgpack.packb({"greeting": greeting})])
    elif command in (ERROR, DISCONNECT):
        sys.exit(f"the broker said no: {frames and msgpack.unpackb(frames[0])}")
