#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""`signalbox run`: jobs over HTTP, their events, and `signalbox jobs`, on SQLite and on PostgreSQL."""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from parts import Folder  # noqa: E402
from postgres import database  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import PATIENCE, Response, Web, request  # noqa: E402

GRAPH = {"nodes": [{"id": "a", "type": "trigger"}, {"id": "b"}, {"id": "c"}],
         "edges": [{"from": "b", "to": "c"}]}
ANALYSE = {"kind": "analysis.submit", "payload": {"workflow": GRAPH}}
FAILS = {"kind": "analysis.get", "payload": {"id": "019a4c1e-7b1f-7c3a-9d2e-4f5a6b7c8d9e"}}


def await_state(web, job, state):
    """The job as soon as it is in that state."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        answer = web.get(f"/v1/jobs/{job}").json()
        if answer.get("state") == state:
            return answer
        time.sleep(0.01)
    return answer


def over_http(web):
    answer = web.post("/v1/jobs", ANALYSE)
    same(answer.status, 202, "a job is accepted")
    receipt = answer.json()
    same((receipt["queue"], receipt["duplicate"]), ("analysis", False), "with a receipt")
    job = await_state(web, receipt["id"], "done")
    same(job["result"]["kind"], "generic", "it is done, with what the method answered")
    same((job["attempts"], job["failures"], job["error"]), (1, 0, None), "at the first attempt")
    same(job["payload"], None, "what is done needs no payload")

    for body, code in (({"kind": "analysis.nothing"}, "UNPROCESSABLE"),
                       ({"kind": "auth.key_issue"}, "FORBIDDEN"),
                       ({"kind": "analysis.submit", "queue": "mine"}, "UNPROCESSABLE"),
                       ({"kind": "x"}, "VALIDATION_FAILED")):
        same(web.post("/v1/jobs", body).code, code, f"{body} is refused")
    same(web.get("/v1/queues").status, 403, "queues are for administrators")
    batch = web.post("/v1/jobs/batch", {"jobs": [ANALYSE, dict(ANALYSE, delay_ms=3600000)]})
    same((batch.status, len(batch.json()["items"])), (202, 2), "several at once")
    runs, waits = (item["id"] for item in batch.json()["items"])
    await_state(web, runs, "done")
    same([job["id"] for job in web.get("/v1/jobs").json()["items"]], [waits], "what lives is listed")
    same(web.post(f"/v1/jobs/{waits}/cancel", {}).json()["state"], "cancelled", "and cancelled")


def bombs(web):
    """A user's job that enqueues jobs could enqueue itself, twice, for ever."""
    limit = time.monotonic() + PATIENCE
    while web.post("/v1/jobs", {"kind": "jobs.list"}).status != 202 and time.monotonic() < limit:
        pass  # until the jobs have heard of themselves
    for kind in ("jobs.enqueue", "jobs.enqueue_many", "jobs.enqueue_family", "jobs.schedule_run"):
        same(web.post("/v1/jobs", {"kind": kind}).status, 403, f"no job calls {kind}")
        body = b'{"cron": "@daily", "kind": "%s"}' % kind.encode()
        same(web.request("PUT", "/v1/schedules/bomb", body, {"Content-Type": "application/json"}).status, 403,
             "nor does a schedule's")


def same_answers(web):
    key = {"Idempotency-Key": '"8e03978e-40d5-43e8-bc93-6894a57f9324"'}
    first = web.post("/v1/jobs", ANALYSE, key)
    again = web.post("/v1/jobs", ANALYSE, key)
    same((first.status, again.status), (202, 202), "a request with a key, twice")
    same(again.body, first.body, "has the same answer byte for byte")
    other = web.post("/v1/jobs", dict(ANALYSE, priority=1), key)
    same(other.status, 422, "another request with the key is refused")
    await_state(web, first.json()["id"], "done")
    same(web.post("/v1/jobs", ANALYSE, key).body, first.body, "also when the job has ended")


def events(web):
    """What a stream sees of one job."""
    with web.connect() as connection:
        connection.sendall(request("GET", "/v1/events?topic=jobs."))
        data = b""
        while b":\n\n" not in data:
            data += connection.recv(65536)
        same(Response(data).status, 200, "a stream of jobs")
        job = web.post("/v1/jobs", ANALYSE).json()["id"]
        seen = []
        while "jobs.finished" not in seen:
            data += connection.recv(65536)
            seen = [fields["event"] for fields in
                    (dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
                     for block in data.decode().split("\n\n")[:-1] if "event: " in block)
                    if json.loads(fields["data"])["id"] == job]
    same(seen, ["jobs.enqueued", "jobs.started", "jobs.finished"], "each step of a job is told")


