# SPDX-License-Identifier: MPL-2.0
"""Two instances of the cache as processes, a Redis between them, and load that never stops: an
instance and then Redis are killed and come back, and no caller sees an error."""
import os
import sys
import threading
import time

import zmq

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
import bus  # noqa: E402
from parts import Folder  # noqa: E402
from redis import Missing, Redis  # noqa: E402
from tap import check, done, same, skip  # noqa: E402

PATIENCE = 30  # seconds for what must happen
KEYS = [f"key:{number}" for number in range(50)]
CROWD = 200


def options(key):
    """How a call about a key is sent: when its instance dies, another one is asked."""
    return {"deadline": PATIENCE * 1000, "flags": bus.ROUTE_KEY | bus.IDEMPOTENT,
            "route_key": bus.route_key(key)}


class Cache(bus.Client):
    """Calls of the cache."""

    def about(self, method, key, **fields):
        """A call about a key: (FINAL or ERROR, body)."""
        return self.call("cache", method, {"key": key, **fields}, **options(key))

    def ask(self, key, **fields):
        """Sends a get without waiting for its answer."""
        return self.send("cache", "get", {"key": key, **fields}, **options(key))

    def stats(self):
        """The numbers of all instances."""
        return self.call("cache", "stats", deadline=PATIENCE * 1000)[1]

    def wait(self, wanted):
        """Waits until the stats are as wanted."""
        limit = time.monotonic() + PATIENCE
        while time.monotonic() < limit:
            stats = self.stats()
            if wanted(stats):
                return True
            time.sleep(0.02)
        return False


class Load(threading.Thread):
    """Asks for one key after another and computes what is missing, until told to stop."""

    def __init__(self, endpoint):
        super().__init__()
        self.cache = Cache(endpoint)
        self.is_stopping = False
        self.rounds = 0
        self.hits = 0  # of the last round
        self.errors = []

    def run(self):
        while not self.is_stopping:
            hits = 0
            for key in KEYS:
                command, got = self.cache.about("get", key)
                if command != bus.FINAL:
                    self.errors.append(got)
                elif got["state"] == "hit":
                    hits += 1
                elif got["lease"]:
                    self.cache.about("set", key, value=key.encode(), lease=got["lease"],
                                     tags=["numbers"])
            self.hits = hits
            self.rounds += 1
        self.cache.close()

    def wait_hits(self, least):
        """Waits for a round, begun from now on, with so many hits."""
        limit, first = time.monotonic() + PATIENCE, self.rounds + 2
        while time.monotonic() < limit and self.is_alive():
            if self.rounds >= first and self.hits >= least:
                return True
            time.sleep(0.01)
        return False


def one_computation(endpoint):
    """Many callers, each with a connection of its own, ask for the same at once."""
    callers = {caller.socket: caller for caller in (Cache(endpoint) for _ in range(CROWD))}
    poller = zmq.Poller()
    for socket, caller in callers.items():
        poller.register(socket, zmq.POLLIN)
        caller.ask("crowd", wait_ms=PATIENCE * 1000, lease_ms=PATIENCE * 1000)
    computed, received = 0, 0
    while callers:
        ready = poller.poll(PATIENCE * 1000)
        if not ready:
            break
        for socket, _ in ready:  # any of them may be the one who computes
            caller = callers.pop(socket)
            poller.unregister(socket)
            answer = caller.receive()[1]
            if answer["lease"]:
                computed += 1
                caller.about("set", "crowd", value=b"once", lease=answer["lease"])
            received += answer["value"] == b"once"
            caller.close()
    same((computed, received), (1, CROWD - 1), f"of {CROWD} equal misses one is computed")


def main():
    with Redis() as redis, Folder(storage_redis=redis.url) as folder:
        folder.start("broker")
        folder.start("actor", "cache", "--instance", "cache-1")
        second = folder.start("actor", "cache", "--instance", "cache-2")
        endpoint = folder.socket("bus")
        cache = Cache(endpoint)
        check(cache.wait(lambda stats: len(stats["instances"]) == 2 and not stats["degraded"]),
              "two instances with Redis")
        one_computation(endpoint)

        load = Load(endpoint)
        load.start()
        check(load.wait_hits(len(KEYS)), "everything is cached")
        shares = [one["entries"] for one in cache.stats()["instances"]]
        check(min(shares) > 5, "each instance has its share of the keys", shares)

        second.kill()
        check(load.wait_hits(len(KEYS)), "an instance is killed: the other finds its keys in Redis")
        check(cache.stats()["total"]["redis_hits"] > 0, "and did not compute them")
        folder.start("actor", "cache", "--instance", "cache-2")
        check(load.wait_hits(len(KEYS)), "it comes back")

        redis.kill()
        check(cache.wait(lambda stats: stats["degraded"]), "Redis is killed: degraded is shown")
        check(load.wait_hits(len(KEYS)), "the instances carry on with what they have")
        answer = cache.call("cache", "invalidate", {"tags": ["numbers"]},
                            deadline=PATIENCE * 1000)[1]
        same((answer["instances"], answer["answered"]), (2, 2), "an invalidation reaches both")
        check(answer["dropped"] > 0 and answer["redis"] == "owed", "and says what it did", answer)
        check(load.wait_hits(len(KEYS)), "the hit rate recovers without Redis")

        redis.start()
        check(cache.wait(lambda stats: not stats["degraded"]), "Redis is back: degraded has ended")
        check(load.wait_hits(len(KEYS)), "the hit rate stays")

        load.is_stopping = True
        load.join()
        same(load.errors, [], "no caller has seen an error in all that time")
        check(cache.stats()["total"]["hit_rate"] > 0.5, "there is a hit rate", cache.stats())
        cache.close()


try:
    main()
except Missing as missing:
    skip(missing)
sys.exit(done())
