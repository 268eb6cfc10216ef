# SPDX-License-Identifier: MPL-2.0
"""prometheus - Debian's Prometheus and promtool, and the strict parser of OpenMetrics, for tests

    check_text(text), check_openmetrics(text)  # what is wrong with it; "" is nothing
    with Prometheus(folder, scrape=["127.0.0.1:8080"], rules="alerts.yml") as prometheus:
        prometheus.query("sum(up)")
"""
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from parts import die_with_parent, free_port

PATIENCE = 60


def is_here():
    """Whether what deploy/packages names is installed."""
    try:
        import prometheus_client.openmetrics.parser  # noqa: F401
    except ImportError:
        return False
    return bool(shutil.which("promtool") and shutil.which("prometheus"))


def check_text(text):
    """What promtool has to say about the text format."""
    result = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                            capture_output=True, timeout=PATIENCE, check=False)
    return result.stdout + result.stderr + (f"status {result.returncode}" if result.returncode else "")


def read_openmetrics(text):
    """All samples of a text, as the strict parser reads them; raises ValueError."""
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


class Prometheus:
    """A server that scrapes edges each second, with the flags and files of a fresh folder."""

    def __init__(self, folder, scrape, rules=(), alertmanager=None):
        self.port = free_port()
        self.path = os.path.join(folder, "prometheus")
        os.makedirs(self.path)
        config = {"global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                  "rule_files": list(rules),
                  "scrape_configs": [{"job_name": "signalbox", "honor_labels": True,
                                      "static_configs": [{"targets": scrape}]}]}
        if alertmanager:
            config["alerting"] = {"alertmanagers": [{"static_configs": [
                {"targets": [alertmanager]}]}]}
        with open(os.path.join(self.path, "prometheus.yml"), "w", encoding="utf-8") as file:
            json.dump(config, file)  # JSON is YAML
        self.log = open(os.path.join(self.path, "log"), "wb")
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={self.path}/prometheus.yml",
             f"--storage.tsdb.path={self.path}/data", f"--web.listen-address=127.0.0.1:{self.port}",
             "--enable-feature=exemplar-storage"],
            stdout=self.log, stderr=self.log, preexec_fn=die_with_parent)
        self.wait("vector(1)", lambda found: found)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.log.close()

    def get(self, path, **values):
        """The data of an answer of its API; None while it does not answer."""
        url = f"http://127.0.0.1:{self.port}{path}?{urllib.parse.urlencode(values)}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:  # it is not ready yet
                return None
            raise RuntimeError(error.read().decode()) from error
        except OSError:
            return None

    def query(self, expression):
        """The series of an instant query: (labels, value)."""
        data = self.get("/api/v1/query", query=expression)
        if data is None:
            return []
        return [(series["metric"], float(series["value"][1])) for series in data["result"]]

    def wait(self, expression, is_good, seconds=PATIENCE):
        """Asks until the answer is good; the last one."""
        until = time.monotonic() + seconds
        while True:
            found = self.query(expression)
            if is_good(found) or time.monotonic() > until:
                return found
            time.sleep(0.1)
