# SPDX-License-Identifier: MPL-2.0
"""Who is let in, with two instances of auth and two edges: what is stolen or revoked is refused on both
at once, keys change under load and nobody notices, and without news nobody rules."""
import base64
import itertools
import json
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
import jwt  # noqa: E402
from crowd import Crowd  # noqa: E402
from fakes import Fake  # noqa: E402
from parts import Folder  # noqa: E402
from postgres import database  # noqa: E402
from tap import check, done, same, skip  # noqa: E402
from web import PATIENCE, Web, request  # noqa: E402

CLIENTS = 32
WITHIN_SECONDS = 1  # a revocation is felt everywhere
MARGIN = 5
SETTINGS = {"edge_port": 0, "edge_threads": 64, "edge_limits": "false", "auth_key_lead_seconds": 1,
            "auth_hash_memory_kib": 1024, "auth_hash_passes": 1}
PASSWORD = "a long one, with spaces 9"
DESCRIPTOR = {"service": "store", "version": "1", "methods": [
    {"name": "look", "access": "user", "request": {"type": "object"},
     "http": {"route": "GET /v1/store/look"}},
    {"name": "rule", "access": "user", "role": "admin", "request": {"type": "object"},
     "http": {"route": "GET /v1/store/rule"}}]}


def until(condition, name):
    limit = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < limit, name
        time.sleep(0.01)


