# SPDX-License-Identifier: MPL-2.0
"""Limits as clients meet them: two edges, three limiters, 256 requests in flight over 50 callers.

What is admitted is judged from outside, by what each answer says and when it came: an answer was
decided about between the moments its request was sent and it was received. Without a fault nobody
has one more than the policy says, in no window; while an instance is killed or joins, no more than
it was admitted in one flush besides.
"""
import collections
import os
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from bus import FINAL, ROUTE_KEY, Client, route_key  # noqa: E402
from crowd import Crowd  # noqa: E402
from parts import Folder  # noqa: E402
from postgres import database  # noqa: E402
from tap import check, done, same, skip  # noqa: E402
from web import PATIENCE, Web, request  # noqa: E402

REQUESTS = 20000
CALLERS = 50
IN_FLIGHT = 256
FLUSH_SECONDS = 0.2
LOSS_SECONDS = 5 * FLUSH_SECONDS  # fivefold: a busy machine flushes late
MINUTES_10 = 600
LIMIT = 300
SETTINGS = {"edge_port": 0, "edge_threads": 192, "edge_trusted_proxies": "127.0.0.0/8"}


class Setting:
    """A broker, limiters and two edges; whoever asks is told apart by X-Forwarded-For."""

    def __init__(self, folder):
        self.folder = folder
        folder.run("migrate")
        folder.start("broker")
        self.limiters = {}
        self.add("a", "b", "c")
        self.edges = []
        self.networks = 0

    def add(self, *names):
        """Limiters that join."""
        for name in names:
            self.limiters[name] = self.folder.start("actor", "limiter", "--instance", name)

    def open(self, lease):
        """Two edges that are lent so much at most."""
        for edge in self.edges:
            same(edge.stop(), 0, "an edge leaves in order")
        self.edges = [self.folder.start("edge", "--edge.lease", lease) for _ in range(2)]

    def call(self, method, body, **options):
        """Asks a limiter."""
        client = Client(self.folder.socket("bus"))
        command, answer = client.call("limiter", method, body, **options)
        client.close()
        same(command, FINAL, f"limiter.{method}")
        return answer

    def set_policy(self, name, limit, window):
        self.call("policy_set", {"name": name, "limit": limit, "window_ms": window * 1000})

    def used(self, subject, policy):
        """How much of a policy's limit somebody has used."""
        standing = self.call("peek", {"subject": subject, "policies": [policy]}, flags=ROUTE_KEY,
                             route_key=route_key(subject))["policies"][0]
        return standing["limit"] - standing["remaining"]

    def allow(self, limit, window):
        """So much in so many seconds, for each address."""
        self.set_policy("address", limit, window)
        end = time.monotonic() + PATIENCE
        for edge in self.edges:
            while not Web(edge.port).get("/v1/ping", {"X-Forwarded-For": "192.0.2.1"}).headers.get(
                    "ratelimit-policy", "").endswith(f";q={limit};w={window}"):
                if time.monotonic() > end:
                    raise TimeoutError("the edge has not heard of the policy")

    def callers(self):
        """Callers nobody has seen yet."""
        self.networks += 1
        return [f"10.{self.networks}.0.{i}" for i in range(CALLERS)]

    def ask(self, callers, count, halfway=None, headers=None):
        """So many requests of these callers, each in turn."""
        headers = headers or {caller: {"X-Forwarded-For": caller} for caller in callers}
        bytes_of = {caller: request("GET", "/v1/ping", headers=headers[caller], close=False)
                    for caller in callers}
        requests = [(caller, bytes_of[caller])
                    for caller in (callers[i % len(callers)] for i in range(count))]
        crowd = Crowd([edge.port for edge in self.edges], IN_FLIGHT)
        answers = crowd.run(requests, halfway)
        same(crowd.cut, [], "every request is answered")
        return Answers(answers)


class Answers:
    """What became of some requests."""

    def __init__(self, answers):
        self.all = answers
        self.admitted = collections.defaultdict(list)
        self.degraded = collections.Counter()  # by caller: what no limiter has decided
        for answer in answers:
            if "x-degraded" in answer.response.headers:
                self.degraded[answer.tag] += 1
            elif answer.response.status == 200:
                self.admitted[answer.tag].append(answer)

    def statuses(self):
        return {answer.response.status for answer in self.all}

    def counts(self, callers):
        return {caller: len(self.admitted[caller]) for caller in callers}

    def grace(self, caller, moments):
        """How many may have been admitted in the flush before one of the moments."""
        return sum(any(answer.received >= moment - LOSS_SECONDS and
                       answer.sent <= moment + LOSS_SECONDS for moment in moments)
                   for answer in self.admitted[caller])


