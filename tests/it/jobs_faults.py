#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Jobs while everything is killed: what was acknowledged ends once, whoever dies.

PostgreSQL: two jobs instances, two workers, the broker and the server itself are killed at random, or
stopped for longer than their lease. SQLite: the one process is killed again and again. In the end every
acknowledged job is in exactly one table, and it is done; reports of runs that are not the last one were
refused and counted.
"""
import collections
import os
import random
import signal
import subprocess
import sys
import threading
import time

KIT = os.path.join(os.path.abspath(os.environ.get("srcdir", ".")), "tests", "kit")
sys.path.insert(0, KIT)
import zmq  # noqa: E402
from bus import FINAL, Client  # noqa: E402
from parts import PROGRAM, Folder, die_with_parent  # noqa: E402
from postgres import Missing, Postgres  # noqa: E402
from tap import check, done, same, skip  # noqa: E402

def is_sanitized():
    """Whether the program was built with sanitizers: then everything takes several times as long."""
    with open(PROGRAM, "rb") as program:
        return b"__asan_init" in program.read()


JOBS = int(os.environ.get("JOBS_FAULTS", "5000" if is_sanitized() else "20000"))
BATCH = 10
FAULTS = 24
SEED = int(os.environ.get("JOBS_SEED", random.randrange(1 << 30)))
PATIENCE = 240
# Of each fifty: one dies, one fails at first, one is cancelled as soon as it is acknowledged.
EACH, DIES, FAILS, CANCELLED = 50, 7, 11, 13
LEASE_SECONDS = 3
SETTINGS = {"bus_heartbeat_ms": 200, "broker_heartbeat_ms": 200, "jobs_poll_ms": 50,
            "jobs_lease_seconds": LEASE_SECONDS, "log_level": "warn"}


class Worker:
    """A process of tests/kit/job_worker.py."""

    def __init__(self, folder, name):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(KIT, "job_worker.py"), folder.socket("bus"), name,
             os.path.join(folder.path, "ledger")],
            stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)

    def kill(self):
        """As a crash would."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def payload(n):
    """Of a job."""
    return {"n": n, "ms": n % 20, "dies": n % EACH == DIES, "fails": int(n % EACH == FAILS)}


class Producer(threading.Thread):
    """Enqueues so many as are wanted, until it is told to end; what was acknowledged, by number."""

    def __init__(self, folder, first=0):
        super().__init__(daemon=True)
        self.endpoint = folder.socket("bus")
        self.jobs, self.first = 0, first  # so many are wanted by now
        self.acknowledged = {}  # job id: n
        self.refused = 0
        self.is_over = threading.Event()

    def run(self):
        client = Client(self.endpoint)
        pending, sent = {}, self.first  # request: (numbers, when it was sent)
        while not self.is_over.is_set() or len(self.acknowledged) < self.jobs or pending:
            while len(pending) < 32 and len(self.acknowledged) + BATCH * len(pending) < self.jobs:
                numbers = range(sent, sent + BATCH)
                sent += BATCH
                request = client.send(
                    "jobs", "enqueue_many", deadline=5000,
                    body={"jobs": [{"kind": "work.run", "payload": payload(n), "max_attempts": 100,
                                    "backoff_ms": 50} for n in numbers]})
                pending[request] = (numbers, time.monotonic())
            if client.socket.poll(100):
                head, body = client.receive()
                for job in self._end(pending.pop(head.request_id, None), head, body):
                    client.send("jobs", "cancel", deadline=5000, body={"id": job})  # heard or not
            limit = time.monotonic() - 10  # the broker that had it is gone
            for request in [r for r, (_, at) in pending.items() if at < limit]:
                del pending[request]
                self.refused += 1
        client.close()

    def _end(self, waiting, head, body):
        """The jobs that are to be cancelled."""
        if waiting is None:
            return []
        if head.command != FINAL:
            self.refused += 1
            time.sleep(0.01)
            return []
        taken = {item["id"]: number for number, item in zip(waiting[0], body["items"])}
        self.acknowledged.update(taken)
        return [job for job, number in taken.items() if number % EACH == CANCELLED]


