# SPDX-License-Identifier: MPL-2.0
"""Whatever is sent, wherever: each process goes on writing one JSON object a line, and no secret is in it.

At first everything that HTTP and the bus offer is filled with what breaks logs. Then secrets of every kind
are made and planted: where they belong, and everywhere else; none of them may be found in logs, error
answers, health, metrics, the printed configuration, topics, or the arguments of processes.
"""
import base64
import email
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import threading
import time

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
import bus  # noqa: E402
from outside import MailServer, Receiver  # noqa: E402
from parts import Folder, PROGRAM, die_with_parent  # noqa: E402
from postgres import database  # noqa: E402
from tap import check, done, same, skip  # noqa: E402
from web import Web  # noqa: E402

PATIENCE = 20
METHODS = ("get", "post", "put", "patch", "delete")
SERVICES = ("auth", "analysis", "cache", "limiter", "metrics", "webhook", "mail", "http", "jobs")
ADA = {"email": "ada@example.dev", "password": "PLANTED-ada's own sentence"}

HOSTILE = {
    "controls": bytes(range(1, 32)) + b"\x7f",
    "quotes": b'"\\"},{"severity_text":"ERROR"}',
    "a forged line": b'x\r\n{"forged":true}\n',
    "bytes that are no text": bytes(range(128, 256)) + b"\xc0\x80\xed\xa0\x80",
    "C1": "\u0080\u009b31m\u2028".encode(),
    "10 kB": b"z" * 10000,
    "10 kB of quotes": b'"' * 10000,
    "formats": b"%s%n%99999d{}",
}


def escaped(value):
    """As a path or a query can hold it."""
    return "".join(f"%{byte:02x}" for byte in value)


def operations(document):
    return [(method.upper(), path) for path, item in document["paths"].items() for method in METHODS
            if method in item and path != "/v1/events"]


def send(port, data):
    """Bytes as they are; what comes back."""
    try:
        return Web(port).send(data)
    except OSError:
        return b""


def wait_for(look, name):
    limit = time.monotonic() + PATIENCE
    while not (found := look()) and time.monotonic() < limit:
        time.sleep(0.05)
    check(found, name)
    return found


# ---- what breaks logs ----------------------------------------------------------------------------------

def over_http(port, document):
    for value in HOSTILE.values():
        raw, text = value, escaped(value)
        for head in (b"GET /" + raw + b" HTTP/1.1\r\nHost: localhost\r\n",
                     b"GET /v1/rules?" + raw + b" HTTP/1.1\r\nHost: localhost\r\n",
                     raw + b" /v1/ping HTTP/1.1\r\nHost: localhost\r\n",
                     b"GET /v1/ping HTTP/1.1\r\nHost: " + raw + b"\r\n"):
            send(port, head + b"Connection: close\r\n\r\n")
        for name in ("User-Agent", "X-Request-ID", "traceparent", "tracestate", "Authorization", "X-API-Key",
                     "Content-Type", "Accept", "Idempotency-Key", "X-Forwarded-For", "Origin", "Prefer",
                     "If-None-Match", "X-Signature", "Cookie", "webhook-id", "stripe-signature"):
            for line in (b"POST /v1/analyses", b"POST /v1/hooks/nobody", b"PUT /v1/admin/limits/free"):
                send(port, line + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n" +
                     name.encode() + b": " + raw + b"\r\n\r\n{}")
        web = Web(port)
        for method, path in operations(document):
            where = re.sub(r"\{\w+\}", text[:3000], path)
            web.request(method, where + "?a=" + text[:3000], b'{"a": "' + raw + b'"}',
                        {"Content-Type": "application/json"})


