# SPDX-License-Identifier: MPL-2.0
"""Every command that README.md and docs/*.md show in a block marked `sh` is run, in their order.

Each page is read beside a running Signalbox, in a folder like the top of the source tree; the guide
also with PostgreSQL. What the tables below do not name is run to its end by a shell and has to succeed;
HTTP errors count.
"""
import glob
import os
import re
import shlex
import subprocess
import sys

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
from parts import PROGRAM, Folder, die_with_parent, free_port  # noqa: E402
from postgres import database  # noqa: E402
from tap import check, done, same, skip  # noqa: E402
from web import PATIENCE  # noqa: E402

EXEMPT = {  # by their first words, and why they are not run
    "./deploy/test": "runs these tests",
}
REPLACED = {  # by what does the same without installing and building
    "./deploy/up": "signalbox run --port 8080 --data var --allow-anonymous",
}
SERVES = {  # what goes on: the pattern of the line that says it is ready, there or in `watch`
    "signalbox run": "is ready",
    "signalbox broker": "listens on",
    "signalbox edge": "listens on",
    "signalbox actor": "is registered",
    "signalbox watch": '"topic":',
    "python3 docs/examples/greeter.py": '"name":"greeter-py"',
}
NEEDS = {  # what pages say has to be set for what they show
    "docs/schedules.md": {"outbound_allow": "127.0.0.1"},
}
AFRESH = "signalbox broker"  # begins a system of its own, instead of the one that runs
START = "signalbox run --port 8080 --allow-anonymous"
DOCUMENTED_PORT = "8080"
DOCUMENTED_OTHER = "8099"  # of a server that a page starts beside us


def pages():
    return [os.path.join(SOURCE, "README.md"),
            *sorted(glob.glob(os.path.join(SOURCE, "docs", "*.md")))]


def commands(page):
    """The commands of its blocks, without their comments and a final `&`."""
    with open(page, encoding="utf-8") as file:
        blocks = re.findall(r"^```sh\n(.*?)^```$", file.read(), re.M | re.S)
    for block in blocks:
        for line in block.replace("\\\n", " ").splitlines():
            command = re.sub(r"(^|\s+)#.*", "", line).rstrip(" &")
            if command:
                yield re.sub(r"\s+", " ", command)


def named(table, command):
    """The entry of a table that fits the command."""
    return next((table[words] for words in table if (command + " ").startswith(words + " ")), None)


class Place(Folder):
    """A folder with docs/ in it, whose PATH finds the program that was built and this Python."""

    def __enter__(self):
        super().__enter__()
        self.port = str(free_port())
        self.other = str(free_port())
        for name in ("docs", "README.md"):
            os.symlink(os.path.join(SOURCE, name), os.path.join(self.path, name))
        tools = os.path.join(self.path, "tools")
        os.mkdir(tools)
        os.symlink(PROGRAM, os.path.join(tools, "signalbox"))
        os.symlink(sys.executable, os.path.join(tools, "python3"))
        self.environment["PATH"] = tools + os.pathsep + self.environment["PATH"]
        self.peers = []
        return self

    def __exit__(self, *fault):
        self.stop_all()
        super().__exit__(*fault)

    def stop_all(self):
        for peer in self.peers:
            peer.kill()
            peer.communicate()
        self.peers = []
        for part in self.parts:
            part.stop()

    def serve(self, command, ready):
        """Starts what goes on; whether it has said that it is ready."""
        words = shlex.split(command)
        if words[0] == "signalbox":
            return self.start(*words[1:]).wait_line(ready)
        watch = self.start("watch", "registry.")
        self.peers.append(subprocess.Popen(words, cwd=self.path, env=self.environment,
                                           stderr=subprocess.PIPE, preexec_fn=die_with_parent))
        return watch.wait_line(ready)

    def finish(self, command):
        """Runs a command to its end; None, or what went wrong."""
        # the edge hears of a service at the same time as we do
        command = re.sub(r"^curl ", "curl --fail-with-body --retry 5 --retry-all-errors ", command)
        run = subprocess.run(["sh", "-c", command], cwd=self.path, env=self.environment,
                             capture_output=True, text=True, timeout=PATIENCE * 3, check=False)
        return None if run.returncode == 0 else f"{run.returncode}\n{run.stdout}\n{run.stderr}"


def follow(page, lines, **settings):
    """Does what the page says."""
    name = os.path.relpath(page, SOURCE)
    with Place(**settings, **NEEDS.get(name, {})) as place:
        if named(REPLACED, lines[0]) is None:
            place.serve(START.replace(DOCUMENTED_PORT, place.port), named(SERVES, START))
        for line in lines:
            if named(EXEMPT, line):
                print(f"# {name}: {line}: not run, it {named(EXEMPT, line)}")
                continue
            command = (named(REPLACED, line) or line).replace(DOCUMENTED_PORT, place.port)
            command = command.replace(DOCUMENTED_OTHER, place.other)
            ready = named(SERVES, command)
            if line.startswith(AFRESH):
                place.stop_all()
            if ready:
                check(place.serve(command, ready), f"{name}: {line}")
            else:
                fault = place.finish(command)
                check(fault is None, f"{name}: {line[:70]}", fault)


found = {page: list(commands(page)) for page in pages()}
same([os.path.relpath(page, SOURCE) for page in pages() if found[page]][:1], ["README.md"],
     "there are commands")
for page_, lines_ in found.items():
    if lines_:
        follow(page_, lines_)
if os.environ.get("TEST_POSTGRES_URL"):
    with database() as url:
        guide = os.path.join(SOURCE, "docs", "guide.md")
        follow(guide, found[guide], storage_database=url)
else:
    skip("TEST_POSTGRES_URL is not set: run by tests/kit/postgres.py")
sys.exit(done())
