"""A proxy that speaks enough of Redis's protocol to know where a command and its answer begin and end."""

import socket
from contextlib import suppress

from chaos.faults import labelled
from chaos.proxies.listening import BLOCK_BYTES, Proxy, exactly, garbled, silence


class RedisProxy(Proxy):
    """Positions are commands, each by its name. What follows a PSYNC flows on as it comes."""

    def serve(self, client: socket.socket) -> None:
        """Serves a connection to its end."""
        upstream = self.connect()
        try:
            while True:
                raw, words = _command(client)
                name = words[0].upper()
                fault = self.meet(labelled(" ".join([name, *words[1:2]] if name != "AUTH" else [name])))
                if fault == "error":
                    client.sendall(b"-LOADING Redis is loading the dataset in memory\r\n")
                    if name in {"PSYNC", "SYNC"}:
                        return
                    continue
                if fault == "hang":
                    silence(client)
                    return
                upstream.sendall(raw * (2 if fault == "twice" and name not in {"PSYNC", "SYNC"} else 1))
                if name in {"PSYNC", "SYNC"}:
                    self._flow(client, upstream, fault)
                    return
                answer = _answer(upstream)
                if fault == "twice":
                    answer += _answer(upstream)
                if fault == "lost":
                    return
                if fault == "cut":
                    client.sendall(answer[: len(answer) // 2])
                    return
                client.sendall(garbled(answer) if fault == "garbled" else answer)
        finally:
            self.closed(upstream)

    def _flow(self, client: socket.socket, upstream: socket.socket, fault: str | None) -> None:
        upstream.settimeout(0.5)
        if fault == "lost":
            return
        sent = 0
        while True:
            block = b""
            with suppress(TimeoutError):
                block = upstream.recv(BLOCK_BYTES)
                if not block:
                    return
            if fault in {"cut", "garbled", "twice"} and sent + len(block) > 64:
                client.sendall(
                    {"garbled": garbled(block), "twice": block * 2}.get(fault, block[: len(block) // 2])
                )
                if fault == "cut":
                    return
                fault = None
            else:
                client.sendall(block)
            sent += len(block)
            if not block:
                # Whether the client is still there: it may acknowledge, which the server needs.
                client.settimeout(0.01)
                with suppress(TimeoutError):
                    said = client.recv(BLOCK_BYTES)
                    if not said:
                        return
                    upstream.sendall(said)
                client.settimeout(None)


def _line(connection: socket.socket) -> bytes:
    line = bytearray()
    while not line.endswith(b"\r\n"):
        line += exactly(connection, 1)
    return bytes(line)


def _command(client: socket.socket) -> tuple[bytes, list[str]]:
    first = _line(client)
    if not first.startswith(b"*"):
        return first, first.decode("latin-1").split() or ["?"]
    raw, words = bytearray(first), []
    for _ in range(int(first[1:])):
        size = _line(client)
        word = exactly(client, int(size[1:]) + 2)
        raw += size + word
        words.append(word[:-2].decode("latin-1"))
    return bytes(raw), words


def _answer(upstream: socket.socket) -> bytes:
    line = _line(upstream)
    kind, size = line[:1], line[1:-2]
    if kind == b"$" and int(size) >= 0:
        return line + exactly(upstream, int(size) + 2)
    if kind == b"*":
        return line + b"".join(_answer(upstream) for _ in range(max(0, int(size))))
    return line
