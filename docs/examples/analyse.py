#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Calls the analysis service over the bus: python3 analyse.py ipc://var/bus.sock workflow.json"""
import json
import struct
import sys
import msgpack
import zmq

REQUEST, PARTIAL, FINAL, ERROR = 3, 4, 5, 6
socket = zmq.Context().socket(zmq.DEALER)
socket.connect(sys.argv[1])
with open(sys.argv[2], encoding="utf-8") as file:
    workflow = json.load(file)
service, method, request_id = b"analysis", b"submit", 1
socket.send_multipart([
    struct.pack(">2sBBBBBBQIIQQ25sBBB", b"SX", 1, REQUEST, 0, 1, 0, 0, request_id, 10000, 0, 0, 0, b"",
                len(service), len(method), 0) + service + method,
    msgpack.packb({"workflow": workflow})])
while True:
    head, *frames = socket.recv_multipart()
    if struct.unpack_from(">Q", head, 8)[0] == request_id and head[3] in (FINAL, ERROR):
        break
answer = msgpack.unpackb(frames[0])
if head[3] == ERROR:
    sys.exit(f"{answer['code']}: {answer['detail']}")
print(f"score {answer['score']}, grade {answer['grade']}")
for issue in answer["issues"]:
    print(f"  {issue['severity']:8} {issue['rule']} {issue['title']}")
