# SPDX-License-Identifier: MPL-2.0
"""The API document: what is in it, that it is always the same, and that others can read it."""
import json
import os
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
import openapi  # noqa: E402
from edge import PATIENCE, Edge  # noqa: E402
from tap import check, done, same  # noqa: E402


def what_is_in_it(document):
    paths = document["paths"]
    same(document["openapi"], "3.1.0", "OpenAPI 3.1")
    check("/v1/ping" in paths and "/health/ready" in paths and "/api-docs" not in paths,
          "the edge's own routes that are API")
    check("/v1/analyses/mine" not in paths and "/v1/demo/open" not in paths,
          "no route that is not bound")
    get = paths["/v1/demo/things/{id}"]["get"]
    same((get["operationId"], get["tags"]), ("demo.get", ["demo"]), "named and tagged")
    same([(p["name"], p["in"], p["required"]) for p in get["parameters"]],
         [("id", "path", True), ("tag", "query", False), ("ratio", "query", False),
          ("deep", "query", False), ("name", "query", False)], "parameters by where they are")
    check("NOT_FOUND" in get["responses"]["404"]["description"]
          and "CONFLICT" in get["responses"]["409"]["description"]
          and "VALIDATION_FAILED" in get["responses"]["422"]["description"],
          "problems: the method's own and those of all")
    check("requestBody" not in get and "415" not in get["responses"], "GET has no body")
    patch = paths["/v1/demo/things/{id}"]["patch"]
    body = patch["requestBody"]["content"]["application/json"]["schema"]
    check("id" not in body["properties"] and "name" in body["properties"]
          and "required" not in body, "what is in the path is not in the body", body)
    put = paths["/v1/demo/things/{id}"]["put"]["requestBody"]
    same((put["required"], put["content"]["application/json"]["schema"]),
         (True, {"description": "Any JSON"}), "a body that is one field")
    create = paths["/v1/demo/things"]["post"]
    check("Location" in create["responses"]["201"]["headers"], "Location is documented")
    same(create["requestBody"]["content"]["application/json"]["example"], {"name": "seven"},
         "an example, from the fields'")
    check(paths["/v1/demo/things/{id}"]["delete"]["deprecated"], "a route that goes is deprecated")
    same(list(paths["/v1/demo/page"]["get"]["responses"]["200"]["content"]),
         ["text/html; charset=utf-8"], "another media type")


def that_it_is_the_same(edge, first):
    edge.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and edge.get("/v1/demo/things/1").status != 503:
        pass
    again = edge.get("/openapi.json")
    same(again.body, first.body, "the same bytes from another routing, while no instance lives")
    same(edge.get("/openapi.json", {"If-None-Match": first.headers["etag"]}).status, 304,
         "so clients need not fetch it again")


def that_others_read_it(document):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(document, file)
        file.flush()
        try:
            for name, (valid, said) in openapi.judge(file.name).items():
                check(valid, f"valid for {name}", said)
        except openapi.Unavailable as reason:
            print(f"# {reason}: the public validators were not asked")


with Edge() as edge:
    answer = edge.get("/openapi.json")
    same((answer.status, answer.headers["content-type"]), (200, "application/json"), "/openapi.json")
    what_is_in_it(answer.json())
    that_others_read_it(answer.json())
    that_it_is_the_same(edge, answer)
sys.exit(done())
