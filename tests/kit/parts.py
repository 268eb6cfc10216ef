# SPDX-License-Identifier: MPL-2.0
"""parts - processes of `signalbox` in a folder of their own, for tests

    with Folder() as folder:
        broker = folder.start("broker")
        ...

A process is ready when it says so on standard output. Its log goes to a file in the folder and is
shown when the process ends with another status than expected. Whatever still runs at the end is
stopped, and a sanitizer's report in a log is a failure.
"""
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

PROGRAM = os.path.abspath("signalbox")  # tests run in the build folder
START_SECONDS = 60
STOP_SECONDS = 60
PR_SET_PDEATHSIG = 1


def free_port():
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def die_with_parent():
    """What a test starts does not outlive it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _variables(settings):
    return {"SIGNALBOX_" + name.upper(): str(value) for name, value in settings.items()}


class Part:
    """One process."""

    def __init__(self, folder, words):
        self.words = words
        self.log_path = os.path.join(folder.path, f"log-{len(folder.parts)}-{words[0]}")
        self.lines = []
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [PROGRAM, *words], cwd=folder.path, stdout=subprocess.PIPE, stderr=log, text=True,
                env=folder.environment, preexec_fn=die_with_parent)
        self.has_ended = False  # its standard output
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if not self.wait_line(""):
            self.kill()
            raise RuntimeError(f"{' '.join(words)} did not start:\n{self.log()}")

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.has_ended = True
            self.changed.notify_all()

    def wait_line(self, pattern, seconds=START_SECONDS, after=0):
        """The match of the first line, printed or yet to come, that holds `pattern`; or None.

        So many lines at the beginning are passed over as `after` says.
        """
        found = []

        def look():
            found.extend(filter(None, (re.search(pattern, line) for line in self.lines[after:])))
            return found or self.has_ended

        with self.changed:
            self.changed.wait_for(look, seconds)
        return found[0] if found else None

    @property
    def port(self):
        """Where its edge listens."""
        return int(self.wait_line(r"http://[0-9.]+:(\d+)/").group(1))

    @property
    def instance(self):
        """The name that its actor gave itself."""
        return self.wait_line(r"^The instance (\S+) is registered").group(1)

    def log(self):
        """All it has logged."""
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def events(self):
        """Its log lines, parsed; a line that is no JSON raises."""
        return [json.loads(line) for line in self.log().splitlines()]

    def kill(self):
        """As a crash would."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """SIGTERM; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "did not stop"

    def memory(self):
        """KiB of memory that it has made for itself: no files, which others may share."""
        with open(f"/proc/{self.process.pid}/smaps_rollup", encoding="ascii") as rollup:
            return next(int(line.split()[1]) for line in rollup if line.startswith("Anonymous:"))


class Folder:
    """A data folder and the processes that use it."""

    def __init__(self, **settings):
        self.settings = settings
        self.parts = []
        self.path = None
        self.environment = None

    def __enter__(self):
        # short: a unix socket's path has at most 107 bytes
        self.path = tempfile.mkdtemp(prefix="sbx-", dir="/tmp")
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith("SIGNALBOX_")}
        self.environment.update(_variables({"storage_data": "var", "edge_load_per_processor": 0,
                                            **self.settings}))
        return self

    def __exit__(self, kind, *_):
        faults = []
        for part in reversed(self.parts):
            part.stop()
            log = part.log()
            if "Sanitizer" in log or "runtime error" in log or "broken promise" in log:
                faults.append(f"{' '.join(part.words)}:\n{log}")
        if kind is not None:
            for part in self.parts:
                print(f"# {' '.join(part.words)}")
                for line in part.log().splitlines()[-15:]:
                    print(f"#   {line}")
        shutil.rmtree(self.path, ignore_errors=True)
        if faults and kind is None:
            raise RuntimeError("\n".join(faults))

    def start(self, *words):
        """Starts a process and waits until it is ready."""
        part = Part(self, [str(word) for word in words])
        self.parts.append(part)
        return part

    def command(self, *words, text="", **settings):
        """Runs a command to its end: its exit status, and what it wrote to both outputs."""
        environment = {**self.environment, **_variables(settings)}
        result = subprocess.run([PROGRAM, *[str(word) for word in words]], cwd=self.path,
                                env=environment, capture_output=True, text=True, input=text,
                                timeout=STOP_SECONDS, check=False)
        return result.returncode, result.stdout, result.stderr

    def run(self, *words, status=0, text=""):
        """Runs a command to its end; its standard output."""
        code, output, errors = self.command(*words, text=text)
        if code != status:
            raise RuntimeError(f"{' '.join(map(str, words))} ended with {code}:\n"
                               f"{output}\n{errors}")
        return output

    def fail(self, *words, status=1):
        """Runs a command that is to fail; what it says about it."""
        code, output, errors = self.command(*words)
        if code != status:
            raise RuntimeError(f"{' '.join(map(str, words))} ended with {code}:\n"
                               f"{output}\n{errors}")
        return errors

    def write(self, name, text):
        """A file in the folder."""
        with open(os.path.join(self.path, name), "w", encoding="utf-8") as file:
            file.write(text)

    def socket(self, name):
        """The endpoint of one of the broker's sockets: bus, edge or events."""
        return f"ipc://{self.path}/var/{name}.sock"
