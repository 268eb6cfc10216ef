# SPDX-License-Identifier: MPL-2.0
"""What others tell us: signed by each scheme, stored once, handed to a job; and tiers that follow payments.

Signatures are made here from the specifications. The jobs service is played by the test.
"""
import base64
import hashlib
import hmac
import json
import os
import sys
import threading
import time

SOURCE = os.path.abspath(os.environ.get("srcdir", "."))
sys.path.insert(0, os.path.join(SOURCE, "tests", "kit"))
from jobs import Jobs  # noqa: E402
from parts import Folder  # noqa: E402
from postgres import database  # noqa: E402
from tap import check, done, same, skip  # noqa: E402
from user import User  # noqa: E402
from web import Web  # noqa: E402

PATIENCE = 20
STANDARD = "whsec_" + base64.b64encode(b"s" * 24).decode()
STRIPE, PLAIN = "whsec_stripe_test", "plain secret"


def mac(key, *parts):
    return hmac.new(key, b".".join(parts), hashlib.sha256)


def standard(body, secret=STANDARD, event="evt-1", at=None):
    at = str(int(at or time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    value = base64.b64encode(mac(key, event.encode(), at.encode(), body).digest()).decode()
    return {"webhook-id": event, "webhook-timestamp": at, "webhook-signature": "v1," + value}


def stripe(body, secret=STRIPE, at=None):
    at = str(int(at or time.time()))
    return {"Stripe-Signature": f"t={at},v1={mac(secret.encode(), at.encode(), body).hexdigest()}"}


def plain(body, secret=PLAIN):
    return {"X-Hub-Signature-256": "sha256=" + mac(secret.encode(), body).hexdigest()}


def configured(web, admin):
    def put(name, **fields):
        return web.request("PUT", "/v1/admin/hooks/" + name, json.dumps(fields).encode(),
                           {"Content-Type": "application/json", **admin})

    for name, fields in [("acme", {"scheme": "standard", "secrets": [STANDARD]}),
                         ("stripe", {"scheme": "stripe", "secrets": ["old secret", STRIPE],
                                     "kind": "webhook.billing"}),
                         ("forge", {"scheme": "hmac", "secrets": [PLAIN], "header": "x-hub-signature-256"})]:
        answer = put(name, **{"kind": "test.take", **fields})
        same(answer.status, 200, f"{name} may tell us something")
        check("secret" not in answer.body.decode(), "its secret is not shown", answer.body)
    same([item["provider"] for item in web.get("/v1/admin/hooks", admin).json()["items"]],
         ["acme", "forge", "stripe"], "providers are listed")
    same(put("bad", scheme="standard", kind="test.take", secrets=["secret"]).status, 422, "a secret that is none")
    same(put("bad", scheme="md5", kind="test.take", secrets=["x"]).status, 422, "a scheme that is none")
    same(put("bad", scheme="hmac", kind="take", secrets=["x"]).status, 422, "a kind that is none")
    same(web.get("/v1/admin/hooks").status, 401, "for administrators only")


def told(web, jobs):
    """Each scheme, over bytes that no parser would write again."""
    body = '{ "type":"a.b",\n\t"n": 1.0, "text":"\u00e9\\u00e9" , "id":"own-1"}'.encode()
    for name, headers, number, content in [("acme", standard(body), "evt-1", "application/json"),
                                           ("forge", plain(body), "own-1", "text/plain")]:
        answer = web.request("POST", "/v1/hooks/" + name, body, {"Content-Type": content, **headers})
        same((answer.status, answer.json()), (202, {"id": number, "duplicate": False}), f"{name} tells us")
        again = web.request("POST", "/v1/hooks/" + name, body, headers)
        same((again.status, again.json()), (200, {"id": number, "duplicate": True}), "twice is once")
        job = jobs.take(1)[0]
        same((job["kind"], job["payload"]),
             ("test.take", {"provider": name, "id": number, "type": "a.b",
                            "body": {"type": "a.b", "n": 1.0, "text": "\u00e9\u00e9", "id": "own-1"}}),
             "a job is told what it was")
    text = b"this is no JSON: <xml/>"
    answer = web.request("POST", "/v1/hooks/forge", text, plain(text))
    same(answer.json()["id"], "sha256-" + hashlib.sha256(text).hexdigest(), "what has no id is known by itself")
    same(jobs.take(1)[0]["payload"]["body"], text.decode(), "what is no JSON is text")


def refused(web, jobs):
    body = b'{"id":"x"}'
    old = time.time() - 301
    for name, provider, headers, status in [
            ("no signature", "acme", {}, 401),
            ("another secret", "acme", standard(body, "whsec_" + base64.b64encode(b"o" * 24).decode()), 401),
            ("another body", "acme", standard(b'{"id":"y"}'), 401),
            ("another id", "acme", {**standard(body), "webhook-id": "evt-9"}, 401),
            ("another time", "acme", {**standard(body), "webhook-timestamp": str(int(time.time()) + 1)}, 401),
            ("an old one", "acme", standard(body, at=old), 401),
            ("no signature of Stripe's", "stripe", {"Stripe-Signature": "t=1"}, 401),
            ("an old one of Stripe's", "stripe", stripe(body, at=old), 401),
            ("another secret than Stripe's", "stripe", stripe(body, "other"), 401),
            ("Stripe's version 0", "stripe", {"Stripe-Signature": stripe(body)["Stripe-Signature"].replace("v1", "v0")}, 401),
            ("a wrong plain one", "forge", plain(b"other"), 401),
            ("a plain one in another header", "forge", {"X-Signature": plain(body)["X-Hub-Signature-256"]}, 401),
            ("nobody we know", "nobody", standard(body), 404),
    ]:
        answer = web.request("POST", "/v1/hooks/" + provider, body, headers)
        same(answer.status, status, f"refused: {name}")
    same(web.request("POST", "/v1/hooks/forge", b"\xff\xfe", plain(b"\xff\xfe")).status, 400, "what is no text")
    large = b'{"id":"large","n":"' + b"x" * 60000 + b'"}'
    same(web.request("POST", "/v1/hooks/forge", large, plain(large)).status, 422, "what is too large")
    numbers = b"[" + b",".join([b"0.5"] * 10000) + b"]"
    same(web.request("POST", "/v1/hooks/forge", numbers, plain(numbers)).status, 413, "what is too large for a job")
    same(web.request("GET", "/v1/hooks/forge").status, 405, "and nobody may look")
    time.sleep(1.2)  # a tick
    same(jobs.order, [], "none of it leads to a job")


def apart(web, jobs):
    """Ids that differ only at their end, and something that no job can be made of."""
    for end in "ab":
        body = json.dumps({"id": "x" * 190 + end, "n": end}).encode()
        same(web.request("POST", "/v1/hooks/forge", body, plain(body)).status, 202, "a long id is told")
    taken = jobs.take(2)
    same([job["payload"]["body"]["n"] for job in taken], ["a", "b"], "and is not taken for another one")
    body = json.dumps({"id": "own-2", "type": "t" * 50000}).encode()
    same(web.request("POST", "/v1/hooks/forge", body, plain(body)).status, 202, "a type that is a book is told")
    job = jobs.take(1)[0]
    same((job["payload"]["type"], len(job["payload"]["body"]["type"])), (None, 50000), "and stands in the body alone")
    jobs.refuse_one = "own-3"
    for number in ("own-3", "own-4"):
        body = json.dumps({"id": number}).encode()
        same(web.request("POST", "/v1/hooks/forge", body, plain(body)).status, 202, "what nobody can do is told")
    same([job["payload"]["id"] for job in jobs.take(1)], ["own-4"], "and does not keep others waiting")


def together(web, jobs, user):
    """An older event and a newer one, handled at the same moment, any number of times: the newer one holds."""
    wrong = []
    for number in range(20):
        jobs_ = []
        for late, status in ((0, "active"), (1, "canceled")):
            body = json.dumps({"id": f"evt_t{number}.{late}", "type": "customer.subscription.updated",
                               "created": 100000 + 2 * number + late, "data": {"object": {
                                   "id": "sub_3", "status": status, "metadata": {"account": user.account},
                                   "items": {"data": [{"price": {"id": "price_pro"}}]}}}}).encode()
            web.request("POST", "/v1/hooks/stripe", body, stripe(body))
            jobs_ += jobs.take(1)
        threads = [threading.Thread(target=jobs.run_alone, args=(job,)) for job in jobs_]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        tier = user.get("/v1/me").json()["tier"]
        if tier != "free":
            wrong.append((number, tier))
    same(wrong, [], "of two events at the same moment the newer one holds")


def paid(web, jobs, user, stranger):
    """A subscription begins, changes, is told of in the wrong order, and ends."""
    def happens(number, kind, created, price="price_pro", status="active", account=user.account, name="sub_1", **price_more):
        body = json.dumps({"id": f"evt_{number}", "type": f"customer.subscription.{kind}", "created": created, "data": {
            "object": {"id": name, "status": status, "metadata": {"account": account},
                       "items": {"data": [{"price": {"id": price, **price_more}}]}}}}).encode()
        same(web.request("POST", "/v1/hooks/stripe", body, stripe(body)).status, 202, f"event {number} is told")
        job = jobs.take(1)[0]
        code, reply = jobs.run(job)
        return code or reply["result"], user.get("/v1/me").json()["tier"]

    same(user.get("/v1/me").json()["tier"], "free", "who has paid nothing has the tier free")
    same(happens(1, "created", 1000), ("set", "pro"), "a subscription sets the tier of its price")
    same(happens(2, "updated", 3000, "price_x", lookup_key="enterprise_monthly"), ("set", "enterprise"),
         "another price another one, by its lookup key")
    same(happens(3, "updated", 2000), ("late", "enterprise"), "what is told late changes nothing")
    same(happens(4, "updated", 4000, "price_unknown"), ("ignored", "enterprise"), "nor does a price that means nothing")
    same(happens(5, "updated", 5000, status="past_due"), ("set", "pro"), "who is late with paying keeps it")
    same(happens(6, "updated", 6000, status="unpaid"), ("set", "free"), "until it is given up")
    same(happens(7, "created", 7000), ("set", "pro"), "it begins anew")
    same(happens(8, "deleted", 8000), ("set", "free"), "and ends")
    same(happens(9, "created", 9000, account="019a4c1e-7b1f-7c3a-9d2e-4f5a6b7c8d9e")[0], "UNPROCESSABLE",
         "an account that is not there")
    same(happens(20, "created", 20000, name="sub_2"), ("set", "pro"), "another subscription takes its place")
    same(happens(21, "deleted", 21000), ("ignored", "pro"), "then the end of the old one takes nothing away")
    same(happens(22, "created", 22000, name="sub_2", price="price_x", lookup_key="enterprise_monthly"), ("set", "enterprise"),
         "nor is what holds in the way of the new one")
    same(happens(23, "deleted", 23000, name="sub_2"), ("set", "free"), "but its own end is")
    same(happens(25, "updated", 25000, name="sub_4"), ("set", "pro"), "a subscription that is paid for at once")
    same(happens(26, "created", 25000, name="sub_4", status="incomplete"), ("ignored", "pro"),
         "is told to be unpaid still, in the same second")
    same(happens(27, "updated", 27000, name="sub_4", status="incomplete_expired"), ("set", "free"),
         "unless it never will be")
    same(happens(24, "created", 9 * 10**18)[0], "late", "a time that there is not is none")
    together(web, jobs, user)
    body = json.dumps({"id": "evt_10", "type": "invoice.paid", "created": 1, "data": {"object": {}}}).encode()
    web.request("POST", "/v1/hooks/stripe", body, stripe(body))
    same(jobs.run(jobs.take(1)[0])[1]["result"], "ignored", "other events are none of its business")
    same(stranger.get("/v1/me").json()["tier"], "free", "and nobody else has paid")


def story(**settings):
    with Folder(edge_port=0, edge_limits="false", auth_hash_memory_kib=1024, auth_hash_passes=1,
                webhook_tiers="price_pro=pro, enterprise_monthly=enterprise", **settings) as folder:
        if settings:
            folder.environment["SIGNALBOX_WEBHOOK_SECRET"] = "7" * 64
            folder.run("migrate")
        folder.start("broker")
        auth = folder.start("actor", "auth", "--instance", "auth-1")
        key = auth.wait_line(r"^  (sbx_live_\S+)$").group(1)
        folder.start("actor", "webhook", "--instance", "webhook-1")
        if settings:
            folder.start("actor", "webhook", "--instance", "webhook-2")
        edge = folder.start("edge")
        web, admin = Web(edge.port), {"Authorization": "Bearer " + key}
        web.wait_for("/v1/admin/hooks", admin)
        jobs = Jobs(folder, "webhook", "test")
        configured(web, admin)
        told(web, jobs)
        refused(web, jobs)
        apart(web, jobs)
        paid(web, jobs, User(edge.port, "ada@example.dev"), User(edge.port, "eve@example.dev"))
        same([web.request("DELETE", "/v1/admin/hooks/acme", headers=admin).status for _ in range(2)], [204, 404],
             "a provider may be told to be quiet")
        check(not any(word in part.log() for part in folder.parts for word in (STANDARD, STRIPE, PLAIN)),
              "no secret is in a log")


if not os.environ.get("TEST_POSTGRES_URL"):
    skip("TEST_POSTGRES_URL is not set: run by tests/kit/postgres.py")
print("# on SQLite")
story()
print("# on PostgreSQL, two instances")
with database() as url:
    story(storage_database=url)
sys.exit(done())
