# SPDX-License-Identifier: MPL-2.0
"""docs/openapi.json is an OpenAPI document for others, too: two public validators read it."""
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
import openapi  # noqa: E402
from tap import check, done, skip  # noqa: E402

DOCUMENT = os.path.join(os.environ.get("srcdir", "."), "docs", "openapi.json")


def judge_broken():
    """What they say of a document in which an answer has no description."""
    with open(DOCUMENT, encoding="utf-8") as file:
        document = json.load(file)
    del document["paths"]["/v1/analyses"]["post"]["responses"]["201"]["description"]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(document, file)
        file.flush()
        return openapi.judge(file.name)


try:
    for name, (valid, said) in openapi.judge(DOCUMENT).items():
        check(valid, f"valid for {name}", said)
    for name, (valid, said) in judge_broken().items():
        check(not valid and "description" in str(said), f"{name} sees what is missing", said)
except openapi.Unavailable as reason:
    skip(str(reason))
sys.exit(done())
