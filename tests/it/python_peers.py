# SPDX-License-Identifier: MPL-2.0
"""The examples of docs/python.md: a service in Python behind the edge, and a client of the bus."""
import os
import subprocess
import sys

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
EXAMPLES = os.path.join(SOURCE, "docs", "examples")
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
from parts import Folder, die_with_parent  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import PATIENCE, Web  # noqa: E402

GREET = "/v1/greeter/{name}"


def example(name, *words):
    return [sys.executable, os.path.join(EXAMPLES, name), *words]


def start_greeter(folder, watch):
    """Returns when the broker has told everybody of it."""
    seen = len(watch.lines)
    greeter = subprocess.Popen(example("greeter.py", folder.socket("bus")),
                               stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
    if not watch.wait_line('"name":"greeter-py"', after=seen):
        raise RuntimeError("the greeter did not register")
    return greeter


def until(web, path, status):
    """The answer with this status: the edge hears of services a moment after the watcher."""
    for _ in range(2000):
        answer = web.get(path)
        if answer.status == status:
            return answer
    return answer


REFUSED = [
    # path                                status  which field
    ("/v1/greeter/Ada?times=99",          422,    "/times"),
    ("/v1/greeter/Ada?times=0",           422,    "/times"),
    ("/v1/greeter/Ada?times=often",       422,    "/times"),
    ("/v1/greeter/Ada?loud=true",         422,    "/loud"),
    ("/v1/greeter/" + 51 * "a",           422,    "/name"),
]


def service(folder, web):
    same(web.get("/v1/greeter/Ada").status, 404, "before it runs there is no such route")
    watch = folder.start("watch", "registry.")
    greeter = start_greeter(folder, watch)
    same(until(web, "/v1/greeter/Ada", 200).json(), {"greeting": "Hello, Ada"},
         "a service in Python answers over HTTP")
    same(web.get("/v1/greeter/Ada?times=2").json(), {"greeting": "Hello, Ada, Ada"},
         "with numbers of the query as numbers")
    same(web.get("/v1/greeter/J%C3%BCrgen%20K").json(), {"greeting": "Hello, Jürgen K"},
         "and text as text")
    for path, status, pointer in REFUSED:
        answer = web.get(path)
        pointers = [error["pointer"] for error in answer.json().get("errors", [])]
        same((answer.status, answer.headers["content-type"], pointers),
             (status, "application/problem+json", [pointer]), f"{path[:40]} is refused")
    same(web.request("POST", "/v1/greeter/Ada").status, 405, "another verb is refused")
    operation = web.get("/openapi.json").json()["paths"][GREET]["get"]
    same(operation["summary"], "Greets somebody by name", "it is in /openapi.json")
    times = next(item for item in operation["parameters"] if item["name"] == "times")
    same((times["in"], times["schema"]["maximum"], times["required"]), ("query", 9, False),
         "with its parameters")
    same(folder.run("ps").count("greeter-py"), 1, "ps lists it")
    greeting = folder.run("call", "greeter.greet", '{"name": "you"}')
    same(greeting.strip(), '{\n  "greeting": "Hello, you"\n}', "call calls it")

    greeter.kill()
    greeter.communicate()
    answer = until(web, "/v1/greeter/Ada", 503)
    same((answer.status, answer.code), (503, "NO_INSTANCE"), "stopped: 503, with the reason")
    detail = answer.json()["detail"]  # the broker's, until the edge itself has heard
    check(any(when in detail for when in ("since 20", "left 20", "left just now")), "and since when", detail)
    check(GREET in web.get("/openapi.json").json()["paths"], "its documentation stays")
    greeter = start_greeter(folder, watch)
    same(until(web, "/v1/greeter/Ada", 200).status, 200, "started again: it answers")
    return greeter


def client(folder):
    def analyse(path):
        run = subprocess.run(example("analyse.py", folder.socket("bus"), path), timeout=PATIENCE,
                             capture_output=True, text=True, check=False)
        return run.returncode, run.stdout, run.stderr

    status, output, errors = analyse(os.path.join(EXAMPLES, "workflow.json"))
    same((status, errors), (0, ""), "a client in Python has a workflow analysed")
    check(output.startswith("score ") and "  error    WF305 SQL built" in output,
          "and prints what was found", output)
    folder.write("none.json", '{"hello": 1}')
    status, _, errors = analyse(os.path.join(folder.path, "none.json"))
    same((status, errors.split(":")[0]), (1, "UNPROCESSABLE"), "or why not")


with Folder(edge_port=0, edge_allow_anonymous="true", edge_threads=16) as parts:
    run = parts.start("run")
    peer = service(parts, Web(run.port))
    client(parts)
    same(run.stop(), 0, "the system leaves with status 0")
    reason = peer.communicate(timeout=PATIENCE)[1]
    same((peer.returncode, reason.startswith("the broker said no")), (1, True),
         "and tells the service so")
sys.exit(done())
