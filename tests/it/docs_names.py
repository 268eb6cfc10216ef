# SPDX-License-Identifier: MPL-2.0
"""What the documents name exists: files, functions, links, settings, commands."""
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from tap import check, done, same  # noqa: E402

TOP = os.environ.get("srcdir", ".")
PROGRAM = os.path.abspath("signalbox")  # tests run in the build folder
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("SIGNALBOX_")}

FOLDERS = ("actors", "broker", "deploy", "docs", "edge", "proto", "tests")
PATH = re.compile(rf"(?:\./)?((?:{'|'.join(FOLDERS)})/[\w./*-]*)")
OVERVIEW = "docs/overview.md"
SECTIONS = ("actor", "analysis", "auth", "broker", "bus", "edge", "http", "limiter", "log", "mail", "metrics",
            "outbound", "storage", "webhook")
RATES = {"auth.failures"}  # classes of limits that are spelt like a method
DOTTED = re.compile(rf"(?:{'|'.join(SECTIONS)})\.[a-z][a-z_.]*")


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def run(*words):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=True,
                          env=ENVIRONMENT).stdout


def documents():
    pages = glob.glob("**/*.md", root_dir=os.path.join(TOP, "docs"), recursive=True)
    return ["README.md", "CHANGELOG.md"] + sorted(os.path.join("docs", page) for page in pages)


def exists(path):
    return bool(glob.glob(os.path.join(TOP, path)))


def words(text):
    """The words of the code spans, without the blocks."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return [word for span in re.findall(r"`([^`]+)`", text) for word in span.split()]


def paths(text):
    return [match.group(1) for word in words(text) if (match := PATH.fullmatch(word))]


def files_and_links(page, text):
    missing = [path for path in paths(text) if not exists(path)]
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    missing += [link for link in links if not exists(os.path.join(os.path.dirname(page), link))]
    same(missing, [], f"{page}: the files it names are there")


def functions(page, text):
    """A function, written `name()`, is in a file that the same paragraph names."""
    missing = []
    for paragraph in text.split("\n\n"):
        files = [path for path in paths(paragraph) if os.path.isfile(os.path.join(TOP, path))]
        sources = "\n".join(read(path) for path in files)
        if files or page == OVERVIEW:
            missing += [name for name in re.findall(r"`(\w+)\(\)`", paragraph)
                        if not re.search(rf"\b{name}\b", sources)]
    same(missing, [], f"{page}: the functions it names are in the files it names")


def dotted_names():
    """Settings, methods, topics, fields."""
    names = set(re.findall(r"^\| `([\w.]+)`", run("config", "--markdown"), re.M))
    names |= set(re.findall(r'"operationId": "([\w.]+)"', read("docs/openapi.json")))
    for path in glob.glob("proto/*.c", root_dir=TOP):  # also what HTTP does not reach
        rows = re.findall(r"^const method_t ([a-z]+)_(\w+) =", read(path), re.M)
        names |= {f"{service}.{method}" for service, method in rows}
    names |= set(re.findall(r'LOG_\w+\("([\w.]+)"', read("edge/exchange.c")))  # fields of the access log
    names |= set(re.findall(r'^TOPIC\(\w+, "([\w.]+)"', read("proto/topic.def"), re.M))
    return names


def settings_and_methods(page, text, known):
    unknown = [word for word in words(text) if DOTTED.fullmatch(word) and word not in known | RATES
               and not re.search(r"\.(?:c|h|md|py|cfg|sock|db)$", word)]
    same(unknown, [], f"{page}: the settings, methods and topics it names are there")


def manual():
    """The manual page has a section for every command, in their order, and for no other."""
    usage, version = run("--help"), run("--version").strip()
    page = read("docs/signalbox.1")
    commands = re.findall(r"^  ([\w-]+) +[A-Z]", usage, re.M)
    check(commands, "the program lists its commands")
    same(re.findall(r"^\.SS ([\w-]+)", page.replace("\\-", "-"), re.M), commands, "docs/signalbox.1 has each of them")
    for command in commands:
        arguments = run(command, "--help").split("Settings:")[0]
        section = re.search(rf"^\.SS {command}\b.*?(?=^\.S[SH])", page.replace("\\-", "-"), re.M | re.S)
        section = section.group(0) if section else ""
        options = set(re.findall(r"^  (--[a-z-]+)", arguments, re.M))
        same([option for option in sorted(options) if option not in section], [],
             f"... and the options of {command}")
    check(f'"{version}"' in page, "... and the version", version)


known_names = dotted_names()
for document in documents():
    content = read(document)
    files_and_links(document, content)
    functions(document, content)
    if not document.startswith("docs/rules/"):
        settings_and_methods(document, content, known_names)
manual()
sys.exit(done())
