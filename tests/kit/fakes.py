# SPDX-License-Identifier: MPL-2.0
"""fakes - services under a test's control, as threads over the native dialect"""
import threading
import time

import msgpack
import zmq

import bus


class Fake(threading.Thread):
    """A service whose methods are functions of the request's body; they return the reply's, or raise
    Failure. `calls` lists (method, body) in the order they came."""

    def __init__(self, endpoint, service, methods, instance=None, descriptor=None):
        super().__init__(daemon=True)
        self.worker = bus.Worker(endpoint, service, instance or f"{service}-fake", credit=1000,
                                 descriptor=descriptor)
        self.worker.socket.rcvtimeo = 50
        self.methods = methods
        self.calls = []
        self.statuses = {}  # of methods that answer another than their own
        self.silent = False  # takes requests and answers none
        self._ends = False
        self.start()

    def run(self):
        while not self._ends:
            try:
                head, frames = self.worker.next()
            except zmq.Again:
                continue
            body = msgpack.unpackb(frames[-1], strict_map_key=False)
            self.calls.append((head.method, body))
            if self.silent:
                continue
            try:
                self.worker.answer(head, self.methods[head.method](body),
                                   detail=self.statuses.get(head.method, 0))
            except Failure as failure:
                self.worker.answer(head, failure.body, bus.ERROR, failure.status)
        self.worker.send(bus.DISCONNECT)
        self.worker.close()

    def count(self, method):
        """How often a method was called."""
        return sum(name == method for name, _ in self.calls)

    def stop(self):
        """Leaves in order."""
        self._ends = True
        self.join()


class Failure(Exception):
    """A failure to be answered."""

    def __init__(self, status, code, detail=""):
        super().__init__(code)
        self.status, self.body = status, {"code": code, "detail": detail}


class Publisher:
    """Publishes; one name, one epoch, a sequence for each topic."""

    def __init__(self, endpoint, name, epoch=None):
        self.socket = bus.dealer(endpoint)
        self.name, self.epoch = name, epoch or int(time.time() * 1000)
        self.sequences = {}

    def publish(self, topic, body, retain=False, skip=0):
        """Publishes; `skip` events before it are lost."""
        number = self.sequences[topic] = self.sequences.get(topic, 0) + 1 + skip
        bus.publish(self.socket, topic, body, number, retain, self.name, self.epoch)

    def close(self):
        """Leaves."""
        self.socket.close()


class Limiter(Fake):
    """Counts as the limiter does, with windows that never end."""

    def __init__(self, endpoint, policies):
        self.publisher = Publisher(endpoint, "limiter-fake")
        self.version = 0
        self.used = {}
        self.lends = 0  # how much of what is asked for is lent
        self.publish(policies)
        super().__init__(endpoint, "limiter", {"take": self.take, "refund": self.refund})

    def publish(self, policies):
        """New policies: {name: (limit, window in seconds)}."""
        self.version += 1
        self.policies = policies
        self.publisher.publish("limiter.policies", {
            "version": self.version,
            "policies": [{"name": name, "limit": limit, "window_ms": window * 1000,
                          "algorithm": "window", "burst": 0}
                         for name, (limit, window) in policies.items()]}, retain=True)

    def take(self, body):
        now, names, cost = int(time.time() * 1000), body["policies"], body["cost"]
        keys = [(body["subject"], name) for name in names]
        left = {key: self.policies[key[1]][0] - self.used.get(key, 0) for key in keys}
        refused = [key[1] for key in keys if left[key] < cost]
        lease = 0 if refused else min(body["lease"], self.lends, min(left.values()) - cost)
        for key in keys:
            if not refused:
                self.used[key] = self.used.get(key, 0) + cost + lease
        return {
            "allowed": not refused, "refused_by": refused[0] if refused else None, "at_ms": now,
            "retry_at_ms": now + self.policies[refused[0]][1] * 1000 if refused else 0,
            "policies": [{"name": name, "limit": self.policies[name][0],
                          "window_ms": self.policies[name][1] * 1000,
                          "remaining": self.policies[name][0] - self.used.get(key, 0),
                          "reset_at_ms": now + self.policies[name][1] * 1000}
                         for key, name in zip(keys, names)],
            "lease": {"count": lease, "until_ms": now + 60000 if lease else 0}}

    def refund(self, body):
        for name in body["policies"]:
            self.used[body["subject"], name] -= body["cost"]
        return {"refunded": body["cost"]}


