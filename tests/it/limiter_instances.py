# SPDX-License-Identifier: MPL-2.0
"""Three limiter instances over a real broker: what they admit together, to the last one.

256 takes are in flight all the time, over 50 subjects. Without a fault exactly what the policies say is
admitted; while an instance is killed or joins, the surplus of a subject is at most what it was
admitted in the flush before.
"""
import collections
import concurrent.futures
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from bus import ERROR, FINAL, ROUTE_KEY, Client, route_key  # noqa: E402
from parts import Folder  # noqa: E402
from postgres import database  # noqa: E402
from tap import check, done, same, skip  # noqa: E402

TAKES = 20000
SUBJECTS = 50
IN_FLIGHT = 256
FLUSH_MS = 200
LOSS_MS = 5 * FLUSH_MS  # fivefold: a busy machine flushes late
# four missed beats are a loss: one that is killed is found out sooner, and one that is only not run,
# on a busy machine, is not lost
BEAT_MS = 500
SILENCE_SECONDS = 4 * BEAT_MS / 1000
SETTINGS = {"bus_heartbeat_ms": BEAT_MS, "broker_heartbeat_ms": BEAT_MS}
MINUTES_10 = 600000
POLICIES = {  # name: (limit, window)
    "most": (300, MINUTES_10),
    "some": (100, MINUTES_10),
    "few": (37, MINUTES_10),
    "large": (1200, MINUTES_10),
    "short": (20, 300),
}

Taken = collections.namedtuple("Taken", "subject allowed at_ms error")


class Load:
    """Takes in flight, and what became of each."""

    def __init__(self, folder, name, policies):
        self.client = Client(folder.socket("bus"))
        self.subjects = [f"{name}:{i}" for i in range(SUBJECTS)]
        self.keys = {subject: route_key(subject) for subject in self.subjects}
        self.policies = policies
        self.pending = {}
        self.taken = []
        self.sent = 0

    def run(self, takes, halfway=None):
        """So many more takes, each subject in turn; returns when all are answered. `halfway` runs
        meanwhile, from the middle on."""
        if not halfway:
            return self._run(takes, None)
        # the takes are on the other thread: a process dies with the thread that started it
        middle = threading.Event()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            end = pool.submit(self._run, takes, middle)
            middle.wait()
            halfway()
            return end.result()

    def _run(self, takes, middle):
        left = takes
        while left or self.pending:
            if middle and left <= takes // 2:
                middle.set()
            while left and len(self.pending) < IN_FLIGHT:
                subject = self.subjects[self.sent % SUBJECTS]
                request = self.client.send(
                    "limiter", "take", {"subject": subject, "policies": self.policies},
                    flags=ROUTE_KEY, route_key=self.keys[subject], deadline=10000)
                self.pending[request] = subject
                self.sent += 1
                left -= 1
            head, body = self.client.receive()
            if head.command in (FINAL, ERROR):
                error = body["code"] if head.command == ERROR else None
                self.taken.append(Taken(self.pending.pop(head.request_id),
                                        not error and body["allowed"],
                                        0 if error else body["at_ms"], error))
        return self

    def admitted(self, from_ms=0, until_ms=1 << 60):
        """How often each subject was admitted."""
        counts = collections.Counter({subject: 0 for subject in self.subjects})
        counts.update(take.subject for take in self.taken
                      if take.allowed and from_ms <= take.at_ms <= until_ms)
        return counts

    def errors(self):
        return collections.Counter(take.error for take in self.taken if take.error)


def now_ms():
    return time.time() * 1000


def start(folder, *names):
    return {name: folder.start("actor", "limiter", "--instance", name) for name in names}


def wait_policies(folder, instances):
    """Until every instance has the last change, and so all before it."""
    last = f'"name":"{list(POLICIES)[-1]}"'
    while folder.run("call", "limiter.policies", "--all").count(last) < instances:
        pass


def is_bounded(load, limit, moments, name):
    """Nobody has more than the limit and what it got in the flush before one of the moments."""
    over = {subject: count - limit for subject, count in load.admitted().items() if count > limit}
    grace = collections.Counter()
    for moment in moments:
        # a moment is when the script acted: what is answered then was on its way already
        grace.update(load.admitted(moment - LOSS_MS, moment + LOSS_MS))
    beyond = {subject: count for subject, count in over.items() if count > grace[subject]}
    same(beyond, {}, f"{name}: no subject has more than the limit and one flush")
    print(f"# {name}: {sum(over.values())} of {sum(load.admitted().values())} over the limits, "
          f"errors {dict(load.errors())}")


# ---- stories --------------------------------------------------------------------------------------

def exact(folder):
    for policies, limit in ((["most"], 300), (["large", "some"], 100), (["some", "few", "most"], 37)):
        load = Load(folder, "exact-" + "-".join(policies), policies).run(TAKES)
        same(load.errors(), {}, f"{policies}: every take is answered")
        same(set(load.admitted().values()), {limit},
             f"{policies}: {TAKES} takes of {SUBJECTS} subjects admit exactly {limit} each")


