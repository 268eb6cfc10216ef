# SPDX-License-Identifier: MPL-2.0
"""The auth service as an operator and a client meet it: the first start, users, keys, the log."""
import json
import os
import re
import stat
import sys

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
from parts import Folder  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import Web  # noqa: E402

ADA = {"email": "ada@example.dev", "password": "correct horse battery staple"}
KEY = r"^  (sbx_live_[0-9a-f]{32}_[A-Za-z0-9_-]{43})$"


def identify(folder, key):
    """What an edge would be told of a key; None when it is refused."""
    status, text, errors = folder.command("call", "auth.identify", json.dumps({"key": key}))
    check(status == 0 or "UNAUTHENTICATED" in errors, "identify answers", errors)
    return json.loads(text) if status == 0 else None


def first_start(folder):
    """The key of the first administrator, which is printed once."""
    part = folder.start("run", "--port", "0")
    key = part.wait_line(KEY).group(1)
    secret = os.stat(os.path.join(folder.path, "var", "auth.secret"))
    same(stat.S_IMODE(secret.st_mode), 0o600, "the secret is its owner's alone")
    who = identify(folder, key)
    same((who["roles"], who["scopes"]), (["user", "admin", "owner"], ["*"]), "it may do everything")
    check(key not in part.log() and "sbx_live" not in part.log(), "the log does not have it")
    same(part.stop(), 0, "the first start ends")
    part = folder.start("run", "--port", "0")
    port = part.port
    check(not any(re.match(KEY, line) for line in part.lines), "and prints no key")
    same(identify(folder, key)["key_id"], who["key_id"], "the first one is still good")
    return part, port


def users(folder, web):
    same(web.post("/v1/auth/register", ADA).status, 201, "a user registers")
    same(web.post("/v1/auth/login", ADA).status, 200, "and signs in")
    listed = json.loads(folder.run("user", "list", ADA["email"]))["items"]
    same([user["email"] for user in listed], [ADA["email"]], "user list")
    same(json.loads(folder.run("user", "tier", ADA["email"], "pro"))["tier"], "pro", "user tier")
    same(json.loads(folder.run("user", "role", listed[0]["id"], "ops"))["role"], "ops",
         "user role, by id")
    check("there is no user" in folder.fail("user", "disable", "eve@example.dev"), "nobody")
    check("/role: must be one of" in folder.fail("user", "role", ADA["email"], "king"), "no role")
    same(json.loads(folder.run("user", "disable", ADA["email"]))["status"], "disabled", "disable")
    same(web.post("/v1/auth/login", ADA).status, 401, "who may not sign in then")
    folder.run("user", "enable", ADA["email"])
    same(json.loads(folder.run("user", "list", ADA["email"]))["items"][0]["email_verified_at"], None,
         "nothing has proven the address")
    check(json.loads(folder.run("user", "verify", ADA["email"]))["email_verified_at"],
          "but an administrator may say so")
    code = json.loads(folder.run("user", "reset", ADA["email"]))["token"]
    reset = {"token": code, "password": "another sentence of mine"}
    same(web.post("/v1/auth/password/reset", reset).status, 204, "reset, and a new password")
    same(web.post("/v1/auth/login", ADA).status, 401, "the old one is over")
    code = json.loads(folder.run("user", "invite", "bob@example.dev", "admin"))["code"]
    bob = web.post("/v1/auth/register", {**ADA, "email": "bob@example.dev", "invite": code})
    same((bob.status, bob.json()["user"]["role"]), (201, "admin"), "invite")


def keys(folder):
    made = json.loads(folder.run("key", "create", ADA["email"], "ci", "account"))
    who = identify(folder, made["key"])
    same((who["tier"], who["scopes"], who["key_id"]), ("pro", ["account"], made["id"]),
         "key create")
    same(folder.run("key", "revoke", made["id"]), "", "key revoke")
    same(identify(folder, made["key"]), None, "and it is none any more")
    check("NOT_FOUND" in folder.fail("key", "revoke", made["id"]), "which is done once")


def audit(folder):
    text = folder.run("audit", "verify")
    count = int(re.match(r"(\d+) entries, all as they were written", text).group(1))
    entries = json.loads(folder.run("audit", "list"))["items"]
    same(entries[0]["sequence"], count, "audit list begins with the newest entry")
    same(entries[0]["action"], "key.revoked", "which is what was done last")
    check(entries[0]["hash"] in text, "whose hash verify has printed")
    older = json.loads(folder.run("audit", "list", str(count)))["items"]
    same(older[0]["sequence"], count - 1, "audit list from there on")
    check("no number" in folder.command("audit", "list", "first")[2], "what is no number")


def main():
    with Folder() as folder:
        part, port = first_start(folder)
        web = Web(port)
        users(folder, web)
        keys(folder)
        audit(folder)
        same(part.stop(), 0, "it ends")
        log = part.log()
        for secret in (ADA["password"], "another sentence", "sbr_", "sbp_", "sbi_", "sbx_live"):
            check(secret not in log, f"the log does not have {secret}")


main()
sys.exit(done())
