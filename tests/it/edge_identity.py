# SPDX-License-Identifier: MPL-2.0
"""Who is let in: tokens and keys good and bad, and how fast a revoked one is refused everywhere."""
import base64
import json
import os
import sys
import tempfile
import threading
import time

import msgpack

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
import jwt  # noqa: E402
from bus import Subscriber, Worker  # noqa: E402
from edge import PATIENCE, Edge  # noqa: E402
from fakes import Auth, Beat, Fake, Limiter  # noqa: E402
from parts import Folder  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import Web, read_all, request  # noqa: E402

KEY, NEXT, STRANGE = (jwt.Key(name, name.encode().ljust(32)) for name in ("k1", "k2", "k9"))
API_KEY = "sbx_live_abc_0123456789abcdef0123456789abcdef"


class Setting:
    """Two edges at one broker, and an auth under the test's control."""

    def __init__(self, edges=1, auth=True, **settings):
        self.folder = tempfile.TemporaryDirectory()
        self.bus, trusted, events = (f"ipc://{self.folder.name}/{name}"
                                     for name in ("bus", "trusted", "events"))
        settings = {"allow_anonymous": "false", "grants": "demo:public", **settings}
        broker = ("--broker.requests", f"inproc://bus,{self.bus}", "--broker.trusted", trusted,
                  "--broker.events", f"inproc://events,{events}")
        self.events = events
        self.edges = [Edge(*broker, **settings)]
        for _ in range(edges - 1):
            self.edges.append(Edge("--host.broker", "false", "--host.demo", "false",
                                   "--broker.trusted", trusted, "--bus.events", events,
                                   **settings))
        self.edge = self.edges[0]
        self.auth = self.beat = self.limiter = None
        if auth:
            self.start_auth()

    def start_auth(self, name="auth-fake"):
        self.auth = Auth(self.bus, [KEY], name)
        self.auth.add("s1", session="s1")
        self.auth.add(API_KEY, key_id="k-1", user="u2", scopes=["analysis"])
        self.beat = Beat(self.auth)
        self.until(lambda: all(self.get(jwt.token(KEY, jwt.claims()), edge=e).status != 503
                               for e in self.edges))
        self.until(self.remembers)

    def remembers(self):
        """Whether all edges have heard enough to remember anybody."""
        before = self.auth.count("identify")
        for edge in self.edges:
            for _ in range(2):
                self.key(edge=edge)
        return self.auth.count("identify") == before

    def until(self, condition):
        limit = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > limit:
                raise TimeoutError
            time.sleep(0.02)

    def get(self, token=None, path="/v1/demo/things/5", edge=None, **headers):
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return (edge or self.edge).get(path, headers)

    def key(self, path="/v1/demo/things/5", edge=None):
        return self.get(None, path, edge, **{"X-API-Key": API_KEY})

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        if self.beat:
            self.beat.stop()
            self.auth.stop()
        if self.limiter:
            self.limiter.stop()
        for edge in reversed(self.edges):
            edge.__exit__(*failure)
        self.folder.cleanup()


def flip(text):
    return text[:-1] + ("A" if text[-1] != "A" else "B")


