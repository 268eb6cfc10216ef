# SPDX-License-Identifier: MPL-2.0
"""`signalbox run`: a workflow posted over HTTP comes back analysed, is kept, compared and drawn.

ANALYSIS_CORPUS names a folder of real exports to analyse beside the fixtures.

Memory is flat when the process's own (heap and stacks) is after the last round at most GROWTH_PERCENT
above what it was after round SETTLED. The rounds before fill the caches, above all the 6 MiB of pages
that SQLite keeps for its connections.
"""
import copy
import json
import os
import sys
import xml.etree.ElementTree

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
# freed memory that the sanitizer holds back would look like a leak
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=0:thread_local_quarantine_size_kb=0"
from parts import Folder  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import Web  # noqa: E402

ROUNDS, SETTLED, GROWTH_PERCENT = 20, 15, 5
JSON = {"Content-Type": "application/json"}


def read(*path):
    with open(os.path.join(SOURCE, *path), "rb") as file:
        return file.read()


def corpus():
    """Every *.json file: (name, bytes)."""
    folders = [os.path.join(SOURCE, "tests", "fixtures", "analysis")]
    if os.environ.get("ANALYSIS_CORPUS"):
        folders.append(os.environ["ANALYSIS_CORPUS"])
    for folder in folders:
        for path, _, files in sorted(os.walk(folder)):
            for file in sorted(files):
                if file.endswith(".json"):
                    yield file, read(os.path.join(path, file))


def submitted(web):
    """The example, twice, and all that can be had about it."""
    example = read("docs", "examples", "workflow.json")
    first = web.request("POST", "/v1/analyses", example, JSON)
    answer = first.json()
    same(first.status, 201, "a workflow is analysed")
    same((answer["kind"], answer["name"]), ("n8n", "Order intake"), "its kind is found out")
    same(answer["grade"], "FDCBA"[sum(answer["score"] >= least for least in (50, 65, 80, 90))],
         "the grade follows from the score")
    check(all(issue["fix"] and issue["why"] and len(issue["fingerprint"]) == 32
              for issue in answer["issues"]), "every issue has a reason and a fix")
    sql = next(issue for issue in answer["issues"] if issue["rule"] == "WF305")
    same([node["name"] for node in sql["path"]], ["Order hook", "Is urgent", "Store order"],
         "and its proof: the way to the node")
    location = first.headers["location"]
    same(location, "/v1/analyses/" + answer["id"], "Location says where it is kept")

    again = web.request("POST", "/v1/analyses", example, JSON)
    same(again.status, 200, "the same again is answered from the store")
    same(again.json(), dict(answer, repeated=True), "with the same analysis, marked as repeated")
    kept = web.get(location)
    stored = dict(answer)
    stored.pop("repeated")
    same((kept.status, kept.json()), (200, stored), "GET answers with what was answered then")
    sarif = web.get(location + "/sarif")
    same((sarif.headers["content-type"], sarif.json()["version"]),
         ("application/sarif+json", "2.1.0"), "SARIF")
    same(len(sarif.json()["runs"][0]["results"]), len(answer["issues"]), "with every issue")
    svg = web.get(location + "/graph.svg")
    root = xml.etree.ElementTree.fromstring(svg.body)
    same((svg.headers["content-type"], root.tag),
         ("image/svg+xml", "{http://www.w3.org/2000/svg}svg"), "a drawing that is XML")
    drawn = " ".join(root.itertext())
    check(all(name in drawn for name in ("Order hook", "Forgotten")), "of the nodes", drawn)
    mermaid = web.get(location + "/graph.mmd")
    check(mermaid.body.startswith(b"flowchart") and b"Order hook" in mermaid.body,
          "a Mermaid diagram", mermaid.raw)
    return answer