def ids(query, url=None, path=None):
    """The numbers that a query returns."""
    if url:
        result = subprocess.run(["psql", "-X", "-q", "-t", "-A", url, "-c", query],
                                capture_output=True, text=True, check=False)
        if result.returncode:
            return None  # the server is down
        return [int(line) for line in result.stdout.split()]
    import sqlite3
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        return [row[0] for row in database.execute(query)]


def wait_settled(acknowledged, tables, look):
    """Waits until no acknowledged job lives; False when some still do."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        live = look(f"SELECT id FROM {tables[0]}")
        if live is not None and not set(live) & set(acknowledged):
            return True
        time.sleep(0.2)
    return False


def verify(acknowledged, tables, look, ledger):
    """Every acknowledged job is in exactly one table, and it is the right one."""
    places = collections.Counter()
    for table in tables:
        places.update(look(f"SELECT id FROM {table}"))
    job, finished, dead = (set(look(f"SELECT id FROM {table}")) for table in tables)
    lost = [i for i in acknowledged if places[i] == 0]
    twice = [i for i, count in places.items() if count > 1]
    same(lost, [], "no acknowledged job is lost")
    same(twice, [], "no job is in two tables")
    dies = {i for i, n in acknowledged.items() if n % EACH == DIES}
    same(set(acknowledged) - dies - finished, set(), "all of them are done, or cancelled")
    same(dead & set(acknowledged), dies, "but for those that fail for good, which are dead")
    cancelled = set(look(f"SELECT id FROM {tables[1]} WHERE state = 5")) & set(acknowledged)
    strange = [i for i in cancelled if acknowledged[i] % EACH != CANCELLED]
    same(strange, [], "no others are cancelled than were to be")
    check(cancelled, "and some of those are")
    lines = [tuple(map(int, line.split())) for line in ledger]
    runs = collections.Counter((i, fence) for i, fence, _ in lines)
    again = [run for run, count in runs.items() if count > 1]
    same(again, [], "no run of a job was given to two workers")
    distinct = {i for i, _ in runs}
    same(set(acknowledged) - distinct - cancelled, set(), "each was run at least once")
    wrong = [i for i, _, n in lines if acknowledged.get(i, n) != n]
    same(wrong, [], "each with what it was enqueued with")
    later = {i for i, fence in runs if fence > 1}
    same({i for i, n in acknowledged.items() if n % EACH == FAILS} - later, set(),
         "and what failed at first was run again")
    print(f"# {len(runs)} runs of {len(distinct)} jobs; {len(job)} live, not acknowledged")


def read_ledger(folder):
    """What workers have done; a last line that a crash cut off is left out."""
    with open(os.path.join(folder.path, "ledger"), encoding="ascii") as ledger:
        return [line for line in ledger if line.endswith("\n") and len(line.split()) == 3]


# ---- PostgreSQL -----------------------------------------------------------------------------------

class Stage:
    """What may be killed."""

    def __init__(self, folder, server):
        self.folder, self.server = folder, server
        self.broker = folder.start("broker")
        self.actors = [folder.start("actor", "jobs", "--instance", f"jobs-{i}") for i in (0, 1)]
        self.workers = [Worker(folder, f"work-{i}") for i in (0, 1)]
        self.names = 1

    def new_name(self, what):
        """A name nobody has had: who was killed may not have been found dead yet."""
        self.names += 1
        return f"{what}-{self.names}"

    def kill_worker(self, which):
        self.workers[which].kill()
        self.workers[which] = Worker(self.folder, self.new_name("work"))

    def kill_actor(self, which):
        self.actors[which].kill()
        self.actors[which] = self.folder.start("actor", "jobs", "--instance",
                                               self.new_name("jobs"))

    def kill_broker(self, _which):
        self.broker.kill()
        self.broker = self.folder.start("broker")

    def kill_server(self, _which):
        self.server.stop(signal.SIGQUIT)
        self.server.start()

    def pause_actor(self, which):
        """For longer than its lease: its jobs are others' when it goes on."""
        process = self.actors[which].process
        process.send_signal(signal.SIGSTOP)
        time.sleep(LEASE_SECONDS + 1.5)
        process.send_signal(signal.SIGCONT)


