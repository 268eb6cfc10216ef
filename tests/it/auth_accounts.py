# SPDX-License-Identifier: MPL-2.0
"""A person's account over HTTP, with the limits off: what answers tell of it, from first to last."""
import base64
import hashlib
import hmac
import json
import os
import sqlite3
import sys
import time

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
from parts import Folder  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import Web  # noqa: E402

PATIENCE = 30
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


def totp(secret, step):
    """RFC 6238, written once more."""
    digest = hmac.new(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at:at + 4], 'big') & 0x7fffffff) % 1000000:06d}"


def signed_in(web, person):
    """Headers of a person who has signed in."""
    token = web.post("/v1/auth/login", person).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


def second_factor(folder, web):
    headers = signed_in(web, ADA)
    begun = web.post("/v1/me/totp", {"password": ADA["password"]}, headers)
    same(begun.status, 201, "a second factor is begun")
    secret = begun.json()["secret"]
    step = int(time.time() / 30)
    codes = web.post("/v1/me/totp/confirm", {"code": totp(secret, step)}, headers)
    same((codes.status, len(codes.json()["recovery_codes"])), (200, 10), "and confirmed")
    asked = web.post("/v1/auth/login", ADA).json()
    same((asked["step"], "access_token" in asked), ("code", False), "signing in asks for a code")
    for code, status, name in ((totp(secret, step), 401, "the one that confirmed is used"),
                               (totp(secret, step + 1), 200, "the next one is good"),
                               (codes.json()["recovery_codes"][0], 200, "as is a recovery code")):
        entered = web.post("/v1/auth/login/code", {"challenge": asked["challenge"], "code": code})
        same(entered.status, status, name)
    headers = {"Authorization": f"Bearer {entered.json()['access_token']}"}
    ended = web.post("/v1/me/totp/end", {**ADA, "code": codes.json()["recovery_codes"][1]}, headers)
    same(ended.status, 422, "what is no field is refused")
    ended = web.post("/v1/me/totp/end", {"password": ADA["password"],
                                         "code": codes.json()["recovery_codes"][1]}, headers)
    same(ended.status, 204, "it is given up")
    same(web.post("/v1/auth/login", ADA).json()["step"], "done", "and nobody asks for it")
    folder.run("user", "totp-off", ADA["email"])


def erased(folder, web):
    headers = signed_in(web, ADA)
    key = web.post("/v1/keys", {"name": "ci"}, headers).json()["key"]
    with open(os.path.join(SOURCE, "docs", "examples", "workflow.json"), encoding="utf-8") as file:
        made = web.post("/v1/analyses", json.load(file), headers)
    same(made.status, 201, "something is analysed")
    called = web.post("/v1/webhooks", {"url": "https://nobody.invalid/", "events": ["*"]}, headers)
    same((called.status, web.post(f"/v1/webhooks/{called.json()['id']}/test", {}, headers).status),
         (201, 202), "somebody is told")
    same(web.post("/v1/monitors", {"name": "m", "url": "https://nobody.invalid/"}, headers).status,
         201, "something is looked at")
    every = web.request("PUT", "/v1/schedules/s",
                        json.dumps({"cron": "0 0 1 1 *", "kind": "analysis.rules"}).encode(),
                        {**headers, "Content-Type": "application/json"})
    check(every.status in (200, 201), "something is done each year", every.body)
    check(all(rows(folder, *table) for table in HELD), "all of it is stored")
    told = web.get("/v1/me/export", headers)
    same((told.status, told.json()["user"]["email"], len(told.json()["keys"]["items"])),
         (200, ADA["email"], 1), "the user gets what is stored")
    same(web.post("/v1/account/erase", {"password": "wrong"}, headers).status, 401,
         "a wrong password erases nothing")
    same(web.post("/v1/me/erase", {"password": ADA["password"]}, headers).status, 422,
         "the last owner stays")
    same(web.post("/v1/account/erase", {"password": ADA["password"]}, headers).status, 204,
         "the account is erased")
    until(lambda: web.get("/v1/me", headers).status == 401, "the token is refused")
    until(lambda: web.get("/v1/me", {"X-API-Key": key}).status == 401, "and the key")
    same(bytes_of(web.post("/v1/auth/login", ADA)),
         bytes_of(web.post("/v1/auth/login", {**ADA, "email": "nobody@example.dev"})),
         "nobody has the address any more")
    folder.run("audit", "verify")
    listed = folder.run("audit", "list")
    check("account.erased" in listed and ADA["email"] not in listed, "the log says so, and no name")
    for service, table in HELD:
        until(lambda held=(service, table): not rows(folder, *held),
              f"nothing is left in {service}'s table {table}")


HELD = (("analysis", "analysis"), ("jobs", "schedule"), ("webhook", "subscription"),
        ("webhook", "event"), ("webhook", "delivery"), ("http", "monitor"))


def rows(folder, service, table):
    """How many there are; all of them are of the one account."""
    with sqlite3.connect(f"file:{folder.path}/var/{service}.db?mode=ro", uri=True) as database:
        return database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def until(condition, name):
    limit = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < limit:
        time.sleep(0.02)
    check(condition(), name)


def main():
    with Folder(edge_limits="off") as folder:
        part = folder.start("run", "--port", "0")
        web = Web(part.port)
        alike(folder, web)
        second_factor(folder, web)
        erased(folder, web)
        same(part.stop(), 0, "it ends")


main()
sys.exit(done())
