#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""postgres - a private PostgreSQL for tests: own folder, own unix socket, no TCP port

    tests/kit/postgres.py run COMMAND...   starts one, runs COMMAND with TEST_POSTGRES_URL in its
                                           environment, stops it, and exits with COMMAND's status
    tests/kit/postgres.py serve            for a test that stops and starts its server: prints
                                           "ready URL", obeys "stop", "kill" and "start" on standard
                                           input, each answered by "stopped" or "ready URL", and
                                           ends at end of file

A Python test imports it: `with Postgres() as server: use(server.url)`, or, for a database of its own
on the server that TEST_POSTGRES_URL names, `with database() as url: use(url)`.

The server runs as the calling user; root is refused by initdb, so for root it runs as the account
`postgres`, or else `nobody`. It is ready when it says so in its log, not after a time. Without
PostgreSQL on the machine the exit status is 77 and a sentence says what is missing.

The server keeps fsync off, since a test's data need not outlive a power cut, and autovacuum, since
what it knows of the tables would depend on when it last looked; `--durable` before the command leaves
both on, for measurements.
"""
import contextlib
import ctypes
import glob
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

READY = "database system is ready to accept connections"
START_SECONDS = 60
LINES_KEPT = 200
PR_SET_PDEATHSIG = 1
EXIT_SKIP = 77


class Missing(Exception):
    """There is no PostgreSQL server on this machine."""


def find(program):
    """The path of a server program; Debian keeps them out of PATH, a folder a version."""
    on_path = shutil.which(program)
    if on_path:
        return on_path
    versions = glob.glob("/usr/lib/postgresql/*/bin/" + program)
    if not versions:
        raise Missing(f"{program} is not installed: install postgresql")
    return max(versions, key=lambda path: float(path.split("/")[4]))


def account():
    """Whom the server runs as: None for the calling user."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Missing("root may not run PostgreSQL and there is no account postgres or nobody")


def die_with_parent():
    """A test that is killed takes its server along."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


class Postgres:
    """One server; starts on entry, is gone with all its data on exit."""

    def __init__(self, durable=False):
        self.durable = durable
        self.folder = None
        self.process = None
        self.lines = []  # the end of the server's log, for the story of a failure
        self.ready = threading.Event()
        self.reader = None

    @property
    def url(self):
        return f"postgresql:///postgres?host={self.folder}&user=signalbox"

    def __enter__(self):
        programs = find("initdb"), find("postgres")
        self.folder = tempfile.mkdtemp(prefix="sbx-pg-", dir="/tmp")  # socket paths are short
        try:
            user = account()
            if user:
                os.chown(self.folder, user.pw_uid, user.pw_gid)
            os.chmod(self.folder, 0o711)
            self._run([programs[0], "-D", self._data(), "-U", "signalbox", "-A", "trust",
                       "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        """Returns once the server accepts connections."""
        self.ready.clear()
        self.process = self._spawn(
            [find("postgres"), "-D", self._data(), "-c", "listen_addresses=",
             "-c", "unix_socket_directories=" + self.folder, "-c", "max_connections=200",
             "-c", "shared_buffers=32MB", "-c", "logging_collector=off",
             "-c", "fsync=" + ("on" if self.durable else "off"),
             "-c", "autovacuum=" + ("on" if self.durable else "off")],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self.reader.start()
        if not self.ready.wait(START_SECONDS) or self.process.poll() is not None:
            raise RuntimeError("PostgreSQL did not start:\n" + "".join(self.lines))

    def stop(self, how=signal.SIGINT):
        """Ends the server and waits for it: SIGINT breaks connections off, SIGQUIT is a crash."""
        if self.process:
            self.process.send_signal(how)
            self.process.wait()
            self.reader.join()
            self.process = None

    def _data(self):
        return os.path.join(self.folder, "data")

    def _read(self, process):
        for line in process.stderr:
            self.lines = self.lines[-LINES_KEPT:] + [line]
            if READY in line:
                self.ready.set()
        process.stderr.close()
        self.ready.set()  # it ended: whoever waits looks and sees

    def _spawn(self, command, **streams):
        user = account()
        identity = {}
        if user:
            identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}
        return subprocess.Popen(command, env=environment, cwd="/", text=True, errors="replace",
                                stdin=subprocess.DEVNULL, preexec_fn=die_with_parent,
                                start_new_session=True, **identity, **streams)

    def _run(self, command):
        process = self._spawn(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output, _ = process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"{command[0]} failed:\n{output}")


@contextlib.contextmanager
def database():
    """The URL of a new database on the server that TEST_POSTGRES_URL names; gone afterwards."""
    server, name = os.environ["TEST_POSTGRES_URL"], "sbx_" + secrets.token_hex(6)

    def psql(statement):
        subprocess.run(["psql", "--quiet", "--no-psqlrc", server, "--command", statement], check=True)

    psql(f"CREATE DATABASE {name}")
    try:
        yield server.replace("/postgres?", f"/{name}?", 1)
    finally:
        psql(f"DROP DATABASE {name} WITH (FORCE)")


def run(command, durable):
    with Postgres(durable) as server:
        environment = dict(os.environ, TEST_POSTGRES_URL=server.url,
                           BENCH_POSTGRES_PID=str(server.process.pid))
        return subprocess.call(command, env=environment)


def serve(durable):
    with Postgres(durable) as server:
        print("ready", server.url, flush=True)
        for line in sys.stdin:
            word = line.strip()
            if word in ("stop", "kill"):
                server.stop(signal.SIGINT if word == "stop" else signal.SIGQUIT)
                print("stopped", flush=True)
            elif word == "start":
                server.start()
                print("ready", server.url, flush=True)
            else:
                print("unknown", word, flush=True)
    return 0


def main(arguments):
    durable = arguments[:1] == ["--durable"]
    arguments = arguments[durable:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        if arguments[:1] == ["run"] and len(arguments) > 1:
            return run(arguments[1:], durable)
        if arguments == ["serve"]:
            return serve(durable)
    except Missing as reason:
        print(f"postgres.py: {reason}", file=sys.stderr)
        return EXIT_SKIP
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
