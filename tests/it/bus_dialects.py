# SPDX-License-Identifier: MPL-2.0
"""The three dialects over a real broker process: each with itself, each with the others, and nonsense.
"""
import os
import random
import resource
import socket
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
import msgpack  # noqa: E402
import zmq  # noqa: E402
from bus import (BROADCAST, CANCEL, CREDIT, DISCONNECT, ERROR, FINAL, HEARTBEAT, IDEMPOTENT, PARTIAL, REQUEST,
                 RETAIN, SNAPSHOT, Client, Header, MdpClient, MdpWorker, Subscriber, Worker, dealer,
                 header, publish)  # noqa: E402
from parts import Folder  # noqa: E402
from tap import check, done, same  # noqa: E402

MARK = 0x53425800  # a request id that nothing else uses
ECHO = {"service": "echo", "version": "1.0.0", "about": "",
        "methods": [{"name": "echo", "request": {"type": "object"}, "idempotent": True},
                    {"name": "once", "request": {"type": "object"}}]}


def counters(folder):
    """The broker's own, by name."""
    client = Client(folder.socket("bus"))
    _, stats = client.call("$SRV", "STATS")
    client.close()
    return stats["counters"]


def joined(folder, service, instances=1):
    """Waits until so many have registered: MDP tells a worker nothing, and other sockets are faster."""
    client, seen = Client(folder.socket("bus")), 0
    while seen != instances:
        _, info = client.call("$SRV", "INFO", {"service": service})
        seen = sum(len(item["instances"]) for item in info["services"])
    client.close()


def arrived(socket):
    """Waits until the broker has read what this socket has sent: what comes behind is answered."""
    socket.send(header(SNAPSHOT, service="none.", request_id=MARK))
    while True:
        first = socket.recv_multipart()[0]
        if first[:2] == b"SX":
            head = Header(first)
            if (head.command, head.request_id) == (FINAL, MARK):
                return


def mdp_with_mdp(folder, version, lead):
    name = f"MDP/0.{version}{' with an empty first frame' if version == 2 and lead else ''}"
    worker = MdpWorker(folder.socket("bus"), "echo.mdp", version, lead)
    client = MdpClient(folder.socket("bus"), version, lead)
    joined(folder, "echo.mdp")
    same(client.call("mmi.service", b"echo.mdp"), [b"200"], f"{name}: mmi.service knows the worker")
    same(client.call("mmi.service", b"nobody"), [b"404"], f"{name}: and nobody else")
    same(client.call("mmi.other", b"x"), [b"501"], f"{name}: other mmi names are not implemented")
    client.send("echo.mdp", b"one", b"", b"\xc1 anything")
    address, body = worker.request()
    same(body, [b"one", b"", b"\xc1 anything"], f"{name}: body frames pass untouched")
    if version == 2:
        worker.answer(address, b"part", command="partial")
        same(client.receive(), (False, "echo.mdp", [b"part"]), f"{name}: a part")
    worker.answer(address, *body)
    same(client.receive(), (True, "echo.mdp", [b"one", b"", b"\xc1 anything"]), f"{name}: the answer")
    # one request at a time: the second waits for the first's answer
    client.send("echo.mdp", b"1")
    client.send("echo.mdp", b"2")
    first, _ = worker.request()
    worker.socket.rcvtimeo = 200
    try:
        worker.request()
        check(False, f"{name}: a busy worker gets nothing")
    except zmq.Again:
        check(True, f"{name}: a busy worker gets nothing")
    worker.socket.rcvtimeo = 10000
    worker.answer(first, b"1")
    second, body = worker.request()
    worker.answer(second, b"2")
    same([client.receive()[2], client.receive()[2]], [[b"1"], [b"2"]], f"{name}: both are answered")
    worker.send("disconnect")
    while client.call("mmi.service", b"echo.mdp") != [b"404"]:
        pass
    check(True, f"{name}: a worker that says good-bye is gone")
    client.close()
    worker.close()