def beyond(counts, limit, grace=lambda caller: 0):
    """Who has more than the limit and what a change of owners excuses."""
    return {caller: count for caller, count in counts.items() if count > limit + grace(caller)}


def lacking(counts, limit, answers):
    """Who has less, although a limiter has decided about everything."""
    return {caller: count for caller, count in counts.items()
            if count < limit - answers.degraded[caller]}


def judge(answers, callers, limit, name):
    """Exactly the limit for each."""
    counts = answers.counts(callers)
    check(answers.statuses() <= {200, 429}, f"{name}: admitted or refused", answers.statuses())
    same(beyond(counts, limit), {}, f"{name}: nobody has one more than {limit}")
    same(lacking(counts, limit, answers), {}, f"{name}: nobody has less")
    print(f"# {name}: {sum(counts.values())} admitted, {sum(answers.degraded.values())} undecided, "
          f"{len(answers.all) / (answers.all[-1].received - answers.all[0].sent):.0f} a second")


# ---- without a fault ------------------------------------------------------------------------------

def exact(s):
    """Each use is decided about by its owner: the answers of a caller count down without a gap."""
    callers = s.callers()
    answers = s.ask(callers, REQUESTS)
    judge(answers, callers, LIMIT, "asked for each")
    left = {caller: sorted(int(answer.response.headers["x-ratelimit-remaining"])
                           for answer in answers.admitted[caller]) for caller in callers}
    twice = {caller: numbers for caller, numbers in left.items() if len(set(numbers)) < len(numbers)}
    same(twice, {}, "no two answers say that the same is left")
    same({(numbers[0], numbers[-1]) for caller, numbers in left.items()
          if not answers.degraded[caller]} - {(0, LIMIT - 1)}, set(), "they count down to nothing")
    refused = [answer for answer in answers.all if answer.response.status == 429]
    same({answer.response.code for answer in refused}, {"RATE_LIMIT_EXCEEDED"}, "refusals say why")
    waits = {int(answer.response.headers["retry-after"]) for answer in refused}
    check(max(waits) <= MINUTES_10 + 1 and min(waits) > MINUTES_10 - 5 * PATIENCE,
          "and when to come again", waits)