def attacks():
    """(name, Authorization) of tokens that must not be taken."""
    good = jwt.claims()
    right = {"alg": "EdDSA", "typ": "at+jwt", "kid": "k1"}
    token = jwt.token(KEY, good)
    head, body, signature = token.split(".")
    now = int(time.time())
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": jwt.encode(STRANGE.x)}
    yield "no token", "Bearer"
    yield "an empty one", "Bearer "
    yield "another scheme", "Basic " + base64.b64encode(b"admin:admin").decode()
    yield "a token without a scheme", token
    yield "two tokens", f"Bearer {token}, Bearer {token}"
    yield "a token and more", f"Bearer {token} x"
    yield "two parts", f"Bearer {head}.{body}"
    yield "four parts", f"Bearer {token}.{signature}"
    yield "no signature", f"Bearer {head}.{body}."
    yield "a changed signature", f"Bearer {head}.{body}.{'A' + signature[1:] if signature[0] != 'A' else 'B' + signature[1:]}"
    yield "another signature's bits", f"Bearer {head}.{body}.{flip(signature)}"
    yield "padding", f"Bearer {token}=="
    yield "a sign of other base64", f"Bearer {head}.{body}.{'+' + signature[1:]}"
    yield "other claims under the signature", \
        f"Bearer {head}.{jwt.encode(json.dumps({**good, 'roles': ['admin']}).encode())}.{signature}"
    for alg in ("none", "None", "nOnE"):
        yield f"alg {alg}", "Bearer " + jwt.token(KEY, good, {**right, "alg": alg},
                                                  sign=lambda _: b"")
    yield "alg none, signed", "Bearer " + jwt.token(KEY, good, {**right, "alg": "none"})
    yield "HS256 with the public key", "Bearer " + jwt.token(
        KEY, good, {**right, "alg": "HS256"}, sign=jwt.hs256(KEY.x))
    yield "EdDSA, but HMAC with the public key", "Bearer " + jwt.token(
        KEY, good, right, sign=jwt.hs256(KEY.x))
    yield "another key of that name", "Bearer " + jwt.token(STRANGE, good, right)
    yield "an unknown kid", "Bearer " + jwt.token(STRANGE, good)
    yield "a path for a kid", "Bearer " + jwt.token(KEY, good, {**right, "kid": "../../dev/null"})
    yield "no kid", "Bearer " + jwt.token(KEY, good, {"alg": "EdDSA", "typ": "at+jwt"})
    for name, value in (("jwk", jwk), ("jku", "https://evil.example/keys"),
                        ("x5u", "https://evil.example/x5u"), ("x5c", ["MIIB"]), ("crit", ["exp"]),
                        ("b64", False), ("zip", "DEF")):
        yield f"a header with {name}", "Bearer " + jwt.token(STRANGE, good, {**right, name: value})
        yield f"a header with {name}, well signed", "Bearer " + jwt.token(
            KEY, good, {**right, name: value})
    for typ in ("JWT", "jwt", "application/at+jwt+x", "", None):
        header = {**right, "typ": typ} if typ is not None else {"alg": "EdDSA", "kid": "k1"}
        yield f"typ {typ}", "Bearer " + jwt.token(KEY, good, header)
    yield "a header twice", "Bearer " + jwt.token(
        KEY, good, '{"alg":"none","alg":"EdDSA","typ":"at+jwt","kid":"k1"}')
    yield "a claim twice", "Bearer " + jwt.token(
        KEY, json.dumps(good)[:-1] + ',"sub":"admin"}')
    for name, value in (("iss", "evil"), ("iss", None), ("aud", "other"), ("aud", ["other"]),
                        ("aud", None), ("exp", now - 600), ("exp", None), ("exp", "9999999999"),
                        ("exp", -1), ("iat", now + 600), ("nbf", now + 600), ("sub", None),
                        ("sub", 1), ("sub", ""), ("sid", None), ("sid", "s0"), ("acc", None),
                        ("sub", "x" * 65)):
        yield f"{name} {value}", "Bearer " + jwt.token(KEY, {**jwt.claims(), name: value} if value
                                                       is not None else jwt.claims(**{name: None}))
    yield "an array", "Bearer " + jwt.token(KEY, "[]")
    yield "no JSON", "Bearer " + jwt.token(KEY, "not json")
    yield "deep JSON", "Bearer " + jwt.token(KEY, "[" * 300 + "]" * 300)
    yield "a long token", "Bearer " + jwt.token(KEY, jwt.claims(x="y" * 4000))
    yield "a very long token", "Bearer " + "a" * 12000
    yield "a key that nobody has", "Bearer sbx_live_abc_ffffffffffffffffffffffffffffffff"
    yield "a key with more", f"Bearer {API_KEY}/../x"
    yield "half a key", f"Bearer {API_KEY[:20]}"


