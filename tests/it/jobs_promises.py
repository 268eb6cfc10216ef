#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""What docs/jobs.md promises of queues, while instances and workers are killed.

Jobs with an order key run one after the other; a paused queue begins nothing; a rate holds in every
window of its length, over all instances; a run that is cancelled hears of it. PostgreSQL with three
instances of which some are killed and others join, SQLite with one that is killed and started again.

JOBS_RATE_MS is the length of the window of the rate; 10 jobs in 60,000 ms take their time.
"""
import collections
import os
import random
import subprocess
import sys
import time

KIT = os.path.join(os.path.abspath(os.environ.get("srcdir", ".")), "tests", "kit")
sys.path.insert(0, KIT)
import zmq  # noqa: E402
from bus import FINAL, Client  # noqa: E402
from parts import Folder, die_with_parent  # noqa: E402
from postgres import Missing, Postgres  # noqa: E402
from tap import check, done, same, skip  # noqa: E402

SEED = int(os.environ.get("JOBS_SEED", random.randrange(1 << 30)))
RATE_MS = int(os.environ.get("JOBS_RATE_MS", "4000"))
RATE = 10
PATIENCE = 180
HEARD_SECONDS = 1  # until every instance has heard of a pause
CANCEL_SECONDS = 1
MARGIN = 5  # by which a loaded machine may be slower
SETTINGS = {"bus_heartbeat_ms": 200, "broker_heartbeat_ms": 200, "jobs_poll_ms": 50,
            "jobs_lease_seconds": 3, "log_level": "warn"}
KEYS, LENGTH = 20, 15  # orders, and jobs in each


class Step(collections.namedtuple("Step", "at what job fence n")):
    """Something a worker saw."""

    @classmethod
    def read(cls, line):
        at, what, job, fence, n = line.split()
        return cls(int(at) / 1e9, what, int(job), int(fence), int(n))


class Stage:
    """Instances, workers, and a client that does not give up."""

    def __init__(self, folder, server, instances):
        self.folder, self.server = folder, server
        self.chance = random.Random(SEED)
        self.names = 0
        self.broker = folder.start("broker")
        self.actors = [self.new_actor() for _ in range(instances)]
        self.workers = [self.new_worker() for _ in range(2)]
        self.client = Client(folder.socket("bus"))
        self.client.socket.rcvtimeo = 5000

    def new_name(self, what):
        """A name nobody has had: who was killed may not have been found dead yet."""
        self.names += 1
        return f"{what}-{self.names}"

    def new_actor(self):
        return self.folder.start("actor", "jobs", "--instance", self.new_name("jobs"))

    def new_worker(self):
        process = subprocess.Popen(
            [sys.executable, os.path.join(KIT, "job_worker.py"), self.folder.socket("bus"),
             self.new_name("work"), os.path.join(self.folder.path, "ledger"),
             os.path.join(self.folder.path, "steps")],
            stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        process.stdout.readline()
        return process

    def kill_actor(self):
        """One of them; another one joins."""
        which = self.chance.randrange(len(self.actors))
        self.actors[which].kill()
        self.actors[which] = self.new_actor()

    def kill_worker(self):
        which = self.chance.randrange(len(self.workers))
        self.stop_worker(which)
        self.workers[which] = self.new_worker()

    def stop_worker(self, which):
        self.workers[which].kill()
        self.workers[which].wait()
        self.workers[which].stdout.close()

    def close(self):
        for which in range(len(self.workers)):
            self.stop_worker(which)
        self.client.close()

    def call(self, method, body):
        """Until it is answered; what is asked may be asked twice."""
        limit = time.monotonic() + PATIENCE
        while time.monotonic() < limit:
            try:
                command, answer = self.client.call("jobs", method, body, deadline=4000)
            except zmq.Again:
                continue
            if command == FINAL:
                return answer
            time.sleep(0.02)
        raise TimeoutError(f"{method}: {answer}")

    def enqueue(self, name, jobs):
        """Their ids, in their order."""
        ids = []
        for at in range(0, len(jobs), 50):
            answer = self.call("enqueue_many", {"jobs": jobs[at:at + 50],
                                                "idempotency_key": f"{name}-{at}"})
            ids += [item["id"] for item in answer["items"]]
        return ids

    def set_queue(self, name, **change):
        return self.call("queue_set", {"name": name, **change})

    def look(self, query):
        """The rows of a query, as lists of texts; None when there is no answer."""
        if self.server:
            result = subprocess.run(["psql", "-X", "-q", "-t", "-A", self.server.url, "-c",
                                     "SET search_path = jobs; " + query],
                                    capture_output=True, text=True, check=True)
            return [line.split("|") for line in result.stdout.split()]
        import sqlite3  # pylint: disable=import-outside-toplevel
        path = os.path.join(self.folder.path, "var", "jobs.db")
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            return [[str(cell) for cell in row] for row in database.execute(query)]

    @property
    def now(self):
        """An expression for the database's clock, in milliseconds."""
        return ("CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)" if self.server
                else "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)")

    def number(self, query):
        return int(self.look(query)[0][0])

    def until(self, condition, seconds=PATIENCE):
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if condition():
                return True
            time.sleep(0.05)
        return condition()

    def steps(self, ids):
        """What workers have seen of these jobs, in the order in which it happened."""
        wanted = set(ids)
        with open(os.path.join(self.folder.path, "steps"), encoding="ascii") as steps:
            seen = [Step.read(line) for line in steps if line.endswith("\n")]
        return sorted(step for step in seen if step.job in wanted)

    def wait_ended(self, queue):
        return self.until(lambda: self.number(
            f"SELECT count(*) FROM job WHERE queue = '{queue}'") == 0)


