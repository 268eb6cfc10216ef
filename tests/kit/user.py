# SPDX-License-Identifier: MPL-2.0
"""user - somebody who has registered and calls over HTTP"""
import json
import time

from web import PATIENCE, Web


class User:
    def __init__(self, port, email):
        self.web = Web(port)
        deadline = time.monotonic() + PATIENCE  # an edge that was just started does not know the routes yet
        answer = self.register(email)
        while answer.status in (404, 503) and time.monotonic() < deadline:
            time.sleep(0.02)
            answer = self.register(email)
        self.headers = {"Authorization": "Bearer " + answer.json()["access_token"]}
        self.account = answer.json()["user"]["account_id"]

    def register(self, email):
        return self.web.post("/v1/auth/register", {"email": email, "password": "correct horse battery staple"})

    def get(self, path):
        return self.web.get(path, self.headers)

    def post(self, path, value=None):
        return self.web.post(path, value or {}, self.headers)

    def put(self, path, value):
        return self.send("PUT", path, value)

    def patch(self, path, value):
        return self.send("PATCH", path, value)

    def send(self, method, path, value):
        return self.web.request(method, path, json.dumps(value).encode(),
                                {"Content-Type": "application/json", **self.headers})

    def delete(self, path):
        return self.web.request("DELETE", path, headers=self.headers)