def the_good():
    with Setting(edges=1) as s:
        token = jwt.token(KEY, jwt.claims())
        got = s.get(token)
        same(got.status, 200, "a token")
        same(s.edge.get("/v1/demo/things/5", {"authorization": f"bEaReR  {token}"}).status, 200,
             "however it is spelled")
        same(s.key().status, 200, "an API key as X-API-Key")
        same(s.get(API_KEY).status, 200, "an API key as a bearer")
        asked = s.auth.count("identify")
        same({s.get(token).status for _ in range(20)} | {s.key().status for _ in range(20)}, {200},
             "again and again")
        same(s.auth.count("identify"), asked, "without asking auth again")
        same(s.get().status, 401, "nobody")
        same(s.get(path="/v1/demo/open").status, 200, "nobody, at what is public")
        bad = s.get("bad")
        same((bad.status, bad.headers.get("www-authenticate"), bad.code),
             (401, 'Bearer error="invalid_token"', "UNAUTHENTICATED"), "somebody else's token")
        both = s.get(token, **{"X-API-Key": API_KEY})
        same(both.status, 401, "two credentials at once")
        same(s.get("bad", path="/v1/demo/open").status, 200,
             "at what is public, a bad one makes a stranger")
        same(s.get(token, path="/v1/demo/admin").code, "FORBIDDEN", "a role that the caller lacks")
        s.auth.publish_keys([KEY, NEXT])
        s.auth.add("s2", session="s2")
        s.until(lambda: s.get(jwt.token(NEXT, jwt.claims(sid="s2"))).status == 200)
        same(s.get(token).status, 200, "two keys at once, while they are rotated")
        s.auth.publish_keys([NEXT])
        s.until(lambda: s.get(jwt.token(KEY, jwt.claims(jti="new"))).status == 401)
        check(True, "and the old one no more")


def the_principal():
    """What a service is told about a caller is what auth says, not what the token does."""
    descriptor = {"service": "mirror", "version": "1", "methods": [
        {"name": "look", "access": "user", "request": {"type": "object"},
         "http": {"route": "GET /v1/mirror"}}]}
    with Setting(trusted_proxies="127.0.0.0/8") as s:
        mirror = Worker(s.bus, "mirror", "mirror-1", descriptor=descriptor)
        seen = []

        def serve():
            head, frames = mirror.next()
            seen.append(msgpack.unpackb(frames[0]))
            mirror.answer(head, {})
        s.auth.add("s7", session="s7", user="u7", account="a7", tier="pro", roles=["user", "owner"])
        s.until(lambda: s.edge.get("/v1/mirror").status == 401)
        thread = threading.Thread(target=serve)
        thread.start()
        token = jwt.token(KEY, jwt.claims(sid="s7", sub="u7", tier="enterprise", roles=["admin"]))
        same(s.get(token, path="/v1/mirror", **{"X-Forwarded-For": "203.0.113.9"}).status, 200,
             "a request")
        thread.join()
        same({name: seen[0].get(name) for name in ("account", "user", "tier", "session", "roles",
                                                   "scopes", "address")},
             {"account": "a7", "user": "u7", "tier": "pro", "session": "s7",
              "roles": ["user", "owner"], "scopes": ["*"], "address": "203.0.113.9"},
             "is made in the name that auth gives, from the client's address")
        mirror.close()


def the_bad():
    with Setting() as s:
        for name, header in attacks():
            got = s.edge.get("/v1/demo/things/5", {"Authorization": header})
            same((got.status, got.code), (401, "UNAUTHENTICATED"), name)
        same(s.edge.get("/v1/demo/things/5", {"Authorization": "Bearer " + "a" * 1000000}).status,
             431, "a megabyte is refused with the headers")
        for value in ("", "x", API_KEY[:-1], API_KEY + "0", "sbx_live_é"):
            same(s.edge.get("/v1/demo/things/5", {"X-API-Key": value}).status, 401,
                 f"the key {value[:12]!r}")
        same(s.get(jwt.token(KEY, jwt.claims())).status, 200, "and the good one still does")