class Setting:
    """The processes, and a service that only those may use who are known."""

    def __init__(self, folder):
        folder.run("migrate")
        folder.start("broker")
        self.auths = [folder.start("actor", "auth", "--instance", "auth-1")]
        self.auths[0].wait_line("sbx_live_")
        self.admin = {"X-API-Key": next(line.strip() for line in self.auths[0].lines
                                        if "sbx_live_" in line)}
        self.auths.append(folder.start("actor", "auth", "--instance", "auth-2"))
        self.edges = [folder.start("edge") for _ in range(2)]
        self.webs = [Web(edge.port) for edge in self.edges]
        self.store = Fake(folder.socket("bus"), "store", {"look": lambda body: {},
                                                          "rule": lambda body: {}},
                          descriptor=DESCRIPTOR)
        self.people = 0
        until(lambda: self.statuses(self.admin, "/v1/store/rule") == [200, 200], "it is all there")

    def statuses(self, who, path="/v1/store/look"):
        """What each edge answers."""
        return [web.get(path, who).status for web in self.webs]

    def call(self, method, path, body=None, who=None, edge=0):
        return self.webs[edge].request(
            method, path, None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json", **(who or {})})

    def sign_in(self):
        """Somebody new: the tokens of a first session."""
        self.people += 1
        who = {"email": f"user{self.people}@example.com", "password": PASSWORD}
        same(self.call("POST", "/v1/auth/register", who).status, 201, f"user {self.people}")
        return self.call("POST", "/v1/auth/login", who).json()

    def refresh(self, tokens, edge=0):
        """The answer to a refresh token."""
        return self.call("POST", "/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]},
                         edge=edge)

    def published(self, kids):
        """The public keys, once these are among them: an instance looks every few seconds which
        there are, and an edge has copies. By default a key is published for longer before it signs."""
        end = time.monotonic() + PATIENCE
        while True:
            keys = {key["kid"]: key["x"]
                    for key in self.call("GET", "/.well-known/jwks.json").json()["keys"]}
            if set(kids) <= set(keys):
                return keys
            assert time.monotonic() < end, f"{kids} are not among {list(keys)}"

    def wait_refused(self, who, name):
        """Until both edges refuse these callers, each of which both have just let in."""
        began = time.monotonic()
        while any(self.statuses(one) != [401, 401] for one in who):
            assert time.monotonic() < began + PATIENCE, name
        took = time.monotonic() - began
        check(took < MARGIN * WITHIN_SECONDS, f"{name}: refused on every edge", f"after {took} s")
        print(f"# {name}: after {took * 1000:.0f} ms")


def bearer(tokens):
    return {"Authorization": f"Bearer {tokens['access_token']}"}


# ---- stories --------------------------------------------------------------------------------------

def stolen(s):
    """Whoever of the two comes second, the family ends, and nobody's descendants are spared."""
    first = s.sign_in()
    second = s.refresh(first).json()
    third = s.refresh(second, edge=1).json()
    family = [bearer(tokens) for tokens in (first, second, third)]
    other = s.sign_in()
    for one in (*family, bearer(other)):
        same(s.statuses(one), [200, 200], "a token of before")
    same(s.refresh(first, edge=1).status, 401, "a refresh token that is stolen and late is refused")
    s.wait_refused(family, "the family of a stolen token")
    for name, tokens in (("it", first), ("its child", second), ("its grandchild", third)):
        same([s.refresh(tokens, edge=edge).status for edge in range(2)], [401, 401],
             f"{name} is worth nothing")
    same(s.statuses(bearer(other)), [200, 200], "another family knows nothing of it")

    mine = s.sign_in()
    theirs = s.refresh(s.refresh(mine).json(), edge=1).json()
    same(s.statuses(bearer(theirs)), [200, 200], "a thief who was quicker, and goes on")
    same(s.refresh(mine).status, 401, "is found out when the owner comes")
    s.wait_refused([bearer(mine), bearer(theirs)], "a thief's descendant")
    same(s.refresh(theirs).status, 401, "and cannot renew it")

    mine = s.sign_in()
    again = [s.refresh(mine, edge=edge) for edge in (0, 1)]
    same([answer.status for answer in again], [200, 200], "a retry at once is no theft")
    same(s.refresh(again[1].json()).status, 200, "and goes on")


def revoked(s):
    tokens = s.sign_in()
    me = bearer(tokens)
    made = s.call("POST", "/v1/keys", {"name": "ci"}, me).json()
    key = {"X-API-Key": made["key"]}
    same((s.statuses(me), s.statuses(key)), ([200, 200], [200, 200]), "a session and a key")
    same(s.call("DELETE", f"/v1/keys/{made['id']}", who=me).status, 204, "the key is revoked")
    s.wait_refused([key], "a revoked key")
    same(s.statuses(me), [200, 200], "its owner is not")
    session = s.call("GET", "/v1/auth/sessions", who=me).json()["items"][0]["id"]
    same(s.call("DELETE", f"/v1/auth/sessions/{session}", who=me, edge=1).status, 204, "signed off")
    s.wait_refused([me], "a session that was ended")

    tokens = s.sign_in()
    same(s.statuses(bearer(tokens)), [200, 200], "another session")
    same(s.call("POST", "/v1/auth/logout", {"refresh_token": tokens["refresh_token"]}).status, 204,
         "is left")
    s.wait_refused([bearer(tokens)], "who has logged out")

    tokens = s.sign_in()
    same(s.statuses(bearer(tokens)), [200, 200], "a user")
    user = s.call("GET", "/v1/me", who=bearer(tokens)).json()["id"]
    same(s.call("PATCH", f"/v1/admin/users/{user}", {"status": "disabled"}, s.admin).status, 200,
         "is disabled")
    s.wait_refused([bearer(tokens)], "a disabled user")


class Renewing(threading.Thread):
    """Renews a session all the time, at one edge and the other; `tokens` is the newest."""

    def __init__(self, s):
        super().__init__(daemon=True)
        self.s, self.tokens, self.ends = s, s.sign_in(), False
        self.kids, self.failures = [], []

    def header(self):
        return json.loads(base64.urlsafe_b64decode(
            self.tokens["access_token"].split(".")[0] + "=="))

    def run(self):
        for turn in itertools.count():
            if self.ends:
                return
            answer = self.s.refresh(self.tokens, edge=turn % 2)
            if answer.status != 200:
                self.failures.append(answer.raw)
                return
            self.tokens = answer.json()
            if self.header()["kid"] not in self.kids:
                self.kids.append(self.header()["kid"])


def rotated(s):
    """Signing keys change while everybody goes on, with tokens old and new."""
    old, renewing = s.sign_in(), Renewing(s)
    renewing.start()
    until(lambda: renewing.kids, "a token")

    def requests():
        for turn in itertools.takewhile(lambda _: not renewing.ends, itertools.count()):
            tokens = old if turn % 2 else renewing.tokens
            yield turn, request("GET", "/v1/store/look", headers=bearer(tokens), close=False)

    crowd = Crowd([edge.port for edge in s.edges], CLIENTS)
    load = crowd.start(requests())
    for count in (2, 3, 4):
        same(s.call("POST", "/v1/admin/signing-keys/rotate", who=s.admin).status, 201, "a new key")
        until(lambda c=count: len(renewing.kids) == c or renewing.failures, "it signs")
        answered = len(crowd.answers)
        until(lambda a=answered: len(crowd.answers) > a + 10 * CLIENTS, "the load goes on")
    renewing.ends = True
    renewing.join(PATIENCE)
    load.join(PATIENCE)
    same(renewing.failures, [], "sessions were renewed all the time")
    same(({answer.response.status for answer in crowd.answers}, crowd.cut), ({200}, []),
         f"{len(crowd.answers)} requests with tokens of {len(renewing.kids)} keys are all let in")
    s.published(renewing.kids)
    check(True, "keys stay published while tokens of theirs are good")


def forged(s):
    """What an attacker makes of a good token and the published keys."""
    tokens = s.sign_in()
    until(lambda: s.statuses(bearer(tokens)) == [200, 200], "a good token")
    head, body, signature = tokens["access_token"].split(".")
    right, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in (head, body))
    published = s.published([right["kid"]])
    mine = jwt.Key(right["kid"], b"m" * 32)
    now = int(time.time())

    def forge(header=None, claim=None, sign=None):
        return jwt.token(mine, {**claims, **(claim or {})}, {**right, **(header or {})}, sign)

    raw = base64.urlsafe_b64decode(published[right["kid"]] + "==")
    others = [kid for kid in published if kid != right["kid"]]
    pem = (b"-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(
        bytes.fromhex("302a300506032b6570032100") + raw) + b"\n-----END PUBLIC KEY-----\n")
    attacks = {
        "alg none": forge({"alg": "none"}, sign=lambda _: b""),
        "HS256 with the public key": forge({"alg": "HS256"}, sign=jwt.hs256(raw)),
        "HS256 with the public key as PEM": forge({"alg": "HS256"}, sign=jwt.hs256(pem)),
        "another's signature": forge(),
        "an unknown kid": forge({"kid": "nobody"}),
        "the kid of another key": ".".join([jwt.encode(json.dumps(
            {**right, "kid": others[0]}).encode()), body, signature]),
        "a key in the header": forge({"jwk": {"kty": "OKP", "crv": "Ed25519",
                                              "x": jwt.encode(mine.x)}}),
        "jku": forge({"jku": "https://evil.example/keys"}),
        "x5u": forge({"x5u": "https://evil.example/chain"}),
        "bad base64": f"{head}.{body}.{signature[:-1]}*",
        "padding": f"{head}.{body}.{signature}==",
        "another typ": forge({"typ": "JWT"}),
        "another audience": forge(claim={"aud": "another"}),
        "another issuer": forge(claim={"iss": "another"}),
        "an expired one": forge(claim={"exp": now - 60}),
        "one for later": forge(claim={"nbf": now + 600}),
        "more rights": f"{head}.{jwt.encode(json.dumps({**claims, 'roles': ['admin']}).encode())}"
                       f".{signature}",
    }
    for name, token in attacks.items():
        same(s.statuses({"Authorization": f"Bearer {token}"}), [401, 401], name)
    same(s.statuses({"Authorization": "Bearer " + "a" * 1000000}), [431, 431], "a megabyte")
    same(s.statuses(bearer(tokens)), [200, 200], "and the good one still is")


