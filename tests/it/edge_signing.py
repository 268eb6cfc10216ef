# SPDX-License-Identifier: MPL-2.0
"""A key that has a signing secret signs what is sensitive; nothing is taken twice, by whichever edge.

Two edges, and with PostgreSQL two instances of auth.
"""
import hashlib
import hmac
import json
import os
import secrets
import sys
import time

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
from parts import Folder  # noqa: E402
from postgres import database  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import PATIENCE, Web, request  # noqa: E402

WHO = {"email": "sue@example.dev", "password": "correct horse battery staple"}


def signature(secret, method, target, body=b"", moment=None, nonce=None):
    moment, nonce = str(moment or int(time.time())), nonce or secrets.token_urlsafe(18)
    lines = ["sbx-hmac-sha256-v1", method, target, hashlib.sha256(body).hexdigest(), moment, nonce]
    mac = hmac.new(secret.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()
    return f"t={moment},n={nonce},v1={mac}"


def until(condition):
    limit = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError
        time.sleep(0.02)


class Caller:
    """A user with a key, and the edges it calls."""

    def __init__(self, edges):
        self.webs = [Web(edge.port) for edge in edges]
        for web in self.webs:
            until(lambda: web.get("/v1/auth/jwks").status == 200)  # pylint: disable=W0640
        tokens = self.post("/v1/auth/register", WHO).json()
        self.person = {"Authorization": f"Bearer {tokens['access_token']}"}
        until(lambda: all(web.get("/v1/me", self.person).status == 200 for web in self.webs))
        made = self.post("/v1/keys", {"name": "ci", "scopes": ["account"]}, self.person).json()
        self.id, self.key = made["id"], {"X-API-Key": made["key"]}
        self.secret = None

    def post(self, path, body, headers=None, edge=0):
        return self.webs[edge].post(path, body, headers)

    def keys(self, headers=None, edge=0, body=None):
        """Makes a key with the key; the answer."""
        return self.post("/v1/keys", body or {"name": "child"}, {**self.key, **(headers or {})}, edge)

    def signed(self, edge=0, **how):
        body = json.dumps({"name": "child"}).encode()
        return self.keys({"X-Signature": signature(self.secret, "POST", "/v1/keys", body, **how)},
                         edge)


def tell(caller, name):
    same(caller.keys().status, 201, f"{name}: a key without a secret signs nothing")
    made = caller.post(f"/v1/keys/{caller.id}/signing-secret", {}, caller.person)
    same(made.status, 201, f"{name}: it gets one")
    caller.secret = made.json()["secret"]
    until(lambda: all(caller.keys(edge=edge).status == 401 for edge in range(len(caller.webs))))
    refused = caller.keys()
    check(refused.code == "UNAUTHENTICATED" and "X-Signature is missing" in refused.json()["detail"],
          f"{name}: from then on every edge wants what is sensitive signed", refused.json())
    same(caller.webs[0].get("/v1/keys", caller.key).status, 200, f"{name}: and nothing else")
    same(caller.post("/v1/keys", {"name": "mine"}, caller.person).status, 201,
         f"{name}: nor does the user sign")
    same(caller.signed().status, 201, f"{name}: signed, it is taken")
    same(caller.signed(edge=1).status, 201, f"{name}: by every edge")


def repeat(caller, name):
    nonce = secrets.token_urlsafe(18)
    answers = [caller.signed(edge=edge, nonce=nonce) for edge in (0, 1, 0, 1)]
    same([answer.status for answer in answers], [201, 401, 401, 401],
         f"{name}: once, whichever edge it is sent to again")
    check("used before" in answers[1].json()["detail"], f"{name}: and that is said",
          answers[1].json())


def wrong(caller, name):
    now = int(time.time())
    body = json.dumps({"name": "child"}).encode()
    good = signature(caller.secret, "POST", "/v1/keys", body)
    for why, header in (
            ("another secret", signature("sbs_other", "POST", "/v1/keys", body)),
            ("another method", signature(caller.secret, "PUT", "/v1/keys", body)),
            ("another path", signature(caller.secret, "POST", "/v1/keys/", body)),
            ("another query", signature(caller.secret, "POST", "/v1/keys?a", body)),
            ("another body", signature(caller.secret, "POST", "/v1/keys", b"{}")),
            ("six minutes ago", signature(caller.secret, "POST", "/v1/keys", body, now - 360)),
            ("in six minutes", signature(caller.secret, "POST", "/v1/keys", body, now + 360)),
            ("no header of this kind", "Bearer x"),
            ("a part twice", good + "," + good)):
        answer = caller.keys({"X-Signature": header})
        same((answer.status, answer.code), (401, "UNAUTHENTICATED"), f"{name}: {why}")
    same(caller.keys({"X-Signature": good}).status, 201, f"{name}: that used up nothing")
    raw = request("POST", "/v1/keys?a=%2F", body, {
        **caller.key, "Content-Type": "application/json",
        "X-Signature": signature(caller.secret, "POST", "/v1/keys?a=%2F", body)})
    check(b" 401 " not in caller.webs[0].send(raw).splitlines()[0],
          f"{name}: a query is signed as it is sent")


def end(caller, name):
    path = f"/v1/keys/{caller.id}/signing-secret"
    same(caller.webs[0].request("DELETE", path, headers=caller.key).status, 401,
         f"{name}: whoever has the key alone cannot take its secret away")
    header = {"X-Signature": signature(caller.secret, "DELETE", path)}
    same(caller.webs[0].request("DELETE", path, headers={**caller.key, **header}).status, 204,
         f"{name}: whoever can sign can")
    until(lambda: all(caller.keys(edge=edge).status == 201 for edge in range(len(caller.webs))))
    check(True, f"{name}: and signs nothing from then on")


def run(name, instances, **settings):
    with Folder(edge_port=0, edge_threads=16, edge_limits="false", **settings) as folder:
        if instances > 1:
            folder.run("migrate")
        folder.start("broker")
        for _ in range(instances):
            folder.start("actor", "auth")
        caller = Caller([folder.start("edge"), folder.start("edge")])
        tell(caller, name)
        repeat(caller, name)
        wrong(caller, name)
        end(caller, name)


run("SQLite", 1)
if os.environ.get("TEST_POSTGRES_URL"):
    with database() as url:
        run("PostgreSQL", 2, storage_database=url, auth_secret="07" * 32)
sys.exit(done())