def revocation():
    with Setting(edges=2) as s:
        token = jwt.token(KEY, jwt.claims())
        for edge in s.edges:
            same((s.get(token, edge=edge).status, s.key(edge=edge).status), (200, 200), "two callers")
        for _ in range(5):  # on a busy machine a beacon may come late, after which all are asked again
            asked = s.auth.count("identify")
            s.beat.tell("session", "another")
            s.beat.tell("key", "another")
            for edge in s.edges:
                same((s.get(token, edge=edge).status, s.key(edge=edge).status), (200, 200),
                     "somebody else's news")
            if s.auth.count("identify") == asked:
                break
        same(s.auth.count("identify"), asked, "changes nothing for them")
        del s.auth.people[API_KEY]
        s.beat.tell("key", "k-1")
        told = time.monotonic()
        s.until(lambda: all(s.key(edge=edge).status == 401 for edge in s.edges))
        check(time.monotonic() - told < 5, "a revoked key is refused on every edge")
        same([s.get(token, edge=edge).status for edge in s.edges], [200, 200], "and nobody else")
        del s.auth.people["s1"]
        s.beat.tell("session", "s1")
        s.until(lambda: all(s.get(token, edge=edge).status == 401 for edge in s.edges))
        check(True, "a session that was ended, too")
        s.auth.add("s1", session="s1", tier="pro")
        s.until(lambda: s.get(token).status == 200)

        with s.edge.connect() as stream:
            stream.sendall(request("GET", "/v1/events",
                                   headers={"Authorization": f"Bearer {token}"}))
            same(stream.recv(4096)[:15], b"HTTP/1.1 200 OK", "a stream of events")
            s.beat.tell("session", "s1")
            read_all(stream)
        check(True, "ends when its caller's rights have changed")
        s.until(lambda: s.get(token).status == 200)

        # an answer that was asked for before the change, and comes after it
        s.auth.add("s5", session="s5")
        late = jwt.token(KEY, jwt.claims(sid="s5"))
        s.auth.delay = 0.5
        first = threading.Thread(target=s.get, args=(late,))
        count = s.auth.count("identify")
        first.start()
        s.until(lambda: s.auth.count("identify") > count)
        s.beat.tell("session", "s5")
        first.join()
        s.auth.delay = 0
        count = s.auth.count("identify")
        s.get(late)
        same(s.auth.count("identify"), count + 1, "an answer older than the news is not remembered")


def silence():
    with Setting() as s:
        s.auth.add("admin", session="admin", roles=["user", "admin"])
        admin, token = (jwt.token(KEY, jwt.claims(sid=sid)) for sid in ("admin", "s1"))
        same((s.get(admin, path="/v1/demo/admin").status, s.get(token).status), (200, 200),
             "an administrator")
        cleared = s.edge.metric("edge_identities_cleared_total")
        s.beat.stop()
        s.until(lambda: s.edge.metric("edge_identities_cleared_total") > cleared)
        same(s.get(admin, path="/v1/demo/admin").status, 503,
             "is shut out when auth falls silent")
        same(s.get(admin, path="/v1/demo/admin").json().get("detail"),
             "News of revoked rights has been missed: closed until it is complete", "and told why")
        asked = s.auth.count("identify")
        same((s.get(token).status, s.get(token).status), (200, 200), "others are let in")
        same(s.auth.count("identify"), asked + 2, "but asked about each time")
        s.beat = Beat(s.auth)
        s.until(lambda: s.get(admin, path="/v1/demo/admin").status == 200)
        check(True, "until auth is heard again")
        s.until(s.remembers)
        cleared = s.edge.metric("edge_identities_cleared_total")
        s.beat.tell("session", "gone", skip=1)
        s.until(lambda: s.edge.metric("edge_identities_cleared_total") > cleared)
        check(True, "a gap makes the edge forget everybody")
        s.until(lambda: s.get(admin, path="/v1/demo/admin").status == 200)
        s.beat.stop()
        s.auth.tell("bye")
        s.until(s.remembers)
        time.sleep(1)  # longer than a silence may be
        asked = s.auth.count("identify")
        same((s.get(admin, path="/v1/demo/admin").status, s.auth.count("identify")), (200, asked),
             "one that says good-bye is not missed")
        s.auth.stop()
        same(s.get(jwt.token(KEY, jwt.claims(jti="new"))).status, 503, "nobody new is let in")
        same(s.get("bad").status, 401, "and no bad token")
        s.start_auth("auth-next")
        same(s.get(token).status, 200, "the next instance carries on")


