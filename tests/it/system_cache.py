# SPDX-License-Identifier: MPL-2.0
"""The cache as clients meet it: two edges, two caches, and a Redis that is killed and comes back under
load. Nobody sees an error, /health says what is the matter, and what need not be computed is not."""
import collections
import itertools
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
import bus  # noqa: E402
from crowd import Crowd  # noqa: E402
from fakes import Fake  # noqa: E402
from parts import Folder  # noqa: E402
from redis import Missing, Redis  # noqa: E402
from tap import check, done, same, skip  # noqa: E402
from web import PATIENCE, Web, request  # noqa: E402

CROWD = 200
WAIT_SECONDS = 2  # then an edge computes by itself what it has been waiting for
KEYS = 100
CLIENTS = 32
ROUND = 4 * KEYS  # answers that are judged together
PLENTY = 1000000
SETTINGS = {"edge_port": 0, "edge_threads": 192, "edge_allow_anonymous": "true"}
DESCRIPTOR = {"service": "store", "version": "1", "methods": [
    {"name": "look", "access": "user", "request": {
        "type": "object", "properties": {"id": {"type": "integer"}}},
     "http": {"route": "GET /v1/store/{id}"}, "cache": {"ttl_s": 3600, "tags": "things"}}]}


class Store(Fake):
    """Computes, each time another number; not before it may."""

    def __init__(self, endpoint):
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.numbers = itertools.count(1)
        super().__init__(endpoint, "store", {"look": self.look}, descriptor=DESCRIPTOR)

    def look(self, body):
        self.may_answer.wait(PATIENCE)
        return {**body, "number": next(self.numbers)}


class Setting:
    """The processes, and what is asked of them beside the load."""

    def __init__(self, folder):
        folder.start("broker")
        folder.start("actor", "limiter")
        for name in ("cache-1", "cache-2"):
            folder.start("actor", "cache", "--instance", name)
        # one edge has copies of its own, the other asks the cache for everything
        self.edges = [folder.start("edge", "--edge.cache_bytes", size) for size in (0, 1 << 24)]
        self.webs = [Web(edge.port) for edge in self.edges]
        self.client = bus.Client(folder.socket("bus"))
        self.store = Store(folder.socket("bus"))
        for name in ("anonymous", "anonymous.read"):
            self.call("limiter", "policy_set", {"name": name, "limit": PLENTY, "window_ms": 60000})
        for web in self.webs:
            self.until(lambda w=web: w.get("/v1/store/0").headers.get(
                "ratelimit-policy", "").startswith(f'"anonymous";q={PLENTY}'))

    def call(self, service, method, body):
        return self.client.call(service, method, body, deadline=PATIENCE * 1000)[1]

    def stats(self):
        """The numbers of both caches."""
        return self.call("cache", "stats", {})

    @staticmethod
    def until(condition):
        limit = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > limit:
                raise TimeoutError
            time.sleep(0.02)

    def health(self, word):
        """Whether every edge says this of the whole, of the cache and of the limiter."""
        check_word = {"healthy": "ok", "degraded": "warning"}[word]
        reports = [web.get("/health") for web in self.webs]
        return all(report.status == 200 and report.json()["status"] == word and
                   all(report.json()["checks"][f"service.{name}"]["status"] == check_word
                       for name in ("cache", "limiter")) for report in reports)


def page(number):
    return number, request("GET", f"/v1/store/{number}", close=False)


def one_computation(s):
    """Many ask for the same at once, and nobody has it."""
    s.store.calls.clear()
    s.store.may_answer.clear()
    crowd = Crowd([edge.port for edge in s.edges], CROWD)
    asking = crowd.start([page(7)] * CROWD)
    s.until(lambda: s.store.count("look"))
    soon, waiting = time.monotonic() + WAIT_SECONDS / 2, 0
    while waiting < CROWD - 1 and time.monotonic() < soon:
        waiting = s.stats()["total"]["waiting"]
    print(f"# {waiting} wait for it")
    s.store.may_answer.set()
    asking.join(PATIENCE)
    same({answer.response.status for answer in crowd.answers}, {200}, f"{CROWD} equal questions")
    same(len(crowd.answers), CROWD, "are all answered")
    same(s.store.count("look"), 1, "by one computation")
    same(len({answer.response.body for answer in crowd.answers}), 1, "with the same")
    states = [answer.response.headers["x-cache"] for answer in crowd.answers]
    same(states.count("MISS"), 1, "and one of them was told that it was computed")


class Load:
    """Clients that ask for one page after the other until it ends."""

    def __init__(self, s):
        self.ends = False
        self.crowd = Crowd([edge.port for edge in s.edges], CLIENTS)
        pages = [page(number) for number in range(KEYS)]
        self.thread = self.crowd.start(itertools.takewhile(lambda _: not self.ends,
                                                           itertools.cycle(pages)))

    def hit_rate(self):
        """The share of a round that begins now."""
        first = len(self.crowd.answers) + CLIENTS
        Setting.until(lambda: len(self.crowd.answers) >= first + ROUND or
                      not self.thread.is_alive())
        states = [answer.response.headers.get("x-cache")
                  for answer in self.crowd.answers[first:first + ROUND]]
        return states.count("HIT") / ROUND

    def stop(self):
        self.ends = True
        self.thread.join(PATIENCE)


def without_redis(s, redis):
    load = Load(s)
    s.until(lambda: load.hit_rate() == 1)
    check(True, "under load: everything is found")
    computed = s.store.count("look")
    s.until(lambda: s.health("healthy"))
    redis.kill()
    s.until(lambda: s.health("degraded"))
    check(True, "Redis is killed: /health says degraded")
    s.until(lambda: load.hit_rate() == 1)
    same(s.store.count("look"), computed, "nothing is computed again for that")
    dropped = s.call("cache", "invalidate", {"tags": ["things"]})
    check(dropped["dropped"] > 0 and dropped["redis"] == "owed", "what is made void meanwhile", dropped)
    s.until(lambda: s.store.count("look") >= computed + KEYS)
    s.until(lambda: load.hit_rate() == 1)
    same(s.store.count("look"), computed + KEYS, "is computed once more, each page once")
    redis.start()
    s.until(lambda: s.health("healthy"))
    check(True, "Redis is back: degraded has ended")
    s.until(lambda: load.hit_rate() == 1)
    same(s.store.count("look"), computed + KEYS, "and nothing of before has come back")
    load.stop()
    same(load.crowd.cut, [], "no connection has ended before its answer")
    same({answer.response.status for answer in load.crowd.answers}, {200},
         f"{len(load.crowd.answers)} answers, no error among them")
    check(not any("x-degraded" in answer.response.headers for answer in load.crowd.answers),
          "and the limits were counted all the time")
    versions = collections.defaultdict(set)
    for answer in load.crowd.answers:
        versions[answer.tag].add(answer.response.json()["number"])
    same({len(numbers) for numbers in versions.values()}, {2}, "each page had two versions, no more")


def main():
    with Redis() as redis, Folder(storage_redis=redis.url, **SETTINGS) as folder:
        s = Setting(folder)
        one_computation(s)
        without_redis(s, redis)
        s.store.stop()
        s.client.close()


try:
    main()
except Missing as missing:
    skip(missing)
sys.exit(done())