def lent(s):
    """Most uses come out of slices that an edge is lent in advance."""
    callers = s.callers()
    answers = s.ask(callers, REQUESTS)
    counts = answers.counts(callers)
    asked = sum(Web(edge.port).metric("edge_limits_asked_total") for edge in s.edges)
    same(beyond(counts, LIMIT), {}, f"lent in advance: nobody has one more than {LIMIT}")
    check(asked < sum(counts.values()) / 2, "and the limiter is asked less often", asked)
    # what an edge was lent and did not need comes back when the loan ends
    same(lacking(counts, LIMIT * 3 // 4, answers), {}, "nobody has much less")


def any_window(s):
    """No stretch as long as the window, wherever it begins."""
    limit, window = 20, 1
    s.allow(limit, window)
    callers = s.callers()
    answers = s.ask(callers, REQUESTS)
    over = {}
    for caller in callers:
        admitted = sorted(answers.admitted[caller], key=lambda answer: answer.sent)
        # one more than the limit, all of them sent and answered within one window
        over.update({caller: first.sent for i, first in enumerate(admitted[:-limit])
                     if max(a.received for a in admitted[i:i + limit + 1]) <= first.sent + window})
    same(over, {}, f"no window of {window} s has more than {limit}")
    lasted = answers.all[-1].received - answers.all[0].sent
    least = min(answers.counts(callers).values())
    check(least > limit or lasted < 3 * window, "and what has left the window is free again",
          f"{least} in {lasted} s")
    s.allow(LIMIT, MINUTES_10)


def two_limits(s):
    """Whoever has signed in is counted by address and by account, and one is given back when the
    other refuses: an address is charged for what was let through, and for nothing else."""
    limit, address = 40, "10.200.0.1"
    s.folder.start("actor", "auth")
    s.set_policy("free", limit, MINUTES_10)
    s.set_policy("address.user", 100000, MINUTES_10)
    web, headers = Web(s.edges[0].port), {}
    for number in range(5):
        who = {"email": f"user{number}@example.com", "password": "a long one, with spaces 9"}
        end = time.monotonic() + PATIENCE
        while web.post("/v1/auth/register", who).status != 201:
            assert time.monotonic() < end, "nobody can be registered"
        token = web.post("/v1/auth/login", who).json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}", "X-Forwarded-For": address}
        headers[web.get("/v1/account", bearer).json()["id"]] = bearer
    before = {account: s.used(f"account:{account}", "free") for account in headers}
    charged = s.used(f"address:{address}", "address.user")
    answers = s.ask(list(headers), 2000, headers=headers)
    counts = answers.counts(headers)
    same(answers.statuses(), {200, 429}, "accounts behind one address")
    together = {account: counts[account] + before[account] for account in headers}
    same((beyond(together, limit), lacking(together, limit, answers)), ({}, {}),
         f"have {limit} each")
    end = time.monotonic() + PATIENCE
    through, undecided = sum(counts.values()), sum(answers.degraded.values())
    while (now := s.used(f"address:{address}", "address.user") - charged) > through + undecided:
        assert time.monotonic() < end, f"{now} of the address, {through} let through"
    check(now >= through, "and the address is charged for these alone", f"{now}, {through}")


# ---- with one -------------------------------------------------------------------------------------

def changing(s, name, change):
    """Answers while the instances change; the moments between which they did."""
    moments = []

    def halfway():
        moments.append(time.monotonic())
        change()
        moments.append(time.monotonic())

    callers = s.callers()
    answers = s.ask(callers, REQUESTS, halfway)
    counts = answers.counts(callers)
    check(answers.statuses() <= {200, 429}, f"{name}: nobody sees an error", answers.statuses())
    same(beyond(counts, LIMIT, lambda caller: answers.grace(caller, moments)), {},
         f"{name}: nobody has more than {LIMIT} and one flush")
    print(f"# {name}: {sum(counts.values())} admitted of {LIMIT * CALLERS}, "
          f"{sum(answers.degraded.values())} undecided")
    return answers, callers


def killed(s):
    answers, callers = changing(s, "kill -9", lambda: s.limiters.pop("b").kill())
    # a take that was lost with its answer is asked for again, so it may have been counted twice
    counts = answers.counts(callers)
    same(lacking(counts, LIMIT - IN_FLIGHT // 8, answers), {}, "kill -9: nobody has much less")


def joined(s):
    answers, callers = changing(s, "a new instance", lambda: s.add("d"))
    same(lacking(answers.counts(callers), LIMIT, answers), {}, "a new instance: nobody has less")


def left(s):
    def leave():
        same(s.limiters.pop("c").stop(), 0, "an instance leaves in order")

    answers, callers = changing(s, "leaving", leave)
    judge(answers, callers, LIMIT, "leaving")


def restarted(s):
    """All instances: what is stored is what is known."""
    early, late = s.callers(), s.callers()
    used = s.ask(early, CALLERS * LIMIT // 2)
    judge(used, early, LIMIT // 2, "half of what everybody may have")
    busy = s.ask(late, CALLERS * LIMIT // 2)
    while time.monotonic() < used.all[-1].received + LOSS_SECONDS:  # what is early is flushed
        s.ask(["192.0.2.3"], IN_FLIGHT)
    moment = time.monotonic()
    for name in list(s.limiters):
        s.limiters.pop(name).kill()
    s.add("e", "f")
    end = time.monotonic() + PATIENCE
    stranger = {"X-Forwarded-For": "192.0.2.2"}
    while any("x-degraded" in Web(edge.port).get("/v1/ping", stranger).headers for edge in s.edges):
        assert time.monotonic() < end, "the edges do not find the limiters"
    again = s.ask(early, CALLERS * LIMIT)
    counts = {caller: len(used.admitted[caller]) + len(again.admitted[caller]) for caller in early}
    same(beyond(counts, LIMIT), {}, "a crash of all: what was flushed is known")
    again = s.ask(late, CALLERS * LIMIT)
    counts = {caller: len(busy.admitted[caller]) + len(again.admitted[caller]) for caller in late}
    same(beyond(counts, LIMIT, lambda caller: busy.grace(caller, [moment])), {},
         "a crash of all: nobody has more than the limit and one flush")


def main():
    if not os.environ.get("TEST_POSTGRES_URL"):
        skip("TEST_POSTGRES_URL is not set: run by tests/kit/postgres.py")
    with database() as url, Folder(storage_database=url, **SETTINGS) as folder:
        s = Setting(folder)
        s.open(250)
        s.allow(LIMIT, MINUTES_10)
        lent(s)
        any_window(s)
        s.open(0)
        exact(s)
        two_limits(s)
        killed(s)
        joined(s)
        left(s)
        restarted(s)
    sys.exit(done())


main()