class Auth(Fake):
    """Knows sessions and keys: {id: identity}; tells of changes on its own beat."""

    ROLES = {"roles": ["user"], "scopes": ["*"]}

    def __init__(self, endpoint, keys, name="auth-fake"):
        self.people = {}
        self.delay = 0  # seconds before `identify` answers
        self.publisher = Publisher(endpoint, name)
        self.sequence = 1
        self.publish_keys(keys)
        super().__init__(endpoint, "auth", {"identify": self.identify,
                                            "audit_record": lambda body: {}}, instance=name)

    def publish_keys(self, keys):
        """What tokens are verified with."""
        now = int(time.time() * 1000)
        self.publisher.publish("auth.keys", {
            "issuer": "signalbox", "audience": "signalbox-api",
            "keys": [{"kid": key.kid, "x": key.x, "not_before_ms": now - 1000,
                      "expires_at_ms": now + 3600000} for key in keys]}, retain=True)

    def add(self, secret, **more):
        """Somebody with a key, or a session's id."""
        self.people[secret] = {"account": "a1", "user": "u1", "tier": "free", "session": None,
                               "key_id": None, **self.ROLES, **more}

    def identify(self, body):
        person = self.people.get(body.get("key") or body.get("session"))
        time.sleep(self.delay)
        if not person:
            raise Failure(401, "UNAUTHENTICATED")
        return {"expires_at_ms": int(time.time() * 1000) + 600000, **person}

    def tell(self, what="beacon", target=None, skip=0):
        """An event of `auth.changed`; what is no beacon is an entry of the log."""
        self.sequence += what not in ("beacon", "bye")
        self.publisher.publish("auth.changed", {"what": what, "id": target,
                                                "sequence": self.sequence}, skip=skip)


class Beat(threading.Thread):
    """Beacons of an Auth, until stopped."""

    def __init__(self, auth):
        super().__init__(daemon=True)
        self.auth, self.ends = auth, threading.Event()
        self.lock = threading.Lock()
        self.start()

    def run(self):
        while not self.ends.wait(0.1):
            with self.lock:
                self.auth.tell()

    def tell(self, *what, **more):
        """In between the beacons."""
        with self.lock:
            self.auth.tell(*what, **more)

    def stop(self):
        """No more beacons."""
        self.ends.set()
        self.join()


class Cache(Fake):
    """Keeps values, and says of each what the test wants said."""

    def __init__(self, endpoint):
        self.values = {}  # key -> {value, tags}
        self.state = None  # of every answer to `get` that has a value
        self.lease = 7  # given on a miss
        self.publisher = Publisher(endpoint, "cache-fake")
        super().__init__(endpoint, "cache", {
            "get": self.get, "set": self.set, "release": lambda body: {"released": True},
            "invalidate": self.invalidate})

    def get(self, body):
        known = self.values.get(body["key"])
        if known:
            return {"state": self.state or "hit", "value": known["value"], "age_ms": 12000,
                    "ttl_ms": 60000, "lease": 0}
        return {"state": "miss", "value": None, "age_ms": 0, "ttl_ms": 0, "lease": self.lease}

    def set(self, body):
        self.values[body["key"]] = body
        return {"stored": True, "reason": None}

    def invalidate(self, body, skip=0):
        """Drops tags here, and tells; `skip` events before this one are lost."""
        self.values = {key: value for key, value in self.values.items()
                       if not set(value["tags"]) & set(body.get("tags", []))}
        self.publisher.publish("cache.invalidate", {"all": False, "tags": [], "keys": [], **body},
                               skip=skip)
        return {}