def over_the_bus(folder):
    """Names, bodies and errors of peers that are none of ours."""
    client = bus.Client(folder.socket("bus"))
    for value in HOSTILE.values():
        text = value.decode("latin-1")
        for body in ({"kind": text}, {"kind": "x." + text[:50], "payload": text}, text, value):
            for service, method in (("jobs", "enqueue"), ("analysis", "submit"), ("auth", "login"), ("auth", text[:60]),
                                    (text[:60], "x"), ("webhook", "publish"), ("mail", "send")):
                try:
                    client.call(service, method, body, deadline=3000)
                except (UnicodeError, bus.zmq.Again):
                    client = bus.Client(folder.socket("bus"))
        for ready in ({"service": text[:60]}, {"instance": text[:60]}):
            socket_ = bus.dealer(folder.socket("bus"))
            socket_.send_multipart([bus.header(bus.READY, service=ready.get("service", "odd")),
                                    bus.msgpack.packb({"instance": ready.get("instance", "i"), "credit": 1,
                                                       "heartbeat_ms": 60000, "descriptor": value})])
            socket_.close(linger=500)


def failing(folder):
    """Jobs whose actor fails with such texts: they are buried, with what it said."""
    worker = bus.Worker(folder.socket("bus"), "strange", "strange-one", credit=8)
    client = bus.Client(folder.socket("bus"))
    stop = threading.Event()
    texts = [value.decode("utf-8", "replace") for value in HOSTILE.values()]

    def serve():
        worker.socket.rcvtimeo = 200
        count = 0
        while not stop.is_set():
            try:
                head, _ = worker.next()
            except bus.zmq.Again:
                continue
            worker.answer(head, {"code": "UNPROCESSABLE", "message": texts[count % len(texts)],
                                 "detail": texts[count % len(texts)]}, bus.ERROR, 422)
            count += 1

    thread = threading.Thread(target=serve)
    thread.start()
    answer = client.call("jobs", "enqueue_as", {"jobs": [{"kind": "strange.fail", "payload": {}, "max_attempts": 1}
                                                         for _ in texts]}, deadline=5000)
    same(answer[0], bus.FINAL, f"jobs are enqueued {answer[1]}")
    wait_for(lambda: sum(part.log().count('"kind":"strange.fail"') for part in folder.parts) >= len(texts),
             "and buried, with what their actor said")
    stop.set()
    thread.join()


def hostile(folder, edge):
    document = Web(edge.port).get("/openapi.json").json()
    over_http(edge.port, document)
    over_the_bus(folder)
    failing(folder)
    for part in folder.parts:
        bad = []
        for line in part.log().rstrip("\n").split("\n") if part.log() else []:
            try:
                entry = json.loads(line)
                if not {"timestamp", "severity_text", "part", "event_name"} <= set(entry) or "forged" in entry:
                    bad.append(line)
            except ValueError:
                bad.append(line)
        same(bad, [], f"each line of {' '.join(part.words)} is one object with what belongs to it")
        with open(part.log_path, "rb") as log:
            check(not re.search(rb"[^\x20-\x7e\x80-\xff\n]", log.read()), "and no control character")
        same(part.process.poll(), None, "it goes on")


# ---- secrets -------------------------------------------------------------------------------------------

def totp(secret, step):
    digest = hmac.new(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at:at + 4], 'big') & 0x7fffffff) % 1000000:06d}"


class Ledger:
    """The secrets there are, and what was answered as an error."""

    def __init__(self, web):
        self.web = web
        self.secrets = {ADA["password"]}
        self.errors = []

    def keep(self, *values):
        self.secrets.update(values)
        return values[0]

    def ask(self, method, path, value=None, headers=None):
        body = None if value is None else json.dumps(value).encode()
        answer = self.web.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
        if answer.status >= 400:
            self.errors.append((method + " " + path, answer.raw.decode("latin-1")))
        return answer


