# SPDX-License-Identifier: MPL-2.0
"""Answers that are given again: from the edge's own copies, and from a cache fake and real."""
import json
import os
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from edge import PATIENCE, Edge  # noqa: E402
from fakes import Auth, Beat, Cache, Failure, Fake  # noqa: E402
from parts import Folder  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import Web  # noqa: E402

JSON = {"Content-Type": "application/json"}
ID = {"type": "object", "properties": {"id": {"type": "integer"}, "more": {"type": "string"}}}
ANY = {"type": "object", "properties": {"any": {}}}


def method(name, route, cache=None, **more):
    return {"name": name, "access": "user", "request": ID, "http": {"route": route}, **more,
            **({"cache": cache} if cache else {})}


DESCRIPTOR = {"service": "store", "version": "1", "methods": [
    method("mine", "GET /v1/store/mine/{id}", {"ttl_s": 60, "vary": "account", "tags": "thing:{id}"}),
    method("own", "GET /v1/store/own/{id}", {"ttl_s": 60, "vary": "user", "tags": "thing:{id}"}),
    method("all", "GET /v1/store/all/{id}", {"ttl_s": 60, "tags": "thing:{id}, things"}),
    method("brief", "GET /v1/store/brief/{id}", {"ttl_s": 1}),
    method("never", "GET /v1/store/never/{id}"),
    method("fails", "GET /v1/store/fails/{id}", {"ttl_s": 60}),
    method("remove", "DELETE /v1/store/mine/{id}", {"tags": "thing:{id}"}),
    {**method("submit", "POST /v1/store", {"ttl_s": 5, "vary": "account", "tags": "thing:{id}"},
              idempotent=True), "request": ANY,
     "http": {"route": "POST /v1/store", "status": 201, "body": "any"}},
]}


class Store(Fake):
    """Answers each call with a number of its own."""

    def __init__(self, endpoint):
        self.number = 0
        self.delay = 0
        super().__init__(endpoint, "store", {name: self.answer for name in (
            "mine", "own", "all", "brief", "never", "remove")} | {
                "fails": self.fail, "submit": self.submit}, descriptor=DESCRIPTOR)

    def answer(self, body):
        time.sleep(self.delay)
        self.number += 1
        return {**body, "number": self.number}

    def fail(self, body):
        raise Failure(404, "NOT_FOUND")

    def submit(self, body):
        self.number += 1
        return {"id": 5, "number": self.number}


class Setting:
    """Two edges, a service with cache rules, and callers by API key."""

    def __init__(self, edges=1, cache=True, **settings):
        self.folder = tempfile.TemporaryDirectory()
        self.bus, trusted, events = (f"ipc://{self.folder.name}/{name}"
                                     for name in ("bus", "trusted", "events"))
        settings = {"allow_anonymous": "false", **settings}
        self.edges = [Edge("--broker.requests", f"inproc://bus,{self.bus}", "--broker.trusted",
                           trusted, "--broker.events", f"inproc://events,{events}", **settings)]
        for _ in range(edges - 1):
            self.edges.append(Edge("--host.broker", "false", "--host.demo", "false",
                                   "--broker.trusted", trusted, "--bus.events", events,
                                   **settings))
        self.edge = self.edges[0]
        self.auth = Auth(self.bus, [])
        for account, user in (("a", "u"), ("a", "v"), ("b", "w")):
            self.auth.add(f"sbx_{user}", account=account, user=user)
        self.beat = Beat(self.auth)
        self.store = Store(self.bus)
        self.cache = Cache(self.bus) if cache else None
        self.until(lambda: all(self.get("never/1", edge=edge).status == 200 for edge in self.edges))

    def until(self, condition):
        limit = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > limit:
                raise TimeoutError
            time.sleep(0.02)

    def get(self, path, user="u", edge=None, verb="GET", **headers):
        return (edge or self.edge).request(verb, f"/v1/store/{path}",
                                           headers={"X-API-Key": f"sbx_{user}", **headers})

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.beat.stop()
        for fake in (self.auth, self.store, self.cache):
            if fake:
                fake.stop()
        for edge in reversed(self.edges):
            edge.__exit__(*failure)
        self.folder.cleanup()


def seen(response):
    return response.status, response.headers.get("x-cache"), response.json().get("number")


