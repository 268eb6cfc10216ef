# SPDX-License-Identifier: MPL-2.0
"""Analyses that are answered later: asked for, or because they take long; on one process with SQLite
and on several with PostgreSQL."""
import json
import os
import sys
import time

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
from parts import Folder  # noqa: E402
from postgres import Missing, database  # noqa: E402
from tap import check, done, same, skip  # noqa: E402
from web import Web  # noqa: E402

JSON = {"Content-Type": "application/json"}
LATER = {**JSON, "Prefer": "wait=5, respond-async"}
PATIENCE = 60
STEPS = 8000  # of a workflow whose analysis takes longer than a millisecond


def example():
    with open(os.path.join(SOURCE, "docs", "examples", "workflow.json"), "rb") as file:
        return file.read()


def chain(name, steps):
    nodes = [{"id": f"s{i}", "type": "transform" if i else "schedule"} for i in range(steps)]
    edges = [{"from": f"s{i - 1}", "to": f"s{i}"} for i in range(1, steps)]
    return json.dumps({"name": name, "nodes": nodes, "edges": edges}).encode()


def await_done(web, location):
    """The job when it has ended."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        job = web.get(location).json()
        if job["state"] in ("done", "dead", "cancelled"):
            return job
        time.sleep(0.02)
    return job


def asked_for(web):
    answer = web.request("POST", "/v1/analyses", example(), LATER)
    same(answer.status, 202, "what is to be answered later is accepted")
    location = answer.headers["location"]
    same(location, f"/v1/jobs/{answer.json()['job_id']}", "Location says where the job is")
    job = await_done(web, location)
    same((job["state"], job["kind"]), ("done", "analysis.run"), "the job is done")
    analysis = web.get("/v1/analyses/" + job["result"]["id"])
    same(analysis.status, 200, "its result names the analysis")
    same(analysis.json()["score"], job["result"]["score"], "and tells the score")
    again = web.request("POST", "/v1/analyses", example(), LATER)
    same((again.status, again.json()["id"]), (200, job["result"]["id"]),
         "what was analysed before is answered at once")
    unfit = web.request("POST", "/v1/analyses", b'{"nothing": 1}', LATER)
    same(unfit.status, 422, "what is no workflow is refused at once")
    by_query = web.request("POST", "/v1/analyses?respond_async=true", chain("asked", 10), JSON)
    same(by_query.status, 202, "it can be asked for in the address, too")
    same(await_done(web, by_query.headers["location"])["state"], "done", "and is done")


def takes_long(web):
    answer = web.request("POST", "/v1/analyses", chain("long", STEPS), JSON)
    same(answer.status, 202, "what takes longer than patience becomes a job")
    job = await_done(web, answer.headers["location"])
    same(job["state"], "done", "which takes the time it needs")
    same(job["result"]["nodes"], STEPS, "for a workflow larger than a job's payload")


def alone():
    """Without jobs there is no later."""
    with Folder(edge_port=0, edge_allow_anonymous="true", analysis_patience_ms=1) as folder:
        folder.start("broker")
        folder.start("actor", "limiter", "analysis")
        web = Web(folder.start("edge").port)
        web.wait_for("/v1/rules")
        answer = web.request("POST", "/v1/analyses", chain("long", STEPS), JSON)
        same(answer.status, 201, "without jobs an analysis takes the time it needs")
        later = web.request("POST", "/v1/analyses", chain("later", 10), LATER)
        check(later.status in (503, 404), "and later cannot be promised", later.status)


def main():
    with Folder(analysis_patience_ms=1) as folder:
        web = Web(folder.start("run", "--port", "0", "--allow-anonymous").port)
        asked_for(web)
        takes_long(web)
    alone()
    try:
        with database() as url, Folder(storage_database=url, edge_allow_anonymous="true",
                                       edge_port=0, analysis_patience_ms=1) as folder:
            folder.run("migrate")
            folder.start("broker")
            folder.start("actor", "jobs")
            folder.start("actor", "limiter", "analysis")
            web = Web(folder.start("edge").port)
            web.wait_for("/v1/rules")
            web.wait_for("/v1/jobs")
            asked_for(web)
            takes_long(web)
    except Missing as missing:
        skip(str(missing))
    return done()


if __name__ == "__main__":
    sys.exit(main())
