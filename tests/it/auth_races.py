# SPDX-License-Identifier: MPL-2.0
"""What is good once is good once, also when it is shown many times at the same moment to two instances of auth.

Each of the secrets that somebody may have seen: one-time passwords, recovery codes, codes for a new password
and of an address, invitations, refresh tokens.
"""
import base64
import collections
import email
import hashlib
import hmac
import os
import re
import sys
import threading
import time

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
from outside import MailServer  # noqa: E402
from parts import Folder  # noqa: E402
from postgres import database  # noqa: E402
from tap import check, done, same, skip  # noqa: E402
from user import User  # noqa: E402
from web import Web  # noqa: E402

AT_ONCE = 12
ADA = {"email": "ada@example.dev", "password": "correct horse battery staple"}
STEP_SECONDS = 30


def totp(secret, step):
    """RFC 6238."""
    digest = hmac.new(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at:at + 4], 'big') & 0x7fffffff) % 1000000:06d}"


def at_once(ask):
    """How often each status came when all ask at the same moment; and the answers."""
    answers, start = [], threading.Barrier(AT_ONCE)

    def run():
        start.wait()
        answers.append(ask())

    threads = [threading.Thread(target=run) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return collections.Counter(answer.status for answer in answers), answers


def once(counts, good, bad, name):
    check(counts[good] == 1 and sum(counts.values()) == AT_ONCE and set(counts) <= {good, *bad}, name, counts)


def code_of(server):
    """The code in the next mail that has one."""
    while mail := server.next():
        message = email.message_from_bytes(mail["bytes"])
        part = next(part for part in message.walk() if part.get_content_type() == "text/plain")
        text = part.get_payload(decode=True).decode()
        if found := re.search(r"sb[vp]_[A-Za-z0-9_-]{43}", text):
            return found.group(0)
    return None


def codes(web, owner, server):
    """Codes that are mailed."""
    token = code_of(server)
    counts, _ = at_once(lambda: web.post("/v1/auth/verify", {"token": token}))
    once(counts, 204, (422,), "the code of an address is good once")
    web.post("/v1/auth/password/forgot", {"email": ADA["email"]})
    token = code_of(server)
    sentences = [f"a sentence of mine, number {number}" for number in range(AT_ONCE)]
    numbers = iter(range(AT_ONCE))
    counts, _ = at_once(lambda: web.post("/v1/auth/password/reset",
                                         {"token": token, "password": sentences[next(numbers)]}))
    once(counts, 204, (422,), "a code for a new password is good once")
    good = [sentence for sentence in sentences
            if web.post("/v1/auth/login", {**ADA, "password": sentence}).status == 200]
    same(len(good), 1, "and one of the passwords is the new one")
    same(owner.get("/v1/me").status, 401, "sessions of before have ended")
    return good[0]


def second_factor(web, password):
    person = {**ADA, "password": password}
    tokens = web.post("/v1/auth/login", person).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    secret = web.post("/v1/me/totp", {"password": password}, headers).json()["secret"]
    step = int(time.time() / STEP_SECONDS)
    counts, answers = at_once(lambda: web.post("/v1/me/totp/confirm", {"code": totp(secret, step)}, headers))
    once(counts, 200, (409, 422), "a second factor is confirmed once")
    recovery = next(answer for answer in answers if answer.status == 200).json()["recovery_codes"]
    challenge = web.post("/v1/auth/login", person).json()["challenge"]

    def enter(code):
        return web.post("/v1/auth/login/code", {"challenge": challenge, "code": code})

    counts, _ = at_once(lambda: enter(totp(secret, step + 1)))
    once(counts, 200, (401,), "a one-time password is good once")
    counts, answers = at_once(lambda: enter(recovery[0]))
    once(counts, 200, (401,), "a recovery code is good once")
    same(enter(recovery[0].upper().replace("-", " ")).status, 401, "written otherwise it is the same one")
    entered = next(answer for answer in answers if answer.status == 200).json()
    return entered, recovery


def refreshed(web, entered):
    """Whoever is first gets the next one; the others retry at once, and get it too, or are refused."""
    counts, answers = at_once(lambda: web.post("/v1/auth/refresh", {"refresh_token": entered["refresh_token"]}))
    fresh = {answer.json()["refresh_token"] for answer in answers if answer.status == 200}
    check(set(counts) <= {200, 401, 409} and fresh and entered["refresh_token"] not in fresh,
          "a refresh token is exchanged by whoever is first", counts)


def given_up(web, entered, password, recovery):
    headers = {"Authorization": f"Bearer {entered['access_token']}"}
    counts, _ = at_once(lambda: web.post("/v1/me/totp/end", {"password": password, "code": recovery[1]}, headers))
    once(counts, 204, (401, 404), "a second factor is given up once")


def registered(web, folder):
    invite = re.search(r"sbi_[A-Za-z0-9_-]{43}", folder.run("user", "invite", "eve@example.dev")).group(0)
    eve = {**ADA, "email": "eve@example.dev", "invite": invite}
    counts, _ = at_once(lambda: web.post("/v1/auth/register", eve))
    once(counts, 201, (403, 409), "an invitation is good once")
    counts, _ = at_once(lambda: web.post("/v1/auth/register", {**ADA, "email": "joe@example.dev"}))
    once(counts, 201, (409,), "an address is one user's")


def main(url):
    server = MailServer()
    with Folder(storage_database=url, edge_port=0, edge_limits="off", mail_require_tls="false",
                mail_server=f"smtp://127.0.0.1:{server.port}", outbound_allow="127.0.0.1",
                auth_hash_memory_kib=8192) as folder:
        folder.run("migrate")
        folder.start("broker")
        for service in ("auth", "auth", "limiter", "jobs", "mail"):
            folder.start("actor", service)
        web = Web(folder.start("edge").port)
        web.wait_for("/v1/auth/jwks")
        # this test is about codes that are shown together, not about how many may be tried
        folder.run("call", "limiter.policy_set", '{"name": "auth.failures", "limit": 1000, "window_ms": 60000}')
        owner = User(web.port, ADA["email"])
        password = codes(web, owner, server)
        entered, recovery = second_factor(web, password)
        given_up(web, entered, password, recovery)
        refreshed(web, entered)
        registered(web, folder)
    server.stop()


if not os.environ.get("TEST_POSTGRES_URL"):
    skip("TEST_POSTGRES_URL is not set: run by tests/kit/postgres.py")
with database() as place:
    main(place)
sys.exit(done())