def compared(web, answer):
    """A second version in which the statement takes parameters."""
    document = json.loads(read("docs", "examples", "workflow.json"))
    store = document["nodes"][2]["parameters"]
    store["query"] = "INSERT INTO orders (note) VALUES ($1)"
    store["options"] = {"queryReplacement": "={{ $json.body.note }}"}
    better = web.post("/v1/analyses", document).json()
    check(better["score"] > answer["score"], "what is repaired scores more", better)
    same(better["workflow_id"], answer["workflow_id"], "it is a version of the same workflow")
    path = "/v1/workflows/" + answer["workflow_id"]
    diff = web.get(f"{path}/diff?from={answer['id']}&to={better['id']}").json()
    same([issue["rule"] for issue in diff["issues"]["fixed"]], ["WF305"], "diff: what was fixed")
    same(diff["issues"]["new"], [], "what is new")
    same([(change["node"]["name"], change["what"]) for change in diff["nodes"]["changed"]],
         [("Store order", ["parameters"])], "what was changed")
    same(diff["score_change"], better["score"] - answer["score"], "and what it won")
    same(web.get(path + "/diff").json(), diff, "without versions it compares the newest two")
    one = web.get(path).json()
    same([item["id"] for item in one["analyses"]], [better["id"], answer["id"]],
         "a workflow knows its analyses, the newest first")
    same([point["score"] for point in web.get(path + "/trend").json()["points"]],
         [answer["score"], better["score"]], "and how its score went")


def pinned(web, answer):
    """The first version as the one that others are measured against."""
    path = f"/v1/workflows/{answer['workflow_id']}"
    same(web.get(path + "/baseline").status, 404, "no version is pinned by itself")
    newest = web.get(path).json()["analyses"][0]
    made = web.request("PUT", path + "/baseline")
    same((made.status, made.json()["analysis"]), (200, newest), "the newest is pinned")
    same(web.get(path + "/diff").json()["from"], newest, "diff: against itself")
    body = json.dumps({"analysis_id": answer["id"]})
    first = web.request("PUT", path + "/baseline", body.encode(), JSON).json()
    same(first["analysis"]["id"], answer["id"], "or another one")
    same(web.get(path + "/baseline").json(), first, "which stays pinned")
    same(web.get(path + "/diff").json()["from"]["id"], answer["id"], "diff: from the baseline")
    sarif = f"/v1/analyses/{newest['id']}/sarif"
    states = [[result["baselineState"] for result in web.get(sarif + query).json()["runs"][0]["results"]]
              for query in ("", "?absent=true")]
    same((set(states[0]), set(states[1]) - set(states[0])), ({"unchanged"}, {"absent"}), "SARIF: what is new since")
    answered = web.request("DELETE", "/v1/analyses/" + answer["id"])
    same((answered.status, answered.code), (409, "CONFLICT"), "a baseline is not deleted")
    same([web.request("DELETE", path + "/baseline").status for _ in range(2)], [204, 204], "until it is one no more")
    check("baselineState" not in web.get(sarif).json()["runs"][0]["results"][0], "SARIF: nothing to be compared with")


def listed(web):
    for number in range(3):
        web.post(f"/v1/analyses?name=listed-{number}", [{"id": "t", "type": "tab", "label": "T"},
                                                        {"id": "a", "type": "inject", "z": "t",
                                                         "wires": [[]]}])
    page = web.get("/v1/analyses?limit=2").json()
    same([item["name"] for item in page["items"]], ["listed-2", "listed-1"], "the newest first")
    page = web.get("/v1/analyses?limit=2&cursor=" + page["next_cursor"]).json()
    same([item["name"] for item in page["items"]], ["listed-0", "Order intake"], "page by page")
    found = web.get("/v1/analyses?kind=node-red").json()["items"]
    same({item["kind"] for item in found}, {"node-red"}, "of one kind")
    names = [item["name"] for item in web.get("/v1/workflows").json()["items"]]
    same(names, ["listed-2", "listed-1", "listed-0", "Order intake"], "workflows")
    gone = "/v1/analyses/" + found[0]["id"]
    same([web.request(verb, gone).status for verb in ("DELETE", "GET", "DELETE")], [204, 404, 404],
         "an analysis can be deleted, once")
    rules = web.get("/v1/rules").json()["items"]
    check(len(rules) >= 45, "the rules", len(rules))
    same(web.get("/v1/rules/" + rules[0]["id"]).json(), rules[0], "one rule")


