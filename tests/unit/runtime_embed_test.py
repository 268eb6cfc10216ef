#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""actors/runtime/embed.awk: the table it makes, and what it refuses, with every awk there is."""
import os
import shutil
import subprocess
import sys
import tempfile

SCRIPT = os.path.join(os.environ.get("srcdir", "."), "actors/runtime/embed.awk")
AWKS = [[path] for path in map(shutil.which, ("awk", "mawk", "gawk", "original-awk")) if path]
if shutil.which("busybox"):
    AWKS.append([shutil.which("busybox"), "awk"])

GOOD = {"0001_a.sqlite.sql": "one", "0001_a.postgres.sql": "uno"}
REFUSED = [
    ("a dialect is missing", {"0001_a.sqlite.sql": "x"}, "migration 1 has no .postgres.sql file"),
    ("a number is missing", {**GOOD, "0003_c.sqlite.sql": "x", "0003_c.postgres.sql": "x"},
     "migration 2 has no .sqlite.sql file"),
    ("two names", {"0001_a.sqlite.sql": "x", "0001_b.postgres.sql": "x"},
     "migration 1 has two names: a and b"),
    ("an odd name", {"1_a.sqlite.sql": "x"}, "is not named NNNN_name"),
    ("another dialect", {"0001_a.oracle.sql": "x"}, "is not named NNNN_name"),
    ("an empty file", {"0001_a.sqlite.sql": "", "0001_a.postgres.sql": "x"}, "is empty"),
]
checks = failures = 0


def ok(good, name, story=""):
    global checks, failures
    checks += 1
    failures += not good
    print(f"{'ok' if good else 'not ok'} {checks} - {name}")
    if not good:
        print("# " + story.replace("\n", "\n# "))


def embed(awk, files, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, text in files.items():
            paths.append(os.path.join(folder, name))
            with open(paths[-1], "w", encoding="utf-8") as file:
                file.write(text)
        return subprocess.run([*awk, "-f", SCRIPT, *arguments, *paths], capture_output=True,
                              text=True, check=False)


def test_table(awk, name):
    """Compiled, the table holds the texts as they were."""
    text = "-- a \"quoted\" \\n & 'text' %s ??/ h\u00e9\n\nSELECT 1;\n"
    made = embed(awk, {"0002_b.postgres.sql": "p2", "0001_a.sqlite.sql": text,
                       "0001_a.postgres.sql": "p1\n", "0002_b.sqlite.sql": "s2\n"},
                 "-v", "symbol=table")
    ok(made.returncode == 0, f"{name}: makes a table", made.stderr)
    with tempfile.TemporaryDirectory() as folder:
        source, program = os.path.join(folder, "table.c"), os.path.join(folder, "table")
        with open(source, "w", encoding="utf-8") as file:
            file.write(made.stdout.replace('#include "config.h"', "#include <stdio.h>").replace(
                '#include "actors/runtime/db.h"',
                "typedef struct { unsigned number; const char *name, *sqlite, *postgres; }"
                " db_migration_t;"))
            file.write('int main(void) { for (int i = 0; table[i].number; i++) printf("%u|%s|%s|%s|",'
                       " table[i].number, table[i].name, table[i].sqlite, table[i].postgres); }\n")
        compiled = subprocess.run(["cc", "-o", program, source], capture_output=True, text=True,
                                  check=False)
        ok(compiled.returncode == 0, f"{name}: compiles", compiled.stderr)
        said = subprocess.run([program], capture_output=True, check=False).stdout.decode()
        ok(said == f"1|a|{text}|p1\n|2|b|s2\n|p2\n|", f"{name}: holds the texts", said)


def test_refused(awk, name):
    for what, files, sentence in REFUSED:
        made = embed(awk, files, "-v", "symbol=table")
        ok(made.returncode == 1 and sentence in made.stderr, f"{name}: {what}",
           f"{made.returncode} {made.stderr}")
    made = embed(awk, GOOD)
    ok(made.returncode == 1 and "symbol" in made.stderr, f"{name}: no symbol", made.stderr)


for each in AWKS:
    test_table(each, os.path.basename(each[0]))
    test_refused(each, os.path.basename(each[0]))
print(f"1..{checks}")
sys.exit(1 if failures else 0)
