# SPDX-License-Identifier: MPL-2.0
"""Rate limits as clients see them, with a limiter under the test's control."""
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from edge import PATIENCE, Edge  # noqa: E402
from fakes import Limiter  # noqa: E402
from tap import check, done, same  # noqa: E402

POLICIES = {"address": (5, 900), "anonymous": (1000, 60), "free": (20, 60), "read": (8, 60),
            "free.read": (12, 60), "auth.failures": (3, 900)}
WHO = {"X-Forwarded-For": "203.0.113.1"}


class Setting:
    """An edge behind a trusted proxy, with a limiter."""

    def __init__(self, policies=POLICIES, limiter=True, **settings):
        self.folder = tempfile.TemporaryDirectory()
        self.bus = f"ipc://{self.folder.name}/bus"
        settings = {"limits": "true", "allow_anonymous": "false", "grants": "demo:public",
                    "trusted_proxies": "127.0.0.0/8", **settings}
        self.edge = Edge("--broker.requests", f"inproc://bus,{self.bus}", **settings)
        self.limiter = None
        if limiter:
            self.add_limiter(policies)

    def add_limiter(self, policies=POLICIES):
        self.limiter = Limiter(self.bus, policies)
        self.until(lambda: "x-degraded" not in self.ping("192.0.2.250").headers)
        self.limiter.calls.clear()

    def until(self, condition):
        limit = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > limit:
                raise TimeoutError
            time.sleep(0.02)

    def ping(self, address="203.0.113.1"):
        return self.edge.get("/v1/ping", {"X-Forwarded-For": address})

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        if self.limiter:
            self.limiter.stop()
        self.edge.__exit__(*failure)
        self.folder.cleanup()


def who_is_counted():
    with Setting() as s:
        first = s.ping()
        same({name: first.headers.get(name) for name in (
            "x-ratelimit-tier", "x-ratelimit-limit", "x-ratelimit-window", "x-ratelimit-remaining",
            "ratelimit-policy", "ratelimit")},
             {"x-ratelimit-tier": "anonymous", "x-ratelimit-limit": "5", "x-ratelimit-window": "900",
              "x-ratelimit-remaining": "4", "ratelimit-policy": '"address";q=5;w=900',
              "ratelimit": '"address";r=4;t=900'}, "an answer says how its caller stands")
        reset = int(first.headers["x-ratelimit-reset"])
        check(0 <= reset - time.time() <= 901, "and when everything is free again", reset)
        same(s.limiter.calls[0][1]["subject"], "address:203.0.113.1", "a stranger is an address")
        for _ in range(4):
            s.ping()
        refused = s.ping()
        problem = refused.json()
        same((refused.status, problem.get("code"), problem.get("current_tier"),
              problem.get("limits"), problem.get("upgrade_url")),
             (429, "RATE_LIMIT_EXCEEDED", "anonymous",
              {"anonymous": [{"policy": "address", "limit": 5, "window": 900}],
               "free": [{"policy": "free", "limit": 20, "window": 60}]}, None), "the sixth of five")
        same((refused.headers.get("retry-after"), problem.get("retry_after")), ("900", 900),
             "says when to come again")
        asked = s.limiter.count("take")
        same([s.ping().status for _ in range(5)], [429] * 5, "and again")
        same(s.limiter.count("take"), asked, "without asking the limiter")
        same(s.ping("203.0.113.2").status, 200, "another address is somebody else")
        same(s.edge.get("/v1/ping", {"X-Forwarded-For": "203.0.113.99, 203.0.113.1"}).status, 429,
             "whatever the caller claims to be")
        for address in ("2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:ff::1"):
            same(s.ping(address).status, 200, f"{address}")
        same(s.limiter.used["address:2001:db8::/56", "address"], 3, "IPv6 counts by /56")
        for path in ("/health", "/metrics", "/openapi.json", "/"):
            same(s.edge.get(path, WHO).status, 200, f"{path} is not counted")
        s.limiter.publish({**POLICIES, "address": (6, 900)})
        s.until(lambda: s.ping().status == 200)
        check(True, "a changed policy holds at once")
        opened = s.edge.get("/v1/demo/open", {"X-Forwarded-For": "203.0.113.3"})
        same((opened.status, opened.headers.get("x-ratelimit-remaining")), (200, "5"),
             "a service's route counts as well")
        missing = s.edge.get("/v1/demo/things/5", {"X-Forwarded-For": "203.0.113.3"})
        same((missing.status, missing.headers.get("x-ratelimit-remaining")), (401, "4"),
             "and a refused caller's")


