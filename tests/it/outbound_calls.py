# SPDX-License-Identifier: MPL-2.0
"""Calls to the outside: signed webhooks, mails, checks; what is refused, and what may be tried again."""
import base64
import datetime
import email
import email.policy
import os
import sys
import time

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
import bus  # noqa: E402
from outside import MailServer, Receiver, certificate, is_signed  # noqa: E402
from parts import Folder, free_port  # noqa: E402
from tap import check, done, same  # noqa: E402
from web import Web  # noqa: E402

OLD, NEW = ("whsec_" + base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
OTHER = "whsec_" + base64.b64encode(bytes([3]) * 32).decode()


class Bus:
    """Calls of services, as another service makes them."""

    def __init__(self, folder):
        self.client = bus.Client(folder.socket("bus"))

    def call(self, service, method, body):
        """(None, the reply) or (the error's code, the failure)."""
        command, answer = self.client.call(service, method, body, deadline=20000)
        if command == bus.FINAL:
            return None, answer
        return answer["code"], answer


def message(url, **more):
    return {"url": url, "id": "msg_1", "type": "test.happened", "data": {"n": 1, "text": "naïve"}, **more}


def signed(api, receiver):
    code, reply = api.call("webhook", "deliver",
                           message(receiver.url(), secrets=[NEW, OLD], at="2026-01-31T08:15:00Z"))
    same((code, reply.get("status"), reply.get("address")), (None, 204, "127.0.0.1"), "a message is delivered")
    request = receiver.next()
    same(request.command, "POST", "by POST")
    same(request.headers["content-type"], "application/json", "as JSON")
    same(request.body.decode(), '{"type":"test.happened","timestamp":"2026-01-31T08:15:00.000Z",'
         '"data":{"n":1,"text":"naïve"}}', "with type, timestamp and data")
    same(request.headers["webhook-id"], "msg_1", "under its id")
    check(abs(int(request.headers["webhook-timestamp"]) - time.time()) < 100, "sent now")
    same([is_signed(request, secret) for secret in (OLD, NEW, OTHER)], [True, True, False],
         "signed with the old and the new secret, as other code sees it")
    request.body = request.body.replace(b"1", b"2")
    check(not is_signed(request, NEW), "and what is changed on the way is noticed")
    api.call("webhook", "deliver", message(receiver.url()))
    same(receiver.next().headers["webhook-signature"], None, "without a secret there is no signature")


ANSWERS = [
    # status, headers, code, retry_after_ms
    (200, {}, None, None),
    (301, {"Location": "/hook"}, "UNPROCESSABLE", None),
    (400, {}, "UNPROCESSABLE", None),
    (404, {"Retry-After": "3"}, "UNPROCESSABLE", None),
    (408, {}, "UNAVAILABLE", None),
    (410, {}, "UNPROCESSABLE", None),
    (425, {}, "UNAVAILABLE", None),
    (429, {"Retry-After": "3"}, "UNAVAILABLE", 3000),
    (200, {}, None, None),
    (500, {}, "UNAVAILABLE", None),
    (503, {"Retry-After": "120"}, "UNAVAILABLE", 120000),
]


def answers(api, receiver):
    for status, headers, expected, retry in ANSWERS:
        receiver.answer = (status, headers, b"whatever it says")
        code, answer = api.call("webhook", "deliver", message(receiver.url()))
        same((code, answer.get("retry_after_ms") or None), (expected, retry), f"a receiver that answers {status}")
    receiver.answer = None
    same(api.call("webhook", "deliver", message(receiver.url()))[0], "UNAVAILABLE", "one that hangs up")
    receiver.answer = (204, {}, b"")
    same(api.call("webhook", "deliver", message(f"http://127.0.0.1:{free_port()}/"))[0], "UNAVAILABLE",
         "and nobody there")
    same(api.call("webhook", "deliver", message("http://nobody.invalid/"))[0], "UNAVAILABLE", "or no such host")


REFUSED = [
    ("http://10.0.0.1/", "UNPROCESSABLE"),
    ("http://169.254.169.254/latest/meta-data/", "UNPROCESSABLE"),
    ("http://[::ffff:169.254.169.254]/", "UNPROCESSABLE"),
    ("http://[fe80::1]/", "UNPROCESSABLE"),
    ("http://127.0.0.2/", "UNPROCESSABLE"),
    ("http://0/", "UNPROCESSABLE"),
    ("https://ada:secret@example.com/", "VALIDATION_FAILED"),
    ("file:///etc/passwd", "VALIDATION_FAILED"),
    ("gopher://127.0.0.1/", "VALIDATION_FAILED"),
]


def refused(api):
    for url, expected in REFUSED:
        same(api.call("webhook", "deliver", message(url))[0], expected, f"refused: {url}")
    same(api.call("webhook", "deliver", message("https://example.com/", secrets=["secret"]))[0],
         "VALIDATION_FAILED", "a secret that is none")


# ---- mails -----------------------------------------------------------------------------------------


def mails(api, server):
    subject = "Grüße an alle, die einen langen Betreff mit vielen Wörtern zu schätzen wissen: 1=1?"
    text = "Hello\n.\n.leading dot\n" + "é" * 3000 + "\nFrom the end"
    code, reply = api.call("mail", "send", {
        "to": ["ada@example.dev", "bob@example.dev"], "subject": subject, "text": text,
        "html": "<p>Hello</p>", "reply_to": "desk@example.dev", "id": "mail-7"})
    if not check((code, reply.get("status"), reply.get("id")) == (None, 250, "mail-7"), "a mail is sent", (code, reply)):
        return
    mail = server.next()
    same(mail["auth"], b"\0robot\0secret", "signed in")
    same((mail["from"].split()[0:2], mail["to"]),
         (["MAIL", "FROM:<robot@example.dev>"], ["RCPT TO:<ada@example.dev>", "RCPT TO:<bob@example.dev>"]),
         "to everybody")
    check(max(map(len, mail["bytes"].split(b"\r\n"))) <= 78, "in short lines")
    check(all(byte < 128 for byte in mail["bytes"]), "of seven bits")
    parsed = email.message_from_bytes(mail["bytes"], policy=email.policy.default)
    same((str(parsed["subject"]), str(parsed["from"]), str(parsed["to"]), str(parsed["reply-to"])),
         (subject, '"The \\"Robot\\"" <robot@example.dev>', "ada@example.dev, bob@example.dev",
          "desk@example.dev"), "its headers read back")
    same(str(parsed["message-id"]), "<mail-7@example.dev>", "it has a name of its own")
    age = datetime.datetime.now(datetime.timezone.utc) - parsed["date"].datetime
    check(abs(age.total_seconds()) < 100, "and a date")
    same([(part.get_content_type(), part.get_content().replace("\r\n", "\n")) for part in parsed.iter_parts()],
         [("text/plain", text), ("text/html", "<p>Hello</p>")], "both texts, unchanged")
    api.call("mail", "send", {"to": ["ada@example.dev"], "subject": "Plain", "text": "alone"})
    parsed = email.message_from_bytes(server.next()["bytes"], policy=email.policy.default)
    same((parsed.get_content_type(), parsed.get_content()), ("text/plain", "alone"), "or one alone")


INJECTIONS = [
    ("a subject of two lines", {"subject": "Hi\r\nBcc: all@example.dev"}),
    ("a subject with a bare line feed", {"subject": "Hi\nBcc: all@example.dev"}),
    ("a recipient of two lines", {"to": ["ada@example.dev>\r\nRCPT TO:<all@example.dev"]}),
    ("two recipients in one", {"to": ["ada@example.dev, bob@example.dev"]}),
    ("no address", {"to": ["ada"]}),
    ("nobody", {"to": []}),
    ("a strange answer address", {"reply_to": "x@example.dev\r\nBcc: all@example.dev"}),
    ("a strange id", {"id": "x>\r\nBcc: all@example.dev"}),
]


def mails_refused(api, server):
    for name, fields in INJECTIONS:
        code, _ = api.call("mail", "send", {"to": ["ada@example.dev"], "subject": "Hi", "text": "x", **fields})
        same(code, "VALIDATION_FAILED", f"refused: {name}")
    for verb, reply, expected in [("RCPT", "550 no such user", "UNPROCESSABLE"),
                                  ("RCPT", "451 later", "UNAVAILABLE"),
                                  ("MAIL", "552 too much", "UNPROCESSABLE"),
                                  ("AUTH", "535 wrong", "UNPROCESSABLE")]:
        server.replies[verb] = reply
        code, failure = api.call("mail", "send", {"to": ["ada@example.dev"], "subject": "Hi", "text": "x"})
        same(code, expected, f"a server that says {reply} to {verb}")
        check(reply[:3] in failure["detail"], "which is told", failure)
        del server.replies[verb]
    check(server.mails.empty(), "and none of these was sent")


# ---- checks ----------------------------------------------------------------------------------------


def checks(api, receiver):
    def look(**more):
        code, reply = api.call("http", "check", {"url": receiver.url("/health"), **more})
        same(code, None, "a check succeeds whatever it finds")
        return reply

    receiver.answer = (200, {}, b"all is well")
    reply = look(expect={"contains": "is well"})
    same((reply["up"], reply["reason"], reply["status"], reply["size"]), (True, None, 200, 11), "a site that is up")
    times = [reply["timings"][name] for name in ("dns_ms", "connect_ms", "first_byte_ms", "total_ms")]
    check(times == sorted(times) and times[1] > 0, "the times follow each other", reply["timings"])
    same((reply["timings"]["tls_ms"], reply["certificate_expires_at"]), (None, None), "without TLS")
    same(look(expect={"contains": "is ill"})["reason"], "body", "another text than expected")
    same(look(expect={"status": [204]})["reason"], "status", "another status")
    receiver.answer = lambda request: time.sleep(0.05) or (200, {}, b"")
    same(look(expect={"max_ms": 10})["reason"], "latency", "too slow")
    receiver.answer = (503, {}, b"")
    reply = look()
    same((reply["up"], reply["reason"], reply["detail"], reply["status"]),
         (False, "status", "The status is 503", 503), "a site that is down")
    receiver.answer = (200, {}, b"")
    same(look(method="HEAD")["up"], True, "by HEAD")
    receiver.answer = lambda request: ((302, {"Location": "/there"}, b"") if request.path == "/health"
                                       else (200, {}, b""))
    same((look()["reason"], look(redirects=1)["up"]), ("status", True), "a redirect is followed if asked")
    receiver.answer = (302, {"Location": "http://10.0.0.1/"}, b"")
    same(look(redirects=1)["reason"], "fenced", "but not to everywhere")
    receiver.answer = lambda request: time.sleep(1) or (200, {}, b"")
    same(look(timeout_ms=200)["reason"], "timeout", "a site that does not answer")
    receiver.answer = (200, {}, b"")
    code, reply = api.call("http", "check", {"url": f"http://127.0.0.1:{free_port()}/"})
    same((reply["reason"], reply["status"], reply["timings"]["first_byte_ms"]), ("unreachable", None, None),
         "nobody there")
    same(api.call("http", "check", {"url": "http://nobody.invalid/"})[1]["reason"], "unresolved", "no such host")
    same(api.call("http", "check", {"url": "http://10.0.0.1/"})[1]["reason"], "fenced", "nobody to be called")
    same(api.call("http", "check", {"url": "ftp://example.com/"})[0], "VALIDATION_FAILED", "no URL of the web")


def with_tls(api, folder, secure):
    reply = api.call("http", "check", {"url": secure.url("/"), "expect": {"certificate_days": 30}})[1]
    same((reply["up"], reply["detail"]), (True, None), "over TLS")
    check(reply["timings"]["tls_ms"] > reply["timings"]["connect_ms"], "which takes its time")
    ends = datetime.datetime.fromisoformat(reply["certificate_expires_at"].replace("Z", "+00:00"))
    check(89 <= (ends - datetime.datetime.now(datetime.timezone.utc)).days <= 90, "its certificate's end is known")
    reply = api.call("http", "check", {"url": secure.url("/"), "expect": {"certificate_days": 100}})[1]
    same(reply["reason"], "certificate", "one that ends soon is not good enough")
    os.mkdir(f"{folder.path}/other")
    stranger = Receiver(certificate=certificate(f"{folder.path}/other"))
    same(api.call("http", "check", {"url": stranger.url("/")})[1]["reason"], "untrusted",
         "a certificate nobody vouches for")
    same(api.call("webhook", "deliver", message(stranger.url()))[0], "UNAVAILABLE", "nor is told anything")
    check(stranger.received.empty(), "nothing came through")
    stranger.stop()


# ---- collectors ------------------------------------------------------------------------------------


def sends(api, receiver, collector):
    """What is told of the system goes where the operator says, and nothing else does."""
    def send(to, **more):
        return api.call("http", "send", {"url": to.url("/v1/traces"), "content_type": "application/json",
                                         "headers": ["X-Key: secret"], "body": '{"n":1}', **more})

    collector.answer = (200, {}, b"{}")
    same(send(collector), (None, {"status": 200, "retry_after_ms": 0}), "a body is posted to a collector inside")
    request = collector.next()
    same((request.command, request.path, request.headers["content-type"], request.headers["x-key"], request.body),
         ("POST", "/v1/traces", "application/json", "secret", b'{"n":1}'), "as it was given")
    same(request.headers["traceparent"], None, "and in no trace")
    collector.answer = (503, {"Retry-After": "7"}, b"")
    same(send(collector), (None, {"status": 503, "retry_after_ms": 7000}), "what it answers is told")
    collector.answer = (200, {"X-Limits": "60:a;b:c", "X-Other": "1"}, b"")
    same(send(collector, ask_header="x-limits")[1]["header"], "60:a;b:c", "and a header of it, if it is asked for")
    same("header" in send(collector, ask_header="X-None")[1], False, "and there is one")
    same(send(collector, ask_header="X: 1")[0], "VALIDATION_FAILED", "by its name")
    collector.answer = (200, {}, b"0123456789")
    same([send(collector, ask_body=most)[1].get("body") for most in (0, 4, 100)], [None, b"0123", b"0123456789"],
         "and of its body as much as is asked for")
    same(api.call("webhook", "deliver", message(collector.url()))[0], "UNPROCESSABLE",
         "users' calls do not reach it")
    while not receiver.received.empty():
        receiver.received.get()
    same(send(receiver, headers=["X: 1\r\nY: 2"])[0], "VALIDATION_FAILED", "a header of two lines is refused")
    same(send(receiver, headers=["nothing"])[0], "VALIDATION_FAILED", "and one that is none")
    check(receiver.received.empty(), "and nothing was sent")


# ---- hosts that rest --------------------------------------------------------------------------------


def rests(api, run, receiver, key):
    """After failures nobody is called, by whichever service."""
    web, admin = Web(run.port), {"Authorization": f"Bearer {key}"}
    host = f"127.0.0.1:{receiver.port}"
    path = f"/v1/admin/breakers/{host}"

    def force(word):
        return web.request("PUT", path, ('{"forced":"%s"}' % word).encode(),
                           {**admin, "Content-Type": "application/json"})

    same(force("auto").status, 200, "an operator may begin anew")
    receiver.answer = (500, {}, b"")
    for _ in range(5):
        api.call("webhook", "deliver", message(receiver.url()))
    code, failure = api.call("webhook", "deliver", message(receiver.url()))
    check(code == "UNAVAILABLE" and "not called" in failure["detail"], "a host that fails is given a rest", failure)
    check(0 < failure["retry_after_ms"] <= 30000, "and when to try again is said", failure)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        listed = web.get("/v1/admin/breakers", admin).json()["items"]
        state = [(item["state"], item["forced"]) for item in listed if item["host"] == host]
        if state == [("open", "auto")]:
            break
        time.sleep(0.05)
    same(state, [("open", "auto")], "the other services hear of it")
    same(api.call("http", "check", {"url": receiver.url()})[1]["reason"], "resting", "and do not call it either")
    receiver.answer = (204, {}, b"")
    same(force("closed").json()["state"], "closed", "an operator forces it closed")
    deadline = time.monotonic() + 20
    while api.call("webhook", "deliver", message(receiver.url()))[0] and time.monotonic() < deadline:
        time.sleep(0.05)
    same(api.call("webhook", "deliver", message(receiver.url()))[0], None, "and it is called again")
    force("open")
    same(api.call("http", "check", {"url": receiver.url()})[1]["reason"], "resting", "or open")
    force("auto")
    same(api.call("http", "check", {"url": receiver.url()})[1]["up"], True, "or lets go of it")
    same(web.get("/v1/admin/breakers").status, 401, "nobody else may look")


with Folder(edge_port=0, outbound_allow="127.0.0.1", mail_from="robot@example.dev",
            mail_from_name='The "Robot"', mail_user="robot", mail_password="secret") as folder:
    pair = certificate(folder.path)
    server, hook, secure = MailServer(pair), Receiver(), Receiver(certificate=pair)
    inside = Receiver(address="127.0.0.2")
    folder.environment["SIGNALBOX_HTTP_COLLECTORS"] = f"otel.internal:4318, 127.0.0.2:{inside.port}"
    folder.environment["SIGNALBOX_MAIL_SERVER"] = f"smtp://localhost:{server.port}"
    folder.environment["SIGNALBOX_OUTBOUND_CA_FILE"] = pair[0]
    run = folder.start("run")
    key = run.wait_line(r"^  (sbx_live_\S+)$").group(1)
    outside = Bus(folder)
    signed(outside, hook)
    answers(outside, hook)
    refused(outside)
    mails(outside, server)
    mails_refused(outside, server)
    checks(outside, hook)
    sends(outside, hook, inside)
    with_tls(outside, folder, secure)
    rests(outside, run, hook, key)
    check(not any(word in run.log() for word in ("whsec_", "secret\"")), "no secret is in the log")
    same(run.stop(), 0, "it leaves with status 0")
    for one in (server, hook, secure, inside):
        one.stop()
sys.exit(done())
