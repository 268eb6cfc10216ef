# SPDX-License-Identifier: MPL-2.0
"""edge - an edge_host process; what is asked of it is in web.py"""
import ctypes
import os
import signal
import subprocess
import tempfile

from web import PATIENCE, Response, Web, read_all, read_one, request, responses  # noqa: F401

HOST = os.environ.get("EDGE_HOST", "tests/it/edge_host")

PR_SET_PDEATHSIG = 1


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Edge(Web):
    """A running edge_host; settings as keywords: threads=16, allow_anonymous="true"."""

    def __init__(self, *flags, **settings):
        settings.setdefault("allow_anonymous", "true")
        settings.setdefault("load_per_processor", 0)  # who else is busy here is not tested
        command = [HOST, *flags]
        for name, value in settings.items():
            command += [f"--edge.{name}", str(value)]
        # a file, not a pipe: nobody would read the pipe while the test runs
        self.log = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self.log, text=True, preexec_fn=_die_with_parent
        )
        line = self.process.stdout.readline()
        if not line.startswith("ready "):
            raise RuntimeError(self.read_log())
        super().__init__(int(line.split()[1]))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        status, log = self.stop()
        if kind is None and (status != 0 or "Sanitizer" in log or "runtime error" in log):
            raise RuntimeError(f"edge_host ended with {status}:\n{log}")

    def stop(self):
        """Ends the process; its exit status and what it wrote to its log."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=PATIENCE * 3)
        return self.process.returncode, self.read_log()

    def read_log(self):
        self.log.seek(0)
        return self.log.read()