def silent(s):
    """While news of revoked rights may be missing, nobody does what only administrators may."""
    rule = "/v1/store/rule"
    same(s.statuses(s.admin, rule), [200, 200], "an administrator")
    for auth in s.auths:
        auth.process.send_signal(signal.SIGSTOP)
    try:
        until(lambda: s.statuses(s.admin, rule) == [503, 503], "auth falls silent")
        check(True, "is shut out when auth is silent")
    finally:
        for auth in s.auths:
            auth.process.send_signal(signal.SIGCONT)
    until(lambda: s.statuses(s.admin, rule) == [200, 200], "auth is heard again")
    check(True, "and let in when it is heard")

    # one of two: what it says is missing, although the other one answers
    s.auths[0].process.send_signal(signal.SIGSTOP)
    until(lambda: 503 in s.statuses(s.admin, rule), "an instance falls silent")
    s.auths.pop(0).kill()
    until(lambda: s.statuses(s.admin, rule) == [200, 200], "what is left is complete")
    check(True, "one instance that dies holds nobody up for long")


def main():
    if not os.environ.get("TEST_POSTGRES_URL"):
        skip("TEST_POSTGRES_URL is not set: run by tests/kit/postgres.py")
    with database() as url, Folder(storage_database=url, **SETTINGS) as folder:
        s = Setting(folder)
        stolen(s)
        revoked(s)
        rotated(s)
        forged(s)
        silent(s)
        s.store.stop()
    sys.exit(done())


main()