def copies():
    with Setting(cache=False) as s:
        first = s.get("mine/1")
        number = first.json()["number"]
        same(seen(first), (200, "MISS", number), "an answer is computed")
        second = s.get("mine/1")
        same((seen(second), second.headers.get("age")), ((200, "HIT", number), "0"),
             "and given again, with its age")
        same((second.body, second.headers["etag"], second.headers["content-type"]),
             (first.body, first.headers["etag"], first.headers["content-type"]), "the same to a byte")
        tag = second.headers["etag"]
        same((s.get("mine/1", **{"If-None-Match": tag}).status,
              s.get("mine/1", verb="HEAD").headers.get("x-cache")), (304, "HIT"),
             "also as 304, and to HEAD")
        same(seen(s.get("mine/1", "v")), (200, "HIT", number), "to others of the account")
        check(seen(s.get("mine/1", "w"))[1] == "MISS", "not to another account")
        check(seen(s.get("mine/1?more=x"))[1] == "MISS", "nor for another question")
        same([seen(s.get("own/1", user))[1] for user in "uvuv"], ["MISS", "MISS", "HIT", "HIT"],
             "what varies by user is the user's")
        same([seen(s.get("all/1", user))[1] for user in "uvw"], ["MISS", "HIT", "HIT"],
             "what does not vary is everybody's")
        same(s.edge.get("/v1/store/all/1").status, 401, "who may ask at all")
        same([s.get("never/1").headers.get("x-cache") for _ in range(2)], [None] * 2,
             "what has no rule is not kept")
        same([(r.status, r.headers.get("x-cache")) for r in (s.get("fails/1"), s.get("fails/1"))],
             [(404, "MISS")] * 2, "nor is a failure")
        s.get("brief/1")
        s.until(lambda: seen(s.get("brief/1"))[1] == "MISS")
        check(True, "time passes")

        same(s.get("mine/1", verb="DELETE").status, 200, "a change")
        check(seen(s.get("mine/1"))[1:] > ("MISS", number), "makes void what it names")
        same(seen(s.get("mine/1?more=x"))[1], "MISS", "in every form")
        s.get("mine/2")
        same(seen(s.get("mine/2"))[1], "HIT", "and nothing else")


def invalidation():
    with Setting(edges=2) as s:
        def warm():
            """All answers are copies on both edges."""
            for edge in s.edges:
                for path in ("mine/1", "all/1", "mine/2"):
                    s.until(lambda e=edge, p=path: seen(s.get(p, edge=e))[1] == "HIT")

        def numbers(path):
            return [seen(s.get(path, edge=edge))[2] for edge in s.edges]
        warm()
        before = numbers("mine/1")
        same(before[0], before[1], "two edges, one computation")
        s.get("mine/1", verb="DELETE")
        same(s.cache.count("invalidate"), 1, "a change is told to the cache")
        s.until(lambda: min(numbers("mine/1")) > before[0])
        check(True, "and holds on every edge")
        warm()
        old = numbers("all/1"), numbers("mine/2")
        s.cache.invalidate({"tags": ["things"]})
        s.until(lambda: min(numbers("all/1")) > max(old[0]))
        same(numbers("mine/2"), old[1], "an event drops what it names")
        warm()
        old = numbers("mine/2")
        s.cache.values.clear()
        s.cache.invalidate({"tags": ["another"]}, skip=1)
        s.until(lambda: min(numbers("mine/2")) > max(old))
        check(True, "a gap drops all copies")
        warm()
        old = numbers("mine/2")
        prefix = next(iter(s.cache.values))[:20]
        s.cache.values.clear()
        s.cache.invalidate({"prefix": prefix})
        s.until(lambda: min(numbers("mine/2")) > max(old))
        check(True, "so does a prefix of theirs")


