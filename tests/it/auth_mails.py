# SPDX-License-Identifier: MPL-2.0
"""A mail's whole way: from registering, by a job, to a mail server, and back.

At first the test plays the jobs service, which shows the steps; then all parts are there.
"""
import email
import os
import re
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
import bus  # noqa: E402
from jobs import Jobs  # noqa: E402
from outside import MailServer  # noqa: E402
from parts import Folder  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import Web  # noqa: E402

ADA = {"email": "ada@example.dev", "password": "correct horse battery staple"}


def read(mail):
    """What a mail says, and the code in it."""
    message = email.message_from_bytes(mail["bytes"])
    part = next(part for part in message.walk() if part.get_content_type() == "text/plain")
    text = part.get_payload(decode=True).decode()
    code = re.search(r"sb[vp]_[A-Za-z0-9_-]{43}", text)
    return text, code.group(0) if code else None


def sent(jobs, server):
    """The next mail, sent by its job; with what it says, and the code in it."""
    job = jobs.take(1)[0]
    same(jobs.run(job)[0], None, "its job is done")
    mail = server.next()
    return job, mail, *read(mail)


def verified(auth, jobs, server):
    same(auth("register", ADA)["step"], "verify", "whoever registers proves the address first")
    job, mail, text, code = sent(jobs, server)
    same(job["payload"], {"id": job["unique_key"]}, "a job carries nothing but an id")
    same(mail["to"], [f"RCPT TO:<{ADA['email']}>"], "the mail goes to the address")
    check("good once" in text and code in text, "it says what the code is for", text)
    check(job["unique_key"].encode() in mail["bytes"], "and has the id, too")
    auth("verify", {"token": code})
    same(auth("login", ADA)["step"], "done", "with its code, signing in works")
    same(jobs.run(job)[0], None, "the job once more has nothing to do")


def tried_again(auth, jobs, server):
    auth("password_forgot", {"email": ADA["email"]})
    job = jobs.take(1)[0]
    server.replies["RCPT"] = "451 not now"
    same(jobs.run(job)[0], "UNAVAILABLE", "what the server refuses for now")
    del server.replies["RCPT"]
    same(jobs.run(job)[0], None, "is sent later")
    code = read(server.next())[1]
    auth("password_reset", {"token": code, "password": "another sentence of mine"})
    text, code = sent(jobs, server)[2:]
    check("was changed" in text and not code, "the change of the password is told")


def refused(auth, jobs, server):
    auth("password_forgot", {"email": "nobody@example.dev"})
    auth("register", {**ADA, "email": "eve@example.dev"})
    job = jobs.take(1)[0]
    server.replies["RCPT"] = "550 no such user"
    same(jobs.run(job)[0], "UNPROCESSABLE", "what it refuses for good is given up")
    del server.replies["RCPT"]
    same(jobs.run(job)[0], None, "and no longer there")
    same(jobs.order, [], "an unknown address gets no mail")


def step_by_step(server, settings):
    with Folder(**settings) as folder:
        folder.start("broker")
        folder.start("actor", "auth")
        folder.start("actor", "mail")
        jobs, client = Jobs(folder, "auth"), bus.Client(folder.socket("bus"))

        def auth(method, request):
            command, answer = client.call("auth", method, request, deadline=20000)
            check(command == bus.FINAL, f"auth.{method}", answer)
            return answer

        verified(auth, jobs, server)
        tried_again(auth, jobs, server)
        refused(auth, jobs, server)
        log = "".join(part.log() for part in folder.parts)
        check("sbv_" not in log and "sbp_" not in log, "no code is in a log")


def all_parts(server, settings):
    with Folder(**settings) as folder:
        part = folder.start("run", "--port", "0")
        web = Web(part.port)
        same(web.post("/v1/auth/register", ADA).json()["step"], "verify", "somebody registers")
        same(web.post("/v1/auth/login", ADA).status, 403, "and cannot sign in yet")
        mail = server.next()
        check(mail and ADA["email"] in mail["to"][0], "a mail comes")
        same(web.post("/v1/auth/verify", {"token": read(mail)[1]}).status, 204, "with a code")
        same(web.post("/v1/auth/login", ADA).status, 200, "and signing in works")
        same(part.stop(), 0, "it ends")
        stored = b"".join(open(os.path.join(folder.path, "var", name), "rb").read()
                          for name in os.listdir(os.path.join(folder.path, "var"))
                          if name.startswith("jobs.db"))
        check(b"auth.mail_deliver" in stored and b"sbv_" not in stored and b"ada@" not in stored,
              "the jobs know neither code nor address")


def main():
    server = MailServer()
    settings = {"mail_server": f"smtp://127.0.0.1:{server.port}", "mail_require_tls": "false",
                "outbound_allow": "127.0.0.1", "auth_login_unverified": "false"}
    step_by_step(server, settings)
    all_parts(server, settings)
    server.stop()


main()
sys.exit(done())
