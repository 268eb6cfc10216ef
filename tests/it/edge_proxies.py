# SPDX-License-Identifier: MPL-2.0
"""The example configurations of nginx and HAProxy are accepted by them."""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
from tap import check, done, skip  # noqa: E402

DEPLOY = os.path.join(os.environ.get("srcdir", "."), "deploy")
TLS = "/etc/signalbox/tls"


def find(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def a_certificate(folder):
    key, chain = f"{folder}/privkey.pem", f"{folder}/fullchain.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
                    "-subj", "/CN=api.example.com", "-keyout", key, "-out", chain],
                   check=True, capture_output=True)
    with open(f"{folder}/combined.pem", "w") as combined:
        for name in (chain, key):
            combined.write(open(name).read())


def accepted(tool, file, *command):
    with tempfile.TemporaryDirectory() as folder:
        a_certificate(folder)
        text = open(os.path.join(DEPLOY, file)).read()
        check(TLS in text, f"{file} names its certificate")
        config = f"{folder}/{file}"
        with open(config, "w") as out:
            out.write(text.replace(TLS, folder))
        run = subprocess.run([tool, *[part.format(config=config, folder=folder) for part in command]],
                             capture_output=True, text=True)
        said = run.stdout + run.stderr
        check(run.returncode == 0 and "warn" not in said.lower(), f"{file} is accepted", said)


nginx, haproxy, openssl = find("nginx"), find("haproxy"), find("openssl")
if not openssl or not (nginx or haproxy):
    skip("neither nginx nor haproxy is installed, or openssl is not")
if nginx:
    accepted(nginx, "nginx.conf", "-t", "-c", "{config}", "-g",
             "pid {folder}/nginx.pid; error_log stderr;")
if haproxy:
    accepted(haproxy, "haproxy.cfg", "-c", "-f", "{config}")
sys.exit(done())
