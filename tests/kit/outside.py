# SPDX-License-Identifier: MPL-2.0
"""outside - whom the system calls: a receiver of webhooks, a mail server; and how to check what comes

The signatures are verified from the text of Standard Webhooks 1.0.0 alone, with nothing of ours.
"""
import base64
import hashlib
import hmac
import http.server
import queue
import socketserver
import ssl
import subprocess
import threading
import types

PATIENCE = 20  # seconds a test waits for what must come


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """Whoever hangs up in the middle is no fault of the test's."""


class Receiver:
    """An HTTP server that keeps what it is sent; `answer` is (status, headers, body), or a function
    of the request that returns that."""

    def __init__(self, address="127.0.0.1", certificate=None):
        receiver = self
        self.received = queue.Queue()
        self.answer = (204, {}, b"")

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                size = int(self.headers.get("Content-Length", "0"))
                request = types.SimpleNamespace(command=self.command, path=self.path, headers=self.headers,
                                                body=self.rfile.read(size))
                answer = receiver.answer(request) if callable(receiver.answer) else receiver.answer
                receiver.received.put(request)
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, body = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_HEAD = do_POST = handle_any

            def log_message(self, format, *words):  # pylint: disable=redefined-builtin
                pass

        self.server = _Server((address, 0), Handler)
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.scheme = "https"
        self.address, self.port = self.server.server_address
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path="/hook", host=None):
        return f"{self.scheme}://{host or self.address}:{self.port}{path}"

    def next(self):
        """The next request that comes, or has come; None when none does."""
        try:
            return self.received.get(timeout=PATIENCE)
        except queue.Empty:
            return None

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class MailServer:
    """SMTP (RFC 5321), as much as a client needs that hands mails in. `replies` maps a command to
    another reply than usual; `certificate` makes it offer STARTTLS."""

    def __init__(self, certificate=None):
        mails = self.mails = queue.Queue()
        replies = self.replies = {}

        class Handler(socketserver.StreamRequestHandler):
            def say(self, text):
                self.wfile.write(text.encode() + b"\r\n")

            def data(self):
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line[1:] if line.startswith(b".") else line)
                return b"".join(lines)

            def handle(self):
                mail = {"to": [], "tls": False}
                self.say("220 test")
                while line := self.rfile.readline().decode("latin-1").rstrip("\r\n"):
                    verb = line.split(" ")[0].upper()
                    if verb in replies:
                        self.say(replies[verb])
                    elif verb == "EHLO":
                        offers = certificate and not mail["tls"]
                        self.say("250-test\r\n250-STARTTLS\r\n250-AUTH PLAIN\r\n250 8BITMIME"
                                 if offers else "250-test\r\n250-AUTH PLAIN\r\n250 8BITMIME")
                    elif verb == "STARTTLS":
                        self.say("220 go ahead")
                        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                        context.load_cert_chain(*certificate)
                        self.connection = context.wrap_socket(self.connection, server_side=True)
                        self.rfile = self.connection.makefile("rb")
                        self.wfile = self.connection.makefile("wb", buffering=0)
                        mail["tls"] = True
                    elif verb == "AUTH":
                        self.say("334 ")
                        mail["auth"] = base64.b64decode(self.rfile.readline())
                        self.say("235 welcome")
                    elif verb == "MAIL":
                        mail["from"] = line
                        self.say("250 ok")
                    elif verb == "RCPT":
                        mail["to"].append(line)
                        self.say("250 ok")
                    elif verb == "DATA":
                        self.say("354 go ahead")
                        mail["bytes"] = self.data()
                        mails.put(mail)
                        self.say("250 queued")
                    elif verb == "QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 ok")

        self.server = _Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self):
        """The next mail; None when none comes."""
        try:
            return self.mails.get(timeout=PATIENCE)
        except queue.Empty:
            return None

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def certificate(folder, days=90):
    """A certificate for 127.0.0.1 and localhost that vouches for itself: (file, file of its key)."""
    files = (f"{folder}/certificate.pem", f"{folder}/key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(days),
                    "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
                    "-out", files[0], "-keyout", files[1]], check=True, capture_output=True)
    return files


def is_signed(request, secret):
    """Whether one of the signatures of a webhook was made with `secret` ("whsec_...")."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join([request.headers["webhook-id"].encode(),
                        request.headers["webhook-timestamp"].encode(), request.body])
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    versions = [word.split(",", 1) for word in request.headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(value, expected)
               for version, value in versions)
