# SPDX-License-Identifier: MPL-2.0
"""Feature flags as an administrator, a client and a service meet them: two edges, and auth itself."""
import hashlib
import json
import os
import sys
import time

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
from fakes import Fake  # noqa: E402
from parts import Folder  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import PATIENCE, Web  # noqa: E402

PASSWORD = "correct horse battery staple"
SERVICE = {"service": "plant", "version": "1", "methods": [
    {"name": "new", "access": "user", "flag": "new-plant", "request": {"type": "object"},
     "http": {"route": "GET /v1/plant/new"}},
    {"name": "old", "access": "user", "request": {"type": "object"},
     "http": {"route": "GET /v1/plant/old"}}]}


def until(condition):
    limit = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError
        time.sleep(0.02)


def place(name, account):
    digest = hashlib.blake2b(f"{name}\0{account}".encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8], "big") % 100


class System:
    def __init__(self, folder):
        self.folder = folder
        folder.start("broker")
        self.auth = folder.start("actor", "auth")
        self.admin = {"X-API-Key": self.auth.wait_line(r"(sbx_live_\S+)").group(1)}
        self.webs = [Web(folder.start("edge").port) for _ in range(2)]
        until(lambda: all(web.get("/v1/admin/flags", self.admin).status == 200
                          for web in self.webs))

    def person(self, name):
        """Registers somebody: the header, and the account."""
        tokens = self.webs[0].post("/v1/auth/register", {"email": f"{name}@example.dev",
                                                         "password": PASSWORD}).json()
        return ({"Authorization": f"Bearer {tokens['access_token']}"},
                tokens["user"]["account_id"])

    def set(self, name, **flag):
        answer = self.webs[0].request("PUT", f"/v1/admin/flags/{name}", json.dumps(
            {"enabled": True, **flag}).encode(), {"Content-Type": "application/json", **self.admin})
        same(answer.status, 200, f"{name}: {flag}")

    def flags(self, who):
        """What both edges say; None while they differ."""
        seen = [web.get("/v1/flags", who).json().get("flags") for web in self.webs]
        return seen[0] if seen[0] == seen[1] else None

    def until_flags(self, who, expected, name):
        until(lambda: self.flags(who) == expected)
        check(True, name)


def clients(system):
    ada, account = system.person("ada")
    eve, other = system.person("eve")
    same(system.webs[0].get("/v1/flags").status, 401, "a stranger is told to sign in")
    system.until_flags(ada, {}, "there are none")
    system.set("beta", accounts=[account])
    system.until_flags(ada, {"beta": True}, "on for an account")
    system.until_flags(eve, {"beta": False}, "and not for another one")
    for percentage in (0, 30, 60, 90, 100):
        system.set("beta", percentage=percentage)
        for who, name in ((ada, account), (eve, other)):
            system.until_flags(who, {"beta": place("beta", name) < percentage},
                               f"at {percentage} % as the account's place says")
    system.set("beta", tiers=["pro"])
    system.until_flags(ada, {"beta": False}, "not for this tier")
    system.folder.run("user", "tier", "ada@example.dev", "pro")
    system.until_flags(ada, {"beta": True}, "on once the tier is another")
    system.set("beta", enabled=False, tiers=["pro"], percentage=100)
    system.until_flags(ada, {"beta": False}, "off for everybody")
    first = system.webs[0].get("/v1/flags", ada)
    again = system.webs[0].get("/v1/flags", {**ada, "If-None-Match": first.headers["etag"]})
    same(again.status, 304, "asking again costs no body")
    system.webs[0].request("DELETE", "/v1/admin/flags/beta", headers=system.admin)
    system.until_flags(ada, {}, "gone")
    return ada, account


def services(system, who, account):
    plant = Fake(system.folder.socket("bus"), "plant",
                 {"new": lambda body: {"plant": "new"}, "old": lambda body: {"plant": "old"}},
                 descriptor=SERVICE)
    until(lambda: all(web.get("/v1/plant/old", who).status == 200 for web in system.webs))
    refused = system.webs[0].get("/v1/plant/new", who)
    same((refused.status, refused.code), (404, "NOT_FOUND"), "a method whose flag is off is not there")
    same(system.webs[0].get("/v1/plant/new").status, 401, "and a stranger is told to sign in")
    check("/v1/plant/new" in system.webs[0].get("/openapi.json").json()["paths"], "it is documented")
    system.set("new-plant", accounts=[account])
    until(lambda: all(web.get("/v1/plant/new", who).status == 200 for web in system.webs))
    same(plant.count("new") >= 2, True, "on, it is called")
    eve, _ = system.person("bob")
    same(system.webs[1].get("/v1/plant/new", eve).status, 404, "and is not there for others")
    system.auth.stop()
    same(system.webs[0].get("/v1/plant/new", who).status, 200, "auth may leave: who is known goes on")
    plant.stop()


with Folder(edge_port=0, edge_threads=16, edge_limits="false") as folder_:
    system_ = System(folder_)
    services(system_, *clients(system_))
sys.exit(done())
