# SPDX-License-Identifier: MPL-2.0
"""What the service manager is told: when a process is ready, that it lives, that it ends (sd_notify)."""
import os
import signal
import socket
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from parts import Folder  # noqa: E402
from tap import check, done, same  # noqa: E402

PATIENCE = 60


class Manager:
    """The manager's end of the socket."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE)
        self.socket.bind("\0" + name[1:] if name.startswith("@") else name)

    def hear(self):
        """The variables of the next message."""
        text = self.socket.recv(4096).decode()
        return dict(line.split("=", 1) for line in text.split("\n"))

    def wait(self, name):
        """The next message that sets the variable."""
        while name not in (said := self.hear()):
            pass
        return said


def life(folder, name, status, *words):
    """A process from its start to its end."""
    manager = Manager(name)
    folder.environment.update(NOTIFY_SOCKET=name, WATCHDOG_USEC="200000")
    part = folder.start(*words)
    said = manager.hear()
    same((said.get("READY"), status in said.get("STATUS", "")), ("1", True),
         f"{words[0]} is ready, and says what it does")
    for _ in range(3):
        said = manager.wait("WATCHDOG")
    same(said, {"WATCHDOG": "1"}, "it says again and again that it lives")
    part.process.send_signal(signal.SIGHUP)
    said = manager.wait("RELOADING")
    check(int(said["MONOTONIC_USEC"]) > 0, "it says since when it reads its configuration", said)
    same(manager.wait("READY"), {"READY": "1"}, "and when that is done")
    part.process.send_signal(signal.SIGTERM)
    same(manager.wait("STOPPING")["STOPPING"], "1", "it says that it ends")
    same(part.stop(), 0, "and ends")
    manager.socket.close()


def nobody(folder):
    """Without a manager, and with one that went away, everything is as ever."""
    cases = {"no manager": None, "a manager that is gone": folder.path + "/gone",
             "a name that is no path": "relative", "a name that is too long": "/" + "x" * 200}
    for case, name in cases.items():
        folder.environment.pop("NOTIFY_SOCKET", None)
        if name:
            folder.environment["NOTIFY_SOCKET"] = name
        same(folder.start("broker").stop(), 0, case)


def another(folder):
    """Who inherits the variables of a watched process is not watched."""
    manager = Manager(folder.path + "/other")
    folder.environment.update(NOTIFY_SOCKET=folder.path + "/other", WATCHDOG_USEC="20000",
                              WATCHDOG_PID="1")
    part = folder.start("broker")
    same(manager.hear()["READY"], "1", "a process that is not watched is ready, too")
    part.process.send_signal(signal.SIGTERM)
    same(list(manager.hear()), ["STOPPING", "STATUS"], "and says nothing until it ends")
    part.stop()


with Folder(edge_port=0, edge_allow_anonymous="true", edge_threads=16, bus_snapshot_ms=200,
            broker_snapshot_ms=200) as parts:
    life(parts, parts.path + "/manager", "a broker", "broker")
    life(parts, "@" + parts.path, "HTTP on port", "run")
    nobody(parts)
    another(parts)
sys.exit(done())