def the_service():
    with Setting() as s:
        same(seen(s.get("mine/1"))[1], "MISS", "nobody has it")
        s.until(lambda: s.cache.values)
        key, kept = next(iter(s.cache.values.items()))
        check(key.startswith("edge:store.mine:") and ":a:" in key, "a key names what, and whose", key)
        same((kept["ttl_s"], kept["tags"], kept["lease"]), (60, ["thing:1"], 7),
             "a value has its time and tags")
        s.cache.invalidate({"all": True})  # the copies go; the fake keeps its values
        s.until(lambda: s.get("mine/1").headers.get("age") == "12")
        same(seen(s.get("mine/1"))[:2], (200, "HIT"), "the cache has it yet, with its age")
        s.cache.state = "stale"
        s.cache.invalidate({"all": True})
        s.until(lambda: seen(s.get("mine/1"))[1] == "STALE")
        asked = s.cache.count("get")
        same(seen(s.get("mine/1"))[1], "STALE", "a stale one is given")
        same(s.cache.count("get"), asked + 1, "and not copied")
        s.cache.state = None

        released = s.cache.count("release")
        same(s.get("fails/1").status, 404, "a failure")
        s.until(lambda: s.cache.count("release") == released + 1)
        check(True, "gives the lease back")
        s.cache.lease = 0
        kept = len(s.cache.values)
        same(seen(s.get("mine/9"))[1], "MISS", "without a lease")
        same(len(s.cache.values), kept, "nothing is stored")

        s.cache.silent = True
        took = time.monotonic()
        same({seen(s.get(f"mine/{i}"))[1] for i in range(100, 110)}, {"MISS"}, "a silent cache")
        check(time.monotonic() - took < 15, "is not waited for by everybody")
        s.cache.silent = False
        s.cache.stop()
        same({s.get(f"mine/{i}").status for i in range(200, 220)}, {200}, "without one all goes on")


def bodies():
    """A POST that is idempotent by content, answered 201 and then 200."""
    with Setting(cache=False) as s:
        def post(body, user="u"):
            return s.edge.request("POST", "/v1/store", body,
                                  {"X-API-Key": f"sbx_{user}", **JSON})
        body = json.dumps({"nodes": list(range(500))}).encode()
        first = [post(body) for _ in range(3)]
        same([(r.status, r.headers.get("x-cache")) for r in first], [(201, "MISS")] * 3,
             "what was made is not a copy")
        s.store.statuses["submit"] = 200
        again = [post(body) for _ in range(4)]
        same([(r.status, r.headers.get("x-cache")) for r in again],
             [(200, "MISS")] + [(200, "HIT")] * 3, "what was made before is")
        same(len({r.body for r in again}), 1, "the same answer")
        same(post(body, "w").headers.get("x-cache"), "MISS", "not for another account")
        same(post(body + b" ").headers.get("x-cache"), "MISS", "nor for another body")
        same(post(b"{").status, 400, "nor for a broken one")
        s.get("mine/5", verb="DELETE")
        same(post(body).headers.get("x-cache"), "MISS", "nor when what it names was deleted")


def a_real_cache():
    with Folder(edge_port=0, edge_allow_anonymous="true", edge_threads=128,
                edge_limits="false") as folder:
        part = folder.start("run")
        web = Web(part.port)
        with open(os.path.join(os.environ.get("srcdir", "."), "docs", "examples", "workflow.json"),
                  "rb") as file:
            workflow = file.read()

        def call(method, path, body=None):
            answer = web.request(method, path, body, JSON if body else {})
            return answer
        made = call("POST", "/v1/analyses", workflow)
        same(made.status, 201, "an analysis")
        path = "/v1/analyses/" + made.json()["id"]
        answers = [call("POST", "/v1/analyses", workflow) for _ in range(3)]
        same([(a.status, a.headers.get("x-cache")) for a in answers],
             [(200, "MISS"), (200, "HIT"), (200, "HIT")], "the same body again")
        same([call("GET", path).headers.get("x-cache") for _ in range(3)], ["MISS", "HIT", "HIT"],
             "read again")
        text = folder.run("call", "cache.stats")
        check(json.loads(text)["total"]["sets"] >= 1, "the cache has it", text)
        same(call("DELETE", path).status, 204, "deleted")
        same(call("GET", path).status, 404, "is gone at once")
        same(call("POST", "/v1/analyses", workflow).status, 201, "and made anew")

        store = Store(f"ipc://{folder.path}/var/bus.sock")
        store.delay = 0.3
        limit = time.monotonic() + PATIENCE
        while call("GET", "/v1/store/never/1").status != 200 and time.monotonic() < limit:
            time.sleep(0.02)
        store.calls.clear()
        found = []
        threads = [threading.Thread(target=lambda: found.append(call("GET", "/v1/store/all/7")))
                   for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        same({answer.status for answer in found}, {200}, "100 equal questions at once")
        same(store.count("all"), 1, "are one computation")
        store.stop()


copies()
invalidation()
the_service()
bodies()
a_real_cache()
sys.exit(done())