def mdp_rules(folder):
    bus = folder.socket("bus")
    worker = MdpWorker(bus, "rules", 1)
    worker.send("ready", b"rules")
    same(worker.receive()[0], "disconnect", "a second READY is answered with DISCONNECT")
    worker.close()
    stranger = MdpWorker(bus, "rules", 1, ready=False)
    stranger.send("heartbeat")
    same(stranger.receive()[0], "disconnect", "a stranger's beat is answered with DISCONNECT")
    stranger.close()
    reserved = MdpWorker(bus, "mmi.mine", 2)
    same(reserved.receive()[0], "disconnect", "names of the broker cannot be registered")
    reserved.close()
    worker = MdpWorker(bus, "rules", 2)
    worker.send("request", b"x", b"", b"y")
    same(worker.receive()[0], "disconnect", "a valid but unexpected command is answered likewise")
    worker.close()

    # workers are assumed to be idempotent: a request is given once more
    one, client = MdpWorker(bus, "lost", 1), MdpClient(bus, 1)
    joined(folder, "lost")
    client.send("lost", b"x")
    one.request()
    two = MdpWorker(bus, "lost", 1)
    joined(folder, "lost", 2)
    one.close()
    two.send("heartbeat")
    address, body = two.request()
    two.answer(address, b"from the second")
    same(client.receive()[2], [b"from the second"], "a lost worker's request goes to another")
    two.close()
    client.close()


def bridges(folder):
    bus = folder.socket("bus")
    native = Worker(bus, "echo", "echo-1", credit=10, descriptor=ECHO)
    client = MdpClient(bus, 1)
    client.send("echo.echo", msgpack.packb({"n": 1}))
    head, frames = native.next()
    same((head.service, head.method, msgpack.unpackb(frames[0])), ("echo", "echo", {"n": 1}),
         "an MDP client reaches a native method as service.method")
    native.answer(head, {"n": 2})
    same(client.receive(), (True, "echo.echo", [msgpack.packb({"n": 2})]), "and is answered by the name it used")
    answer = msgpack.unpackb(client.call("echo.none", b"\x80")[0])
    same(answer["error"]["code"], "NO_METHOD", "a failure reaches MDP as {error: ..}")
    same(msgpack.unpackb(client.call("nobody.here", b"\x80")[0])["error"]["code"], "NO_SERVICE",
         "an unknown service is refused at once")
    client.send("echo.echo", msgpack.packb({}))
    head, _ = native.next()
    native.answer(head, {"code": "CONFLICT", "detail": "no"}, command=ERROR, detail=409)
    same(msgpack.unpackb(client.receive()[2][0])["error"]["code"], "CONFLICT", "a service's own error, too")
    info = msgpack.unpackb(client.call("$SRV.INFO", msgpack.packb({"service": "echo"}))[0])
    same(info["services"][0]["instances"][0]["instance"], "echo-1", "$SRV.INFO answers MDP peers")

    worker = MdpWorker(bus, "old", 2)
    joined(folder, "old")
    modern = Client(bus)
    request_id = modern.send("old", "", {"n": 3})
    address, body = worker.request()
    same(msgpack.unpackb(body[0]), {"n": 3}, "a native client reaches an MDP worker")
    worker.answer(address, msgpack.packb("part"), command="partial")
    worker.answer(address, msgpack.packb("end"))
    seen = [modern.receive() for _ in range(2)]
    same([(head.command, head.request_id, body) for head, body in seen],
         [(PARTIAL, request_id, "part"), (FINAL, request_id, "end")], "and gets part and end")
    for peer in (native, client, worker, modern):
        peer.close()


def one_dialect(folder):
    """A worker's beats are sent in its dialect: speaking as a client, too, must not change that."""
    bus = folder.socket("bus")
    worker, client = MdpWorker(bus, "two.tongues", 1), Client(bus)
    joined(folder, "two.tongues")
    before = counters(folder)["broker_bad_messages_total"]
    worker.socket.send_multipart([b"", b"MDPC01", b"mmi.service", b"two.tongues"])
    worker.socket.send_multipart([header(SNAPSHOT, request_id=1)])
    client.send("two.tongues", "", {})
    address, _ = worker.request()
    same(counters(folder)["broker_bad_messages_total"] - before, 2,
         "what a worker says in another dialect is dropped and counted")
    worker.answer(address, b"\x80")
    same(client.receive()[0].command, FINAL, "and the worker goes on")
    same(worker.receive()[0], "heartbeat", "it still gets its beats")
    worker.close()
    client.close()


