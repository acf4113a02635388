"""A proxy that speaks enough of Postgres's protocol to know where a statement and its answer begin and end."""

import queue
import re
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from chaos.faults import labelled
from chaos.proxies.listening import Proxy, exactly, garbled, silence

_SSL: Final = 80877103
_GSS: Final = 80877104
_CANCEL: Final = 80877102
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


@dataclass
class _Unit:
    """A statement (or several in one message) until the server is ready for the next."""

    fault: str | None
    answer: bytearray = field(default_factory=bytearray)


class PostgresProxy(Proxy):
    """Positions are logins and statements: each by the application that sends it and its text."""

    def serve(self, client: socket.socket) -> None:
        """Serves a connection to its end."""
        while True:
            size, code = struct.unpack("!II", exactly(client, 8))
            rest = exactly(client, size - 8)
            if code not in {_SSL, _GSS}:
                break
            client.sendall(b"N")
        start = struct.pack("!II", size, code) + rest
        if code == _CANCEL:
            upstream = self.connect()
            upstream.sendall(start)
            self.closed(upstream)
            return
        words = rest.split(b"\0")
        given = dict(zip(words[::2], words[1::2], strict=False))
        application = given.get(b"application_name", b"").decode() or "nameless"
        fault = self.meet(labelled(f"{application}: log in"))
        if fault == "error":
            client.sendall(_fatal("53300", "sorry, too many clients already"))
            return
        if fault == "hang":
            silence(client)
            return
        upstream = self.connect()
        try:
            self._talk(client, upstream, start, application, fault)
        finally:
            self.closed(upstream, client)

    def _talk(
        self,
        client: socket.socket,
        upstream: socket.socket,
        start: bytes,
        application: str,
        fault: str | None,
    ) -> None:
        units: queue.SimpleQueue[_Unit] = queue.SimpleQueue()
        units.put(_Unit(fault))
        answers = threading.Thread(target=self._answers, args=(client, upstream, units), daemon=True)
        answers.start()
        upstream.sendall(start)
        named: dict[bytes, str] = {}
        texts: list[str] = []
        held = bytearray()
        with suppress(OSError, EOFError):
            while True:
                kind, body = _message(client)
                message = _as_message(kind, body)
                if kind == b"Q":
                    texts = [_text(body[:-1])]
                elif kind == b"P":
                    name, text = body.split(b"\0", 2)[:2]
                    named[name] = _text(text)
                    texts.append(named[name])
                elif kind == b"B":
                    name = body.split(b"\0", 2)[1]
                    if name and named.get(name, "") not in texts:
                        texts.append(named.get(name, ""))
                held += message
                if kind in {b"Q", b"S"} and texts:
                    fault = self.meet(labelled(f"{application}: {'; '.join(texts)}"))
                    texts = []
                    if fault == "error":
                        client.sendall(_fatal("57P01", "terminating connection due to administrator command"))
                        return
                    if fault == "hang":
                        silence(client)
                        return
                    units.put(_Unit(fault))
                elif kind in {b"Q", b"S"}:
                    units.put(_Unit(None))
                elif kind in {b"P", b"B", b"D", b"E", b"C"}:
                    continue
                upstream.sendall(held)
                held.clear()
        # The client has gone: the server is told so.
        self.closed(upstream)
        answers.join(5)

    def _answers(
        self, client: socket.socket, upstream: socket.socket, units: "queue.SimpleQueue[_Unit]"
    ) -> None:
        unit: _Unit | None = None
        with suppress(OSError, EOFError):
            # An answer before ReadyForQuery goes on at once where nothing is to be done to it.
            while True:
                kind, body = _message(upstream)
                message = _as_message(kind, body)
                if unit is None:
                    with suppress(queue.Empty):
                        unit = units.get_nowait()
                ready = kind == b"Z"
                # A login goes on by answers of the client, and COPY's data too: nothing waits for its end.
                flows = kind in {b"R", b"G", b"W"}
                if unit is None or unit.fault is None:
                    client.sendall(message)
                elif unit.fault == "lost":
                    if (flows and kind != b"R") or (kind == b"R" and body[:4] != b"\0\0\0\0"):
                        client.sendall(message)
                    elif ready:
                        break
                else:
                    unit.answer += message
                    if ready or flows:
                        if unit.fault == "cut" and (ready or kind != b"R"):
                            client.sendall(unit.answer[: len(unit.answer) // 2])
                            break
                        answer = bytes(unit.answer)
                        if ready or kind != b"R":
                            answer = garbled(answer) if unit.fault == "garbled" else answer * 2
                        client.sendall(answer)
                        unit.answer.clear()
                if ready:
                    unit = None
        self.closed(client, upstream)


def _message(connection: socket.socket) -> tuple[bytes, bytes]:
    head = exactly(connection, 5)
    return head[:1], exactly(connection, int.from_bytes(head[1:], "big") - 4)


def _as_message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def _fatal(state: str, message: str) -> bytes:
    fields = {"S": "FATAL", "V": "FATAL", "C": state, "M": message}
    return _as_message(b"E", b"".join(f"{key}{value}\0".encode() for key, value in fields.items()) + b"\0")


def _text(statement: bytes) -> str:
    return _COMMENT.sub("", statement.decode("utf-8", "replace"))