def administrators():
    with Setting(trusted_proxies="127.0.0.0/8", admin_networks="10.0.0.0/8 2001:db8::/32") as s:
        s.auth.add("admin", session="admin", roles=["user", "admin"])
        token = jwt.token(KEY, jwt.claims(sid="admin"))
        audit = Subscriber(s.events, "audit")
        for address, status in (("10.1.2.3", 200), ("2001:db8::1", 200), ("11.1.2.3", 403),
                                ("203.0.113.1, 10.0.0.1", 200), ("10.0.0.1, 203.0.113.1", 403)):
            same(s.get(token, path="/v1/demo/admin", **{"X-Forwarded-For": address}).status, status,
                 f"an administrator at {address}")
        same(s.get(token, **{"X-Forwarded-For": "11.1.2.3"}).status, 200,
             "may do from anywhere what others may")
        descriptor = {"service": "plant", "version": "1", "methods": [
            {"name": "stop", "access": "user", "role": "admin", "request": {"type": "object"},
             "http": {"route": "POST /v1/plant/stop"}}]}
        plant = Fake(s.bus, "plant", {"stop": lambda body: {}}, descriptor=descriptor)
        s.until(lambda: s.edge.request("POST", "/v1/plant/stop").status == 401)
        while audit.socket.poll(100):
            audit.next()
        for address, status in (("10.1.2.3", 200), ("11.1.2.3", 403)):
            s.edge.request("POST", "/v1/plant/stop", headers={
                "Authorization": f"Bearer {token}", "X-Forwarded-For": address})
            told = audit.next().body
            same({name: told[name] for name in ("action", "detail", "user_id", "account_id", "target",
                                                "address")},
                 {"action": "plant.stop", "detail": f"status={status}", "user_id": "u1",
                  "account_id": "a1", "target": "/v1/plant/stop", "address": address},
                 f"what is done from {address} is told")
        plant.stop()
        audit.close()
    with Setting() as s:
        s.auth.add("admin", session="admin", roles=["user", "admin"])
        token = jwt.token(KEY, jwt.claims(sid="admin"))
        same(s.get(token, path="/v1/demo/admin").status, 200, "an administrator on this machine")
        for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
            got = s.get(token, path="/v1/demo/admin", **{name: "127.0.0.1"})
            check(got.status == 403 and "trusted_proxies" in got.json()["detail"],
                  f"but not behind a proxy that nobody has named ({name})", got.raw)
            same(s.get(token, **{name: "127.0.0.1"}).status, 200, "which others may be")


def limits():
    policies = {"address": (3, 900), "free": (5, 60), "pro": (8, 60), "free.read": (4, 60)}
    with Setting(limits="true", auth=False, trusted_proxies="127.0.0.0/8") as s:
        limiter = s.limiter = Limiter(s.bus, policies)
        s.auth = Auth(s.bus, [KEY])
        s.auth.add("s1", session="s1")
        s.beat = Beat(s.auth)
        token = jwt.token(KEY, jwt.claims())

        def get(token, address="203.0.113.1"):
            return s.get(token, path="/v1/ping", **{"X-Forwarded-For": address})
        s.until(lambda: "x-degraded" not in get(None, "192.0.2.9").headers)
        s.until(lambda: get(token).headers.get("x-ratelimit-tier") == "free")
        limiter.publish(policies)
        limiter.used.clear()
        s.until(lambda: get(token).status == 429)
        same(limiter.used, {("account:a1", "free"): 5}, "who has signed in is an account")
        refused = get(token).json()
        same((refused.get("current_tier"), list(refused.get("limits", {}))), ("free", ["free", "pro"]),
             "the refusal names the tier and the next one")
        s.auth.people["s1"]["tier"] = "pro"
        s.beat.tell("account", "a1")
        s.until(lambda: get(token).status == 200)
        same(get(token).headers.get("x-ratelimit-tier"), "pro", "a new tier is felt at once")

        limiter.publish({**policies, "pro": (2, 60), "address.user": (4, 60)})
        s.auth.add("s9", session="s9", account="a9", tier="pro")
        other = jwt.token(KEY, jwt.claims(sid="s9"))
        s.until(lambda: get(other).headers.get("ratelimit-policy") == '"pro";q=2;w=60')
        limiter.used.clear()
        limiter.calls.clear()
        s.until(lambda: get(token).status == 429)
        s.until(lambda: limiter.used["address:203.0.113.1", "address.user"] == 2)
        same(limiter.used["account:a1", "pro"], 2,
             "of two limits the first is given back when the second refuses")
        takes = limiter.count("take")
        same([get(token).status for _ in range(5)] + [limiter.count("take") - takes], [429] * 5 + [0],
             "and neither is asked for while a refusal lasts")

        asked = s.auth.count("identify")
        answers = [s.get("sbx_live_guess_%032d" % i, **{"X-Forwarded-For": "198.51.100.1"}).status
                   for i in range(10)]
        same(answers, [401] * 3 + [429] * 7, "guessing keys is limited by address")
        check(s.auth.count("identify") - asked <= 4, "and auth is not kept busy by it")