def dead_letters(folder, web):
    job = web.post("/v1/jobs", FAILS).json()["id"]
    same(await_state(web, job, "dead")["error"]["code"], "NOT_FOUND",
         "what fails for good is dead, with the reason")
    same([item["id"] for item in web.get("/v1/dead").json()["items"]], [job], "it is listed")
    same(web.post(f"/v1/dead/{job}/replay", {}).status, 202, "it is run again")
    while await_state(web, job, "dead")["replays"] < 1:
        pass
    found = web.post("/v1/dead/replay", {"code": "NOT_FOUND", "dry_run": True}).json()
    same((found["ids"], found["next_after"]), ([job], None), "a dry run says what would be")
    command_line(folder, web, job)
    same(web.request("DELETE", f"/v1/dead/{job}").status, 204, "it is deleted")
    same(web.get(f"/v1/dead/{job}").status, 404, "and gone")


def command_line(folder, web, dead):
    run = folder.run
    shown = json.loads(run("jobs", "get", dead))
    same((shown["state"], shown["replays"]), ("dead", 1), "jobs get")
    same([job["id"] for job in json.loads(run("jobs", "list", "dead"))["items"]], [dead],
         "jobs list dead")
    same(folder.command("jobs", "replay", "--all", "--dry-run")[::2],
         (0, "1 would run again, 0 not\n"), "jobs replay --dry-run")
    same(folder.command("jobs", "replay", "--kind=analysis.get")[::2],
         (0, "1 run again, 0 not\n"), "jobs replay with a filter")
    while await_state(web, dead, "dead")["replays"] < 2:
        pass
    same(json.loads(run("jobs", "pause", "analysis"))["paused"], True, "jobs pause")
    receipt = json.loads(run("jobs", "enqueue", "analysis.rules", '{"kind": "asl"}'))
    same(json.loads(run("jobs", "get", receipt["id"]))["state"], "ready", "nothing is begun")
    same([queue["ready"] for queue in json.loads(run("jobs", "queues"))["items"]
          if queue["name"] == "analysis"], [1], "jobs queues")
    same(json.loads(run("jobs", "resume", "analysis"))["paused"], False, "jobs resume")
    limit = time.monotonic() + PATIENCE
    while json.loads(run("jobs", "get", receipt["id"]))["state"] != "done" \
            and time.monotonic() < limit:
        pass
    check(json.loads(run("jobs", "get", receipt["id"]))["result"]["items"], "and it is done")
    check("NOT_FOUND" in folder.fail("jobs", "cancel", receipt["id"]), "jobs cancel of what ended")
    for words, status in ((("jobs",), 2), (("jobs", "replay", "--al"), 2), (("jobs", "get", "x"), 2),
                          (("jobs", "get", "999999"), 1), (("jobs", "replay", "--dry-run"), 2)):
        same(folder.command(*words)[0], status, f"{' '.join(words)} ends with {status}")


def counted():
    """Jobs are counted, and not the requests that bring them."""
    with Folder() as folder:
        web = Web(folder.start("run", "--port", 0, "--allow-anonymous").port)
        batch = web.post("/v1/jobs/batch", {"jobs": [ANALYSE] * 11})
        same((batch.status, batch.code), (429, "RATE_LIMIT_EXCEEDED"), "more jobs than an hour may have, in one request")
        family = web.post("/v1/jobs/family", {"parent": ANALYSE, "children": [ANALYSE] * 11})
        same(family.status, 429, "or in a family")
        check(web.post("/v1/jobs/batch", {"jobs": [ANALYSE] * 10}).status != 429, "as many as it may have are let through")
        same(web.post("/v1/jobs", ANALYSE).status, 429, "and no more")


def everything(**where):
    with Folder(**where) as folder:
        web = Web(folder.start("run", "--port", 0, "--allow-anonymous").port)
        folder.run("call", "limiter.policy_set",
                   '{"name": "enqueue", "limit": 100000, "window_ms": 60000}')
        limit = time.monotonic() + PATIENCE
        while web.post("/v1/jobs", {"kind": "auth.key_issue"}).code != "FORBIDDEN" \
                and time.monotonic() < limit:
            pass  # until the jobs have heard of the services beside them
        over_http(web)
        bombs(web)
        same_answers(web)
        events(web)
        dead_letters(folder, web)


def main():
    counted()
    everything()
    with database() as url:
        everything(storage_database=url)
    return done()


if __name__ == "__main__":
    sys.exit(main())
