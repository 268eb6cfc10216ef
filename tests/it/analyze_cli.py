# SPDX-License-Identifier: MPL-2.0
"""`signalbox analyze`: files, folders, standard input; reports for people and machines; and an exit
status that a build step can act on."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from parts import PROGRAM, STOP_SECONDS, Folder  # noqa: E402
from tap import check, done, same  # noqa: E402

FILE_BYTES_MAX = 64 * 1024 * 1024


def graph(url=None, name="Orders"):
    """A plain workflow that nothing is wrong with, but perhaps its address."""
    node = {"id": "fetch", "type": "http", "name": "Fetch orders", "params": {"url": url}} \
        if url else {"id": "fetch", "type": "transform", "name": "Fetch orders"}
    return {"name": name, "description": "What it is for",
            "nodes": [{"id": "start", "type": "schedule", "name": "Every hour"}, node,
                      {"id": "done", "type": "transform", "name": "Sum up"}],
            "edges": [{"from": "start", "to": "fetch"}, {"from": "fetch", "to": "done"}]}


CLEAN = graph()
SECRET = graph("https://prices.acme-shop.com/?api_key=" + "sk_live_" + "9aF3kQ7zT1mX5vB8nC2dE6gH")
BROKEN = dict(CLEAN, edges=CLEAN["edges"] + [{"from": "done", "to": "nowhere"}])


def analyze(folder, *words, text="", environment=None, raw=False):
    """Runs the command in the folder: status, output, errors."""
    settings = dict(folder.environment, **(environment or {}))
    result = subprocess.run([PROGRAM, "analyze", *words], cwd=folder.path, env=settings,
                            input=text.encode() if isinstance(text, str) else text,
                            capture_output=True, timeout=STOP_SECONDS, check=False)
    errors = result.stderr.decode(errors="replace")
    if "Sanitizer" in errors or "runtime error" in errors or "broken promise" in errors:
        raise RuntimeError(errors)
    return result.returncode, result.stdout if raw else result.stdout.decode(), errors


def write(folder, path, content):
    """A file below the folder; what is no text is written as JSON."""
    full = os.path.join(folder.path, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "wb") as file:
        if isinstance(content, bytes):
            file.write(content)
        else:
            file.write((content if isinstance(content, str) else json.dumps(content)).encode())
    return path


def one_file(folder):
    write(folder, "clean.json", CLEAN)
    status, report, errors = analyze(folder, "clean.json")
    same((status, errors), (0, ""), "a clean file ends with 0")
    check(report.startswith("clean.json\n  score ") and "grade" in report
          and report.splitlines()[-1].startswith("1 workflow analysed: 0 critical, 0 error"),
          "its report has path, score, grade and the sum", report)
    check("\033" not in report, "no colours where nobody sees them")

    write(folder, "secret.json", SECRET)
    status, report, errors = analyze(folder, "secret.json")
    same((status, errors), (1, ""), "a finding ends with 1")
    check("critical" in report and "WF301" in report and "Fetch orders" in report
          and "fix" in report, "the report names severity, rule, node and what to do", report)
    check("9aF3kQ7zT1mX" not in report, "and does not show the secret", report)
    check(all(len(line) <= 110 for line in report.splitlines()), "lines fit a terminal", report)


def fail_on(folder):
    write(folder, "broken.json", BROKEN)
    status, text, _ = analyze(folder, "broken.json", "--format", "json", "--fail-on=none")
    counts = json.loads(text)["summary"]["by_severity"]
    check(status == 0 and counts["critical"] == 0 and counts["error"] > 0,
          "none: 0 whatever is found", counts)
    for severity, expected in (("critical", 0), ("error", 1), ("warning", 1), ("info", 1)):
        same(analyze(folder, "--fail-on", severity, "broken.json")[0], expected,
             f"--fail-on {severity} with an error found")
    same(analyze(folder, "broken.json")[0], 1, "error by default")
    same(analyze(folder, "broken.json", "clean.json", "--fail-on", "critical")[0], 0,
         "options may stand behind")
    same(analyze(folder, "--profile", "security", "broken.json")[0], 0,
         "a profile with other rules finds nothing")


def standard_input(folder):
    status, report, _ = analyze(folder, "-", text=json.dumps(CLEAN))
    check(status == 0 and report.startswith("-\n"), "from standard input", report)
    status, report, _ = analyze(folder, "-", text=b"\xef\xbb\xbf" + json.dumps(CLEAN).encode())
    same(status, 0, "with a byte order mark")
    status, _, errors = analyze(folder, "-", text="")
    check(status == 2 and "-: is no JSON" in errors, "nothing is no workflow", errors)


def what_cannot_be_read(folder):
    os.makedirs(os.path.join(folder.path, "holder/inner"))
    write(folder, "text.json", "no JSON at all")
    write(folder, "list.json", [1, 2, 3])
    write(folder, "cut.json", json.dumps(CLEAN)[:50])
    latin = json.dumps(CLEAN).replace("Orders", "Auftr\xe4ge").encode("latin-1")
    write(folder, "latin.json", latin)
    write(folder, "deep.json", "[" * 100 + "]" * 100)
    for path, why in (("text.json", "line 1, column 1"), ("list.json", "kind"),
                      ("cut.json", "ends in the middle"), ("latin.json", "UTF-8"),
                      ("deep.json", "deep"), ("missing.json", "No such file")):
        status, _, errors = analyze(folder, path)
        check(status == 2 and errors.startswith(f"signalbox: {path}: ") and why in errors,
              f"{path}: 2, and why", errors)
    same(analyze(folder, "text.json", "clean.json", "secret.json")[0], 2,
         "what is not read outweighs what is found")
    with open(os.path.join(folder.path, "large.json"), "wb") as large:
        large.truncate(FILE_BYTES_MAX + 1)
    status, _, errors = analyze(folder, "large.json")
    check(status == 2 and "larger than 64 MiB" in errors, "too large is refused", errors)
    os.remove(os.path.join(folder.path, "large.json"))
    if os.getuid() != 0:
        os.chmod(os.path.join(folder.path, "list.json"), 0)
        status, _, errors = analyze(folder, "list.json")
        check(status == 2 and "Permission denied" in errors, "not permitted", errors)
        os.chmod(os.path.join(folder.path, "list.json"), 0o600)


def folders(folder):
    write(folder, "flows/a.json", CLEAN)
    write(folder, "flows/deep/er/b.json", CLEAN)
    write(folder, "flows/states.asl",
          {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    write(folder, "flows/package.json", {"name": "x", "version": "1"})
    write(folder, "flows/broken.json", "{")
    write(folder, "flows/readme.txt", "text")
    write(folder, "flows/.hidden/c.json", SECRET)
    write(folder, "flows/node_modules/x/d.json", SECRET)
    os.symlink("..", os.path.join(folder.path, "flows/deep/loop"))
    os.symlink("../secret.json", os.path.join(folder.path, "flows/link.json"))
    status, text, errors = analyze(folder, "flows", "--format=json")
    report = json.loads(text)
    same((status, errors), (0, ""), "a folder with what is no workflow is no failure")
    same([file["path"] for file in report["files"]],
         ["flows/a.json", "flows/deep/er/b.json", "flows/states.asl"],
         "workflows below it in order, without what is hidden, installed or linked")
    same([other["path"] for other in report["others"]], ["flows/broken.json", "flows/package.json"],
         "what was skipped is listed")
    same((report["summary"]["analysed"], report["summary"]["skipped"], report["summary"]["unread"]),
         (3, 2, 0), "and counted")
    os.symlink("flows", os.path.join(folder.path, "named"))
    status, text, _ = analyze(folder, "named", "--format=json")
    same(len(json.loads(text)["files"]), 3, "a link to a folder that is named is followed")
    os.makedirs(os.path.join(folder.path, "empty"))
    status, report, _ = analyze(folder, "empty")
    check(status == 0 and report.startswith("0 workflows analysed"), "an empty folder", report)
    status, report, _ = analyze(folder, "flows", "secret.json")
    check(status == 1 and "Lowest score: " in report and "secret.json" in report.splitlines()[-1],
          "the lowest score of several", report)


def odd_names(folder):
    path = os.path.join(folder.path, "odd").encode()
    os.makedirs(path)
    for name in (b"caf\xe9.json", b"red\x1b[31m.json", b"quote\".json"):
        with open(os.path.join(path, name), "wb") as file:
            file.write(json.dumps(SECRET).encode())
    for form in ("text", "json", "sarif"):
        status, output, errors = analyze(folder, "odd", "--format", form, raw=True)
        check(status == 1 and b"\x1b" not in output and not errors, f"odd names in {form}", errors)
        output.decode("utf-8")
    write(folder, "-x.json", CLEAN)
    same(analyze(folder, "--", "-x.json")[0], 0, "behind -- all is files")


def machine_formats(folder):
    _, text, _ = analyze(folder, "secret.json", "--format", "json")
    report = json.loads(text)["files"][0]
    check(report["kind"] == "generic" and report["score"] <= 49 and report["grade"] == "F"
          and any(issue["rule"] == "WF301" for issue in report["issues"]),
          "JSON holds the result", report)
    status, text, _ = analyze(folder, "secret.json", "broken.json", "--format", "sarif")
    sarif = json.loads(text)
    run = sarif["runs"][0]
    check(status == 1 and sarif["version"] == "2.1.0"
          and run["tool"]["driver"]["name"] == "Signalbox", "SARIF 2.1.0")
    same([artifact["location"]["uri"] for artifact in run["artifacts"]],
         ["secret.json", "broken.json"], "with the files")
    rules = run["tool"]["driver"]["rules"]
    check(all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
          and {result["ruleId"] for result in run["results"]} >= {"WF301", "WF103"},
          "results lead to their rules")
    check(all(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
              in ("secret.json", "broken.json") for result in run["results"]),
          "and to their files")
    _, text, _ = analyze(folder, "-", "--format", "sarif", text=json.dumps(SECRET))
    check("artifacts" not in json.loads(text)["runs"][0], "standard input is no file")
    first = analyze(folder, "flows", "secret.json", "--format", "sarif")[1]
    same(analyze(folder, "flows", "secret.json", "--format", "sarif")[1], first, "always the same")


def baseline(folder):
    """What was there when the baseline was made is not held against anybody."""
    known = analyze(folder, "secret.json", "broken.json", "--format", "json", "--fail-on", "none")[1]
    write(folder, "baseline.json", known)
    status, report, errors = analyze(folder, "secret.json", "broken.json", "--baseline", "baseline.json")
    check((status, errors) == (0, "") and "WF301" not in report and "of the baseline" in report.splitlines()[-2],
          "a baseline: what it has is not shown, only counted", report)

    write(folder, "broken.json", dict(BROKEN, edges=BROKEN["edges"] + [{"from": "start", "to": "elsewhere"}]))
    write(folder, "moved.json", SECRET)
    for path, name in (("broken.json", "what is new"), ("moved.json", "the same in another file")):
        status, report, _ = analyze(folder, "secret.json", path, "--baseline=baseline.json")
        check(status == 1 and "error" in report, f"a baseline: {name} fails", report)
    status, text, _ = analyze(folder, "broken.json", "--baseline", "baseline.json", "--format", "json")
    result = json.loads(text)
    issues, new = len(result["files"][0]["issues"]), sum(result["summary"]["new_by_severity"].values())
    check(status == 1 and 0 < new < issues, "JSON counts what is new, and has all", result["summary"])
    status, text, _ = analyze(folder, "broken.json", "--baseline", "baseline.json", "--format", "sarif")
    states = [each["baselineState"] for each in json.loads(text)["runs"][0]["results"]]
    same((status, states.count("new"), len(states)), (1, new, issues), "SARIF says of each whether it is new")
    check("baselineState" not in analyze(folder, "broken.json", "--format", "sarif")[1], "but only with a baseline")
    same(analyze(folder, "broken.json", "--baseline", "baseline.json", "--fail-on", "critical")[0], 0,
         "--fail-on holds for what is new")
    write(folder, "broken.json", BROKEN)

    for path, content, why in (("missing.json", None, "No such file"), ("text.json", None, "is no JSON"),
                               ("list.json", [1], "is not what"), ("odd.json", {"files": {}}, "is not what"),
                               ("clean.json", None, "is not what")):
        if content:
            write(folder, path, content)
        status, text, errors = analyze(folder, "clean.json", "--baseline", path)
        check(status == 2 and not text and path in errors and why in errors, f"no baseline: {path}", errors)
    write(folder, "odd.json", {"files": [7, {}, {"path": 7}, {"path": "secret.json", "issues": [7, {}]}]})
    same(analyze(folder, "secret.json", "--baseline", "odd.json")[0], 1, "one that has nothing excuses nothing")


def usage(folder):
    status, text, _ = analyze(folder, "--help")
    check(status == 0 and "--fail-on" in text and "Exit status" in text, "--help", text)
    for words, why in (((), "name the files"), (("--format", "xml", "clean.json"), "xml"),
                       (("--format",), "value is missing"),
                       (("--kind=cobol", "clean.json"), "cobol"),
                       (("--profile=lax", "clean.json"), "lax"),
                       (("--fail-on=never", "clean.json"), "never"),
                       (("--colour", "clean.json"), "--colour")):
        status, text, errors = analyze(folder, *words)
        check(status == 2 and not text and why in errors, f"usage: {' '.join(words)}", errors)
    status, _, errors = analyze(folder, "--kind", "asl", "clean.json")
    check(status == 2 and errors, "a kind that it is not", errors)


def nobody_reads(folder):
    with open("/dev/full", "wb") as full:
        status = subprocess.run([PROGRAM, "analyze", "clean.json"], cwd=folder.path,
                                env=folder.environment, stdout=full, stderr=subprocess.PIPE,
                                timeout=STOP_SECONDS, check=False)
    check(status.returncode == 2 and b"cannot be written" in status.stderr,
          "a report that cannot be written is a failure", status.stderr)


with Folder() as home:
    for story in (one_file, fail_on, standard_input, what_cannot_be_read, folders, odd_names,
                  machine_formats, baseline, usage, nobody_reads):
        story(home)
sys.exit(done())