def with_the_actors():
    """The same with auth, limiter and cache themselves."""
    with Folder(edge_port=0, edge_threads=16, edge_upgrade_url="https://a.example/more") as folder:
        part = folder.start("run")
        web = Web(part.port)
        part.wait_line("sbx_live_")
        admin = {"X-API-Key": next(line.strip() for line in part.lines if "sbx_live_" in line)}
        who = {"email": "ann@example.com", "password": "a long one, with spaces 9"}

        def call(method, path, body=None, headers=None):
            return web.request(method, path, None if body is None else json.dumps(body).encode(),
                               {"Content-Type": "application/json", **(headers or {})})
        same(call("POST", "/v1/auth/register", who).status, 201, "registered")
        for _ in range(6):
            signed_in = call("POST", "/v1/auth/login", who)
        same(signed_in.status, 200, "signing in rightly is not what is limited to five")
        bearer = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
        made = call("POST", "/v1/keys", {"name": "ci"}, bearer)
        key = {"X-API-Key": made.json()["key"]}
        same((made.status, call("GET", "/v1/me", headers=key).status), (201, 200), "a key")
        answers = []
        while not answers or answers[-1].status in (200, 201) and len(answers) < 20:
            document = {"nodes": [{"id": f"n{len(answers)}", "type": "trigger"}], "edges": []}
            answers.append(call("POST", "/v1/analyses", document, key))
        refused = answers[-1]
        same((len(answers), refused.status, refused.json().get("current_tier"),
              refused.json().get("upgrade_url")), (11, 429, "free", "https://a.example/more"),
             "ten analyses of the free tier")
        users = call("GET", "/v1/admin/users", headers=admin).json()["items"]
        ann = next(user["id"] for user in users if user["email"] == who["email"])
        same(call("PATCH", f"/v1/admin/users/{ann}", {"tier": "pro"}, admin).status, 200, "raised")
        limit = time.monotonic() + PATIENCE
        while (again := call("POST", "/v1/analyses", document, key)).status == 429:
            assert time.monotonic() < limit, "the tier is not felt"
        same((again.status, again.headers.get("x-ratelimit-tier")), (201, "pro"), "goes on")
        same(call("GET", "/.well-known/jwks.json").json()["keys"][0]["kty"], "OKP", "keys for others")
        same(call("GET", "/v1/admin/users", headers=key).code, "FORBIDDEN", "not for everybody")
        same(call("DELETE", f"/v1/keys/{made.json()['id']}", headers=bearer).status, 204, "revoked")
        limit = time.monotonic() + PATIENCE
        while call("GET", "/v1/me", headers=key).status != 401:
            assert time.monotonic() < limit, "the revocation is not felt"
        wrong = [call("POST", "/v1/auth/login", {**who, "password": "wrong"}).status
                 for _ in range(7)]
        check(429 in wrong and set(wrong) <= {401, 429}, "guessing a password has an end", wrong)


the_good()
the_principal()
the_bad()
revocation()
silence()
administrators()
limits()
with_the_actors()
sys.exit(done())