def used(ledger, folder, server, receiver):
    """Secrets where they belong."""
    ask, keep = ledger.ask, ledger.keep
    tokens = ask("POST", "/v1/auth/register", ADA).json()
    bearer = {"Authorization": "Bearer " + keep(tokens["access_token"])}
    keep(tokens["refresh_token"])
    for wrong in ("PLANTED-a wrong one", "PLANTED-another wrong one"):
        ask("POST", "/v1/auth/login", {**ADA, "password": keep(wrong)})
    ask("POST", "/v1/auth/register", {"email": "eve@example.dev", "password": keep("PLANTED")})
    ask("POST", "/v1/auth/refresh", {"refresh_token": keep("sbr_" + "P" * 43)})
    key = ask("POST", "/v1/keys", {"name": "ci", "scopes": ["*"]}, bearer).json()
    keep(key["key"], key["key"].rsplit("_", 1)[1])
    keep(ask("POST", f"/v1/keys/{key['id']}/signing-secret", {}, bearer).json()["secret"])
    ask("GET", "/v1/me", headers={"X-API-Key": key["key"]})
    hook = ask("POST", "/v1/webhooks", {"url": receiver.url(), "events": ["*"]}, bearer).json()
    keep(hook["secret"])
    ask("POST", f"/v1/webhooks/{hook['id']}/test", {}, bearer)
    keep(ask("POST", f"/v1/webhooks/{hook['id']}/rotate", {}, bearer).json()["secret"])
    for url in ("https://user:PLANTEDurlpassword@example.com/", "http://10.0.0.1/?token=PLANTEDurltoken"):
        ask("POST", "/v1/webhooks", {"url": url, "events": ["*"]}, bearer)
    ask("POST", "/v1/monitors", {"name": "m", "url": receiver.url("/?api_key=" + keep("PLANTEDmonitorkey")),
                                 "headers": {"Authorization": "Bearer " + keep("PLANTEDmonitorbearer")}}, bearer)
    ledger.secrets |= {"PLANTEDurlpassword", "PLANTEDurltoken"}
    secret = keep(ask("POST", "/v1/me/totp", {"password": ADA["password"]}, bearer).json()["secret"])
    step = int(time.time() / 30)
    codes = ask("POST", "/v1/me/totp/confirm", {"code": totp(secret, step)}, bearer).json()["recovery_codes"]
    keep(*codes)
    challenge = keep(ask("POST", "/v1/auth/login", ADA).json()["challenge"])
    ask("POST", "/v1/auth/login/code", {"challenge": challenge, "code": "000000"})
    again = ask("POST", "/v1/auth/login/code", {"challenge": challenge, "code": codes[0]}).json()
    keep(again["access_token"], again["refresh_token"])
    ask("POST", "/v1/auth/login/code", {"challenge": challenge, "code": codes[0]})
    ask("POST", "/v1/auth/password/forgot", {"email": ADA["email"]})
    while mail := server.next():
        message = email.message_from_bytes(mail["bytes"])
        part = next(part for part in message.walk() if part.get_content_type() == "text/plain")
        found = re.findall(r"sb[vp]_[A-Za-z0-9_-]{43}", part.get_payload(decode=True).decode())
        keep(ADA["password"], *found)
        if {secret_[:4] for secret_ in ledger.secrets} >= {"sbv_", "sbp_"}:
            break
    for code in [secret_ for secret_ in ledger.secrets if secret_.startswith(("sbv_", "sbp_"))]:
        ask("POST", "/v1/auth/verify", {"token": code})
        ask("POST", "/v1/auth/password/reset", {"token": code, "password": keep("PLANTED")})
    keep(re.search(r"sbi_[A-Za-z0-9_-]{43}", folder.run("user", "invite", "joe@example.dev")).group(0))
    return bearer