REFUSED = [
    # what                 path                          body               status, code
    ("broken JSON", "/v1/analyses", b'{"nodes": [', 400, "INVALID_JSON"),
    ("a key twice", "/v1/analyses", b'{"nodes": [], "nodes": []}', 400, "INVALID_JSON"),
    ("no workflow", "/v1/analyses", b'{"hello": 1}', 422, "UNPROCESSABLE"),
    ("too deep", "/v1/analyses", b"[" * 200 + b"]" * 200, 400, "INVALID_JSON"),
    ("an unknown kind", "/v1/analyses?kind=visio", b"{}", 422, "VALIDATION_FAILED"),
    ("an unknown parameter", "/v1/analyses?colour=red", b"{}", 422, "VALIDATION_FAILED"),
]


def refused(web):
    for name, path, body, status, code in REFUSED:
        answer = web.request("POST", path, body, JSON)
        same((answer.status, answer.code, answer.headers["content-type"]),
             (status, code, "application/problem+json"), f"refused: {name}")
    unknown = "/v1/analyses/019a4c1e-7b1f-7c3a-9d2e-4f5a6b7c8d9e"
    same(web.get(unknown).status, 404, "an analysis that nobody made")
    same(web.get("/v1/analyses/not-an-id").status, 422, "and one that cannot be")


def rename(document, to):
    """A copy in which one node has another name, and whatever names it follows."""
    nodes = document.get("nodes") if isinstance(document, dict) else document
    if isinstance(document, dict) and isinstance(document.get("States"), dict):
        names = list(document["States"])
    else:
        names = [node["name"] for node in nodes or [] if isinstance(node, dict) and node.get("name")]
    if names and names[0]:
        text = json.dumps(document)
        return json.loads(text.replace(json.dumps(names[0]), json.dumps(f"{names[0]} {to}")))
    renamed = copy.deepcopy(document)
    if nodes and isinstance(nodes[0], dict):
        nodes = renamed["nodes"] if isinstance(renamed, dict) else renamed
        nodes[0]["name"] = to
    return renamed


def round_after_round(web, process):
    documents, faults = [], []
    for name, body in corpus():
        answer = web.request("POST", f"/v1/analyses?name=corpus/{name}", body, JSON)
        if answer.status == 201:
            documents.append((name, json.loads(body)))
        elif answer.status >= 500 or answer.status < 400:
            faults.append(f"{name}: {answer.status} {answer.body[:300]}")
    same(faults, [], "every file is analysed, or refused for a reason")
    check(len(documents) >= 100, "most of them are workflows", len(documents))
    sizes = []
    for number in range(ROUNDS):
        for name, document in documents:
            answer = web.post(f"/v1/analyses?name=corpus/{name}", rename(document, f"v{number}"))
            if answer.status not in (200, 201):
                faults.append(f"{name} in round {number}: {answer.status} {answer.body[:300]}")
        sizes.append(process.memory())
    same(faults, [], f"{ROUNDS} rounds of {len(documents)} files, one node renamed in each")
    growth = (sizes[-1] - sizes[SETTLED - 1]) * 100 / sizes[SETTLED - 1]
    check(growth <= GROWTH_PERCENT, f"memory is flat: {growth:.1f} % since round {SETTLED}", sizes)


with Folder(edge_port=0, edge_allow_anonymous="true", edge_threads=16, edge_limits="false") as folder:
    run = folder.start("run")
    api = Web(run.port)
    example = submitted(api)
    compared(api, example)
    pinned(api, example)
    listed(api)
    refused(api)
    round_after_round(api, run)
    same(run.stop(), 0, "it leaves with status 0")
sys.exit(done())
