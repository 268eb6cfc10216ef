# SPDX-License-Identifier: MPL-2.0
"""Many workflows in one request: a job each, a parent that sums them up, progress, keys, limits.

On one process with SQLite, and on several with PostgreSQL.
"""
import os
import sys
import time

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
from parts import Folder  # noqa: E402
from postgres import Missing, database  # noqa: E402
from stream import Stream  # noqa: E402
from tap import check, done, same, skip  # noqa: E402
from user import User  # noqa: E402
from web import PATIENCE  # noqa: E402


def workflow(name, steps=3):
    nodes = [{"id": f"s{i}", "type": "transform" if i else "schedule"} for i in range(steps)]
    edges = [{"from": f"s{i - 1}", "to": f"s{i}"} for i in range(1, steps)]
    return {"workflow": {"name": name, "nodes": nodes, "edges": edges}}


def batch(user, items, key=None):
    headers = dict(user.headers, **({"Idempotency-Key": key} if key else {}))
    return user.web.post("/v1/analyses:batch", {"items": items}, headers)


def await_done(user, location):
    """The job when it has ended."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        job = user.get(location).json()
        if job["state"] in ("done", "dead", "cancelled"):
            return job
        time.sleep(0.02)
    return job


def all_of_it(user):
    stream = Stream(user.web, "?topic=jobs.", user.headers)
    items = [workflow("one"), dict(workflow("two"), profile="gate", name="my/two"), workflow("one")]
    answer = batch(user, items)
    same(answer.status, 202, "a batch is accepted")
    accepted = answer.json()
    same(answer.headers["location"], f"/v1/jobs/{accepted['job_id']}", "Location says where its job is")
    parent = await_done(user, answer.headers["location"])
    same((parent["state"], parent["kind"]), ("done", "analysis.summarize"), "which ends after all others")
    summary = parent["result"]
    same((summary["analysed"], summary["failed"]), (3, 0), "and counts them")
    same([item["job_id"] for item in summary["items"]], [item["job_id"] for item in accepted["items"]],
         "in the order of the request")
    same([item["state"] for item in summary["items"]], ["done"] * 3, "each of them done")
    first, second, third = summary["items"]
    same(third["analysis_id"], first["analysis_id"], "what is in it twice is one analysis")
    analysis = user.get("/v1/analyses/" + second["analysis_id"]).json()
    same((analysis["name"], analysis["profile"], analysis["score"]), ("my/two", "gate", second["score"]),
         "an item says what an analysis by itself would")
    children = user.get(f"/v1/jobs/{accepted['job_id']}/children").json()["items"]
    same([child["result"]["id"] for child in children], [item["analysis_id"] for item in summary["items"]],
         "each job's result names its analysis")

    seen = {"progress": [], "finished": set()}
    while accepted["job_id"] not in seen["finished"]:
        event, data, _ = stream.next()
        if event == "jobs.progress" and data["id"] == accepted["job_id"]:
            seen["progress"].append(data["percent"])
        if event == "jobs.finished":
            seen["finished"].add(data["id"])
    stream.close()
    check(seen["progress"] == sorted(seen["progress"]) and seen["progress"][-1] == 100,
          "server-sent events tell how many have ended", seen)
    same(seen["finished"], {accepted["job_id"], *(item["job_id"] for item in accepted["items"])},
         "and of each end")


def known_before(user):
    answer = user.post("/v1/analyses", workflow("one")["workflow"])
    same(answer.status, 200, "what a batch has analysed is known")


def refused(user):
    unfit = batch(user, [workflow("fit"), {"workflow": {"nothing": 1}}, {"workflow": {"nodes": 3, "edges": 1}}])
    same((unfit.status, unfit.code), (422, "VALIDATION_FAILED"), "a batch with what is no workflow is refused")
    same([error["pointer"] for error in unfit.json()["errors"]], ["/items/1/workflow", "/items/2/workflow"],
         "and the answer says which")
    wrong = batch(user, [workflow("fit"), dict(workflow("other"), kind="bpmn")])
    same([error["pointer"] for error in wrong.json()["errors"]], ["/items/1/kind"], "likewise what is no kind")
    same(batch(user, []).status, 422, "nothing at all is refused")
    same(batch(user, [workflow(f"w{n}") for n in range(101)]).status, 422, "and too much")
    same(user.post("/v1/analyses", workflow("fit")["workflow"]).status, 201, "nothing of it was analysed")


def keyed(user):
    key = '"1f0c7a56-3a52-4d1e-9c0c-2f5c8f7f7a10"'
    first = batch(user, [workflow("keyed"), workflow("too")], key)
    again = batch(user, [workflow("keyed"), workflow("too")], key)
    same((first.status, again.status), (202, 202), "a batch with a key, twice")
    same(again.body, first.body, "is answered byte for byte alike")
    other = batch(user, [workflow("keyed")], key)
    same((other.status, other.code), (422, "UNPROCESSABLE"), "another one with the key is refused")
    same(await_done(user, first.headers["location"])["result"]["analysed"], 2, "it was done once")


def limited(port):
    """Ten analyses an hour."""
    user = User(port, "free@example.dev")
    answer = batch(user, [workflow(f"a{n}") for n in range(11)])
    same((answer.status, answer.code), (429, "RATE_LIMIT_EXCEEDED"), "a batch larger than the limit is refused")
    answer = batch(user, [workflow(f"a{n}") for n in range(4)])
    same((answer.status, answer.headers["x-ratelimit-remaining"]), (202, "6"), "each workflow counts as an analysis")
    same(len([line for line in answer.lines if line.lower().startswith("x-ratelimit-limit")]), 1,
         "how the caller stands is told once")
    same(batch(user, [workflow(f"b{n}") for n in range(7)]).status, 429, "what does not fit as a whole is refused")
    answer = batch(user, [workflow(f"c{n}") for n in range(6)])
    same((answer.status, answer.headers["x-ratelimit-remaining"]), (202, "0"), "and costs nothing")
    same(user.post("/v1/analyses", workflow("more")["workflow"]).status, 429, "then there is none left")


def everything(folder, port):
    user = User(port, "batch@example.dev")
    folder.run("user", "tier", "batch@example.dev", "enterprise")
    folder.run("call", "limiter.policy_set", '{"name": "read", "limit": 100000, "window_ms": 60000}')
    folder.run("call", "limiter.policy_set", '{"name": "enterprise", "limit": 100000, "window_ms": 60000}')
    all_of_it(user)
    known_before(user)
    refused(user)
    keyed(user)
    limited(port)


def main():
    with Folder() as folder:
        everything(folder, folder.start("run", "--port", "0").port)
    try:
        with database() as url, Folder(storage_database=url, edge_port=0) as folder:
            folder.run("migrate")
            folder.start("broker")
            for actors in (["auth", "limiter"], ["jobs"], ["analysis"], ["analysis", "jobs"]):
                folder.start("actor", *actors)
            everything(folder, folder.start("edge").port)
    except Missing as missing:
        skip(str(missing))
    return done()


if __name__ == "__main__":
    sys.exit(main())
