"""A real HTTP proxy in front of the S3 server that does to requests and answers what a test wants."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from hackorda_ops.local.s3 import S3Server


@dataclass(frozen=True)
class Request:
    """One HTTP request; `path` with its query."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """One HTTP answer. A Content-Length among the headers is sent as it is, true or not."""

    status: int
    headers: dict[str, str]
    body: bytes


Forward = Callable[[Request], Reply]
# None cuts the connection without an answer.
Misbehave = Callable[[Request, Forward], Reply | None]


def refusal(status: int, code: str, message: str = "said the server") -> Reply:
    """An S3 error as S3 words it."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    return Reply(status, {"Content-Type": "application/xml", "Content-Length": str(len(body))}, body)


@contextmanager
def proxied(server: S3Server, misbehave: Misbehave) -> Iterator[S3Server]:
    """The same server behind a proxy for as long as the block lasts."""
    target = urlsplit(server.endpoint_url)

    def forward(request: Request) -> Reply:
        connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=30)
        try:
            headers = {**request.headers, "Content-Length": str(len(request.body))}
            connection.request(request.method, request.path, request.body, headers)
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name: value for name, value in self.headers.items() if name != "Expect"}
            self.close_connection = True
            reply = misbehave(Request(self.command, self.path, headers, body), forward)
            if reply is None:
                return
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                if name.lower() not in {"connection", "transfer-encoding"}:
                    self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve  # noqa: N815  # http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that was killed

    proxy = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield replace(server, endpoint_url=f"http://127.0.0.1:{proxy.server_port}")
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
