# SPDX-License-Identifier: MPL-2.0
"""A person's account over HTTP, with the limits off: what answers tell of it, from first to last."""
import os
import sys

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
from parts import Folder  # noqa: E402
from tap import done, same  # noqa: E402
from web import Web  # noqa: E402

ADA = {"email": "ada@example.dev", "password": "correct horse battery staple"}
EVE = {**ADA, "email": "eve@example.dev"}


def bytes_of(response):
    """An answer but for what is of its request alone."""
    own = response.headers.get("x-request-id", "")
    lines = [line for line in response.lines
             if not line.lower().startswith(("date:", "x-request-id:", "traceparent:"))]
    return response.status, lines, response.body.replace(own.encode(), b"")


def alike(folder, web):
    same(web.post("/v1/auth/register", ADA).status, 201, "one registers")
    same(web.post("/v1/auth/register", EVE).status, 201, "and another one")
    folder.run("user", "disable", EVE["email"])
    unknown = web.post("/v1/auth/login", {**ADA, "email": "nobody@example.dev"})
    same(unknown.status, 401, "an unknown address cannot sign in")
    for login, name in (({**ADA, "password": "x"}, "a wrong password"), (EVE, "a disabled user"),
                        ({**EVE, "password": "x"}, "a disabled user's wrong password")):
        same(bytes_of(web.post("/v1/auth/login", login)), bytes_of(unknown),
             f"{name} is answered with the same bytes")
    unknown = web.post("/v1/auth/password/forgot", {"email": "nobody@example.dev"})
    same(unknown.status, 202, "an unknown address may have forgotten its password")
    for email in (ADA["email"], EVE["email"]):
        same(bytes_of(web.post("/v1/auth/password/forgot", {"email": email})), bytes_of(unknown),
             f"{email} is answered with the same bytes")


def main():
    with Folder(edge_limits="off") as folder:
        part = folder.start("run", "--port", "0")
        alike(folder, Web(part.port))
        same(part.stop(), 0, "it ends")


main()
sys.exit(done())