def given_up(folder):
    """Nobody waits in silence: neither who cancels, nor who waits for an instance that leaves."""
    bus = folder.socket("bus")
    for descriptor in (ECHO, None):
        service = "echo" if descriptor else "bare"
        worker = Worker(bus, service, "going-1", descriptor=descriptor)
        client = Client(bus)
        request_id = client.send(service, "once")
        worker.next()
        client.socket.send(header(CANCEL, request_id=request_id))
        head, body = client.receive()
        same((head.request_id, head.detail, body["code"]), (request_id, 499, "CANCELLED"),
             "a request given up has its answer, too")
        head, _ = worker.next((CANCEL,))
        worker.answer(head, {})
        client.send(service, "once")
        worker.next()
        waiting = [client.send(service, "once", priority=priority) for priority in (0, 1, 3)]
        arrived(client.socket)
        worker.send(DISCONNECT)
        answers = [client.receive() for _ in range(4)]
        same([(head.request_id, body["code"]) for head, body in answers],
             [(waiting[0], "NO_INSTANCE"), (waiting[1], "NO_INSTANCE"), (waiting[2], "NO_INSTANCE"),
              (waiting[0] - 1, "WORKER_LOST")],
             f"when the last instance leaves all that waits is told ({service})")
        worker.close()
        client.close()
    same(Client(bus).call("bare", "once")[1]["code"], "NO_SERVICE", "a service that described nothing is gone")


def native_dialect(folder):
    bus = folder.socket("bus")
    client = Client(bus)
    worker = Worker(bus, "echo", "echo-2", credit=2, descriptor=ECHO)
    same(worker.welcome[0].command, 1, "READY is answered with READY")
    same(msgpack.unpackb(worker.welcome[1][0])["version"], 1, "which names the version")
    first = client.send("echo", "once", flags=IDEMPOTENT)
    second = client.send("echo", "echo", flags=IDEMPOTENT, deadline=5000)
    third = client.send("echo", "echo", flags=IDEMPOTENT)
    heads = [worker.next()[0] for _ in range(2)]
    check(0 < heads[1].deadline <= 5000, "what is left of the deadline arrives", heads[1].deadline)
    same(heads[1].hops, 1, "a hop is counted")
    worker.send(CREDIT, detail=3)
    heads.append(worker.next()[0])
    check(True, "more credit, more requests")
    other = Worker(bus, "echo", "echo-3", credit=10, descriptor=ECHO)
    worker.close()
    resent = {other.next()[0].method for _ in range(2)}
    same(resent, {"echo"}, "what is idempotent goes to another instance")
    head, body = client.receive()
    same((head.request_id, head.command, body["code"]), (first, ERROR, "WORKER_LOST"),
         "what is not is answered at once")
    other.close()
    answers = {client.receive()[0].request_id for _ in range(2)}
    same(answers, {second, third}, "and nothing is sent a third time")

    workers = [Worker(bus, "echo", f"echo-{n}", credit=10, descriptor=ECHO) for n in (4, 5, 6)]
    request_id = client.send("echo", "echo", flags=BROADCAST)
    for peer in workers:
        head, _ = peer.next()
        peer.answer(head, {"from": peer.welcome[0].request_id})
    parts = [client.receive() for _ in range(4)]
    same(sorted(head.reply for head, _ in parts[:3]), ["echo-4", "echo-5", "echo-6"],
         "a broadcast's parts name their instances")
    same(parts[3][1], {"instances": 3, "answered": 3, "failed": 0}, "and its end counts them")
    twin = Worker(bus, "echo", "echo-4", credit=1, descriptor=ECHO)
    same(msgpack.unpackb(twin.welcome[1][0])["code"], "CONFLICT", "an instance's name is taken once")
    bad = dict(ECHO, methods=[{"name": "x", "request": {"oneOf": []}}])
    refused = Worker(bus, "echo", "echo-9", descriptor=bad)
    answer = msgpack.unpackb(refused.welcome[1][0])
    check("oneOf" in answer["detail"], "a descriptor is refused with the keyword's name", answer)
    for peer in (client, twin, refused, *workers):
        peer.close()


def events(folder):
    sender = dealer(folder.socket("bus"))
    publish(sender, "demo.kept", {"n": 1}, 1, retain=True)
    publish(sender, "demo.kept", {"n": 2}, 2, retain=True)
    publish(sender, "demo.flow", {"n": 0}, 1)
    arrived(sender)
    late = Subscriber(folder.socket("events"), "demo.")
    event = late.next()
    same((event.topic, event.sequence, event.flags, event.body), ("demo.kept", 2, 1, {"n": 2}),
         "a late subscriber gets the last value, marked as retained")
    for number in range(2, 200):
        publish(sender, "demo.flow", {"n": number}, number)
    flow = [late.until(lambda event: event.topic == "demo.flow") for _ in range(198)]
    same([event.sequence for event in flow], list(range(2, 200)), "events arrive in order")
    sender.send(header(SNAPSHOT, service="demo.", request_id=7))
    frames = sender.recv_multipart()
    same((Header(frames[0]).command, Header(frames[0]).service), (PARTIAL, "demo.kept"),
         "a snapshot holds the retained values")
    same(Header(sender.recv_multipart()[0]).command, FINAL, "and has an end")
    before = counters(folder)["broker_event_drops_total"]
    publish(sender, "registry.echo.mine", {"n": 1}, 1)
    publish(sender, "no topic", {"n": 1}, 1)
    sender.send_multipart([header(11, service="demo.x"), b"no event header", b"\x80"])
    arrived(sender)
    same(counters(folder)["broker_event_drops_total"] - before, 3, "what is no event of a peer is counted")
    sender.close()
    late.close()