def planted(ledger, document, bearer):
    """The same secrets where they do not belong; of what has a form, since nothing else can be known."""
    forms = {secret[:4]: secret for secret in ledger.secrets if re.match(r"sb[a-z]_|sbx_live_|whsec_|eyJ", secret)}
    same(sorted(forms), ["eyJh", "sbc_", "sbi_", "sbp_", "sbr_", "sbs_", "sbv_", "sbx_", "whse"],
         "there are secrets of each form")
    formed = list(forms.values())
    for secret in formed + ["Bearer " + formed[0], "https://u:PLANTEDurlpassword@h/"]:
        where = secret.replace(" ", "%20").replace("/", "%2f")
        for name in ("User-Agent", "X-Request-ID", "traceparent", "tracestate", "Authorization", "X-API-Key", "Cookie",
                     "Content-Type", "Accept", "Idempotency-Key", "X-Forwarded-For", "Origin", "Prefer", "If-None-Match",
                     "X-Signature", "Referer", "webhook-id", "webhook-signature"):
            ledger.ask("POST", "/v1/analyses", {"nodes": 1}, {name: secret})
        for method, path in operations(document):
            if "/erase" in path or "logout" in path or path in ("/v1/auth/register", "/v1/auth/login"):
                continue
            body = {"name": secret, "url": secret, secret: secret, "password": secret, "id": secret, "kind": secret,
                    "payload": {"token": secret}, "events": [secret], "email": secret}
            ledger.ask(method, re.sub(r"\{\w+\}", where, path) + "?x=" + where, body, bearer)
    ledger.ask("GET", "/v1/nothing/" + formed[0] + "/here")


def over_bus_planted(folder, ledger):
    """An actor of somebody else's that tells secrets in its errors."""
    secret = next(secret for secret in ledger.secrets if secret.startswith("sbx_live_"))
    worker = bus.Worker(folder.socket("bus"), "leaky", "leaky-1", credit=8)
    client = bus.Client(folder.socket("bus"))

    def serve():
        head, _ = worker.next()
        worker.answer(head, {"code": "UNPROCESSABLE",
                             "message": f"cannot reach redis://:PLANTEDredis@host with {secret}",
                             "detail": f"cannot reach redis://:PLANTEDredis@host with {secret}"}, bus.ERROR, 422)

    ledger.keep("PLANTEDredis")
    thread = threading.Thread(target=serve)
    thread.start()
    client.call("jobs", "enqueue_as", {"jobs": [{"kind": "leaky.fail", "payload": {}, "max_attempts": 1}]})
    thread.join()
    wait_for(lambda: any("leaky.fail" in part.log() for part in folder.parts), "a job is buried")


TRACE = "5ec4e7" * 5 + "00"


def told_by_strangers(folder, ledger):
    """Failures and spans of a service in another language, whose log hides nothing."""
    sentence, attribute = ledger.keep("PLANTED words, of a sentence"), ledger.keep("PLANTEDattribute")
    failure = {"code": "INTERNAL", "part": "leaky", "method": "pay", "version": "1", "request_id": "r-1",
               "message": "cannot reach redis://:PLANTEDredis@host",
               "breadcrumbs": [{"at": "2026-11-21T10:04:01.595Z", "level": "warn", "event": "asked",
                                "text": json.dumps({"password": sentence})}]}
    span = {"trace_id": TRACE, "id": "00f067aa0ba902b7", "name": "GET https://u:PLANTEDredis@host/", "kind": 3,
            "start_us": int(time.time() * 1e6), "duration_us": 1, "is_failed": False,
            "attributes": {"db.password": attribute, "body": json.dumps({"secret": sentence})}}
    sender = bus.dealer(folder.socket("bus"))
    bus.publish(sender, "error", failure, 1, publisher="leaky-1")
    bus.publish(sender, "trace", {"part": "leaky", "instance": "leaky-1", "spans": [span]}, 1, publisher="leaky-1")
    wait_for(lambda: "leaky" in folder.run("errors", "--part=leaky"), "a stranger's failure is known")
    wait_for(lambda: TRACE in folder.run("trace"), "and its span")
    sender.close()


def shown(folder):
    """What operators are shown of failures and traces."""
    groups = re.findall(r"^[0-9a-f]{8}-[0-9a-f-]{27}", folder.run("errors"), re.M)
    seen = {f"the failure {group}": folder.run("errors", group) for group in groups}
    seen["the trace"] = folder.run("trace", TRACE)
    seen["the spans"] = folder.run("call", "metrics.trace", json.dumps({"id": TRACE}))
    check(any("leaky" in text and "***" in text for text in seen.values()), "what is hidden is seen to be", seen)
    return seen