# ---- order ----------------------------------------------------------------------------------------

def order_job(key, n):
    """Some fail twice before they are done, some die."""
    return {"kind": "work.run", "queue": "orders", "order_key": f"key-{key}", "backoff_ms": 20,
            "max_attempts": 100,
            "payload": {"n": key * 1000 + n, "ms": n * 7 % 30, "fails": 2 if n % 5 == 2 else 0,
                        "dies": n % 5 == 4}}


def order(stage):
    rows = [stage.enqueue(f"row-{n}", [order_job(key, n) for key in range(KEYS)])
            for n in range(LENGTH // 2)]
    for n in range(LENGTH // 2, LENGTH):
        stage.chance.choice([stage.kill_actor, stage.kill_worker])()
        rows.append(stage.enqueue(f"row-{n}", [order_job(key, n) for key in range(KEYS)]))
    check(stage.wait_ended("orders"), "order: all jobs ended", f"seed {SEED}")
    steps = stage.steps(i for row in rows for i in row)
    runs = collections.defaultdict(dict)  # job: fence: {what: when}
    for step in steps:
        runs[step.job].setdefault(step.fence, {})[step.what] = step.at
    faults = []
    for key in range(KEYS):
        before = 0.0
        for row in rows:
            first = min(run["start"] for run in runs[row[key]].values())
            last = runs[row[key]][max(runs[row[key]])]
            if first < before:
                faults.append((key, row[key], before - first))
            # a worker that died says nothing of its end
            before = last.get("end", max(run["start"] for run in runs[row[key]].values()))
    same(faults, [], f"order: none began before the one before it had ended ({len(steps)} steps)")
    kept = stage.number("SELECT count(*) FROM done WHERE queue = 'orders'")
    dead = stage.number("SELECT count(*) FROM dead WHERE queue = 'orders'"
                        " AND error_code = 'UNPROCESSABLE'")
    lost = stage.number("SELECT count(*) FROM dead WHERE queue = 'orders'"
                        " AND error_code = 'WORKER_LOST'")
    same(kept + dead + lost, KEYS * LENGTH, "order: each of them once")
    check(dead + lost >= KEYS * LENGTH // 5, "order: also behind those that died", dead)
    again = sum(len(fences) > 1 for fences in runs.values())
    print(f"# order: {again} jobs were run more than once, {lost} lost their worker three times")


# ---- pause ----------------------------------------------------------------------------------------

def pause(stage):
    jobs = [{"kind": "work.run", "queue": "halt", "max_attempts": 100,
             "payload": {"n": n, "ms": 100}} for n in range(800)]
    ids = stage.enqueue("halt", jobs)
    check(stage.until(lambda: len(stage.steps(ids)) > 100), "pause: the queue runs")
    stage.set_queue("halt", paused=True)
    answered, by_server = time.monotonic(), stage.number(f"SELECT {stage.now}")
    check(stage.until(lambda: stage.number("SELECT count(*) FROM job WHERE queue = 'halt'"
                                           " AND state = 1") == 0),
          "pause: what runs ends, and what waits for its service goes back")
    for _ in range(3):
        stage.kill_actor()
    time.sleep(2 * HEARD_SECONDS)  # the time in which nothing is to happen
    claimed = stage.number("SELECT count(*) FROM (SELECT started_at FROM job WHERE queue = 'halt'"
                           " UNION ALL SELECT started_at FROM done WHERE queue = 'halt') AS runs"
                           f" WHERE started_at > {by_server}")
    same(claimed, 0, "pause: nothing was claimed once it was answered, also by who joined")
    starts = [step.at - answered for step in stage.steps(ids) if step.what == "start"]
    late = [round(at, 3) for at in starts if at > HEARD_SECONDS * MARGIN]
    same(late, [], "pause: nothing was begun when all instances had heard of it")
    print(f"# pause: the last run began {max(starts):.3f} s after the answer")
    left = stage.number("SELECT count(*) FROM job WHERE queue = 'halt'")
    check(left > 0, "pause: there is something left")
    stage.set_queue("halt", paused=False)
    check(stage.wait_ended("halt"), "pause: it goes on")


# ---- rate -----------------------------------------------------------------------------------------

def rate(stage):
    stage.set_queue("slow", rate_limit=RATE, rate_window_ms=RATE_MS)
    ids = stage.enqueue("slow", [{"kind": "work.run", "queue": "slow", "max_attempts": 100,
                                  "payload": {"n": n}} for n in range(20 * RATE)])
    until = time.monotonic() + 5.5 * RATE_MS / 1000
    while time.monotonic() < until:
        time.sleep(stage.chance.uniform(0.2, 0.5) * RATE_MS / 1000)
        stage.kill_actor()
    starts = [step.at for step in stage.steps(ids) if step.what == "start"]
    windows = [sum(1 for other in starts if at <= other < at + RATE_MS / 1000) for at in starts]
    check(max(windows) <= RATE, f"rate: never more than {RATE} in {RATE_MS} ms", sorted(starts))
    check(len(starts) >= 2 * RATE, "rate: and they are begun", len(starts))
    print(f"# rate: {len(starts)} began, at most {max(windows)} in a window")
    stage.set_queue("slow", rate_limit=0)
    check(stage.wait_ended("slow"), "rate: without it, all at once")


# ---- cancel ---------------------------------------------------------------------------------------

def cancel(stage):
    ids = []
    for n in range(24):  # one by one, so that instances share them
        ids += stage.enqueue(f"held-{n}", [{"kind": "work.run", "queue": "held", "max_attempts": 1,
                                            "payload": {"n": n, "ms": 600000},
                                            "timeout_ms": 600000}])
    check(stage.until(lambda: len(stage.steps(ids)) == len(ids)), "cancel: all of them run")
    owners = stage.number("SELECT count(DISTINCT worker_id) FROM job WHERE queue = 'held'")
    said = {}
    for job in ids:
        said[job] = time.monotonic()
        same(stage.call("cancel", {"id": job})["state"], "running", "cancel: it is said")
    check(stage.until(lambda: sum(step.what == "cancel" for step in stage.steps(ids)) == len(ids)),
          "cancel: each method hears of it")
    took = [step.at - said[step.job] for step in stage.steps(ids) if step.what == "cancel"]
    check(max(took) <= CANCEL_SECONDS * MARGIN, "cancel: soon", took)
    print(f"# cancel: at most {max(took):.3f} s, over {owners} instances that had them")
    check(stage.wait_ended("held"), "cancel: they have ended")
    same(stage.number("SELECT count(*) FROM done WHERE queue = 'held' AND state = 5"), len(ids),
         "cancel: as cancelled, though it was their last attempt")
    waiting(stage)


def waiting(stage):
    """What an instance has claimed and not called yet is cancelled at once, too."""
    ids = stage.enqueue("line", [{"kind": "work.run", "queue": "line",
                                  "payload": {"n": n, "ms": 600000}, "timeout_ms": 600000}
                                 for n in range(100)])
    check(stage.until(lambda: stage.number("SELECT count(*) FROM job WHERE queue = 'line'"
                                           " AND state = 1") == len(ids)), "cancel: a long line")
    began = time.monotonic()
    for job in reversed(ids):
        stage.call("cancel", {"id": job})
    check(stage.wait_ended("line"), "cancel: those that waited, too")
    print(f"# cancel: a hundred in {time.monotonic() - began:.3f} s")
    same(stage.number("SELECT count(*) FROM done WHERE queue = 'line' AND state = 5"), len(ids),
         "cancel: all of them")


def all_of_it(folder, server, instances):
    stage = Stage(folder, server, instances)
    try:
        for story in (order, pause, rate, cancel):
            began = time.monotonic()
            story(stage)
            print(f"# {story.__name__} took {time.monotonic() - began:.1f} s")
    finally:
        stage.close()


def main():
    print(f"# seed {SEED}")
    with Folder(**SETTINGS) as folder:
        all_of_it(folder, None, 1)
    try:
        with Postgres() as server, Folder(storage_database=server.url, **SETTINGS) as folder:
            folder.run("migrate")
            all_of_it(folder, server, 3)
    except Missing as reason:
        skip(reason)
    return done()


if __name__ == "__main__":
    sys.exit(main())