def crowd(folder):
    """Connections that say nothing, more than the soft limit of descriptors a login has."""
    peers = []
    for _ in range(400):
        peers.append(socket.socket(socket.AF_UNIX))
        peers[-1].connect(folder.socket("bus")[len("ipc://"):])
    client = Client(folder.socket("bus"))
    same(client.call("$SRV", "PING")[0], FINAL, "a crowd of silent connections is no harm")
    client.close()
    for peer in peers:
        peer.close()


def nonsense(folder):
    bus = folder.socket("bus")
    random.seed(5)
    before = counters(folder)
    sent = 0
    for passed, door in enumerate(("bus", "edge")):
        peer = dealer(folder.socket(door))
        for _ in range(3000):
            frames = []
            for _ in range(random.randint(1, 6)):
                size = random.choice([0, 1, 2, 5, 6, 8, 67, 68, 69, 80, 300])
                frame = bytes(random.getrandbits(8) for _ in range(size))
                start = random.choice([b"", b"", b"SX\x01", b"MDPC01", b"MDPW01", b"MDPC02", b"MDPW02",
                                       header(random.randint(0, 14), service="echo", method="echo")])
                frames.append(start + frame if random.random() < 0.5 else (start or frame))
            peer.send_multipart(frames)
            sent += 1
        peer.send_multipart([b"x"] * 40)  # the last to arrive
        for _ in range(5000):
            after = counters(folder)
            if after["broker_too_large_total"] > before["broker_too_large_total"] + passed:
                break
        peer.close()
    client = Client(bus)
    same(client.call("$SRV", "PING")[0], FINAL, f"after {sent} nonsense messages the next request works")
    client.close()
    check(after["broker_bad_messages_total"] > before["broker_bad_messages_total"] + 1000,
          "they are counted as bad messages", after)
    check(after["broker_too_large_total"] >= before["broker_too_large_total"] + 2,
          "messages of too many frames are counted", after)


def balance(folder):
    """Every request has ended in exactly one counter."""
    reasons = ("no_service no_method forbidden bad_request queue_full worker_lost "
               "no_instance deadline overloaded cancelled client_gone").split()
    ends = ["broker_answered_total", "broker_failed_total",
            *(f'broker_drops_total{{reason="{reason}"}}' for reason in reasons)]
    for _ in range(200):
        seen = counters(folder)
        # the request that asks is counted, but not yet answered
        missing = seen["broker_requests_total"] - 1 - sum(seen[end] for end in ends)
        if missing == seen["broker_pending"] == 0:
            break
    same(missing, 0, "sent = answered + counted")


def silence(folder):
    worker = Worker(folder.socket("bus"), "quiet", "quiet-1", heartbeat_ms=50)
    client = Client(folder.socket("bus"))
    request_id = client.send("quiet", "any")
    worker.next()
    head, body = client.receive()
    same((head.request_id, body["code"]), (request_id, "WORKER_LOST"), "a silent worker is given up")
    worker.send(HEARTBEAT, service="quiet")
    same(worker.next((DISCONNECT,))[0].command, DISCONNECT, "and told so when it speaks again")
    worker.close()
    client.close()


soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
with Folder(broker_mdp_heartbeat_ms=2500) as folder:
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    broker = folder.start("broker")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    for version, lead in ((1, True), (2, False), (2, True)):
        mdp_with_mdp(folder, version, lead)
    mdp_rules(folder)
    bridges(folder)
    one_dialect(folder)
    given_up(folder)
    native_dialect(folder)
    events(folder)
    silence(folder)
    crowd(folder)
    nonsense(folder)
    balance(folder)
    same(broker.stop(), 0, "the broker leaves with status 0")
    check(all(isinstance(event["event_name"], str) for event in broker.events()), "its log is JSON")
sys.exit(done())
