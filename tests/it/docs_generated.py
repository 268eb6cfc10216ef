# SPDX-License-Identifier: MPL-2.0
"""What the documents repeat of the code is what the code says.

`make update-docs` runs this with UPDATE_DOCS=1: then it writes what it would compare.
"""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
try:
    import bus  # noqa: E402
except ImportError as missing:
    sys.exit(f"{sys.executable}: {missing}. The packages of deploy/packages have it; say which python3 to use: "
             "make update-docs PYTHON=/usr/bin/python3")
from tap import check, done, same  # noqa: E402

TOP = os.environ.get("srcdir", ".")
PROGRAM = os.path.abspath("signalbox")  # tests run in the build folder
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("SIGNALBOX_")}
UPDATES = bool(os.environ.get("UPDATE_DOCS"))

BEGIN = "<!-- written by `make update-docs`, checked by `make check` -->\n"
END = "<!-- end of the tables -->\n"


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def run(*words):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, env=ENVIRONMENT,
                          check=False)


def is_what_is_written(path, text):
    if UPDATES:
        with open(os.path.join(TOP, path), "w", encoding="utf-8") as file:
            file.write(text)
    check(os.path.exists(os.path.join(TOP, path)) and read(path) == text,
          f"{path} is up to date", "run `make update-docs` and look at what changed")


def settings():
    before, _, rest = read("docs/configuration.md").partition(BEGIN)
    _, end, after = rest.partition(END)
    if check(end, "docs/configuration.md has a place for the tables"):
        tables = run("config", "--markdown").stdout
        is_what_is_written("docs/configuration.md", f"{before}{BEGIN}\n{tables}\n{END}{after}")


def file_is_read(text, name):
    """A configuration file is accepted, and every value in it counts."""
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as file:
        # the file of a secret need not exist here: this one does
        text = re.sub(r"^( {4}\w+_file) = .*$", rf"\1 = {file.name}", text, flags=re.M)
        file.write(text)
        file.flush()
        shown = run("config", "--config", file.name)
    if not check(shown.returncode == 0, f"{name} is accepted", shown.stderr):
        return
    written = re.findall(r"^ {4}(\w+?)(?:_file)? =", text, re.M)
    taken = re.findall(r"^ {4}(\w+) = .* {4}#  file$", shown.stdout, re.M)
    same(sorted(taken), sorted(written), "... and every value of it is taken over")


def configuration_files():
    sample = read("deploy/signalbox.cfg")
    file_is_read(sample, "deploy/signalbox.cfg")
    file_is_read(re.sub(r"^#(    \w+ = )", r"\1", sample, flags=re.M),
                 "deploy/signalbox.cfg with all that is commented out")
    examples = re.findall(r"```zpl\n(.*?)```", read("docs/configuration.md"), re.S)
    check(examples, "docs/configuration.md has an example")
    for example in examples:
        file_is_read(example, "the example in docs/configuration.md")


def example_of_the_protocol():
    """The header shown byte by byte is what a peer written from the page sends."""
    shown = re.search(r"```hex\n(.*?)```", read("docs/protocol.md"), re.S)
    same(bytes.fromhex(shown.group(1)) if shown else None,
         bus.header(bus.REQUEST, service="analysis", method="rules", request_id=1, deadline=5000),
         "the header in docs/protocol.md")


def without_what_it_needs():
    """A python3 without the packages writes nothing: that is said, and no success."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "MFLAGS"}
    made = subprocess.run(["make", "-s", "update-docs", f"PYTHON={sys.executable} -S"], capture_output=True,
                          text=True, env=environment, check=False)
    check(made.returncode != 0 and "No module named 'msgpack'" in made.stderr,
          "`make update-docs` fails when python3 lacks a package, and says which", made.stdout + made.stderr)


settings()
example_of_the_protocol()
is_what_is_written("docs/openapi.json", run("openapi").stdout)
configuration_files()
if not UPDATES:
    without_what_it_needs()
sys.exit(done())