def told(folder, ledger, web, bearer):
    """Everything that tells of what happened: {where: text}."""
    seen = {f"error answer of {name}": text for name, text in ledger.errors}
    for part in folder.parts:
        seen[f"the log of {' '.join(part.words)}"] = part.log()
        with open(f"/proc/{part.process.pid}/cmdline", "rb") as file:
            seen[f"the arguments of {part.words[0]}"] = file.read().decode()
    for path in ("/health", "/health/detailed", "/metrics", "/openapi.json", "/"):
        seen[path] = web.get(path).raw.decode("latin-1")
    seen["the configuration"] = folder.run("config")
    for name in ("/v1/me", "/v1/keys", "/v1/webhooks", "/v1/auth/sessions", "/v1/me/export"):
        seen[name] = web.get(name, bearer).raw.decode("latin-1")
    return seen


def watched(folder, path):
    """All topics, from now on."""
    with open(path, "wb") as out:
        return subprocess.Popen([PROGRAM, "watch"], cwd=folder.path, env=folder.environment, stdout=out,
                                preexec_fn=die_with_parent)


def secrets(folder, edge, server, receiver):
    web = Web(edge.port)
    ledger = Ledger(web)
    ledger.keep("PLANTEDdatabase", "PLANTEDmail", folder.environment["SIGNALBOX_AUTH_SECRET"],
                folder.environment["SIGNALBOX_WEBHOOK_SECRET"], folder.environment["SIGNALBOX_METRICS_ALERT_SECRET"])
    path = os.path.join(folder.path, "topics")
    watch = watched(folder, path)
    wait_for(lambda: os.path.getsize(path) > 0, "topics are watched")
    bearer = used(ledger, folder, server, receiver)
    folder.run("log-level", "debug")  # everything that is ever logged
    over_bus_planted(folder, ledger)
    planted(ledger, web.get("/openapi.json").json(), bearer)
    watch.terminate()
    watch.wait()
    told_by_strangers(folder, ledger)
    seen = {**told(folder, ledger, web, bearer), **shown(folder)}
    with open(path, encoding="utf-8", errors="replace") as file:
        seen["the topics"] = file.read()
    check(len(ledger.errors) > 500 and '"topic":"audit"' in seen["the topics"], "there is something to look through",
          (len(ledger.errors), len(seen["the topics"])))
    found = {}
    for where, text in seen.items():
        for secret in ledger.secrets:
            # whoever asks for the words of a password's rule is told of words
            if len(secret) > 7 and secret in text:
                at = text.index(secret)
                found.setdefault(where, text[max(0, at - 150):at + len(secret) + 20])
    same(found, {}, f"none of {len(ledger.secrets)} secrets is found in any of {len(seen)} places")


def main(url):
    server, receiver = MailServer(), Receiver()
    with Folder(storage_database=url + "&password=PLANTEDdatabase", edge_port=0, edge_limits="off",
                mail_server=f"smtp://127.0.0.1:{server.port}", mail_require_tls="false",
                outbound_allow="127.0.0.1", auth_hash_memory_kib=8192, auth_secret="a1b2" * 16,
                webhook_secret="c3d4" * 16, metrics_alert_secret="whsec_" + base64.b64encode(b"P" * 24).decode()) as folder:
        folder.run("migrate")
        folder.start("broker")
        for service in SERVICES:
            folder.start("actor", service)
        edge = folder.start("edge")
        wait_for(lambda: Web(edge.port).get("/v1/rules").status != 503, "all is there")
        hostile(folder, edge)
        secrets(folder, edge, server, receiver)
    receiver.stop()
    server.stop()


if not os.environ.get("TEST_POSTGRES_URL"):
    skip("TEST_POSTGRES_URL is not set: run by tests/kit/postgres.py")
with database() as name_:
    main(name_)
sys.exit(done())
