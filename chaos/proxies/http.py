"""A proxy of HTTP servers: S3, Neon's API, webhooks."""

import http.client
import re
import socket
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from chaos.faults import labelled
from chaos.proxies.listening import Proxy, exactly, garbled, silence

_LONGEST_HEAD_BYTES: Final = 1 << 16
# Names that Neon and S3 give, of words without a digit too.
_NAMES = re.compile(r"(?<=/)(br|ep|op)-[\w-]+|(?<=uploadId=)[^&]+")
Edit = Callable[[bytes], bytes]


def _unchanged(body: bytes) -> bytes:
    return body


class HttpProxy(Proxy):
    """Positions are requests, each by its method, path and the names in its query."""

    def __init__(self, boundary: str, target: tuple[str, int], edit: Edit = _unchanged) -> None:
        """`edit` changes each answer's body: addresses in it, which are to lead through proxies as well."""
        super().__init__(boundary, target)
        self._edit = edit

    def serve(self, client: socket.socket) -> None:
        """Serves a connection to its end."""
        while True:
            head = _head(client)
            first, *lines = head.decode("latin-1").split("\r\n")
            method, path, _ = first.split(" ", 2)
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
            }
            if headers.pop("expect", ""):
                client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = _body(client, headers)
            fault = self.meet(_label(method, path))
            if fault == "error":
                client.sendall(
                    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
                return
            if fault == "hang":
                silence(client)
                return
            status, answered, content = self._forward(method, path, headers, body)
            if fault == "twice":
                status, answered, content = self._forward(method, path, headers, body)
            if fault == "lost":
                return
            if fault == "garbled":
                content = garbled(content)
            answer = b"\r\n".join((f"HTTP/1.1 {status} -".encode(), *answered, b"", b"")) + (
                b"" if method == "HEAD" else content
            )
            if fault == "cut":
                client.sendall(answer[: max(len(answer) // 2, len(answer) - len(content) // 2 - 1)])
                return
            client.sendall(answer)

    def _forward(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, list[bytes], bytes]:
        connection = http.client.HTTPConnection(*self.target, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                if name and name not in {"connection", "transfer-encoding", "content-length"}:
                    connection.putheader(name, value)
            connection.putheader("content-length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            content = self._edit(answer.read())
            kept = [
                f"{name}: {value}".encode("latin-1")
                for name, value in answer.getheaders()
                if name.lower() not in {"connection", "transfer-encoding", "content-length"}
            ]
            size = answer.headers["content-length"] if method == "HEAD" else str(len(content))
            return answer.status, [*kept, f"content-length: {size or 0}".encode()], content
        finally:
            connection.close()


def _head(client: socket.socket) -> bytes:
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        head += exactly(client, 1)
        if len(head) > _LONGEST_HEAD_BYTES:
            raise EOFError
    return bytes(head[:-4])


def _body(client: socket.socket, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return exactly(client, int(headers.get("content-length") or 0))
    body = bytearray()
    while True:
        line = bytearray()
        while not line.endswith(b"\r\n"):
            line += exactly(client, 1)
        size = int(line.split(b";")[0], 16)
        body += exactly(client, size)
        exactly(client, 2)
        if size == 0:
            return bytes(body)


def _label(method: str, path: str) -> str:
    url = urlsplit(_NAMES.sub("#", path))
    names = sorted(name for name, _ in parse_qsl(url.query, keep_blank_values=True))
    return labelled(f"{method} {url.path}{'?' + '&'.join(names) if names else ''}")