def on_postgres():
    chance = random.Random(SEED)
    with Postgres() as server, Folder(storage_database=server.url, **SETTINGS) as folder:
        folder.run("migrate")
        stage = Stage(folder, server)
        producer = Producer(folder)
        producer.start()
        kinds = [stage.kill_worker] * 4 + [stage.kill_actor] * 3 + [stage.kill_broker] * 2 \
            + [stage.kill_server] + [stage.pause_actor] * 2
        for number in range(FAULTS):
            # the first ones are one of each kind, whatever chance says
            fault = kinds[number] if number < len(kinds) else chance.choice(kinds)
            producer.jobs = JOBS * (number + 1) // FAULTS
            time.sleep(chance.uniform(0.02, 0.3))
            fault(chance.randrange(2))
        producer.is_over.set()
        producer.join(PATIENCE)
        check(not producer.is_alive(), "everything was acknowledged in the end",
              f"{len(producer.acknowledged)} of {JOBS}, seed {SEED}")
        acknowledged = producer.acknowledged
        tables = ("jobs.job", "jobs.done", "jobs.dead")

        def look(query):
            return ids(query, url=server.url)

        check(wait_settled(acknowledged, tables, look), "all acknowledged jobs ended",
              f"seed {SEED}")
        verify(acknowledged, tables, look, read_ledger(folder))
        print(f"# {len(acknowledged)} of {JOBS} acknowledged, {producer.refused} requests refused or lost, "
              f"seed {SEED}")
        stale_is_refused(folder, stage, look, tables)


def running(look):
    """The workers that have jobs."""
    return set(look("SELECT DISTINCT worker_id FROM jobs.job WHERE state = 1"))


def stale_is_refused(folder, stage, look, tables):
    """An instance that was stopped past its lease reports what is another's by now."""
    client = Client(folder.socket("bus"))
    for n in range(64):
        client.call("jobs", "enqueue", {"kind": "work.run", "payload": {"n": n, "ms": 1000},
                                        "max_attempts": 100})
    # each of the two has some of them by now
    while len(running(look)) < 2:
        time.sleep(0.01)
    victim = stage.actors[0]
    victim.process.send_signal(signal.SIGSTOP)
    time.sleep(LEASE_SECONDS + 2)
    victim.process.send_signal(signal.SIGCONT)
    limit = time.monotonic() + 60
    while look(f"SELECT id FROM {tables[0]}") and time.monotonic() < limit:
        time.sleep(0.1)
    same(look(f"SELECT id FROM {tables[0]}"), [], "what it had was done by the other")
    limit = time.monotonic() + 60
    while "job.stale" not in victim.log() and time.monotonic() < limit:
        time.sleep(0.1)
    check("job.stale" in victim.log(), "its reports were refused", victim.log()[-2000:])
    counts = [0]  # of whichever of the two answers
    while not max(counts) and time.monotonic() < limit:
        command, answer = client.call("jobs", "_stats", {}, deadline=5000)
        counts.append(answer["values"]["jobs_stale_total"] if command == FINAL else 0)
    check(max(counts), "and counted")
    client.close()


# ---- SQLite ---------------------------------------------------------------------------------------

def on_sqlite():
    chance = random.Random(SEED)
    jobs = JOBS // 4
    with Folder(**SETTINGS) as folder:
        folder.start("broker")
        actor = folder.start("actor", "jobs", "--instance", "jobs-0")
        worker = Worker(folder, "work-0")
        producer = Producer(folder)
        producer.start()
        for number in range(1, FAULTS // 2 + 1):
            producer.jobs = jobs * number // (FAULTS // 2)
            time.sleep(chance.uniform(0.02, 0.3))
            actor.kill()
            actor = folder.start("actor", "jobs", "--instance", f"jobs-{number}")
        producer.is_over.set()
        producer.join(PATIENCE)
        check(not producer.is_alive(), "SQLite: everything was acknowledged in the end")
        tables = ("job", "done", "dead")
        path = os.path.join(folder.path, "var", "jobs.db")

        def look(query):
            return ids(query, path=path)

        check(wait_settled(producer.acknowledged, tables, look),
              "SQLite: all acknowledged jobs ended", f"seed {SEED}")
        verify(producer.acknowledged, tables, look, read_ledger(folder))
        worker.kill()


def main():
    try:
        zmq.zmq_version()
        on_sqlite()
        on_postgres()
    except Missing as reason:
        skip(reason)
    return done()


if __name__ == "__main__":
    sys.exit(main())