def any_window(folder):
    limit, window_ms = POLICIES["short"]
    load = Load(folder, "window", ["short"]).run(TAKES)
    most = 0
    for subject in load.subjects:
        times = sorted(take.at_ms for take in load.taken
                       if take.allowed and take.subject == subject)
        for i, first in enumerate(times):
            most = max(most, sum(1 for at in times[i:i + limit + 1] if at <= first + window_ms))
    same(most, limit, f"no window of {window_ms} ms, wherever it begins, has more than {limit}")
    same(load.errors(), {}, "every take is answered")


def killed(folder, actors):
    moments = []

    def kill():
        moments.append(now_ms())
        actors.pop("b").kill()

    load = Load(folder, "killed", ["most"]).run(TAKES, kill)
    check(set(load.errors()) <= {"WORKER_LOST"}, "kill -9: only what it was working on fails",
          load.errors())
    check(min(load.admitted().values()) >= 300 - sum(load.errors().values()),
          "kill -9: the others admit what is left")
    is_bounded(load, 300, moments, "kill -9 of an instance")


def joined(folder, actors):
    moments = []

    def join():
        moments.append(now_ms())
        actors.update(start(folder, "d"))
        moments.append(now_ms())

    load = Load(folder, "joined", ["most"]).run(TAKES, join)
    same(load.errors(), {}, "a new instance: every take is answered")
    is_bounded(load, 300, moments, "a new instance")
    same(min(load.admitted().values()), 300, "a new instance: nobody has less")


def left(folder, actors):
    status = []

    def leave():
        status.append(actors.pop("c").stop())

    load = Load(folder, "left", ["most"]).run(TAKES, leave)
    same(status, [0], "an instance leaves in order")
    same(load.errors(), {}, "leaving: every take is answered")
    same(set(load.admitted().values()), {300}, "leaving: nothing is lost, nobody has more")


def stalled(folder):
    """The whole machine stands still for longer than anybody may be silent."""
    processes = [part.process for part in folder.parts if part.process.poll() is None]

    def stall():
        for process in processes:
            process.send_signal(signal.SIGSTOP)
        time.sleep(2 * SILENCE_SECONDS)  # what is tested
        for process in processes:
            process.send_signal(signal.SIGCONT)

    load = Load(folder, "stalled", ["most"]).run(TAKES, stall)
    same(load.errors(), {}, "a stall: nobody is given up for it")
    same(set(load.admitted().values()), {300}, "a stall: nothing is lost")


def restarted(folder, actors):
    """All at once: nobody is there to take over, what was stored is what is known."""
    load = Load(folder, "stopped", ["some"]).run(SUBJECTS * 60)
    for name in list(actors):
        same(actors.pop(name).stop(), 0, f"{name} stops")
    actors.update(start(folder, "e", "f"))
    load.run(SUBJECTS * 60)
    same(set(load.admitted().values()), {100}, "a restart of all in order loses nothing")

    early = Load(folder, "early", ["some"]).run(SUBJECTS * 60)
    late = Load(folder, "late", ["large"]).run(TAKES)  # takes longer than several flushes
    early_end = early.taken[-1].at_ms
    while late.taken[-1].at_ms < early_end + LOSS_MS:  # what is early is flushed
        late.run(IN_FLIGHT)
    moment = now_ms()
    for name in list(actors):
        actors.pop(name).kill()
    actors.update(start(folder, "g", "h"))
    early.run(SUBJECTS * 60)
    same(set(early.admitted().values()), {100}, "a crash of all: what was flushed is known")
    late.run(SUBJECTS * 1200)
    is_bounded(late, 1200, [moment], "a crash of all")


def prepare(folder):
    """A broker, three instances, and the policies of these stories."""
    folder.run("migrate")
    folder.start("broker")
    actors = start(folder, "a", "b", "c")
    client = Client(folder.socket("bus"))
    for name, (limit, window_ms) in POLICIES.items():
        command, answer = client.call("limiter", "policy_set", {
            "name": name, "limit": limit, "window_ms": window_ms})
        same((command, answer["limit"]), (FINAL, limit), f"policy {name}")
    client.close()
    wait_policies(folder, len(actors))
    return actors


def main():
    if not os.environ.get("TEST_POSTGRES_URL"):
        skip("TEST_POSTGRES_URL is not set: run by tests/kit/postgres.py")
    with database() as url, Folder(storage_database=url, **SETTINGS) as folder:
        actors = prepare(folder)
        exact(folder)
        any_window(folder)
        stalled(folder)
        killed(folder, actors)
        joined(folder, actors)
        left(folder, actors)
        restarted(folder, actors)
    redis = os.environ.get("TEST_REDIS_SOCKET")
    if redis:
        with database() as url, Folder(storage_database=url, storage_redis="unix://" + redis,
                                       **SETTINGS) as folder:
            print("# the same with what is used in Redis")
            actors = prepare(folder)
            killed(folder, actors)
            joined(folder, actors)
            restarted(folder, actors)
    sys.exit(done())


main()
