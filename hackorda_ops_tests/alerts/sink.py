"""The other ends of alarms and heartbeats: a real HTTP server and a real mail server that keep what they are sent."""

import email
import email.policy
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from aiosmtpd.controller import Controller


@dataclass(frozen=True)
class Call:
    """What was posted, and to which path."""

    path: str
    body: str


@dataclass
class Sink:
    """What arrived, and how the next call is answered.

    Attributes:
        url: of a webhook, with a secret in its path.
        status: of the next answers.
        calls: everything that was posted, also what was answered with another status than 200.
        taken: what was answered with 200.
        silent: while it's set, nothing is answered.
        refuses: what has this in it is answered with 400.
        called: set once something was posted.
    """

    url: str
    status: int = 200
    calls: list[Call] = field(default_factory=list)
    taken: list[Call] = field(default_factory=list)
    silent: threading.Event = field(default_factory=threading.Event)
    refuses: str | None = None
    called: threading.Event = field(default_factory=threading.Event)

    @property
    def apprise_url(self) -> str:
        """The same webhook, for apprise: it posts a title and a message."""
        return self.url.replace("http://", "json://")

    @property
    def texts(self) -> list[str]:
        """The messages that arrived, whichever way they were posted."""
        documents = [json.loads(call.body) for call in self.calls]
        return [each.get("text") or f"{each['title']}\n{each['message']}" for each in documents]


@contextmanager
def running_sink(port: int = 0) -> Iterator[Sink]:
    """Runs a webhook on the loopback interface for as long as the block lasts, on a free port by default."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            call = Call(self.path, self.rfile.read(int(self.headers["Content-Length"])).decode())
            sink.calls.append(call)
            sink.called.set()
            while sink.silent.is_set() and not ending.wait(0.02):
                pass
            status = 400 if sink.refuses and sink.refuses in call.body else sink.status
            if status == 200:
                sink.taken.append(call)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Says nothing of callers that hang up."""

    ending = threading.Event()
    server = Server(("127.0.0.1", port), Handler)
    sink = Sink(f"http://127.0.0.1:{server.server_port}/hooks/hunter2-is-a-secret")
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    serving.start()
    try:
        yield sink
    finally:
        ending.set()
        server.shutdown()
        serving.join()
        server.server_close()


@dataclass
class MailSink:
    """A mail server's other side: the mails that it took."""

    url: str
    mails: list[EmailMessage] = field(default_factory=list)


@contextmanager
def running_mail_sink(port: int | None = None) -> Iterator[MailSink]:
    """Runs a mail server on the loopback interface for as long as the block lasts; it refuses mail for nobody@."""

    class Handler:
        async def handle_RCPT(  # noqa: N802
            self, _server: object, _session: object, envelope: Any, address: str, _options: object
        ) -> str:
            if address.startswith("nobody@"):
                return "550 No such mailbox"
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802
            sink.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
            return "250 OK"

    port = port or free_port()
    controller = Controller(Handler(), hostname="127.0.0.1", port=port)
    sink = MailSink(
        f"mailto://127.0.0.1:{port}?mode=insecure&from=hackorda_ops@example.com&to=on-call@example.com&name=hunter2"
    )
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()


def free_port() -> int:
    """A port of the loopback interface that nothing listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def port_of(url: str) -> int:
    """The port in a URL."""
    port = urlsplit(url).port
    assert port is not None
    return port
