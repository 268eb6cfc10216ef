# SPDX-License-Identifier: MPL-2.0
"""stream - server-sent events, as a client reads them"""
import json

from web import Response, request


class Stream:
    """The events of an edge (web.Web) from now on; `head` is how it answered."""

    def __init__(self, web, query="", headers=None):
        self.connection = web.connect()
        self.connection.sendall(request("GET", "/v1/events" + query, headers=headers))
        self.data = b""
        while b":\n\n" not in self.data and b"problem" not in self.data:
            piece = self.connection.recv(65536)
            if not piece:
                break
            self.data += piece
        self.head = Response(self.data)
        self.data = self.data.partition(b":\n\n")[2]

    def next(self):
        """The next event as (event, data, id); comments are skipped. None at the end."""
        while True:
            block, found, rest = self.data.partition(b"\n\n")
            if found:
                self.data = rest
                fields = dict(line.split(": ", 1) for line in block.decode().splitlines()
                              if not line.startswith(":"))
                if fields:
                    return fields.get("event"), json.loads(fields["data"]), fields.get("id")
                continue
            piece = self.connection.recv(65536)
            if not piece:
                return None
            self.data += piece

    def close(self):
        self.connection.close()
