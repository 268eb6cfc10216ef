# SPDX-License-Identifier: MPL-2.0
"""/health says what is wrong, soon after it is, and that it is well again, soon after that.

PostgreSQL, Redis, the broker and actors are stopped and started while one asks all the time. The
promise is three seconds to see it and five to see its end; the test waits five times as long, and
notes how long it took.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from parts import Folder  # noqa: E402
from postgres import Missing as NoPostgres, Postgres  # noqa: E402
from redis import Missing as NoRedis, Redis  # noqa: E402
from tap import check, done, same, skip  # noqa: E402
from web import Web  # noqa: E402

SEEN_SECONDS, ENDED_SECONDS, MARGIN = 3, 5, 5
MEMBERS = {"status", "version", "timestamp", "boot", "uptime", "checks"}


class Watch:
    """Asks an edge for its health; every answer is looked at."""

    def __init__(self, web):
        self.web = web
        self.lives = set()  # what /health/live has answered

    def ask(self):
        answer = self.web.get("/health")
        self.lives.add(self.web.get("/health/live").status)
        return answer

    def until(self, is_so, seconds, name):
        begun = time.monotonic()
        while True:
            answer = self.ask()
            good = is_so(answer)
            took = time.monotonic() - begun
            if good or took > seconds * MARGIN:
                print(f"# {name}: after {took:.2f} s")
                check(good, name, answer.body.decode())
                return answer

    def is_seen(self, status, name, check_status, message, what):
        code = 503 if status == "unhealthy" else 200

        def is_so(answer):
            report = answer.json()
            found = report["checks"].get(name, {})
            return (answer.status, report["status"], found.get("status")) == \
                (code, status, check_status) and message in found["message"]

        self.until(is_so, SEEN_SECONDS, f"{what}: {status}, since {name}: {message}")

    def is_over(self, what):
        self.until(lambda answer: answer.json()["status"] == "healthy", ENDED_SECONDS,
                   f"{what}: healthy again")


def the_shape(watch):
    report = watch.until(lambda answer: answer.json()["status"] == "healthy", ENDED_SECONDS,
                         "all is well").json()
    same(set(report), MEMBERS, "what a report is made of")
    checks = report["checks"]
    names = {"broker", "database", "redis", "disk", "memory", "load", "threads", "limits",
             "service.auth", "service.analysis", "service.cache", "service.limiter",
             "service.metrics"}
    same(names - set(checks), set(), "what it looks at")
    same([name for name, found in checks.items() if set(found) != {"status", "latency_ms", "message"}],
         [], "what a check is made of")
    same({found["status"] for found in checks.values()}, {"ok"}, "how a check may be")


def main():
    with Postgres() as postgres, Redis() as redis, \
            Folder(edge_port=0, edge_required="analysis limiter", storage_database=postgres.url,
                   storage_redis=redis.url) as folder:
        folder.run("migrate")
        broker = folder.start("broker")
        folder.start("actor", "auth", "limiter", "metrics")
        cache = folder.start("actor", "cache")
        analysis = folder.start("actor", "analysis")
        web = Web(folder.start("edge").port)
        watch = Watch(web)
        the_shape(watch)

        postgres.stop()
        watch.is_seen("unhealthy", "service.analysis", "error", "its database cannot be reached",
                      "PostgreSQL is stopped")
        watch.is_seen("unhealthy", "database", "error", "It does not answer (analysis, auth, limiter)",
                      "PostgreSQL is stopped")
        same(web.get("/health/ready").status, 200, "no other edge would do better")
        postgres.start()
        watch.is_over("PostgreSQL is back")

        redis.kill()
        watch.is_seen("degraded", "redis", "warning", "memory is used alone", "Redis is killed")
        redis.start()
        watch.is_over("Redis is back")

        broker.kill()
        watch.is_seen("unhealthy", "broker", "error", "No broker answers", "the broker is killed")
        same(web.get("/health/ready").status, 503, "nobody should be sent here")
        folder.start("broker")
        watch.is_over("the broker is back")
        watch.until(lambda _: web.get("/health/ready").status == 200, ENDED_SECONDS,
                    "and here all may be sent again")

        cache.kill()
        watch.is_seen("degraded", "service.cache", "error", "No instance of it is running since ",
                      "an actor is killed that is not required")
        folder.start("actor", "cache")
        watch.is_over("the actor is back")
        same(analysis.stop(), 0, "a required actor leaves")
        watch.is_seen("unhealthy", "service.analysis", "error", "No instance of it is running since ",
                      "a required actor leaves")
        same(web.get("/health/ready").status, 503, "nobody should be sent here")
        folder.start("actor", "analysis")
        watch.is_over("the required actor is back")
        same(watch.lives, {200}, "all the time the edge was said to live")


try:
    main()
except (NoPostgres, NoRedis) as missing:
    skip(str(missing))
sys.exit(done())
