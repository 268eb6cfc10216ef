#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Eight instances of the jobs service on one PostgreSQL, whose clocks differ by up to three seconds
either way, while the clocks on the wall are put forward and back, and instances are killed: every
schedule is fired exactly once each time it is due, as its table proves.

The zone is the test's own, so that its clocks are changed while the test looks.
"""
import datetime
import glob
import os
import struct
import subprocess
import sys
import time
import zoneinfo

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from bus import FINAL, Client  # noqa: E402
from cron import Window  # noqa: E402
from parts import Folder  # noqa: E402
from postgres import Missing, database  # noqa: E402
from tap import check, done, same, skip  # noqa: E402

SKEWS = [-3.0, -2.1, -1.2, -0.3, 0.4, 1.3, 2.2, 3.0]  # seconds
FORWARD, BACK, END = 6, 14, 20  # seconds after the schedules were put
JUMP = 3600
PATIENCE = 60
HOUR_2 = 2 * 3600

# Every second of the local hours around the change has a role: what is skipped, what is shown twice.
SCHEDULES = {
    "every second": ("* * * * * *", {}),
    "every third": ("*/3 * * * * *", {"second": set(range(0, 60, 3))}),
    "at times of two o'clock, which are skipped": (
        "*/5 */10 2 * * *", {"second": set(range(0, 60, 5)), "minute": set(range(0, 60, 10)),
                             "hour": {2}}),
    "at times of three o'clock, which are shown once": (
        "* 0 3 * * *", {"minute": {0}, "hour": {3}}),
    "at times of one, two and three": (
        "*/2 * 1-3 * * *", {"second": set(range(0, 60, 2)), "hour": {1, 2, 3}}),
    "before the change only": ("* 59 1 * * *", {"minute": {59}, "hour": {1}}),
}


class Times:
    """An expression as the model wants it: which values fit."""

    def __init__(self, sets):
        self.sets = sets
        self.goes_on = "hour" not in sets

    def fits(self, wall):
        return all(getattr(wall, name) in values for name, values in self.sets.items())


def zone_file(forward, back):
    """A TZif file (RFC 8536) whose clocks show 02:00:00 at `forward` and jump to 03:00:00 then, and
    are put back by as much at `back`."""
    offset = HOUR_2 - forward % 86400
    offset += 86400 if offset < -43200 else 0
    types = struct.pack(">iBBiBB", offset, 0, 0, offset + JUMP, 1, 0)

    def block(times, form):
        return (b"TZif2" + bytes(15) + struct.pack(">6I", 0, 0, 0, len(times), 2, 4)
                + b"".join(struct.pack(form, at) for at, _ in times)
                + bytes(kind for _, kind in times) + types + b"ABC\0")

    return block([], ">i") + block([(forward, 1), (back, 0)], ">q") + b"\n\n"


def skewer():
    """The path of libfaketime, for programs with threads."""
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not found:
        skip("libfaketime is not there: install faketime")
    return found[0]


class Table:
    """The database, past the service."""

    def __init__(self, url):
        self.url = url

    def rows(self, statement):
        output = subprocess.run(
            ["psql", "--no-psqlrc", "--tuples-only", "--no-align", self.url, "--command",
             statement], check=True, capture_output=True, text=True).stdout
        return [line.split("|") for line in output.splitlines()]

    def number(self, statement):
        return int(self.rows(statement)[0][0])

    def now(self):
        return self.number("SELECT floor(extract(epoch FROM clock_timestamp()))")


def start_skewed(folder, library, skew):
    """An instance whose clock goes wrong by so many seconds, as its log shows."""
    # ASan's allocator asks for the time, to give memory back, while it holds its lock: the first
    # time libfaketime looks for its symbols then, which allocates
    folder.environment.update(LD_PRELOAD=library, FAKETIME=f"{skew:+.1f}s",
                              ASAN_OPTIONS="verify_asan_link_order=0:allocator_release_to_os_interval_ms=-1")
    before = time.time()
    part = folder.start("actor", "jobs")
    del folder.environment["LD_PRELOAD"]
    text = part.events()[0]["timestamp"].replace("Z", "+00:00")
    written = datetime.datetime.fromisoformat(text).timestamp()
    check(before - 0.1 <= written - skew <= time.time() + 0.1,
          f"the clock of an instance is wrong by {skew:+.1f} s")
    return part


def put_all(folder):
    client = Client(folder.socket("bus"))
    for number, (name, (cron, _)) in enumerate(SCHEDULES.items()):
        command, body = client.call("jobs", "schedule_put", {
            "name": f"s{number}", "cron": cron, "zone": "Test/Jump", "kind": "nobody.listens",
            "catch_up": 100, "payload": {"n": number}}, deadline=PATIENCE * 1000)
        check(command == FINAL, f"put: {name}", body)
    client.close()


def await_fired(table, end):
    """Waits until nothing is due any more that was due until then."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        if table.now() > end and table.number("SELECT count(*) FROM jobs.schedule"
                                              f" WHERE next_at <= {end * 1000}") == 0:
            return True
        time.sleep(0.2)
    return False


def compare(table, zone, number, name, sets, end):
    """What was fired is what was due, according to the model; each with a job of its own."""
    begun = table.number(f"SELECT created_at FROM jobs.schedule WHERE name = 's{number}'") // 1000
    expected = Window(zone, begun, end, 1).expected(Times(sets))
    rows = table.rows("SELECT f.fire_at, f.job_id FROM jobs.schedule_fire f JOIN jobs.schedule s"
                      f" ON s.id = f.schedule_id WHERE s.name = 's{number}'"
                      f" AND f.fire_at <= {end * 1000} ORDER BY f.fire_at")
    same([int(at) // 1000 for at, _ in rows], expected,
         f"{name}: each of {len(expected)} due times is there, once, and no other")
    check(all(job for _, job in rows), f"{name}: each has a job")


def main():
    library = skewer()
    try:
        with database() as url:
            run(library, url)
    except Missing as missing:
        skip(str(missing))
    return done()


def run(library, url):
    table = Table(url)
    with Folder(storage_database=url, jobs_zoneinfo="zones") as folder:
        os.makedirs(os.path.join(folder.path, "zones", "Test"))
        folder.run("migrate")
        folder.start("broker")
        parts = [start_skewed(folder, library, skew) for skew in SKEWS]

        forward = table.now() + FORWARD
        back, end = forward + BACK - FORWARD, forward + END - FORWARD
        path = os.path.join(folder.path, "zones", "Test", "Jump")
        with open(path, "wb") as file:
            file.write(zone_file(forward, back))
        with open(path, "rb") as file:
            zone = zoneinfo.ZoneInfo.from_file(file)
        put_all(folder)

        while table.now() < forward - 1:
            time.sleep(0.05)
        parts[0].kill()
        parts[3].kill()
        check(table.now() < back, "two instances were killed before the clocks are put back")
        parts.append(start_skewed(folder, library, -2.5))
        check(await_fired(table, end), "nothing waits to be fired")

        for number, (name, (_, sets)) in enumerate(SCHEDULES.items()):
            compare(table, zone, number, name, sets, end)
        same(table.number("SELECT count(*) - count(DISTINCT job_id) FROM jobs.schedule_fire"), 0,
             "no job belongs to two firings")
        for part in parts[1:3] + parts[4:]:
            same(part.stop(), 0, "an instance leaves in order")
        same(table.number("SELECT count(*) FROM jobs.job"),
             table.number("SELECT count(*) FROM jobs.schedule_fire"),
             "and there is no job without one")


if __name__ == "__main__":
    sys.exit(main())
