#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""redis - a private Redis for tests: own folder, own unix socket, no TCP port

    tests/kit/redis.py run COMMAND...   starts one, runs COMMAND with TEST_REDIS_SOCKET in its
                                        environment, stops it, and exits with COMMAND's status
    tests/kit/redis.py serve            starts one, prints "ready URL", and obeys the lines it reads:
                                        stop, kill, start, freeze (it is there, but does nothing), thaw

A Python test imports it: `with Redis() as server: use(server.socket)`.

The server runs as the calling user; for root it runs as the account `redis`, or else `nobody`. It is
ready when it says so, not after a time.
"""
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

READY = "ready to accept connections"
START_SECONDS = 60
EXIT_SKIP = 77
PR_SET_PDEATHSIG = 1


class Missing(Exception):
    """There is no Redis server on this machine."""


def account():
    """Whom the server runs as: None for the calling user."""
    if os.getuid() != 0:
        return None
    for name in ("redis", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def die_with_parent():
    """A test that is killed takes its server along."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Redis:
    """One server; starts on entry, is gone with all its data on exit. A restarted one is empty."""

    def __init__(self):
        self.folder = None
        self.program = None
        self.process = None
        self.socket = None

    def __enter__(self):
        self.program = shutil.which("redis-server")
        if not self.program:
            raise Missing("redis-server is not installed")
        self.folder = tempfile.mkdtemp(prefix="redis-")
        self.socket = os.path.join(self.folder, "redis.sock")
        user = account()
        if user:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self.start()
        return self

    def start(self):
        """Returns once the server accepts connections."""
        user = account()
        self.process = subprocess.Popen(
            [self.program, "--port", "0", "--unixsocket", self.socket, "--dir", self.folder,
             "--save", "", "--daemonize", "no"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            preexec_fn=die_with_parent,
            **({"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}))
        limit = threading.Timer(START_SECONDS, self.process.kill)
        limit.start()
        for line in self.process.stdout:
            if READY in line.lower():
                limit.cancel()
                return
        limit.cancel()
        self.__exit__()
        raise RuntimeError("redis-server ended before it was ready")

    def stop(self, how=signal.SIGTERM):
        """Ends the server and waits for it: SIGKILL is a crash."""
        self.process.send_signal(how)
        self.process.stdout.close()
        self.process.wait()

    def kill(self):
        """As a crash would."""
        self.stop(signal.SIGKILL)

    def freeze(self):
        """It is there, but does nothing any more."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        """It goes on where it was."""
        self.process.send_signal(signal.SIGCONT)

    @property
    def url(self):
        """As the setting storage.redis wants it."""
        return "unix://" + self.socket

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def serve():
    """Obeys the lines on standard input until they end."""
    with Redis() as server:
        commands = {"stop": server.stop, "kill": server.kill,
                    "freeze": server.freeze, "start": server.start, "thaw": server.thaw}
        print("ready", server.url, flush=True)
        for line in sys.stdin:
            word = line.strip()
            commands[word]()
            print(*(("ready", server.url) if word in ("start", "thaw") else ("stopped",)),
                  flush=True)
    return 0


def main(words):
    """The command line."""
    if words != ["serve"] and (len(words) < 2 or words[0] != "run"):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        if words == ["serve"]:
            return serve()
        with Redis() as server:
            return subprocess.call(words[1:], env={**os.environ, "TEST_REDIS_SOCKET": server.socket})
    except Missing as reason:
        print(f"redis.py: {reason}", file=sys.stderr)
        return EXIT_SKIP


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