def an_untrusted_proxy():
    with Setting(trusted_proxies="") as s:
        s.edge.get("/v1/ping", WHO)
        same(s.limiter.calls[-1][1]["subject"], "address:127.0.0.1", "nobody else's word counts")


def the_first_look():
    with Setting(allow_anonymous="true", trusted_proxies="", upgrade_url="https://a.example/more",
                 policies={**POLICIES, "anonymous": (5, 60), "anonymous.read": (3, 60)},
                 limiter=False) as s:
        s.limiter = Limiter(s.bus, {**POLICIES, "anonymous": (5, 60), "anonymous.read": (3, 60)})
        s.until(lambda: "x-degraded" not in s.edge.get("/v1/demo/things/5").headers)
        same([body["policies"] for _, body in s.limiter.calls][-1], ["anonymous", "anonymous.read"],
             "who may stay anonymous is counted as the account of that name")
        got = s.edge.get("/v1/demo/things/5")
        same(got.headers.get("ratelimit-policy"), '"anonymous";q=5;w=60, "anonymous.read";q=3;w=60',
             "under its own policies")
        same(s.edge.post("/v1/demo/things", {"name": "x"}).headers.get("ratelimit-policy"),
             '"anonymous";q=5;w=60', "of the class, if the method names one")
        s.edge.get("/v1/demo/things/5")
        refused = s.edge.get("/v1/demo/things/5")
        same((refused.status, refused.json().get("upgrade_url")), (429, "https://a.example/more"),
             "and told where to get more")


def leases():
    many = {**POLICIES, "address": (1000000, 60)}
    with Setting(policies=many, lease=50) as s:
        s.limiter.lends = 1000
        same({s.ping().status for _ in range(500)}, {200}, "500 requests")
        asked = s.limiter.count("take")
        check(asked < 100, "of somebody busy ask the limiter less often", asked)
        used = s.limiter.used["address:203.0.113.1", "address"]
        check(500 <= used <= 550, "and take little in advance", used)
        s.limiter.publish(many)
        s.until(lambda: s.limiter.used["address:203.0.113.1", "address"] == 500)
        check(True, "what was not used is given back")
    with Setting(policies=many, lease=0) as s:
        s.limiter.lends = 1000
        same({s.ping().status for _ in range(20)}, {200}, "without leases")
        same(s.limiter.count("take"), 20, "each is asked for")


def exactness():
    """Never more than is allowed, whatever is lent."""
    few = {**POLICIES, "address": (40, 900)}
    with Setting(policies=few, lease=100) as s:
        s.limiter.lends = 1000
        same(sum(s.ping().status == 200 for _ in range(120)), 40, "40 of 120 pass")


def without_a_limiter():
    with Setting(limiter=False, degraded_requests=3) as s:
        got = s.ping()
        same((got.status, got.headers.get("x-degraded"), got.headers.get("ratelimit-policy")),
             (200, "limits", '"degraded";q=3;w=60'), "requests pass, marked")
        answers = [s.ping().status for _ in range(6)]
        check(429 in answers and answers[0] == 200, "but not many", answers)
        got = s.edge.get("/health/detailed").json()["checks"].get("limits", {})
        same(got.get("status"), "warning", "/health/detailed says so")
        s.add_limiter()
        same(s.ping().headers.get("x-degraded"), None, "a limiter is found when it comes")
        s.limiter.stop()
        s.until(lambda: s.ping("192.0.2.7").headers.get("x-degraded") == "limits")
        check(True, "and missed when it goes")
        s.add_limiter()
        s.limiter.silent = True
        took = time.monotonic()
        same([s.ping(f"192.0.2.{i}").headers.get("x-degraded") for i in range(10)], ["limits"] * 10,
             "one that does not answer")
        check(time.monotonic() - took < 10, "is not waited for by everybody")
        s.limiter.silent = False


who_is_counted()
an_untrusted_proxy()
the_first_look()
leases()
exactness()
without_a_limiter()
sys.exit(done())
