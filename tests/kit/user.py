# SPDX-License-Identifier: MPL-2.0
"""user - somebody who has registered and calls over HTTP"""
import json

from web import Web


class User:
    def __init__(self, port, email):
        self.web = Web(port)
        answer = self.web.post("/v1/auth/register", {"email": email, "password": "correct horse battery staple"})
        self.headers = {"Authorization": "Bearer " + answer.json()["access_token"]}
        self.account = answer.json()["user"]["account_id"]

    def get(self, path):
        return self.web.get(path, self.headers)

    def post(self, path, value=None):
        return self.web.post(path, value or {}, self.headers)

    def patch(self, path, value):
        return self.web.request("PATCH", path, json.dumps(value).encode(),
                                {"Content-Type": "application/json", **self.headers})

    def delete(self, path):
        return self.web.request("DELETE", path, headers=self.headers)
